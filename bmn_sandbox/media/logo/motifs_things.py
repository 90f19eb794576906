"""Motifs of things that people make and use. For how they are written down, see `layers.py`."""
# ruff: noqa: E501 - data reads worse when it is broken

from bmn_sandbox.media.logo.layers import ACCENT, DETAIL, GAP, INK, Layer
from bmn_sandbox.media.shapes import Outline, arc, circle, path, polygon, rounded, turned


def _gear(teeth: int, outer: float, inner: float) -> Outline:
    step, points = 360 / teeth, []
    for tooth in range(teeth):
        for radius, share in ((inner, -0.30), (outer, -0.19), (outer, 0.19), (inner, 0.30)):
            points += arc(radius, tooth * step + share * step, tooth * step + share * step + 0.1)[:1]
    return points


def _seamed_bean(center: tuple[float, float], size: float, turn: float) -> list[Outline]:
    return [circle(size, center, 0.66, 1.0, turn)]


_CHEESE: Outline = [(-88, 16), (88, 16), (88, 27), (54, 27), (22, 54), (-10, 27), (-88, 27)]
_SEAM = path("M0 -84 C26 -40 -26 40 0 84")[0]

THINGS: dict[str, list[list[Layer]]] = {
    "cup": [
        [
            (INK, "M-66 -20 L50 -20 C50 40 30 70 -8 70 C-46 70 -66 40 -66 -20 Z", 0),
            (INK, "M46 -6 C88 -12 88 42 32 40", 13),
            (INK, "M-72 88 L56 88", 12),
            (ACCENT, "M-30 -42 C-48 -60 -12 -72 -30 -94 M14 -42 C-4 -60 32 -72 14 -94", 12),
        ],
        [
            (INK, "M-58 -50 L58 -50 L44 96 L-44 96 Z", 0),
            (INK, "M-68 -68 L68 -68 L62 -56 L-62 -56 Z M-48 -92 L48 -92 L56 -74 L-56 -74 Z", 0),
            (ACCENT, "M-55 -14 L55 -14 L49 48 L-49 48 Z", 0),
        ],
    ],
    "bean": [
        [(INK, _seamed_bean((0, 0), 96, 35), 0), (DETAIL, [turned(_SEAM, 35)], 13)],
        [
            (INK, _seamed_bean((-30, 14), 78, 24), 0),
            (DETAIL, [[(x * 0.8 - 30, y * 0.8 + 14) for x, y in turned(_SEAM, 24)]], 10),
            (GAP, _seamed_bean((42, -22), 66, -34), 14),
            (ACCENT, _seamed_bean((42, -22), 62, -34), 0),
            (DETAIL, [[(x * 0.62 + 42, y * 0.62 - 22) for x, y in turned(_SEAM, -34)]], 9),
        ],
    ],
    "house": [
        [
            (INK, "M-90 0 L0 -84 L90 0 L64 0 L64 82 L-64 82 L-64 0 Z", 0),
            (ACCENT, "M-21 82 L-21 40 C-21 12 21 12 21 40 L21 82 Z", 0),
        ],
        [
            (INK, "M-92 4 L0 -78 L92 4", 16),
            (ACCENT, "M-56 6 L0 -44 L56 6 L56 82 L-56 82 Z", 0),
            (DETAIL, [rounded(-16, 34, 16, 82, 3)], 0),
        ],
        [
            (INK, "M-84 82 L-84 -10 C-84 -60 -50 -92 0 -92 C50 -92 84 -60 84 -10 L84 82 Z", 0),
            (DETAIL, "M-50 82 L-50 -4 C-50 -36 -30 -56 0 -56 C30 -56 50 -36 50 -4 L50 82 Z", 0),
            (ACCENT, "M-30 82 L-30 0 C-30 -20 -18 -34 0 -34 C18 -34 30 -20 30 0 L30 82 Z", 0),
        ],
    ],
    "key": [
        [
            (INK, [turned(outline, -45) for outline in (
                circle(42, (-50, 0)), rounded(-14, -11, 96, 11, 4), rounded(44, 4, 60, 42, 3), rounded(76, 4, 94, 42, 3))], 0),
            (ACCENT, [turned(circle(22, (-50, 0)), -45)], 0),
        ],
    ],
    "bell": [
        [
            (INK, "M-80 44 C-80 -20 -46 -54 0 -54 C46 -54 80 -20 80 44 Z", 0),
            (INK, [rounded(-96, 56, 96, 80, 8)], 0),
            (ACCENT, [rounded(-7, -76, 7, -52, 2), circle(16, (0, -80))], 0),
            (DETAIL, "M-52 24 C-48 -4 -32 -22 -12 -28", 9),
        ],
    ],
    "lighthouse": [
        [
            (INK, "M-26 -40 L26 -40 L46 94 L-46 94 Z", 0),
            (DETAIL, "M-44 6 L44 6 M-50 50 L50 50", 15),
            (INK, "M-36 -46 L36 -46", 9),
            (INK, [rounded(-18, -72, 18, -50, 2), [(-28.0, -74.0), (0.0, -98.0), (28.0, -74.0)]], 0),
            (ACCENT, "M34 -66 L98 -90 L98 -42 Z M-34 -66 L-98 -90 L-98 -42 Z", 0),
        ],
    ],
    "book": [
        [
            (INK, "M-5 -46 C-32 -70 -66 -70 -96 -56 L-96 62 C-66 48 -32 48 -5 72 Z", 0),
            (ACCENT, "M5 -46 C32 -70 66 -70 96 -56 L96 62 C66 48 32 48 5 72 Z", 0),
            (DETAIL, "M-76 -28 C-58 -34 -40 -32 -24 -22 M-76 0 C-58 -6 -40 -4 -24 6", 7),
        ],
        [
            (INK, "M-80 -84 L-80 84", 14),
            (INK, [rounded(-62, -88, -18, 92, 4)], 0),
            (ACCENT, [rounded(-8, -60, 30, 92, 4)], 0),
            (INK, [turned(rounded(42, -76, 78, 92, 4), 12, (60, 92))], 0),
            (DETAIL, "M-52 -58 L-28 -58 M-52 -40 L-28 -40", 7),
        ],
    ],
    "pencil": [
        [
            (INK, [turned(path("M-24 -70 L24 -70 L24 34 L-24 34 Z")[0], 40)], 0),
            (ACCENT, [turned(path("M-24 40 L24 40 L0 96 Z")[0], 40)], 0),
            (ACCENT, [turned(path("M-24 -96 L24 -96 L24 -78 L-24 -78 Z")[0], 40)], 0),
            (DETAIL, [turned([(0, -64), (0, 28)], 40)], 7),
        ],
    ],
    "bulb": [
        [
            (INK, "M0 -96 C46 -96 74 -62 74 -24 C74 10 44 26 36 56 L-36 56 C-44 26 -74 10 -74 -24 C-74 -62 -46 -96 0 -96 Z", 0),
            (DETAIL, "M0 52 L0 0 M0 2 L-24 -26 M0 2 L24 -26", 9),
            (ACCENT, "M-30 72 L30 72 M-18 92 L18 92", 13),
        ],
    ],
    "tooth": [
        [
            (INK, "M0 -66 C24 -96 84 -88 80 -26 C78 10 64 30 58 62 C52 96 26 98 20 60 C16 30 -16 30 -20 60 C-26 98 -52 96 -58 62 "
                  "C-64 30 -78 10 -80 -26 C-84 -88 -24 -96 0 -66 Z", 0),
            (ACCENT, "M-54 -30 C-54 -50 -42 -60 -28 -60", 12),
        ],
    ],
    "gear": [
        [(INK, [_gear(10, 96, 74)], 0), (DETAIL, [circle(40)], 0), (ACCENT, [circle(22)], 0)],
        [(INK, [_gear(8, 96, 70)], 0), (ACCENT, [polygon(6, 40)], 0)],
    ],
    "anvil": [
        [
            (INK, "M-98 -34 L74 -34 L74 -2 C44 0 32 14 30 28 L54 62 L54 84 L-40 84 L-40 62 L-16 28 C-20 0 -66 0 -98 -34 Z", 0),
            (ACCENT, [[(x * 0.3 + 6, y * 0.3 - 70) for x, y in polygon(4, 100, inner=28)]], 0),
        ],
        [
            (ACCENT, [turned(rounded(-10, -44, 10, 98, 5), 38)], 0),
            (INK, [turned(path("M-72 -92 L-46 -92 L-46 -82 L18 -82 C50 -82 74 -66 90 -36 C66 -50 44 -50 24 -42 L-46 -42 L-46 -32 L-72 -32 Z")[0], 38)], 0),
        ],
    ],
    "dumbbell": [
        [
            (INK, [rounded(-66, -46, -40, 46, 9), rounded(40, -46, 66, 46, 9)], 0),
            (ACCENT, [rounded(-96, -28, -72, 28, 8), rounded(72, -28, 96, 28, 8)], 0),
            (INK, "M-40 0 L40 0", 17),
        ],
        [
            (INK, "M-54 -10 C-54 -80 54 -80 54 -10", 20),
            (INK, "M-40 -20 L40 -20 C84 10 84 92 40 92 L-40 92 C-84 92 -84 10 -40 -20 Z", 0),
            (ACCENT, [circle(26, (0, 38))], 0),
        ],
    ],
    "rocket": [
        [
            (ACCENT, "M-36 4 L-70 64 L-26 52 Z M36 4 L70 64 L26 52 Z M-15 64 L0 100 L15 64 Z", 0),
            (INK, "M0 -98 C46 -60 46 10 27 54 L-27 54 C-46 10 -46 -60 0 -98 Z", 0),
            (DETAIL, [circle(15, (0, -28))], 0),
        ],
        [
            (INK, [circle(52)], 0),
            (GAP, [[(x, y) for x, y in turned(circle(92, (0, 0), 1, 0.34), -24)]], 20),
            (ACCENT, [[*turned(circle(92, (0, 0), 1, 0.34), -24)]], 9),
            (INK, [arc(52, 156, 336)], 0),
        ],
    ],
    "pot": [
        [
            (INK, "M-74 -6 L74 -6 L68 66 C66 82 56 88 44 88 L-44 88 C-56 88 -66 82 -68 66 Z", 0),
            (INK, "M-96 14 L-74 14 M74 14 L96 14", 15),
            (ACCENT, "M-80 -26 C-76 -60 -40 -68 0 -68 C40 -68 76 -60 80 -26 Z", 0),
            (ACCENT, [circle(12, (0, -80))], 0),
        ],
        [
            (INK, "M-52 34 C-96 20 -98 -46 -50 -54 C-34 -96 34 -96 50 -54 C98 -46 96 20 52 34 L52 60 L-52 60 Z", 0),
            (ACCENT, [rounded(-52, 70, 52, 92, 5)], 0),
            (DETAIL, "M-22 36 L-26 6 M22 36 L26 6", 8),
        ],
        [
            (INK, "M-46 -92 L-46 -50 M-62 -92 L-62 -52 C-62 -20 -30 -20 -30 -52 L-30 -92 M-46 -28 L-46 92", 12),
            (ACCENT, "M40 92 L40 22 C70 22 76 -60 40 -92 Z", 0),
            (ACCENT, "M40 -86 L40 90", 13),
        ],
    ],
    "burger": [
        [
            (INK, "M-84 -14 C-84 -64 -44 -84 0 -84 C44 -84 84 -64 84 -14 Z", 0),
            (ACCENT, "M-88 12 C-66 -4 -44 26 -22 10 C0 -4 22 26 44 10 C62 0 74 16 88 12", 14),
            (INK, [rounded(-84, 30, 84, 46, 8)], 0),
            (INK, "M-84 58 L84 58 C84 80 70 88 54 88 L-54 88 C-70 88 -84 80 -84 58 Z", 0),
            (DETAIL, [circle(5, (-34, -48)), circle(5, (4, -60)), circle(5, (38, -44))], 0),
        ],
    ],
    "sandwich": [
        [
            (INK, "M-84 -20 C-96 -20 -98 -54 -84 -60 C-60 -70 60 -70 84 -60 C98 -54 96 -20 84 -20 Z", 0),
            (ACCENT, "M-92 0 C-74 -14 -56 14 -38 0 C-20 -14 -2 14 16 0 C34 -14 52 14 70 0 C78 -6 86 -4 92 0", 13),
            (INK, "M-86 38 L86 38 C94 70 80 80 66 80 L-66 80 C-80 80 -94 70 -86 38 Z", 0),
            (GAP, [[*_CHEESE, _CHEESE[0]]], 10),
            (ACCENT, [_CHEESE], 0),
            (INK, "M0 -62 L0 -98", 7),
            (ACCENT, [circle(14, (0, -88))], 0),
        ],
    ],
    "cupcake": [
        [
            (INK, "M-60 18 L60 18 L40 92 L-40 92 Z", 0),
            (ACCENT, "M-74 8 C-92 -20 -62 -40 -48 -38 C-50 -70 -20 -78 0 -78 C20 -78 50 -70 48 -38 C62 -40 92 -20 74 8 Z", 0),
            (INK, [circle(14, (0, -84))], 0),
            (DETAIL, "M-22 24 L-15 86 M22 24 L15 86", 7),
        ],
    ],
}  # fmt: skip
