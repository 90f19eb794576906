"""What every film is made of: its product, its colors and its frame, and how things move in it."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from bmn_sandbox.media.color import Color
from bmn_sandbox.media.cutout import Product
from bmn_sandbox.media.placing import sized

Shot = Callable[[float], Image.Image]
"""The frame of each moment of a film, 0 to 1; the last one shows the product with its logo."""
Point = tuple[float, float]
_SWING = 34.0  # degrees that a product turns to each side
_SWINGS = {"box": 28.0}  # farther, and one sees a face that its picture does not have
_CLOTH_SWING = 16.0  # what hangs is flat, and shows it where it turns farther


@dataclass(frozen=True, slots=True)
class Stage:
    """colors: of wall and podium. size: of a frame, in pixels."""

    product: Product
    colors: tuple[Color, Color]
    size: tuple[int, int]

    @property
    def unit(self) -> float:
        """The shorter side of a frame."""
        return float(min(self.size))

    @property
    def floor(self) -> float:
        """Where things stand."""
        return self.size[1] * 0.84

    @property
    def near(self) -> float:
        """Where things stand that are as near to the camera as they come."""
        return self.size[1] * 0.93

    @property
    def floats(self) -> bool:
        """Whether it cannot stand, and floats in a film: garments do; a poster leans."""
        return self.product.hangs and self.product.kind != "poster"

    @property
    def lift(self) -> float:
        """How high above the floor it is."""
        return self.unit * 0.05 if self.floats else 0.0

    @property
    def depth(self) -> float:
        """How dark its shadow is."""
        return 0.32 if self.floats else 0.62

    @property
    def swing(self) -> float:
        """How far it turns to each side, in degrees."""
        return _CLOTH_SWING if self.floats else _SWINGS.get(self.product.kind, _SWING)

    def art(self, share: float) -> Image.Image:
        """The product, as high as this share of the frame's shorter side, or as broad where it is broader."""
        art = self.product.art
        return sized(art, self.unit * share * min(1.0, 1.25 * art.height / art.width))


def eased(moment: float) -> float:
    """A way that begins and ends gently, 0 to 1."""
    return 0.5 - 0.5 * math.cos(math.pi * moment)


def between(moment: float, start: float, end: float) -> float:
    """How much of a span of time has passed, 0 to 1."""
    return min(1.0, max(0.0, (moment - start) / (end - start)))


def sprung(share: float) -> float:
    """A way that shoots a little over its end, and comes back to it, 0 to 1."""
    return 1 - math.exp(-5 * share) * math.cos(1.6 * math.pi * share) * (1 - share)


def smaller(art: Image.Image, share: float) -> Image.Image:
    """The art as it is seen from farther away."""
    size = (max(8, round(art.width * share)), max(8, round(art.height * share)))
    return art.resize(size, Image.Resampling.BILINEAR)
