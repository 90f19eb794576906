"""Motifs drawn: small pictures in flat layers, in a box from -100 to 100, in one of several manners."""

from bmn_sandbox.media.art import Art, outlines
from bmn_sandbox.media.logo.layers import ACCENT, DETAIL, GAP, Layer
from bmn_sandbox.media.logo.motifs_beasts import BEASTS
from bmn_sandbox.media.logo.motifs_nature import NATURE
from bmn_sandbox.media.logo.motifs_things import THINGS
from bmn_sandbox.media.logo.motifs_trades import TRADES
from bmn_sandbox.media.shapes import Outline, area, circle

MOTIFS: dict[str, list[list[Layer]]] = {**NATURE, **BEASTS, **THINGS, **TRADES}
"""Each motif in one or more drawings."""
WHEELS = frozenset(["leaf", "drop", "heart", "flame", "bird", "sprout", "fish", "bean", "wheat", "butterfly"])
"""Those that make a rosette."""


def _layers(motif: str, version: int) -> list[Layer]:
    drawings = MOTIFS[motif]
    return drawings[version % len(drawings)]


def _united(shape: str | list[Outline]) -> list[Outline]:
    """Outlines that all run the same way, so that each adds to the area."""
    return [outline if area(outline) > 0 else outline[::-1] for outline in outlines(shape)]


def solid(motif: str, version: int = 0) -> Art:
    """Flat areas in ink and accent."""
    art = Art()
    for role, shape, width in _layers(motif, version):
        color = role if role not in (GAP, DETAIL) else "paper"
        if width:
            art.stroke(color, shape, width)
        else:
            art.fill(color, _united(shape))
    return art


def lines(motif: str, version: int = 0, width: float = 5.0) -> Art:
    """The same in lines of one width."""
    art = Art()
    for role, shape, wide in _layers(motif, version):
        if role == GAP:
            continue
        color = "ink" if role == DETAIL else role
        if wide:
            art.stroke(color, shape, min(wide, width * 1.15))
        else:
            art.fill("paper", _united(shape))
            art.stroke(color, shape, width, closed=True)
    return art


def mono(motif: str, version: int = 0) -> Art:
    """In ink alone: what is of the accent is set off by a gap, or hollow where it lies within the ink."""
    art = Art()
    for role, shape, width in _layers(motif, version):
        if role in (GAP, DETAIL):
            art.stroke("paper", shape, width) if width else art.fill("paper", _united(shape))
        elif width:
            art.stroke("paper", shape, width + 9) if role == ACCENT else None
            art.stroke("ink", shape, width)
        else:
            if role == ACCENT:
                art.stroke("paper", shape, 11, closed=True)
            art.fill("ink", _united(shape))
    return art


def offset(motif: str, version: int = 0, line: float = 5.5) -> Art:
    """A line drawing over color that is printed a little out of register."""
    tint = solid(motif, version).silhouette("accent").placed((9, 8))
    outline = Art()
    for role, shape, width in _layers(motif, version):
        if role != GAP:
            closed = not width
            outline.stroke("ink", shape, min(width or line, line), closed=closed)
    return tint.add(outline)


def wheel(motif: str, version: int = 0, count: int = 4) -> Art:
    """The motif several times about a middle, ink and accent in turn."""
    one = solid(motif, version).fitted(72, 72)
    art = Art()
    for index in range(count):
        petal = one if index % 2 == 0 or count % 2 else one.recolored({"ink": "accent", "accent": "ink"})
        art.add(petal.placed((0, -60)).placed(turn=360 / count * index))
    return art.fill("accent", circle(7))


def pair(motif: str, version: int = 0) -> Art:
    """The motif and its mirror image, back to back."""
    one = solid(motif, version).fitted(88, 130)
    other = one.placed(flip=True).recolored({"ink": "accent", "accent": "ink"})
    return Art().add(one.placed((-50, 0)), other.placed((50, 0)))
