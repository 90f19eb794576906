"""What every product drawing is given."""

from dataclasses import dataclass
from functools import cached_property

from PIL import Image

from bmn_sandbox.media.color import WHITE, Color
from bmn_sandbox.media.placement import Logo, fitted, readable

CREAM = Color(240, 231, 214)
KRAFT = Color(203, 168, 124)
STEEL = Color(222, 225, 228)


@dataclass(frozen=True)
class Scene:
    """logo: None draws the blank product. palette: the brand's colors, first its own. plain: keep products white."""

    logo: Logo | None
    palette: tuple[Color, ...]
    plain: bool

    @property
    def brand(self) -> Color:
        return self.palette[0]

    @cached_property
    def cloth(self) -> Color:
        """A product color on which the logo reads."""
        return self.on([] if self.plain else list(self.palette))

    def on(self, wanted: list[Color]) -> Color:
        """The first wanted color that the logo reads on."""
        if self.logo is None:
            return (wanted or [WHITE])[0]
        return readable(self.logo, wanted)

    def art(self, width: float, height: float) -> Image.Image | None:
        """The logo, fitted into a box."""
        return None if self.logo is None else fitted(self.logo.art, width, height)
