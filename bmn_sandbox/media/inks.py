"""The inks of a logo: which there are, what they read on, and what they become on a ground they were not made for."""

from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageFilter

from bmn_sandbox.media.color import BLACK, WHITE, Color, contrast, distance
from bmn_sandbox.media.placement import Logo

_READS_WELL = 2.8  # a contrast; less than text needs, because a logo is large
_MOST_INKS = 5  # more is a picture, which is printed as it is
_APART = 80  # two inks nearer than this are one
_STEPS = 10


def readable(logo: Logo, wanted: Sequence[Color]) -> Color:
    """The first of the wanted colors on which the logo can be printed; else the ground it was drawn for."""
    inks = _inks(logo.art, logo.ground)
    for candidate in wanted:
        if _can_change(logo, inks) or all(contrast(ink, candidate) >= _READS_WELL for ink in inks):
            return candidate
    return logo.ground or max((WHITE, BLACK), key=lambda c: min(contrast(ink, c) for ink in inks))


def printed(logo: Logo, ground: Color) -> Image.Image:
    """The art, each ink that does not read on a ground made lighter or darker until it does. RGBA."""
    inks = _inks(logo.art, logo.ground)
    changed = _on(ground, inks) if _can_change(logo, inks) else inks
    if changed == inks:
        return logo.art
    which = logo.art.convert("RGB").quantize(palette=_palette(inks), dither=Image.Dither.NONE)
    # Where two inks meet, a pixel of their blend may be nearest to a third.
    places = Image.frombytes("L", which.size, which.tobytes()).filter(ImageFilter.ModeFilter(5))
    recolored = _palette(changed, places.size)
    recolored.frombytes(places.tobytes())
    art = recolored.convert("RGBA")
    art.putalpha(logo.art.getchannel("A"))
    return art


def accents(art: Image.Image) -> list[Color]:
    """Colors of the art that are neither gray, white nor black: what a brand would call its own."""
    return [ink for ink in _inks(art) if ink.saturation > 0.2]


def _palette(inks: Sequence[Color], size: tuple[int, int] = (1, 1)) -> Image.Image:
    picture = Image.new("P", size)
    parts = [part for ink in inks for part in ink]
    picture.putpalette(parts + parts[:3] * (256 - len(inks)))
    return picture


def _can_change(logo: Logo, inks: list[Color]) -> bool:
    return logo.ground is not None and len(inks) <= _MOST_INKS


def _on(ground: Color, inks: list[Color]) -> list[Color]:
    """The inks as they are on a ground. On a dark one the main ink is white; others change as little as they have to."""
    white = contrast(WHITE, ground) >= contrast(BLACK, ground) * 0.6
    toward = WHITE if white else BLACK
    found: list[Color] = []
    for ink in inks:
        if contrast(ink, ground) >= _READS_WELL:
            found.append(ink)
        elif white and not found:
            found.append(WHITE)
        else:
            steps = (ink.mixed(toward, step / _STEPS) for step in range(1, _STEPS + 1))
            found.append(next((c for c in steps if contrast(c, ground) >= _READS_WELL and _apart(c, found)), toward))
    return found


def _apart(color: Color, others: list[Color]) -> bool:
    return all(distance(color, other) >= _APART for other in others)


def _inks(art: Image.Image, ground: Color | None = None) -> list[Color]:
    """The few colors that make up most of the art, the most used first. What the edges of one blend into is none."""
    small = art.copy()
    small.thumbnail((96, 96), Image.Resampling.NEAREST)  # no blends of two inks
    pixels: list[Any] = [pixel for pixel in small.get_flattened_data() if pixel[3] > 200]  # type: ignore[index]
    if not pixels:
        return [BLACK]
    strip = Image.new("RGB", (len(pixels), 1))
    strip.putdata([pixel[:3] for pixel in pixels])
    reduced = strip.quantize(8)
    palette = reduced.getpalette() or []
    found: list[Color] = []
    for count, index in sorted(reduced.getcolors() or [], reverse=True):
        if not isinstance(index, int) or count < len(pixels) * 0.03:
            continue
        ink = Color(*palette[index * 3 : index * 3 + 3])
        if _apart(ink, found) and not _is_blend(ink, [*found, *([ground] if ground else [])]):
            found.append(ink)
    return found or [BLACK]


def _is_blend(color: Color, inks: list[Color]) -> bool:
    """Whether it lies between two of the inks."""
    return any(
        distance(color, one.mixed(other, share / _STEPS)) < _APART / 2
        for place, one in enumerate(inks)
        for other in inks[place + 1 :]
        for share in range(1, _STEPS)
    )
