"""Signs from simple forms, with the name below: what they show is the trade's, or the initial's."""

import math
import random
from collections.abc import Callable

from bmn_sandbox.media.art import ON_ACCENT, ON_INK, Art
from bmn_sandbox.media.lettering import fitted
from bmn_sandbox.media.logo import motifs
from bmn_sandbox.media.logo.brief import Brief
from bmn_sandbox.media.logo.geometric_fields import FIELDS
from bmn_sandbox.media.logo.letters_woven import sign_face
from bmn_sandbox.media.logo.marks import captioned
from bmn_sandbox.media.shapes import Outline, arc, circle, moved, polygon, rectangle, ring, rounded, scaled, turned

_TONES = ("ink", "accent", "mid", "soft")
Drawing = Callable[[Brief], Art]


def geometric(brief: Brief) -> Art:
    options = random.Random(brief.name).sample(_SIGNS, 4)  # each name has its own
    options += [_rosette] if brief.motifs[0] in motifs.WHEELS else []
    options += [drawing for motif in brief.motifs[:2] if (drawing := _MEANT.get(motif))] * 2
    return captioned(brief, brief.rng.choice(options)(brief), share=0.66)


def _motif(brief: Brief, side: float) -> Art:
    return motifs.mono(brief.motifs[0], brief.version).fitted(side, side)


def _mosaic(brief: Brief) -> Art:
    """Four tiles of quarter discs and leaves, as the Bauhaus liked them, the motif on the largest part of it."""
    rng, half, art = brief.rng, 315.0, Art()
    place = rng.randrange(4)
    for index in range(4):
        row, column = divmod(index, 2)
        x, y = (column - 1) * half, (row - 1) * half
        if index == place:
            art.fill("ink", rectangle(x, y, x + half, y + half))
            art.add(_motif(brief, 200).recolored(ON_INK).placed((x + half / 2, y + half / 2)))
            continue
        tone = ("accent", "ink", "deep", "accent")[(index - place) % 4]
        art.fill("soft", rectangle(x, y, x + half, y + half))
        cx, cy, start = ((x, y, 0), (x + half, y, 90), (x + half, y + half, 180), (x, y + half, 270))[rng.randrange(4)]
        reach = rng.choice((1.0, 1.0, 0.6))
        art.fill(tone, [(cx, cy), *arc(half * reach, start, start + 90, (cx, cy))])
    return art


def _faceted(brief: Brief) -> Art:
    """The motif light on a cut stone: a polygon of two tones."""
    corners, turn = brief.rng.choice(((6, -90), (6, -60), (8, -67.5), (10, -90)))
    outline, art = polygon(corners, 340, turn), Art()
    for index, corner in enumerate(outline):
        art.fill("ink", [(0.0, 0.0), corner, outline[(index + 1) % corners]])
    inner = polygon(corners, 262, turn)
    for index in range(0, corners, 2):
        following = (index + 1) % corners
        art.fill("accent", [outline[index], outline[following], inner[following], inner[index]])
    return art.fill("ink", inner).add(_motif(brief, 300).recolored(ON_INK))


def _trio(brief: Brief) -> Art:
    """A disc, a square, an arch and a quarter of a disc; the motif and the initial on two of them."""
    rng, side = brief.rng, 240.0
    square = Art().fill("ink", rectangle(-side / 2, -side / 2, side / 2, side / 2))
    if brief.initials:
        square.add(fitted(sign_face(brief), brief.initials[0], 150, 140).art().recolored(ON_INK))
    disc = Art().fill("accent", circle(side / 2)).add(_motif(brief, 138).recolored(ON_ACCENT))
    arch = Art().fill("soft", [*arc(side / 2, 180, 360), (side / 2, side / 2), (-side / 2, side / 2)])
    places = [(-side / 2, -side / 2), (side / 2, -side / 2), (side / 2, side / 2)]
    art, order = Art(), [square, disc, arch]
    rng.shuffle(order)
    for form, at in zip(order, places, strict=True):
        art.add(form.placed(at))
    quarter = [(-side, 0.0), (0.0, 0.0), *arc(side, 90, 180, (0.0, 0.0))]
    return art.fill("deep", quarter)


def _dial(brief: Brief) -> Art:
    """The motif in a disc, around it a ring of even pieces."""
    count, turn = brief.rng.choice((3, 4, 6, 8, 12)), brief.rng.choice((0, 15, 45))
    art, gap = Art().fill("ink", circle(236)).add(_motif(brief, 280).recolored(ON_INK)), 9 if count < 8 else 5
    for index in range(count):
        start = turn + 360 / count * index
        art.stroke("accent" if index % 2 else "ink", arc(300, start + gap, start + 360 / count - gap), 52)
    return art


def _lozenge(brief: Brief) -> Art:
    """The motif on a square that stands on its corner, with a small one at each of its sides."""
    art = Art().fill("ink", polygon(4, 330)).add(_motif(brief, brief.rng.choice((240, 270))).recolored(ON_INK))
    for x, y in polygon(4, 330, -45):
        small = moved(polygon(4, 92), x * 0.84, y * 0.84)
        art.fill("accent", small)
    return art


def _niche(brief: Brief) -> Art:
    """The motif in the innermost of three arches."""
    art = Art()
    for role, half in (("ink", 310.0), ("paper", 262.0), ("accent", 246.0), ("paper", 214.0), ("ink", 198.0)):
        art.fill(role, [*arc(half, 180, 360, (0.0, -20.0)), (half, 310.0), (-half, 310.0)])
    return art.add(_motif(brief, 236).recolored(ON_INK).placed((0, 70)))


def _rosette(brief: Brief) -> Art:
    """The motif several times about a middle."""
    return motifs.wheel(brief.motifs[0], brief.version, brief.rng.choice((4, 5, 6)))


def _petals(brief: Brief) -> Art:
    """Petals about a middle; where two overlap, their colors meet in a third."""
    count = brief.rng.choice((4, 5, 6, 8))
    wide = brief.rng.choice((0.5, 0.62, 0.8))
    petals = [turned(circle(180, (0, -165), wide, 1.0), 360 / count * index) for index in range(count)]
    art = Art()
    for index, petal in enumerate(petals):
        art.fill("ink" if index % 2 == 0 else "accent", petal)
    for one, other in zip(petals, [*petals[1:], petals[0]], strict=True):
        art.clip(one, Art().fill("mid", other))
    return art.fill("paper", circle(brief.rng.choice((26, 44))))


def _arcs(brief: Brief) -> Art:
    """Rings opened towards different sides."""
    start, step = brief.rng.choice((-90, 0, 90, 180)), brief.rng.choice((45, 60, 90, 120))
    width, art = brief.rng.choice((36, 46)), Art()
    for index, radius in enumerate((320, 245, 170, 95)):
        turn = start + index * step
        art.stroke(_TONES[index % 2], arc(radius, turn, turn + 265 - index * 18), width)
    return art.fill("accent", circle(36))


def _cube(brief: Brief) -> Art:
    """A hexagon of three sides in three tones, with the same turned round inside."""
    art, inner = Art(), brief.rng.choice((130, 170, 210))
    turn = brief.rng.choice((-90, -30))
    for radius, order in ((350.0, (0, 1, 2)), (float(inner), (1, 2, 0))):
        corners = polygon(6, radius, turn)
        for side, tone in enumerate(order):
            a, b, c = (corners[(side * 2 + k) % 6] for k in (0, 1, 2))
            art.fill(_TONES[tone], [(0.0, 0.0), a, b, c])
    return art


def _links(brief: Brief) -> Art:
    """Rings woven into each other: each passes over one neighbor and under the other."""
    count = brief.rng.choice((3, 3, 4))
    radius, width = (185, 50) if count == 3 else (150, 40)
    centers = polygon(count, 150 if count == 3 else 165, brief.rng.choice((-90, 90)) if count == 3 else -45)
    tones = ("ink", "accent", "mid", "accent") if count == 3 else ("ink", "accent", "ink", "accent")
    art = Art()
    for center, tone in zip(centers, tones, strict=False):
        art.fill(tone, ring(radius, width, center))
    for index, center in enumerate(centers):
        (x, y), (nx, ny) = center, centers[(index + 1) % count]
        towards = math.degrees(math.atan2(ny - y, nx - x))
        apart = math.degrees(math.acos(math.hypot(nx - x, ny - y) / 2 / radius))
        reach = 19 if count == 3 else 22
        piece = arc(radius, towards - apart - reach, towards - apart + reach, center)
        art.stroke("paper", piece, width + 18)
        art.stroke(tones[index], arc(radius, towards - apart - reach - 8, towards - apart + reach + 8, center), width)
    return art


def _waves(brief: Brief) -> Art:
    """A disc of waves."""
    count, swing = brief.rng.choice((5, 6, 7)), brief.rng.choice((22, 36, 54))
    pitch, art = 640 / count, Art()
    for index in range(count):
        top = -320 + index * pitch
        line = [(x, top + swing * math.sin(x / 95 + index * 0.7)) for x in map(float, range(-340, 341, 10))]
        below = [(340.0, 400.0), (-340.0, 400.0)]
        art.fill(("ink", "accent", "soft", "mid")[index % 4], [*line, *below])
    return Art().clip(turned(circle(320), 0), art.placed(turn=brief.rng.choice((0, -20, 20))))


def _steps(brief: Brief) -> Art:
    """Bars of growing length, as a stair or a sound."""
    count = brief.rng.choice((4, 5, 6))
    gap, art = 620 / count, Art()
    shape = brief.rng.choice(("stair", "peak", "valley"))
    for index in range(count):
        share = {"stair": (index + 1) / count, "peak": 1 - abs(index - (count - 1) / 2) / count * 1.5,
                 "valley": 0.35 + abs(index - (count - 1) / 2) / count * 1.3}[shape]  # fmt: skip
        tall, x = 640 * share, -310 + index * gap
        low = 320 if shape == "stair" else tall / 2
        art.fill(
            "accent" if index == count - 1 or index % 3 == 2 else "ink",
            rounded(x, low - tall, x + gap * 0.66, low, gap * 0.33),
        )
    return art.placed(turn=brief.rng.choice((0, 0, 45)))


def _orbits(brief: Brief) -> Art:
    """Ellipses about one middle, each turned, with a body on one of them."""
    count = brief.rng.choice((2, 3, 4))
    thin, art = brief.rng.choice((0.34, 0.44)), Art()
    for index in range(count):
        line: Outline = turned(circle(330, (0, 0), 1.0, thin), 180 / count * index + 20)
        art.stroke("ink" if index % 2 == 0 else "accent", line, 26, closed=True)
        if index == 0:
            spot = line[brief.rng.choice((8, 50, 70))]
            art.fill("paper", circle(66, spot)).fill("accent", circle(46, spot))
    return art.fill("ink", circle(62))


def _fan(brief: Brief) -> Art:
    """Leaves of a fan from one foot."""
    count, reach = brief.rng.choice((5, 7)), brief.rng.choice((120, 160))
    blade = moved(circle(190, (0, 0), 0.3, 1.0), 0, -190)
    art = Art()
    for index in range(count):
        turn = -reach / 2 + reach * index / (count - 1)
        art.fill(_TONES[index % 3], turned(scaled(blade, 1.4), turn))
    return art


def _arches(brief: Brief) -> Art:
    """Half rings within each other, two or four of them against each other."""
    rng, count = brief.rng, brief.rng.choice((3, 4))
    r, art, tones = 300.0, Art(), rng.choice((("ink", "accent", "ink", "accent"), ("ink", "ink", "accent", "ink")))
    shift = rng.choice((0.0, r / 2, r))
    for start, x, y in ((180, -shift / 2, -6.0), (0, shift / 2, 6.0)):
        for index in range(count):
            radius = r * (1 - index / count) - r / count / 2 + 10
            art.stroke(tones[index], arc(radius, start, start + 180, (x, y)), r / count * 0.62)
    return art.placed(turn=rng.choice((0, 45, 90)))


def _horizon(brief: Brief) -> Art:
    """A sun that is cut by lines which grow toward its foot."""
    rng, r = brief.rng, 310.0
    disc = Art().fill("ink", circle(r))
    if rng.random() < 0.6:
        disc.clip(circle(r), Art().fill("accent", rectangle(-400, -400, 400, rng.choice((-40.0, 20.0)))))
    cuts: list[Outline] = []
    y, gap = rng.choice((-60.0, 10.0)), 10.0
    while y < r:
        cuts.append(rectangle(-400, y, 400, y + gap))
        y += 52 + gap * 0.4
        gap += 7
    return Art().clip(cuts, disc, outside=True).placed(turn=rng.choice((0, 0, 0, -30)))


_SIGNS: tuple[Drawing, ...] = (_mosaic, _dial, _lozenge, _faceted, _niche, _trio, *FIELDS)
# What a trade's own sign is made of. Motifs that are not here are shown themselves.
_MEANT: dict[str, Drawing] = {
    **dict.fromkeys(("flower", "lotus", "butterfly"), _petals),
    **dict.fromkeys(("leaf", "sprout"), _fan),
    **dict.fromkeys(("globe", "rocket", "compass"), _orbits),
    "house": _arches,
    **dict.fromkeys(("code", "gear", "anvil"), _cube),
    **dict.fromkeys(("sun", "sunrise"), _horizon),
    "music": _arcs,
    "bubble": _links,
    "wave": _waves,
    "chart": _steps,
}
