"""Logos that live from a picture: the icon, the organic mark and the one of negative space."""

import math
from collections.abc import Callable

from bmn_sandbox.media.art import ON_ACCENT, ON_INK, Art
from bmn_sandbox.media.logo import frames, motifs
from bmn_sandbox.media.logo.brief import Brief
from bmn_sandbox.media.logo.typeset import block
from bmn_sandbox.media.shapes import Outline, arc, blob, circle, hand, path, rectangle, scaled, turned

# How a style draws a motif, each manner as often as it stands here; the second list is for grounds of ink.
_MANNERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "minimal": (("lines", "lines", "mono", "offset", "solid"), ("mono", "solid", "lines")),
    "modern": (("solid", "solid", "mono", "offset"), ("solid", "mono")),
    "bold": (("solid", "mono"), ("solid", "mono")),
    "vintage": (("solid", "lines", "mono"), ("solid", "mono")),
    "playful": (("solid", "offset", "wobbly"), ("solid", "wobbly")),
}
_LONG, _LONGEST = 12, 18  # letters: a longer name takes more of the height, or is lost in a small picture
_PAIRS = {"leaf", "bird", "fish", "flame", "moon"}


def motif_art(brief: Brief, *, on_ink: bool = False) -> Art:
    """The brief's motif in a manner of its style."""
    rng, name, version = brief.rng, brief.motifs[0], brief.version
    manner = rng.choice(_MANNERS[brief.style][on_ink])
    match manner:
        case "lines":
            return motifs.lines(name, version, brief.line)
        case "mono":
            return motifs.mono(name, version)
        case "offset":
            return motifs.offset(name, version, brief.line)
        case "wobbly":
            return motifs.solid(name, version).placed(turn=rng.choice((-8, 7))).bent(hand(rng, 2.2))
        case _:
            return motifs.solid(name, version)


def icon(brief: Brief) -> Art:
    """The motif alone, in or before a frame of its style."""
    rng, name = brief.rng, brief.motifs[0]
    frame = frames.frame(brief.style, 380, rng, brief.forms)
    chance = rng.random()
    if name in motifs.WHEELS and chance < 0.22 and brief.style != "minimal":
        return frame.holding(motifs.wheel(name, brief.version, rng.choice((3, 4, 5, 6))), 1.04)
    if name in _PAIRS and chance < 0.34:
        return frame.holding(motifs.pair(name, brief.version), 1.04)
    mark = motif_art(brief, on_ink=frame.solid)
    if len(brief.motifs) > 1 and chance > 0.86 and brief.style in ("modern", "bold", "playful"):
        mark = _with_companion(mark, motifs.mono(brief.motifs[1], rng.randrange(4)))
    return frame.holding(mark, rng.choice((0.84, 0.94, 1.04)))


def _with_companion(mark: Art, companion: Art) -> Art:
    """A second, small motif set into the lower right, with air around it."""
    left, top, right, bottom = mark.bounds()
    at, side = (right - (right - left) * 0.14, bottom - (bottom - top) * 0.14), 58
    seat = Art().fill("paper", circle(side * 0.66, at))
    return Art().add(mark, seat, companion.silhouette("accent").fitted(side, side, at))


def captioned(brief: Brief, mark: Art, *, share: float = 0.62, role: str = "ink") -> Art:
    """A mark with the name below it. share: of the height that the mark takes."""
    if not brief.name:
        return mark.fitted(760, 760)
    share -= 0.12 if len(brief.name) > _LONG else 0.0
    share -= 0.08 if (longest := len(brief.name) > _LONGEST) else 0.0
    tall = 800 * share
    name = block(brief.display, brief.words, 760, 800 * (1 - share) * 0.86, most_lines=3 if longest else 2)
    art = mark.fitted(720, tall, (0, -400 + tall / 2))
    return art.add(name.art((role,)).placed((0, 400 - 800 * (1 - share) * 0.42)))


# -- organic --


def organic(brief: Brief) -> Art:
    """Drawn by hand: an unsteady motif, the name written, and one stroke of a brush."""
    grounds: tuple[Callable[[Brief], Art], ...] = (
        _brush_ring, _paint_blob, _underlined, _sprigs, _sun_disc, _stamp, _stamp, _grass
    )  # fmt: skip
    ground = brief.rng.choice(grounds)
    return captioned(brief, ground(brief), share=0.66)


def _by_hand(brief: Brief, *, line: bool) -> Art:
    rng, name, version = brief.rng, brief.motifs[0], brief.version
    drawn = motifs.lines(name, version, 6.5) if line else motifs.solid(name, version)
    return drawn.placed(turn=rng.uniform(-5, 5)).bent(hand(rng, 2.4))


def _brush(brief: Brief, radius: float, start: float, reach: float, width: float) -> Art:
    shake = hand(brief.rng, 3.2)
    line = [shake(point) for point in arc(radius, start, start + reach)]
    widths = [6 + width * math.sin(math.pi * min(1, i / len(line) * 1.12)) ** 0.8 for i in range(len(line))]
    return Art().stroke("accent", line, widths)


def _brush_ring(brief: Brief) -> Art:
    ring = _brush(brief, 285, brief.rng.uniform(0, 360), brief.rng.uniform(300, 338), brief.rng.uniform(18, 34))
    return ring.add(_by_hand(brief, line=True).fitted(330, 330))


def _paint_blob(brief: Brief) -> Art:
    ground = Art().fill("soft", blob(brief.rng, 290, 0.16))
    return ground.add(_by_hand(brief, line=brief.rng.random() < 0.5).recolored({"paper": "soft"}).fitted(370, 370))


def _underlined(brief: Brief) -> Art:
    shake = hand(brief.rng, 5)
    line = [shake((x, 250 + 10 * math.sin(x / 70))) for x in range(-230, 231, 10)]
    widths = [4 + 20 * math.sin(math.pi * i / len(line)) for i in range(len(line))]
    return Art().stroke("accent", line, widths).add(_by_hand(brief, line=False).fitted(440, 440, (0, -10)))


def _sprigs(brief: Brief) -> Art:
    """A wreath of loose leaves about the motif."""
    rng, leaf = brief.rng, path("M0 0 C22 -14 26 -46 0 -72 C-26 -46 -22 -14 0 0 Z")[0]
    art = Art()
    start, reach = rng.choice((-60, 30, 120)), rng.choice((250, 290))
    shake = hand(rng, 5)
    art.stroke("ink", [shake(p) for p in arc(262, start, start + reach)], 6)
    for index in range(16):
        angle = start + reach * (index + 0.5) / 16
        x, y = arc(262, angle, angle + 1)[0]
        lean = angle + 180 + (42 if index % 2 else -42)
        role = "accent" if index % 3 == 0 else "ink"
        art.fill(role, [[(px + x, py + y) for px, py in turned(scaled(leaf, rng.uniform(0.9, 1.15)), lean)]])
    return art.add(_by_hand(brief, line=rng.random() < 0.5).fitted(300, 300))


def _sun_disc(brief: Brief) -> Art:
    disc = Art().fill("accent", blob(brief.rng, 290, 0.06))
    return disc.add(_by_hand(brief, line=brief.rng.random() < 0.4).recolored(ON_ACCENT).fitted(350, 350))


def _stamp(brief: Brief) -> Art:
    """Cut in lino: the motif light on a print with an unsteady edge."""
    rng = brief.rng
    outline = frames.form(brief.form("disc", "squircle", "arch", "tile"), 290, rng)
    art = Art().fill("ink", outline).bent(hand(rng, 3.4))
    mark = motifs.mono(brief.motifs[0], brief.version).bent(hand(rng, 2.0)).fitted(310, 310)
    return art.add(mark.recolored(ON_INK))


def _grass(brief: Brief) -> Art:
    """The motif between two sprigs that rise from one knot."""
    rng, leaf = brief.rng, path("M0 0 C20 -14 24 -44 0 -70 C-24 -44 -20 -14 0 0 Z")[0]
    art, shake = Art(), hand(rng, 3)
    for side in (-1, 1):
        spine = [shake((side * (20 + 250 * math.sin(t * 1.25)), 250 - 440 * t)) for t in (i / 20 for i in range(21))]
        art.stroke("ink", spine, [9 - 6 * i / 21 for i in range(21)])
        for index in range(3, 20, 3):
            x, y = spine[index]
            for lean in (side * 10, side * 80):
                bud = turned(scaled(leaf, 1.2 - index * 0.028), lean)
                art.fill("accent" if lean == side * 10 else "ink", [[(px + x, py + y) for px, py in bud]])
    return art.add(_by_hand(brief, line=rng.random() < 0.4).fitted(250, 250, (0, -50)))


# -- negative space --


def negative(brief: Brief) -> Art:
    """The motif is what is left of the ground: whole, with a margin."""
    options: tuple[Callable[[Brief], Art], ...] = (_punched, _punched, _roundel, _standing)
    return captioned(brief, brief.rng.choice(options)(brief), share=0.68)


# Forms that one still recognizes when a motif has been cut out of them.
_CALM = ("disc", "squircle", "tile", "hexagon", "octagon", "arch", "scallop")
_BROAD = ("disc", "squircle", "tile", "octagon")


def _ground(brief: Brief, among: tuple[str, ...] = _CALM) -> Outline:
    own = [name for name in frames.FORMS_OF[brief.style] if name in among]
    return frames.form(brief.form(*(own or among)), 300, brief.rng)


def _cut_out(brief: Brief, side: float) -> Art:
    return motifs.mono(brief.motifs[0], brief.version).fitted(side, side)


def _punched(brief: Brief) -> Art:
    """Cut out of a solid form."""
    turn = brief.rng.choice((0, 0, -8, 8)) if brief.style == "playful" else 0
    return (
        Art()
        .fill("ink", _ground(brief))
        .add(_cut_out(brief, brief.rng.choice((290, 310, 330, 350))).placed(turn=turn).recolored(ON_INK))
    )


def _roundel(brief: Brief) -> Art:
    """Light in a disc of the second color, which is cut out of a form of ink."""
    rng, radius = brief.rng, brief.rng.choice((195, 210, 225))
    art = Art().fill("ink", _ground(brief)).fill("paper", circle(radius + rng.choice((0, 14))))
    mark = motifs.mono(brief.motifs[0], brief.version).fitted(radius * 1.24, radius * 1.24)
    return art.fill("accent", circle(radius)).add(mark.recolored(ON_ACCENT))


def _standing(brief: Brief) -> Art:
    """Light before ink, on a ground of the second color at the foot of the form."""
    form, level = _ground(brief, _BROAD), brief.rng.choice((120.0, 150.0))
    inside = Art().fill("ink", rectangle(-500, -500, 500, level)).fill("accent", rectangle(-500, level + 18, 500, 500))
    mark = _cut_out(brief, brief.rng.choice((250, 280, 300)))
    return Art().clip(form, inside.add(mark.placed((0, level - 26 - mark.height / 2)).recolored(ON_INK)))
