"""Abstract signs from simple forms, with the name below."""

import math
from collections.abc import Callable

from bmn_sandbox.media.art import Art
from bmn_sandbox.media.logo.brief import Brief
from bmn_sandbox.media.logo.marks import captioned
from bmn_sandbox.media.shapes import Outline, arc, circle, moved, polygon, rectangle, ring, rounded, scaled, turned

_TONES = ("ink", "accent", "mid", "soft")


def geometric(brief: Brief) -> Art:
    options: tuple[Callable[[Brief], Art], ...] = (
        _tiles, _petals, _arcs, _cube, _links, _spun, _waves, _steps, _orbits, _fan, _arches, _pinwheel, _prism, _eclipse,
        _horizon, _weave
    )  # fmt: skip
    sign = brief.rng.choice(options)(brief)
    return captioned(brief, sign, share=0.68)


def _tiles(brief: Brief) -> Art:
    """A grid of quarter discs, discs and leaves, as the Bauhaus liked them."""
    rng, side = brief.rng, brief.rng.choice((2, 3))
    size, art = 630 / side, Art()
    shift = rng.randrange(4)
    for index in range(side * side):
        row, column = divmod(index, side)
        x, y = (column - side / 2) * size, (row - side / 2) * size
        tone = _TONES[(index + shift + row) % 3]
        kind = rng.randrange(5)
        if kind == 0:
            art.fill(tone, circle(size / 2 - 1, (x + size / 2, y + size / 2)))
            continue
        if kind == 1:
            art.fill("soft", rectangle(x, y, x + size, y + size))
        corners = ((x, y, 0), (x + size, y, 90), (x + size, y + size, 180), (x, y + size, 270))
        cx, cy, start = corners[rng.randrange(4)]
        art.fill(tone, [(cx, cy), *arc(size, start, start + 90, (cx, cy))])
        if kind == 3:
            ox, oy = 2 * x + size - cx, 2 * y + size - cy
            art.fill(_TONES[(index + 1) % 2], [(ox, oy), *arc(size * 0.42, start + 180, start + 270, (ox, oy))])
    return art


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


def _spun(brief: Brief) -> Art:
    """Squares or triangles, each turned a little and smaller than the last."""
    corners, count = brief.rng.choice((3, 4, 4, 6)), brief.rng.choice((5, 7, 9))
    twist = brief.rng.choice((8, 12, 15, 360 / corners / 2))
    shrink = 0.86 if count > 5 else 0.76
    art = Art()
    for index in range(count):
        role = "ink" if index % 2 == 0 else ("paper", "accent")[index % 4 == 1]
        art.fill(role, polygon(corners, 370 * shrink**index, -90 + twist * index))
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


def _pinwheel(brief: Brief) -> Art:
    """Three blades about a middle, each half a disc."""
    rng, side, art = brief.rng, 320.0, Art()
    tones = rng.choice((("ink", "accent", "mid"), ("ink", "ink", "accent"), ("accent", "ink", "ink")))
    for index in range(3):
        blade = arc(side / 2, 180, 360, (side / 2, 0.0))
        art.fill(tones[index % len(tones)], turned(blade, 120 * index))
    return art.placed(turn=rng.choice((0, 30, 90)))


def _prism(brief: Brief) -> Art:
    """Slanting bars that make an arrow, a letter or a peak, as the faces of a folded band."""
    count, deep = brief.rng.choice((2, 3)), brief.rng.choice((1.0, 1.6))
    wide, high, art = 150.0, 420.0, Art()
    for index in range(count):
        x = (index - (count - 1) / 2) * wide * 2
        left = [(x - wide, high / 2), (x, -high / 2), (x, -high / 2 + wide * deep), (x - wide * 0.4, high / 2)]
        right = [(x, -high / 2), (x + wide, high / 2), (x + wide * 0.4, high / 2), (x, -high / 2 + wide * deep)]
        art.fill("ink", left).fill("accent", right)
    return art


def _eclipse(brief: Brief) -> Art:
    """Two discs, of which one passes before the other; where they meet there are lines."""
    rng, r = brief.rng, 220.0
    apart = rng.choice((0.7, 1.0, 1.25))
    turn = rng.choice((0, 45, -45, 90))
    one, other = circle(r, (-r * apart / 2, 0.0)), circle(r, (r * apart / 2, 0.0))
    art = Art().fill("ink", one).fill("accent", other)
    bars = [rectangle(-600, y, 600, y + 14) for y in range(-600, 600, 28)]
    inner = (
        Art().fill("paper", one).clip(one, Art().fill("ink", bars)) if rng.random() < 0.6 else Art().fill("mid", one)
    )
    return art.clip(other, Art().clip(one, inner)).placed(turn=turn)


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
    return Art().clip(cuts, disc, outside=True).placed(turn=rng.choice((0, 0, -30, 90)))


def _weave(brief: Brief) -> Art:
    """Bands that go over and under each other."""
    count, width = brief.rng.choice((2, 3)), 104.0
    pitch, reach = width + 36, brief.rng.choice((290.0, 320.0))
    places = [(index - (count - 1) / 2) * pitch for index in range(count)]
    art = Art()
    for x in places:
        art.fill("ink", rounded(x - width / 2, -reach, x + width / 2, reach, width / 2))
    for row, y in enumerate(places):
        art.fill("accent", rounded(-reach, y - width / 2, reach, y + width / 2, width / 2))
        for column, x in enumerate(places):
            over = (row + column) % 2 == 0
            box = (x - width / 2, y - width / 2, x + width / 2, y + width / 2)
            if over:
                x0, y0, x1, y1 = box
                art.fill("paper", rectangle(x0 - 14, y0, x1 + 14, y1)).fill("ink", rectangle(x0, y0 - 2, x1, y1 + 2))
            else:
                x0, y0, x1, y1 = box
                art.fill("paper", [rectangle(x0, y0 - 14, x1, y0), rectangle(x0, y1, x1, y1 + 14)])
    return art.placed(turn=brief.rng.choice((0, 45)))
