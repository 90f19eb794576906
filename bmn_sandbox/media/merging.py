"""A logo printed on cloth of about its own color: its tile is the cloth within a thin line, and all on it stays."""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter, ImageOps, ImageStat

from bmn_sandbox.media.color import Color, contrast, linear_luminance
from bmn_sandbox.media.placement import Logo

Where = npt.NDArray[np.bool_]
_SEEN = 2.2  # a contrast: what has less is taken for cloth
_HELD = (0.08, 0.7)  # how much of a tile is not of its own color: its letters, its motif
_TINT = 20  # an alpha: a tint near to its ground was lifted with that, down to this much
_SIDE = 120  # how large a logo is looked at
_IN_LINES = 0.5  # of what a drawing in lines encloses, which is ink
_FULL = 0.55  # of its box, which a tile fills
_EVEN = 0.94  # of a tile is where its mirror image is
_LINE = 0.011  # the line around it, as a share of the longer side
_LINEAR = np.array([v / 255 / 12.92 if v <= 10 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in range(256)])


def merged(logo: Logo, ground: Color) -> Image.Image | None:
    """The art in its own inks, what is cut out of it as light as it came, a line around it all. RGBA.

    None where it came on about the color that it is to be printed on: there the line would be lost.
    """
    if logo.ground is None or contrast(logo.ground, ground) < _SEEN:
        return None
    line = max(2, round(max(logo.art.size) * _LINE))
    whole = ImageOps.expand(_filled(logo.art, logo.ground), 2 * line, (*logo.ground, 0))
    wider = whole.getchannel("A").filter(ImageFilter.GaussianBlur(line))
    outlined = Image.new("RGBA", whole.size, (*logo.ground, 255))
    outlined.putalpha(wider.point([min(255, max(0, (v - 24) * 8)) for v in range(256)]))
    outlined.alpha_composite(whole)
    return outlined


def is_in_lines(logo: Logo) -> bool:
    """Whether a logo is mostly the paper between its lines: on a ground of another color that would be a card."""
    if logo.ground is None:
        return False
    inked, whole = (
        art.getchannel("A").resize((_SIDE, _SIDE), Image.Resampling.NEAREST)
        for art in (logo.art, _filled(logo.art, logo.ground))
    )
    return ImageStat.Stat(inked).mean[0] < _IN_LINES * ImageStat.Stat(whole).mean[0]


def is_tile_of(logo: Logo, ground: Color) -> bool:
    """Whether a logo is one even form of about the ground's color, with letters or a motif on it."""
    if logo.ground is None:
        return False
    small = _filled(logo.art, logo.ground)
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.NEAREST)
    pixels = np.asarray(small)
    opaque: Where = pixels[..., 3] > 127
    held = opaque & (_contrast(pixels, ground) >= _SEEN)
    area = int(opaque.sum())
    if not (_HELD[0] * area <= int(held.sum()) <= _HELD[1] * area and area >= _FULL * opaque.size):
        return False
    if max(float((opaque == other).mean()) for other in (opaque[:, ::-1], opaque[::-1, ::-1])) < _EVEN:
        return False
    rim = opaque & ~held & _grown(_border(opaque), ~held)
    first = np.zeros_like(rim)
    first.flat[int(rim.argmax())] = True
    return int(_grown(first, rim).sum()) >= 0.97 * int(rim.sum()) > 0


def _contrast(pixels: npt.NDArray[np.uint8], ground: Color) -> npt.NDArray[np.float64]:
    light: npt.NDArray[np.float64] = _LINEAR[pixels[..., :3]] @ np.array([0.2126, 0.7152, 0.0722]) + 0.05
    other = linear_luminance(ground) + 0.05
    found: npt.NDArray[np.float64] = np.maximum(light / other, other / light)
    return found


def _filled(art: Image.Image, paper: Color) -> Image.Image:
    """The art with its paper wherever it closes around it."""
    scale = max(1, round(max(art.size) / _SIDE))
    alpha = np.asarray(art.getchannel("A").reduce(scale))
    around = np.pad(alpha < _TINT, 1, constant_values=True)
    outside = Image.fromarray(_grown(_border(around), around).astype(np.uint8) * 255)
    # The edge of the art is half transparent: it stays so toward the outside.
    reached = outside.filter(ImageFilter.MaxFilter(3)).crop((1, 1, outside.width - 1, outside.height - 1))
    inside = reached.resize((reached.width * scale, reached.height * scale), Image.Resampling.NEAREST)
    whole = Image.new("RGBA", art.size, (*paper, 255))
    whole.putalpha(inside.crop((0, 0, *art.size)).point([255] * 128 + [0] * 128))
    whole.alpha_composite(art)
    return whole


def _border(like: Where) -> Where:
    border = np.zeros_like(like)
    border[[0, -1], :] = border[:, [0, -1]] = True
    return border


def _grown(seed: Where, within: Where) -> Where:
    """All that is reached from a seed within an area, step by step."""
    reached = seed & within
    while True:
        wider = reached.copy()
        wider[1:] |= reached[:-1]
        wider[:-1] |= reached[1:]
        wider[:, 1:] |= reached[:, :-1]
        wider[:, :-1] |= reached[:, 1:]
        wider &= within
        if (wider == reached).all():
            return reached
        reached = wider
