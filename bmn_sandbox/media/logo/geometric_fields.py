"""Fields of plain color that hold the motif: turned tiles, a parted disc, an eclipse, panes of a window."""

from collections.abc import Callable

from bmn_sandbox.media.art import ON_INK, Art
from bmn_sandbox.media.logo import motifs
from bmn_sandbox.media.logo.brief import Brief
from bmn_sandbox.media.shapes import arc, circle, rectangle, rounded, turned


def _motif(brief: Brief, side: float) -> Art:
    return motifs.mono(brief.motifs[0], brief.version).fitted(side, side)


def _turned_tiles(brief: Brief) -> Art:
    """Tiles on top of each other, each turned a little farther, the motif on the uppermost."""
    step, round_ = brief.rng.choice((15, 30)), brief.rng.choice((0.0, 40.0, 90.0))
    tile, art = rounded(-235, -235, 235, 235, round_), Art()
    for index, role in ((2, "soft"), (1, "accent"), (0, "ink")):
        art.fill(role, turned(tile, index * step))
    return art.add(_motif(brief, 300).recolored(ON_INK))


def _parted_disc(brief: Brief) -> Art:
    """The halves of a disc, one slid along the other, the motif in an opening between them."""
    slid, turn = brief.rng.choice((60.0, 90.0)), brief.rng.choice((0, 45, -45, 90))
    art = Art()
    for start, side, role in ((90, -1, "ink"), (-90, 1, "accent")):
        art.fill(role, arc(320, start, start + 180, (0.0, side * slid)))
    return art.placed(turn=turn).fill("paper", circle(196)).add(_motif(brief, 250))


def _eclipse(brief: Brief) -> Art:
    """A disc before another one, the motif light on it."""
    x, y = brief.rng.choice(((-1, -1), (1, -1), (0, -1), (1, 0)))
    shift = 62.0 if x and y else 84.0
    art = Art().fill("accent", circle(280, (x * shift, y * shift))).fill("paper", circle(294, (-x * shift, -y * shift)))
    art.fill("ink", circle(272, (-x * shift, -y * shift)))
    return art.add(_motif(brief, 330).recolored(ON_INK).placed((-x * shift, -y * shift)))


def _panes(brief: Brief) -> Art:
    """Panes of unequal size with one bar between them; the motif on the largest."""
    rng, half, bar = brief.rng, 310.0, brief.rng.choice((0.0, 16.0))
    x, y = rng.choice((100.0, 140.0)), rng.choice((100.0, 140.0))
    panes = (
        Art()
        .fill("ink", rectangle(-half, -half, x, y))
        .fill("accent", rectangle(x + bar, -half, half, -half * 0.2))
        .fill("soft", rectangle(x + bar, -half * 0.2 + bar, half, y))
        .fill("soft", rectangle(-half, y + bar, -half * 0.1, half))
        .fill("deep", rectangle(-half * 0.1 + bar, y + bar, half, half))
    )
    mirrored = rng.random() < 0.4
    at = ((half - x if mirrored else x - half) / 2, (y - half) / 2)
    return panes.placed(flip=mirrored).add(_motif(brief, 270).recolored(ON_INK).placed(at))


FIELDS: tuple[Callable[[Brief], Art], ...] = (_turned_tiles, _parted_disc, _eclipse, _panes)
