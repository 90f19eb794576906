"""Which of a brand's colours does what in a logo."""

import colorsys
import io
import random
from dataclasses import dataclass

from PIL import Image

from bmn_sandbox.media.canvas import BLACK, WHITE, Colour

_HOUSE_PALETTES = (
    ("#1f3a5f", "#f2a541", "#e9eef4"),
    ("#22443a", "#e07a5f", "#f4f1de"),
    ("#3d2c5e", "#f26a8d", "#f3eef8"),
    ("#16302b", "#7fb069", "#ece4b7"),
    ("#2b2d42", "#ef233c", "#edf2f4"),
    ("#0b4f6c", "#01baef", "#fbfbff"),
)


@dataclass(frozen=True, slots=True)
class Palette:
    """ink: carries shapes and type, dark enough for the paper. accent: the second voice. soft: a quiet ground."""

    ink: Colour
    accent: Colour
    soft: Colour
    paper: Colour = WHITE

    @property
    def tones(self) -> tuple[Colour, Colour, Colour]:
        return self.ink, self.accent, self.paper

    def on_ink(self) -> tuple[Colour, Colour, Colour]:
        """Ink, accent and paper for drawing on a ground of the ink colour."""
        light = self.accent if contrast(self.accent, self.ink) >= 2.2 else self.soft
        return self.paper, light, self.ink

    def inverted(self) -> "Palette":
        """The same brand on its own dark colour."""
        accent = self.accent if contrast(self.accent, self.ink) >= 2.2 else self.accent.mixed(WHITE, 0.55)
        return Palette(ink=WHITE, accent=accent, soft=self.ink.mixed(WHITE, 0.16), paper=self.ink)


def contrast(one: Colour, other: Colour) -> float:
    """The WCAG ratio, 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Colour) -> float:
    linear = [(v / 255 / 12.92) if v <= 10 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def make_palette(colours: list[Colour], rng: random.Random) -> Palette:
    """Roles for the given colours; where there are none, one of the house's own palettes."""
    if not colours:
        colours = [Colour.parse(text) for text in rng.choice(_HOUSE_PALETTES)]
    strong = [colour for colour in colours if contrast(colour, WHITE) >= 3.6]
    ink = strong[0] if strong else _deepened(min(colours, key=_luminance))
    others = [colour for colour in colours if colour != ink and contrast(colour, WHITE) >= 1.25]
    accent = max(others, key=lambda colour: _distance(colour, ink) * (0.4 + colour.saturation), default=_companion(ink))
    if _distance(accent, ink) < 60:
        accent = _companion(ink)
    rest = [colour for colour in colours if colour not in (ink, accent)]
    light = max(rest, key=_luminance, default=accent)
    soft = light if _luminance(light) > 0.6 and contrast(light, WHITE) > 1.04 else light.mixed(WHITE, 0.82)
    return Palette(ink, accent, soft)


def _distance(one: Colour, other: Colour) -> float:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True))


def _deepened(colour: Colour) -> Colour:
    """Dark enough for type on white, of the same hue."""
    share = 0.0
    while contrast(colour.mixed(BLACK, share), WHITE) < 4.5 and share < 1:
        share += 0.05
    return colour.mixed(BLACK, share)


def _companion(ink: Colour) -> Colour:
    """A livelier, lighter relative of the ink."""
    hue, light, saturation = colorsys.rgb_to_hls(*(v / 255 for v in ink))
    if saturation < 0.12:
        return Colour(226, 114, 75)
    red, green, blue = colorsys.hls_to_rgb((hue + 0.06) % 1, min(0.66, light + 0.3), min(0.85, saturation + 0.1))
    return Colour(round(red * 255), round(green * 255), round(blue * 255))


def dominant_colours(picture: bytes, count: int = 3) -> list[Colour]:
    """A picture's own colours besides near-white, the most common first."""
    with Image.open(io.BytesIO(picture)) as opened:
        small = opened.convert("RGB").resize((96, 96)).quantize(12)
    table, found = small.getpalette() or [], sorted(small.getcolors() or [], reverse=True)
    colours = [Colour(*table[index * 3 : index * 3 + 3]) for _n, index in found if isinstance(index, int)]
    picked: list[Colour] = []
    for colour in colours:
        if contrast(colour, WHITE) > 1.15 and all(_distance(colour, other) > 90 for other in picked):
            picked.append(colour)
    return picked[:count]
