"""Which of a brand's colors does what in a logo."""

import colorsys
import io
import random
from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image

from bmn_sandbox.media.color import BLACK, WHITE, Color, contrast, distance, linear_luminance

_HOUSE_PALETTES = (
    ("#1f3a5f", "#f2a541", "#e9eef4"),
    ("#22443a", "#e07a5f", "#f4f1de"),
    ("#3d2c5e", "#f26a8d", "#f3eef8"),
    ("#16302b", "#7fb069", "#ece4b7"),
    ("#2b2d42", "#ef233c", "#edf2f4"),
    ("#0b4f6c", "#01baef", "#fbfbff"),
)


READ = 3.0  # the contrast that a letter needs with what it stands on


@dataclass(frozen=True, slots=True)
class Palette:
    """ink: carries shapes and type, dark enough for the paper. accent: the second voice. soft: a quiet ground."""

    ink: Color
    accent: Color
    soft: Color
    paper: Color = WHITE

    def roles(self) -> Mapping[str, Color]:
        """The color of every role that art may use."""
        ink, accent, soft, paper = self.ink, self.accent, self.soft, self.paper
        bright = accent if contrast(accent, ink) >= 2.2 else max((soft, paper), key=lambda c: contrast(c, ink))
        return {
            "ink": ink,
            "accent": accent,
            "soft": soft,
            "paper": paper,
            "mid": ink.mixed(accent, 0.5),
            "bright": bright,  # the accent where it lies on ink
            "deep": ink.mixed(paper, 0.14),  # a quiet ground on ink
            "voice": accent if contrast(accent, paper) >= 2.4 else ink,  # the accent where it must be read on paper
            "on_accent": _read_on(accent, ink, paper),  # type on an area of the accent
            "on_soft": _read_on(soft, ink),
        }

    def inverted(self) -> "Palette":
        """The same brand on its own dark color."""
        ground = self.ink if contrast(self.ink, WHITE) >= 4.5 else _deepened(self.ink)
        tints = [self.accent.mixed(WHITE, step / 10) for step in range(10)]
        accent = next((tint for tint in tints if contrast(tint, ground) >= READ), WHITE)
        return Palette(ink=WHITE, accent=accent, soft=ground.mixed(WHITE, 0.16), paper=ground)


def _read_on(ground: Color, *own: Color) -> Color:
    """The brand's own color that reads best on a ground; else one of them, lighter or darker."""
    ranked = sorted(own, key=lambda color: -contrast(color, ground))
    for share in (step / 10 for step in range(10)):
        for color in ranked:
            for changed in (color.mixed(BLACK, share), color.mixed(WHITE, share)):
                if contrast(changed, ground) >= READ:
                    return changed
    return max((WHITE, BLACK), key=lambda color: contrast(color, ground))


def make_palette(colors: list[Color], rng: random.Random) -> Palette:
    """Roles for the given colors; where there are none, for one of the house's own palettes.

    The first color is a brand's own: it is the ink or the accent. No hue is invented where two were given.
    """
    if not colors:
        colors = [Color.parse(text) for text in rng.choice(_HOUSE_PALETTES)]
    strong = [color for color in colors if contrast(color, WHITE) >= 3.6]
    ink = strong[0] if strong else _deepened(min(colors, key=linear_luminance))
    if len(strong) > 1 and rng.random() < 0.25:
        ink = strong[1]
    others = [color for color in colors if distance(color, ink) >= 60 and contrast(color, WHITE) >= 1.25]
    if others and colors[0] in others and colors[0] != ink:
        accent = colors[0]
    elif others:
        ranked = sorted(others, key=lambda color: -distance(color, ink) * (0.4 + color.saturation))
        accent = ranked[1] if len(ranked) > 1 and rng.random() < 0.3 else ranked[0]
    else:
        pale = [color for color in colors if distance(color, ink) >= 60 and color.saturation >= 0.05]
        accent = _told_from_paper(pale[0]) if pale else _relative(ink)
    rest = [color for color in colors if color not in (ink, accent)]
    light = max(rest, key=linear_luminance, default=accent)
    is_quiet = linear_luminance(light) > 0.6 and contrast(light, WHITE) > 1.04
    return Palette(ink, accent, light if is_quiet else light.mixed(WHITE, 0.82))


def _deepened(color: Color) -> Color:
    """Dark enough for type on white, of the same hue."""
    share = 0.0
    while contrast(color.mixed(BLACK, share), WHITE) < 4.5 and share < 1:
        share += 0.05
    return color.mixed(BLACK, share)


def _told_from_paper(pale: Color) -> Color:
    """A cream or another tint of the brand's, deep enough to be seen on white."""
    hue, light, saturation = colorsys.rgb_to_hls(*(v / 255 for v in pale))
    while True:
        color = Color(*(round(value * 255) for value in colorsys.hls_to_rgb(hue, light, saturation)))
        if contrast(color, WHITE) >= 1.7:
            return color
        light -= 0.02


def _relative(ink: Color) -> Color:
    """A livelier, lighter tint of the ink; of a gray one, a warm grey."""
    hue, light, saturation = colorsys.rgb_to_hls(*(v / 255 for v in ink))
    if saturation < 0.12:
        return ink.mixed(Color(196, 178, 158), 0.75)
    red, green, blue = colorsys.hls_to_rgb(hue, min(0.7, light + 0.32), min(0.85, saturation + 0.08))
    return Color(round(red * 255), round(green * 255), round(blue * 255))


def dominant_colors(picture: bytes, count: int = 3) -> list[Color]:
    """A picture's own colors besides near-white, the most common first."""
    with Image.open(io.BytesIO(picture)) as opened:
        small = opened.convert("RGB").resize((96, 96)).quantize(12)
    table, found = small.getpalette() or [], sorted(small.getcolors() or [], reverse=True)
    colors = [Color(*table[index * 3 : index * 3 + 3]) for _n, index in found if isinstance(index, int)]
    picked: list[Color] = []
    for color in colors:
        if contrast(color, WHITE) > 1.15 and all(distance(color, other) > 90 for other in picked):
            picked.append(color)
    return picked[:count]
