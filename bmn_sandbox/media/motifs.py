"""Small pictures in flat layers.

A layer is (role, shape, width): the role is the colour it takes, the shape fits a box from -100 to 100, and a width of 0
fills it. Later layers lie on top. Gaps and details are cut out of what lies below; in a drawing of lines only, gaps are left
out and details become lines.
"""

import math

from bmn_sandbox.media.canvas import Colour, Outline, outlines, turned
from bmn_sandbox.media.sheet import Pen, arc, circle, polygon

Layer = tuple[str, str | list[Outline], float]

_INK, _ACCENT, _GAP, _DETAIL = "ink", "accent", "gap", "detail"
_GRAIN = [circle(17, (side * 25, y), 0.62, 1.25, side * 38) for y in (-52, -14, 24) for side in (-1, 1)]


def _rays(count: int, inner: float, outer: float) -> list[Outline]:
    starts, ends = polygon(count, inner), polygon(count, outer)
    return [[a, b] for a, b in zip(starts, ends, strict=True)]


def _gear(teeth: int, outer: float, inner: float) -> Outline:
    step, points = 360 / teeth, []
    for tooth in range(teeth):
        for radius, share in ((inner, -0.30), (outer, -0.19), (outer, 0.19), (inner, 0.30)):
            points += arc(radius, tooth * step + share * step, tooth * step + share * step + 0.1)[:1]
    return points


def _lotus() -> list[Layer]:
    petal = outlines("M0 -70 C30 -32 30 20 0 56 C-30 20 -30 -32 0 -70 Z")[0]
    layers: list[Layer] = []
    for angle, role in ((74, _ACCENT), (-74, _ACCENT), (38, _INK), (-38, _INK), (0, _ACCENT)):
        shape = turned(petal, angle, (0, 56))
        layers += [(role, [shape], 0), (_GAP, [[*shape, shape[0]]], 6)]
    return layers


def _facets() -> list[Outline]:
    star = polygon(5, 98, inner=42)
    return [[(0, 0), star[i], star[i + 1]] for i in range(0, 10, 2)]


def _crescent() -> Outline:
    """The disc of radius 88 without the one of radius 72 at (36, -20)."""
    far = math.hypot(36, -20)
    towards = math.degrees(math.atan2(-20, 36))
    outer = math.degrees(math.acos((88**2 + far**2 - 72**2) / (2 * 88 * far)))
    inner = math.degrees(math.acos((88**2 - far**2 - 72**2) / (2 * 72 * far)))
    return arc(88, towards + outer, towards + 360 - outer) + arc(72, towards + 360 - inner, towards + inner, (36, -20))


MOTIFS: dict[str, list[Layer]] = {
    "cup": [
        (_INK, "M-66 -20 L50 -20 C50 40 30 70 -8 70 C-46 70 -66 40 -66 -20 Z", 0),
        (_INK, "M46 -6 C88 -12 88 42 32 40", 13),
        (_INK, "M-72 88 L56 88", 12),
        (_ACCENT, "M-30 -42 C-48 -60 -12 -72 -30 -94 M14 -42 C-4 -60 32 -72 14 -94", 12),
    ],
    "bean": [
        (_INK, [circle(88, (0, 0), 0.66, 1.0, 35)], 0),
        (_DETAIL, "M56 -80 C-24 -40 24 40 -56 80", 13),
        (_ACCENT, [circle(11, (74, 60))], 0),
    ],
    "leaf": [
        (_INK, [turned(outlines("M0 -98 C72 -50 76 34 0 92 C-76 34 -72 -50 0 -98 Z")[0], 38, (0, 0))], 0),
        (_ACCENT, [turned(outlines("M0 -98 C72 -50 76 34 0 92 Z")[0], 38, (0, 0))], 0),
        (_DETAIL, [turned([(0, -54), (0, 96)], 38, (0, 0))], 8),
    ],
    "sprout": [
        (_INK, "M0 96 L0 -4", 12),
        (_INK, "M0 36 C-72 34 -97 -18 -94 -62 C-40 -62 0 -34 0 36 Z", 0),
        (_ACCENT, "M0 2 C64 0 92 -44 90 -94 C40 -94 0 -64 0 2 Z", 0),
    ],
    "mountain": [
        (_ACCENT, [circle(24, (58, -52))], 0),
        (_ACCENT, "M-2 72 L46 -10 L98 72 Z", 0),
        (_GAP, "M-22 -74 L68 76", 12),
        (_INK, "M-98 72 L-22 -76 L56 72 Z", 0),
        (_DETAIL, "M-48 -22 L-35 -34 L-22 -16 L-9 -34 L4 -22", 9),
    ],
    "sun": [(_ACCENT, [circle(44)], 0), (_INK, _rays(12, 66, 92), 11)],
    "sunrise": [
        (_ACCENT, [[*arc(56, 180, 360, (0, 34)), (56, 34)]], 0),
        (
            _INK,
            [[a, b] for a, b in zip(arc(74, 190, 350, (0, 34))[::14], arc(104, 190, 350, (0, 34))[::14], strict=True)],
            10,
        ),
        (_INK, "M-96 52 L96 52 M-60 76 L60 76", 11),
    ],
    "moon": [
        (_INK, [_crescent()], 0),
        (_ACCENT, [[(x * 0.34 + 42, y * 0.34 - 24) for x, y in polygon(4, 100, inner=30)]], 0),
    ],
    "wave": [
        (_INK, "M-94 -40 C-62 -78 -32 -78 0 -40 C32 -2 62 -2 94 -40", 19),
        (_ACCENT, "M-94 6 C-62 -32 -32 -32 0 6 C32 44 62 44 94 6", 19),
        (_INK, "M-94 52 C-62 14 -32 14 0 52 C32 90 62 90 94 52", 19),
    ],
    "star": [(_INK, [polygon(5, 98, inner=42)], 0), (_ACCENT, _facets(), 0)],
    "bolt": [(_INK, "M22 -98 L-58 14 L-8 14 L-24 98 L60 -26 L8 -26 Z", 0), (_ACCENT, "M8 -26 L60 -26 L-24 98 Z", 0)],
    "lotus": _lotus(),
    "flower": [
        (_INK, [circle(31, p) for p in polygon(6, 57)], 0),
        (_GAP, [circle(33)], 0),
        (_ACCENT, [circle(24)], 0),
    ],
    "house": [
        (_INK, "M-90 0 L0 -84 L90 0 L64 0 L64 82 L-64 82 L-64 0 Z", 0),
        (_ACCENT, "M-21 82 L-21 40 C-21 12 21 12 21 40 L21 82 Z", 0),
    ],
    "book": [
        (_INK, "M-5 -46 C-32 -70 -66 -70 -96 -56 L-96 62 C-66 48 -32 48 -5 72 Z", 0),
        (_ACCENT, "M5 -46 C32 -70 66 -70 96 -56 L96 62 C66 48 32 48 5 72 Z", 0),
        (_DETAIL, "M-76 -28 C-58 -34 -40 -32 -24 -22 M-76 0 C-58 -6 -40 -4 -24 6", 7),
    ],
    "paw": [
        (_INK, "M0 -6 C36 -6 74 46 54 74 C40 92 20 76 0 76 C-20 76 -40 92 -54 74 C-74 46 -36 -6 0 -6 Z", 0),
        (
            _ACCENT,
            [
                circle(28, p, 0.72, 1, a)
                for p, a in (((-70, -6), -24), ((-27, -56), -6), ((27, -56), 6), ((70, -6), 24))
            ],
            0,
        ),
    ],
    "cat": [
        (_INK, "M-78 -88 L-32 -48 C-10 -54 10 -54 32 -48 L78 -88 L84 12 C84 60 46 86 0 86 C-46 86 -84 60 -84 12 Z", 0),
        (_DETAIL, [circle(11, (-34, 4), 0.8, 1.2), circle(11, (34, 4), 0.8, 1.2)], 0),
        (_ACCENT, "M-12 34 L12 34 L0 48 Z", 0),
    ],
    "fish": [
        (_ACCENT, "M44 0 L98 -50 C86 -16 86 16 98 50 Z", 0),
        (_INK, "M-96 0 C-52 -66 22 -66 62 0 C22 66 -52 66 -96 0 Z", 0),
        (_DETAIL, [circle(8, (-56, -12))], 0),
        (_DETAIL, "M-22 -34 C-6 -14 -6 14 -22 34", 7),
    ],
    "bird": [
        (_ACCENT, "M66 -44 L98 -30 L66 -18 Z", 0),
        (
            _INK,
            "M-98 -46 L-30 -8 L14 -8 C14 -44 30 -60 46 -60 C66 -60 76 -46 76 -28 "
            "C76 40 34 78 -16 78 C-56 78 -78 40 -98 -46 Z",
            0,
        ),
        (_ACCENT, "M-44 0 L26 0 C26 30 4 46 -12 46 C-32 46 -44 24 -44 0 Z", 0),
        (_DETAIL, [circle(7, (50, -36))], 0),
    ],
    "heart": [
        (_INK, "M0 86 C-112 10 -88 -80 -38 -80 C-14 -80 0 -62 0 -46 C0 -62 14 -80 38 -80 C88 -80 112 10 0 86 Z", 0),
        (_ACCENT, "M0 86 L0 -46 C0 -62 14 -80 38 -80 C88 -80 112 10 0 86 Z", 0),
    ],
    "gear": [(_INK, [_gear(10, 96, 74)], 0), (_DETAIL, [circle(40)], 0), (_ACCENT, [circle(22)], 0)],
    "anvil": [
        (
            _INK,
            "M-98 -34 L74 -34 L74 -2 C44 0 32 14 30 28 L54 62 L54 84 L-40 84 L-40 62 L-16 28 C-20 0 -66 0 -98 -34 Z",
            0,
        ),
        (_ACCENT, [[(x * 0.3 + 6, y * 0.3 - 70) for x, y in polygon(4, 100, inner=28)]], 0),
    ],
    "rocket": [
        (_ACCENT, "M-36 4 L-70 64 L-26 52 Z M36 4 L70 64 L26 52 Z M-15 64 L0 100 L15 64 Z", 0),
        (_INK, "M0 -98 C46 -60 46 10 27 54 L-27 54 C-46 10 -46 -60 0 -98 Z", 0),
        (_DETAIL, [circle(15, (0, -28))], 0),
    ],
    "flame": [
        (
            _INK,
            "M4 -98 C12 -55 72 -28 64 36 C60 76 30 96 0 96 "
            "C-32 96 -64 74 -64 30 C-64 0 -44 -14 -36 -44 C-20 -30 -14 -18 -14 -4 C8 -30 14 -62 4 -98 Z",
            0,
        ),
        (_ACCENT, "M4 18 C30 42 32 58 29 68 C23 90 -23 90 -29 64 C-31 46 -8 42 4 18 Z", 0),
    ],
    "drop": [
        (_INK, "M0 -98 C46 -36 70 0 70 32 C70 72 36 96 0 96 C-36 96 -70 72 -70 32 C-70 0 -46 -36 0 -98 Z", 0),
        (_ACCENT, "M-42 30 C-42 54 -26 68 -6 70", 12),
    ],
    "pine": [
        (_ACCENT, "M-9 60 L9 60 L9 98 L-9 98 Z", 0),
        (_INK, "M0 -98 L40 -36 L-40 -36 Z M0 -58 L56 16 L-56 16 Z M0 -10 L72 70 L-72 70 Z", 0),
    ],
    "compass": [
        (_INK, [[*circle(90), circle(90)[0]]], 10),
        (_INK, [turned(outlines("M0 70 L22 0 L-22 0 Z")[0], 35, (0, 0))], 0),
        (_ACCENT, [turned(outlines("M0 -70 L22 0 L-22 0 Z")[0], 35, (0, 0))], 0),
        (_DETAIL, [circle(8)], 0),
    ],
    "wind": [
        (_INK, "M-92 -28 L34 -28 C72 -28 74 -82 36 -80 C18 -78 10 -64 16 -52", 15),
        (_ACCENT, "M-64 8 L62 8 C100 8 102 -44 68 -42", 15),
        (_INK, "M-92 44 L22 44 C60 44 60 94 26 92 C10 90 4 78 10 68", 15),
    ],
    "wheat": [
        (_INK, "M0 98 L0 -30", 9),
        (_ACCENT, [circle(17, (0, -76), 0.62, 1.3)], 0),
        (_INK, _GRAIN, 0),
        (_ACCENT, _GRAIN[2:4], 0),
    ],
    "diamond": [
        (_INK, "M-52 -62 L52 -62 L96 -12 L0 88 L-96 -12 Z", 0),
        (_ACCENT, "M-52 -62 L-30 -12 L-96 -12 Z M52 -62 L30 -12 L96 -12 Z M-30 -12 L30 -12 L0 88 Z", 0),
    ],
    "crown": [
        (_INK, "M-82 52 L-94 -34 L-44 6 L0 -66 L44 6 L94 -34 L82 52 Z M-82 64 L82 64 L82 82 L-82 82 Z", 0),
        (_ACCENT, [circle(12, p) for p in ((-94, -44), (0, -78), (94, -44))], 0),
    ],
    "music": [
        (_INK, "M-38 64 L-38 -66 L68 -90 L68 40", 13),
        (_INK, [circle(30, (-62, 64), 1, 0.8, -18)], 0),
        (_ACCENT, [circle(30, (44, 42), 1, 0.8, -18)], 0),
    ],
    "code": [(_INK, "M-46 -56 L-96 0 L-46 56 M46 -56 L96 0 L46 56", 17), (_ACCENT, "M18 -74 L-18 74", 17)],
    "globe": [
        (_INK, [[*circle(88), circle(88)[0]], [*circle(88, (0, 0), 0.42, 1), (37, 0)]], 10),
        (_ACCENT, "M-84 -28 L84 -28 M-84 28 L84 28", 10),
    ],
    "lens": [
        (_INK, [polygon(6, 96, turn=0)], 0),
        (_DETAIL, [circle(56)], 0),
        (_ACCENT, [circle(40)], 0),
        (_DETAIL, [circle(10, (-14, -14))], 0),
    ],
    "anchor": [
        (_INK, "M0 -44 L0 86 M-38 -22 L38 -22 M-82 26 C-74 70 -40 86 0 88 C40 86 74 70 82 26", 14),
        (_ACCENT, [[*circle(20, (0, -68)), (20, -68)]], 13),
    ],
    "grapes": [
        (_INK, [circle(23, p) for p in ((-44, -20), (0, -20), (44, -20), (-22, 20), (22, 20), (0, 60))], 0),
        (_ACCENT, "M2 -48 C10 -84 46 -96 70 -86 C66 -56 36 -44 2 -48 Z", 0),
    ],
}


def draw_motif(pen: Pen, motif: str, tones: tuple[Colour, Colour, Colour], *, line: float = 0) -> None:
    """tones: ink, accent and paper. line: instead of filled areas, outlines of this width."""
    ink, accent, paper = tones
    colours = {_INK: ink, _ACCENT: accent, _GAP: paper, _DETAIL: ink if line else paper}
    for role, shape, width in MOTIFS[motif]:
        if line and role == _GAP:
            continue
        if width:
            pen.stroke(shape, min(width, line) if line else width, colours[role])
        elif line:
            pen.fill(shape, paper)
            pen.stroke(shape, line, colours[role], closed=True)
        else:
            pen.fill(shape, colours[role])
