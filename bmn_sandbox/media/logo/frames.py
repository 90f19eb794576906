"""What a mark stands in or before: frames, grounds and ornaments, chosen by style."""

import random
from collections.abc import Collection
from dataclasses import dataclass

from bmn_sandbox.media.art import ON_INK, Art, Roles
from bmn_sandbox.media.shapes import (
    Outline,
    arc,
    blob,
    circle,
    hollow,
    moved,
    path,
    polygon,
    ring,
    rounded,
    scaled,
    squircle,
    turned,
    wavy,
)

# How large a square each form holds, as a share of its radius.
FORMS: dict[str, float] = {
    "disc": 0.64, "squircle": 0.72, "hexagon": 0.6, "octagon": 0.66, "shield": 0.56, "arch": 0.6, "diamond": 0.48,
    "scallop": 0.62, "oval": 0.56, "blob": 0.6, "tile": 0.74, "drop": 0.5, "ticket": 0.62, "flower": 0.5, "leafed": 0.62,
}  # fmt: skip

FORMS_OF: dict[str, tuple[str, ...]] = {
    "minimal": ("disc", "squircle", "arch", "hexagon", "oval", "tile"),
    "modern": ("squircle", "disc", "hexagon", "tile", "leafed", "drop", "arch", "octagon"),
    "bold": ("disc", "hexagon", "shield", "tile", "octagon", "squircle", "diamond"),
    "vintage": ("scallop", "shield", "oval", "arch", "diamond", "ticket", "disc", "octagon"),
    "playful": ("blob", "scallop", "flower", "disc", "squircle", "leafed", "drop"),
}


def form(name: str, radius: float, rng: random.Random) -> Outline:
    """The outline of a form about the origin."""
    r = radius
    match name:
        case "disc":
            return circle(r)
        case "squircle":
            return squircle(r * 0.93, 4.5)
        case "hexagon":
            return polygon(6, r * 1.05)
        case "octagon":
            return polygon(8, r * 1.04, 22.5)
        case "shield":
            return scaled(
                path("M0 -100 C30 -84 62 -80 90 -80 C92 6 62 70 0 104 C-62 70 -92 6 -90 -80 C-62 -80 -30 -84 0 -100 Z")[
                    0
                ],
                r / 100,
            )
        case "arch":
            return scaled([*arc(82, 180, 360, (0, -20)), (82, 98), (-82, 98)], r / 100)
        case "diamond":
            return polygon(4, r * 1.14)
        case "scallop":
            return wavy(r * 0.95, rng.choice((16, 20, 24)), r * 0.035)
        case "oval":
            return circle(r, (0, 0), 0.84, 1.0)
        case "blob":
            return blob(rng, r * 0.94)
        case "tile":
            return rounded(-r * 0.88, -r * 0.88, r * 0.88, r * 0.88, r * rng.choice((0.12, 0.3)))
        case "drop":
            corner = rng.choice((0, 90, 180, 270))
            return turned([*arc(r * 0.9, 0, 270), (r * 0.9, -r * 0.9)], corner)
        case "ticket":
            return _ticket(r)
        case "flower":
            return wavy(r * 0.9, rng.choice((6, 8)), r * 0.1)
        case _:
            return _leafed(r, rng.random() < 0.5)


def _ticket(r: float) -> Outline:
    """A rectangle with bitten corners."""
    side, bite = r * 0.86, r * 0.2
    corners = (((side, -side), 180, 90), ((side, side), 270, 180), ((-side, side), 360, 270), ((-side, -side), 90, 0))
    return [point for center, start, end in corners for point in arc(bite, start, end, center)]


def _leafed(r: float, flip: bool) -> Outline:
    """A square with two opposite corners round and two sharp."""
    side, big, small = r * 0.86, r * 0.8, r * 0.06
    points: Outline = []
    for (x, y, start), radius in zip(
        ((1, -1, -90), (1, 1, 0), (-1, 1, 90), (-1, -1, 180)), (big, small) * 2, strict=True
    ):
        points += arc(radius, start, start + 90, (x * (side - radius), y * (side - radius)))
    return [(-x, y) for x, y in reversed(points)] if flip else points


@dataclass(frozen=True, slots=True)
class Frame:
    """art: what lies below the mark. hold: the side of the square that the mark may fill. at: its middle.

    roles: what the mark's roles become on this ground. solid: whether the ground is of ink, where no thin lines read.
    """

    art: Art
    hold: float
    at: tuple[float, float] = (0.0, 0.0)
    roles: Roles | None = None
    solid: bool = False

    def holding(self, mark: Art, share: float = 1.0, wide: float = 1.0) -> Art:
        """The frame with a mark in it. wide: how much wider than tall the mark may be, as a word is."""
        inside = _optically(mark.fitted(self.hold * share * wide, self.hold * share), self.at)
        return Art().add(self.art, inside.recolored(self.roles or {}))


def _optically(mark: Art, at: tuple[float, float]) -> Art:
    """Centered between the middle of its box and the middle of its mass, which is what the eye takes for the middle."""
    mx, my = mass_center(mark)
    left, top, right, bottom = mark.bounds()
    cx, cy = (left + right) / 2, (top + bottom) / 2
    return mark.placed((at[0] - (cx * 0.55 + mx * 0.45), at[1] - (cy * 0.55 + my * 0.45)))


def mass_center(mark: Art) -> tuple[float, float]:
    """The middle of a mark's visible areas, roughly: of the points of each area's box."""
    total, x, y = 0.0, 0.0, 0.0
    for left, top, right, bottom in mark.boxes():
        weight = max((right - left) * (bottom - top), 1e-6)
        total += weight
        x += weight * (left + right) / 2
        y += weight * (top + bottom) / 2
    return (x / total, y / total) if total else (0.0, 0.0)


_ON_SOFT: Roles = {"paper": "soft"}


def _solid(name: str, r: float, rng: random.Random) -> Frame:
    return Frame(Art().fill("ink", form(name, r, rng)), 2 * r * FORMS[name], _seat(name, r), ON_INK, solid=True)


def _soft(name: str, r: float, rng: random.Random) -> Frame:
    return Frame(Art().fill("soft", form(name, r, rng)), 2 * r * FORMS[name], _seat(name, r), _ON_SOFT)


def _outline(name: str, r: float, rng: random.Random, *, width: float) -> Frame:
    art = Art().fill("ink", hollow(form(name, r, rng), width))
    return Frame(art, 2 * r * FORMS[name] * 0.94, _seat(name, r))


def _double(name: str, r: float, rng: random.Random) -> Frame:
    shape = form(name, r, rng)
    art = Art().fill("ink", hollow(shape, r * 0.045)).fill("voice", hollow(scaled(shape, 0.9), r * 0.016))
    return Frame(art, 2 * r * FORMS[name] * 0.84, _seat(name, r))


def _inlaid(name: str, r: float, rng: random.Random) -> Frame:
    """A solid form with a thin line inside its edge."""
    shape = form(name, r, rng)
    art = Art().fill("ink", shape).fill("bright", hollow(scaled(shape, 0.9), r * 0.022))
    return Frame(art, 2 * r * FORMS[name] * 0.86, _seat(name, r), ON_INK, solid=True)


def _seat(name: str, r: float) -> tuple[float, float]:
    """Where the middle of a form is for the eye."""
    return (0.0, r * {"shield": -0.06, "arch": 0.06, "drop": 0.0}.get(name, 0.0))


def _broken_ring(r: float, rng: random.Random, width: float) -> Frame:
    start, gap = rng.choice((-60, -20, 30, 120, 200)), rng.choice((28, 44, 60))
    art = Art().stroke("ink", arc(r, start + gap / 2, start + 360 - gap / 2), width)
    art.fill("accent", circle(width * 1.7, arc(r, start, start + 1)[0]))
    return Frame(art, 2 * r * 0.62)


def _sunburst(r: float, rng: random.Random) -> Frame:
    count = rng.choice((36, 48, 60))
    art = Art()
    for index in range(count):
        angle = 360 / count * index
        reach = r if index % 2 else r * 0.9
        art.stroke("voice", [arc(r * 0.76, angle, angle + 1)[0], arc(reach, angle, angle + 1)[0]], r * 0.02)
    art.fill("ink", ring(r * 0.69, r * 0.016))
    return Frame(art, 2 * r * 0.46)


def laurel(r: float, role: str, leaves: int = 9, spread: float = 50) -> Art:
    """Two branches that rise from the foot and nearly meet at the head; their leaves point along them."""
    leaf = scaled(path("M0 0 C17 -14 19 -40 0 -62 C-19 -40 -17 -14 0 0 Z")[0], r / 300)
    branch = Art().stroke(role, arc(r, 84, 84 - 90 - spread), r * 0.014)
    for index in range(leaves):
        angle = 76 - (78 + spread) * index / (leaves - 1)
        x, y = arc(r, angle, angle)[0]
        size = 1.12 - 0.035 * index
        for lean in (30, -34):  # outer leaf, inner leaf
            branch.fill(role, moved(turned(scaled(leaf, size), angle + lean), x, y))
    branch.fill(role, moved(turned(leaf, 84 - 90 - spread), *arc(r, 84 - 90 - spread, 84 - 90 - spread)[0]))
    return Art().add(branch, branch.placed(flip=True))


def _wreath(r: float, _rng: random.Random) -> Frame:
    return Frame(laurel(r * 0.84, "voice"), 2 * r * 0.4, (0, -r * 0.03))


def _dots(r: float, rng: random.Random) -> Frame:
    """A ground of soft color with a few dots thrown about."""
    base = _soft(rng.choice(("blob", "scallop", "flower")), r * 0.92, rng)
    art = Art().add(base.art)
    for _ in range(rng.choice((3, 4, 5))):
        angle = rng.uniform(0, 360)
        art.fill(
            rng.choice(("accent", "ink")), circle(rng.uniform(r * 0.03, r * 0.075), arc(r * 1.04, angle, angle + 1)[0])
        )
    return Frame(art, base.hold, base.at, base.roles)


def _corners(r: float, rng: random.Random) -> Frame:
    """Four angles, as a viewfinder's."""
    side, arm, width = r * 0.9, r * rng.choice((0.3, 0.5)), r * 0.04
    art = Art()
    for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        art.stroke("ink", [(x * (side - arm), y * side), (x * side, y * side), (x * side, y * (side - arm))], width)
    return Frame(art, 2 * r * 0.62)


def _bare(r: float, _rng: random.Random) -> Frame:
    return Frame(Art(), 2 * r)


# The frames of a style, each as often as it stands here.
_KINDS_OF: dict[str, tuple[str, ...]] = {
    "minimal": ("outline", "broken", "bare", "bare", "corners", "soft", "outline"),
    "modern": ("solid", "soft", "bare", "solid", "broken"),
    "bold": ("solid", "solid", "bare", "inlaid", "thick"),
    "vintage": ("double", "inlaid", "sunburst", "wreath", "double", "solid"),
    "playful": ("dots", "solid", "soft", "bare", "dots"),
}


def frame(style: str, r: float, rng: random.Random, forms: Collection[str]) -> Frame:
    """A frame of the style with radius r. forms: those to choose from, as far as the style has them."""
    likes = FORMS_OF[style]
    kind, name = rng.choice(_KINDS_OF[style]), rng.choice([form for form in likes if form in forms] or likes)
    match kind:
        case "solid":
            return _solid(name, r, rng)
        case "soft":
            return _soft(name, r, rng)
        case "outline":
            return _outline(name, r, rng, width=r * 0.026)
        case "thick":
            return _outline(name, r, rng, width=r * 0.13)
        case "double":
            return _double(name, r, rng)
        case "inlaid":
            return _inlaid(name, r, rng)
        case "broken":
            return _broken_ring(r * 0.96, rng, r * (0.026 if style == "minimal" else 0.07))
        case _:
            return _SPECIAL[kind](r, rng)


_SPECIAL = {
    "sunburst": _sunburst,
    "wreath": _wreath,
    "dots": _dots,
    "corners": _corners,
    "bare": _bare,
}
