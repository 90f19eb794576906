"""The inks of a logo: which there are, what they read on, and what they become on a ground they were not made for."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from bmn_sandbox.media.carding import carded
from bmn_sandbox.media.color import BLACK, WHITE, Color, contrast, distance
from bmn_sandbox.media.merging import is_in_lines, is_tile_of, merged
from bmn_sandbox.media.placement import Logo

READS_WELL = 4.0  # a contrast: names are thin, and cloth and kraft take some of it
APART = 3.0  # the contrast that two areas need which touch, where they came with as much
_LEAST = 1.4  # what is left of it between tones of a drawing in lines
_KEPT = 0.8  # and the share they keep of one that was less
_MOST_INKS = 5  # more is a picture, which is printed as it is
_UNLIKE = 80  # two inks nearer than this are one
_NEAR = 100  # grounds nearer than this show inks alike: white, cream, a pale tint
_PALE = 0.02  # of a logo, from which on an area of a tint is one
_STEPS = 10
_ALIKE = 1.3  # a contrast: two colors with less are one
_SIDE = 160  # how large a logo is looked at to find what touches what

Touching = frozenset[tuple[int, int]]
"""Which inks of a list meet, by place; the place after the last is the ground."""


def readable(logo: Logo, wanted: Sequence[Color]) -> Color:
    """The first of the wanted colors on which the logo can be printed; else the ground it was drawn for."""
    inks = inks_of(logo)
    for candidate in wanted:
        if logo.ground is not None or all(contrast(ink, candidate) >= READS_WELL for ink in inks):
            return candidate
    return logo.ground or max((WHITE, BLACK), key=lambda c: min(contrast(ink, c) for ink in inks))


def reads_as_it_is(logo: Logo, ground: Color) -> bool:
    """Whether every ink of the logo can be told from a ground, none of them changed."""
    if _made_for(logo, ground):
        return True
    return all(contrast(ink, ground) >= READS_WELL for ink in inks_of(logo))


def inks_of(logo: Logo) -> list[Color]:
    """The few colors of a logo, the most used first."""
    return _inks(logo.art, logo.ground)


def _made_for(logo: Logo, ground: Color) -> bool:
    """Whether a ground is about the one that the logo came on, where its maker saw how it reads."""
    return logo.ground is not None and distance(logo.ground, ground) < _NEAR


def changed_for(logo: Logo, ground: Color) -> list[Color] | None:
    """What the inks of a logo become on a ground; None where they would run into each other, or it has none of its own.

    Areas that touch stay apart, and a letter that is cut out of a tile is read on it as before. What is drawn in lines
    has no such letters, and may have touching inks that are a little nearer.
    """
    inks = inks_of(logo)
    if _made_for(logo, ground) or logo.ground is None:
        return inks
    if _has_pale_areas(logo.art):
        return None
    if len(inks) > _MOST_INKS:
        return inks if reads_as_it_is(logo, ground) else None
    changed = _on(ground, inks)
    before, after, faint = [*inks, logo.ground], [*changed, ground], False
    for one, other in touching(logo, inks):
        had, has = contrast(before[one], before[other]), contrast(after[one], after[other])
        kept = _KEPT if len(inks) in (one, other) else 1.0  # what is faint on its own ground may be a little fainter
        if has < _LEAST:
            return None
        faint = faint or has < (APART if had >= APART else kept * had)
    return None if faint and not is_in_lines(logo) else changed


def _has_pale_areas(art: Image.Image) -> bool:
    """Whether areas, not only edges, are half transparent: tints so near to their ground that they were lifted with it."""
    small = art.getchannel("A")
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.NEAREST)
    alpha = np.asarray(small)
    pale = (alpha > 24) & (alpha < 232)
    inner = pale[1:-1, 1:-1] & pale[:-2, 1:-1] & pale[2:, 1:-1] & pale[1:-1, :-2] & pale[1:-1, 2:]
    return int(inner.sum()) > _PALE * int((alpha > 24).sum())


def printed(logo: Logo, ground: Color, inks: list[Color], changed: list[Color] | None) -> Image.Image:
    """The art as it is printed on a ground: in other inks, in its own and gone over into it, or at last on a card. RGBA.

    inks, changed: those of the logo as it came, and what `changed_for` makes of them, where this is a smaller copy.
    """
    if logo.ground is None or changed == inks:
        return logo.art
    if changed is None or (contrast(inks[0], ground) < _ALIKE and is_tile_of(logo, ground)):
        return merged(logo, ground) or carded(logo.art, logo.ground)
    recolored = _palette(changed, logo.art.size)
    recolored.frombytes(_places(logo.art, inks).tobytes())
    art = recolored.convert("RGBA")
    art.putalpha(logo.art.getchannel("A"))
    return art


def _places(art: Image.Image, inks: Sequence[Color]) -> Image.Image:
    """Which ink each pixel is of, as its place in the list."""
    which = art.convert("RGB").quantize(palette=_palette(inks), dither=Image.Dither.NONE)
    # Where two inks meet, a pixel of their blend may be nearest to a third.
    return Image.frombytes("L", which.size, which.tobytes()).filter(ImageFilter.ModeFilter(5))


def touching(logo: Logo, inks: Sequence[Color]) -> Touching:
    """Which inks meet along more than a few pixels."""
    small = logo.art.copy()
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.NEAREST)
    pixels, places = np.asarray(small).astype(int), np.asarray(_places(small, inks)).copy()
    # The blend of an ink into the ground may be nearest to a third: what is near none of them is an edge.
    far = np.abs(pixels[..., :3] - np.array(inks)[places]).sum(axis=-1) >= _UNLIKE
    places[far | (pixels[..., 3] < 128)] = len(inks)
    pairs = [(places[:, :-1], places[:, 1:]), (places[:-1], places[1:])]
    met = np.concatenate([np.stack([np.minimum(a, b), np.maximum(a, b)], -1)[a != b] for a, b in pairs])
    found, counts = np.unique(met, axis=0, return_counts=True)
    return frozenset(
        (int(one), int(other))
        for (one, other), count in zip(found, counts, strict=True)
        if count >= max(8, 0.03 * len(met))
    )


def accents(art: Image.Image) -> list[Color]:
    """Colors of the art that are neither gray, white nor black: what a brand would call its own."""
    return [ink for ink in _inks(art) if ink.saturation > 0.2]


def _palette(inks: Sequence[Color], size: tuple[int, int] = (1, 1)) -> Image.Image:
    picture = Image.new("P", size)
    parts = [part for ink in inks for part in ink]
    picture.putpalette(parts + parts[:3] * (256 - len(inks)))
    return picture


def _on(ground: Color, inks: list[Color]) -> list[Color]:
    """The inks as they are on a ground.

    On a dark ground a main ink that does not read is white; on a light one it is darker. Of the others, those that read
    stay, and the rest become tones of the main one: a logo is never in more colors than its brand has.
    """
    white = contrast(WHITE, ground) >= contrast(BLACK, ground) * 0.6
    reading = [ink for ink in inks if contrast(ink, ground) >= READS_WELL]
    lost = [ink for ink in inks if ink not in reading]
    darkest = min(lost, key=lambda ink: ink.luminance, default=BLACK)  # whatever the ground, the same one leads
    main = WHITE if white else reading[0] if reading else _darker(darkest, ground)
    leads = white or not reading
    found: dict[Color, Color] = {ink: ink for ink in reading}
    if leads and lost:
        found[darkest] = main
    for ink in lost:
        if ink not in found:
            found[ink] = _tone(main, ground, list(found.values()))
    return [found[ink] for ink in inks]


def _darker(ink: Color, ground: Color) -> Color:
    steps = (ink.mixed(BLACK, step / _STEPS) for step in range(1, _STEPS + 1))
    return next((c for c in steps if contrast(c, ground) >= READS_WELL), BLACK)


def _tone(main: Color, ground: Color, others: list[Color]) -> Color:
    """The main ink as a thinner print has it: as well to be told from it as from the ground, and from all others."""
    tones = [main.mixed(ground, step / _STEPS) for step in range(2, _STEPS - 1)]
    return max(tones, key=lambda tone: min(contrast(tone, other) for other in [ground, *others]))


def _apart(color: Color, others: list[Color]) -> bool:
    return all(distance(color, other) >= _UNLIKE for other in others)


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
        distance(color, one.mixed(other, share / _STEPS)) < _UNLIKE / 2
        for place, one in enumerate(inks)
        for other in inks[place + 1 :]
        for share in range(1, _STEPS)
    )
