"""Motifs of plants, sky and sea. For how they are written down, see `layers.py`."""
# ruff: noqa: E501 - data reads worse when it is broken

import math

from bmn_sandbox.media.logo.layers import ACCENT, DETAIL, GAP, INK, Layer, between
from bmn_sandbox.media.shapes import Outline, arc, circle, path, polygon, scaled, turned

_GRAIN = [circle(17, (side * 25, y), 0.62, 1.25, side * 38) for y in (-52, -14, 24) for side in (-1, 1)]


def _lotus() -> list[Layer]:
    petal = path("M0 -70 C30 -32 30 20 0 56 C-30 20 -30 -32 0 -70 Z")[0]
    layers: list[Layer] = []
    for angle, role in ((74, ACCENT), (-74, ACCENT), (38, INK), (-38, INK), (0, ACCENT)):
        shape = turned(petal, angle, (0, 56))
        layers += [(role, [shape], 0), (GAP, [[*shape, shape[0]]], 6)]
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


_LEAF = path("M0 -98 C72 -50 76 34 0 92 C-76 34 -72 -50 0 -98 Z")[0]
_PETAL = path("M0 -96 C34 -70 34 -34 0 -6 C-34 -34 -34 -70 0 -96 Z")[0]
_TULIP = "M-52 -72 L-24 -40 L0 -84 L24 -40 L52 -72 C62 -20 44 18 0 18 C-44 18 -62 -20 -52 -72 Z"

NATURE: dict[str, list[list[Layer]]] = {
    "leaf": [
        [
            (INK, [turned(_LEAF, 38)], 0),
            (ACCENT, [turned(path("M0 -98 C72 -50 76 34 0 92 Z")[0], 38)], 0),
            (DETAIL, [turned([(0, -54), (0, 96)], 38)], 8),
        ],
        [
            (INK, [turned(scaled(_LEAF, 0.72), -34, (0, 60))], 0),
            (ACCENT, [turned(scaled(_LEAF, 0.72), 42, (0, 66))], 0),
            (GAP, [[*turned(scaled(_LEAF, 0.72), 42, (0, 66)), turned(scaled(_LEAF, 0.72), 42, (0, 66))[0]]], 7),
            (INK, "M0 66 L0 98", 11),
        ],
    ],
    "sprout": [
        [
            (INK, "M0 96 L0 -4", 12),
            (INK, "M0 36 C-72 34 -97 -18 -94 -62 C-40 -62 0 -34 0 36 Z", 0),
            (ACCENT, "M0 2 C64 0 92 -44 90 -94 C40 -94 0 -64 0 2 Z", 0),
        ],
        [
            (INK, "M0 60 L0 -20", 11),
            (ACCENT, [turned(scaled(_PETAL, 0.95), a, (0, -6)) for a in (-52, 0, 52)], 0),
            (INK, "M-70 60 L70 60 C66 92 40 98 0 98 C-40 98 -66 92 -70 60 Z", 0),
        ],
    ],
    "mountain": [
        [
            (ACCENT, [circle(24, (58, -52))], 0),
            (ACCENT, "M-2 72 L46 -10 L98 72 Z", 0),
            (GAP, "M-22 -74 L68 76", 12),
            (INK, "M-98 72 L-22 -76 L56 72 Z", 0),
            (DETAIL, "M-48 -22 L-35 -34 L-22 -16 L-9 -34 L4 -22", 9),
        ],
        [
            (ACCENT, [circle(34, (0, -56))], 0),
            (GAP, "M-100 58 L-34 -52 L8 18 L32 -20 L100 80", 12),
            (INK, "M-98 64 L-34 -44 L8 26 L32 -12 L92 64 Z", 0),
            (ACCENT, "M-80 82 L80 82", 11),
        ],
        [
            (INK, "M-96 44 L-30 -60 L10 4 L34 -34 L96 44", 15),
            (ACCENT, "M-62 80 L-30 30 L4 80 M20 80 L38 52 L58 80", 13),
        ],
    ],
    "sun": [
        [(ACCENT, [circle(44)], 0), (INK, between(polygon(12, 66), polygon(12, 92)), 11)],
        [(INK, [polygon(16, 98, inner=70)], 0), (ACCENT, [circle(50)], 0)],
        [
            (ACCENT, [circle(38)], 0),
            (INK, [turned(path("M0 -98 C13 -78 13 -64 0 -52 C-13 -64 -13 -78 0 -98 Z")[0], a) for a in range(0, 360, 45)], 0),
        ],
    ],
    "sunrise": [
        [
            (ACCENT, [[*arc(56, 180, 360, (0, 34)), (56, 34)]], 0),
            (INK, between(arc(74, 190, 350, (0, 34))[::10], arc(104, 190, 350, (0, 34))[::10]), 10),
            (INK, "M-96 52 L96 52 M-60 76 L60 76", 11),
        ],
        [
            (ACCENT, [arc(74, 180, 360, (0, 22))], 0),
            (INK, "M-98 34 L98 34", 12),
            (INK, "M-76 58 C-52 44 -28 44 0 58 C28 72 52 72 76 58", 11),
            (ACCENT, "M-48 84 C-30 74 -16 74 0 84 C16 94 30 94 48 84", 10),
        ],
        [
            (INK, [[*arc(96, 180, 360, (0, 48)), *arc(74, 360, 180, (0, 48))]], 0),
            (ACCENT, [[*arc(60, 180, 360, (0, 48)), *arc(38, 360, 180, (0, 48))]], 0),
            (INK, [arc(24, 180, 360, (0, 48))], 0),
            (INK, "M-96 66 L96 66", 11),
        ],
    ],
    "moon": [
        [(INK, [_crescent()], 0), (ACCENT, [[(x * 0.34 + 42, y * 0.34 - 24) for x, y in polygon(4, 100, inner=30)]], 0)],
        [
            (INK, [circle(90)], 0),
            (DETAIL, [circle(15, (-34, -26)), circle(10, (22, -48)), circle(21, (28, 30)), circle(8, (-22, 42))], 0),
        ],
        [
            (INK, [_crescent()], 0),
            (ACCENT, [[(x * s + cx, y * s + cy) for x, y in polygon(4, 100, inner=30)]
                      for s, cx, cy in ((0.2, 30, -38), (0.28, 62, 8), (0.14, 22, 20))], 0),
        ],
    ],
    "wave": [
        [
            (INK, "M-94 -40 C-62 -78 -32 -78 0 -40 C32 -2 62 -2 94 -40", 19),
            (ACCENT, "M-94 6 C-62 -32 -32 -32 0 6 C32 44 62 44 94 6", 19),
            (INK, "M-94 52 C-62 14 -32 14 0 52 C32 90 62 90 94 52", 19),
        ],
        [
            (INK, "M-96 62 C-96 -30 -36 -88 34 -72 C70 -62 86 -30 70 -8 C62 -28 40 -36 20 -26 C-10 -10 -6 40 46 44 "
                  "C66 46 84 40 96 30 L96 62 Z", 0),
            (ACCENT, "M-96 84 C-62 70 -32 70 0 84 C32 98 62 98 96 84", 12),
        ],
    ],
    "star": [
        [(INK, [polygon(5, 98, inner=42)], 0), (ACCENT, _facets(), 0)],
        [(INK, [polygon(4, 98, inner=28)], 0), (ACCENT, [turned(scaled(polygon(4, 98, inner=26), 0.52), 45)], 0)],
        [(INK, [polygon(8, 98, inner=40)], 0), (ACCENT, [circle(24)], 0)],
    ],
    "bolt": [
        [(INK, "M22 -98 L-58 14 L-8 14 L-24 98 L60 -26 L8 -26 Z", 0), (ACCENT, "M8 -26 L60 -26 L-24 98 Z", 0)],
        [(INK, [circle(92)], 0), (ACCENT, "M18 -76 L-50 12 L-8 12 L-20 78 L50 -22 L8 -22 Z", 0)],
    ],
    "lotus": [
        _lotus(),
        [
            (INK, "M0 -84 C34 -44 34 8 0 44 C-34 8 -34 -44 0 -84 Z", 0),
            (ACCENT, "M-96 -16 C-54 -18 -16 4 -6 54 C-54 58 -86 30 -96 -16 Z M96 -16 C54 -18 16 4 6 54 C54 58 86 30 96 -16 Z", 0),
            (INK, "M-62 80 C-30 90 30 90 62 80", 11),
        ],
    ],
    "flower": [
        [
            (INK, [circle(31, p) for p in polygon(6, 57)], 0),
            (GAP, [circle(33)], 0),
            (ACCENT, [circle(24)], 0),
        ],
        [
            (INK, [turned(_PETAL, a) for a in range(0, 360, 45)], 0),
            (ACCENT, [circle(19)], 0),
        ],
        [
            (INK, "M0 18 L0 98", 11),
            (ACCENT, _TULIP, 0),
            (INK, "M0 84 C-8 44 -48 34 -70 36 C-64 72 -34 90 0 84 Z M0 84 C8 54 42 44 64 46 C58 76 30 92 0 84 Z", 0),
        ],
        [
            (INK, [circle(34, p) for p in polygon(5, 56)], 0),
            (DETAIL, between([(0, 0)] * 5, polygon(5, 52, -54)), 6),
            (ACCENT, [circle(26)], 0),
        ],
    ],
    "heart": [
        [
            (INK, "M0 86 C-112 10 -88 -80 -38 -80 C-14 -80 0 -62 0 -46 C0 -62 14 -80 38 -80 C88 -80 112 10 0 86 Z", 0),
            (ACCENT, "M0 86 L0 -46 C0 -62 14 -80 38 -80 C88 -80 112 10 0 86 Z", 0),
        ],
    ],
    "flame": [
        [
            (INK, "M4 -98 C12 -55 72 -28 64 36 C60 76 30 96 0 96 "
                  "C-32 96 -64 74 -64 30 C-64 0 -44 -14 -36 -44 C-20 -30 -14 -18 -14 -4 C8 -30 14 -62 4 -98 Z", 0),
            (ACCENT, "M4 18 C30 42 32 58 29 68 C23 90 -23 90 -29 64 C-31 46 -8 42 4 18 Z", 0),
        ],
        [
            (INK, "M0 -98 C10 -50 66 -20 62 38 C58 76 32 96 0 96 C-32 96 -58 76 -62 38 C-66 -20 -10 -50 0 -98 Z", 0),
            (ACCENT, "M0 -24 C6 6 36 24 34 58 C32 82 16 96 0 96 C-16 96 -32 82 -34 58 C-36 24 -6 6 0 -24 Z", 0),
        ],
    ],
    "drop": [
        [
            (INK, "M0 -98 C46 -36 70 0 70 32 C70 72 36 96 0 96 C-36 96 -70 72 -70 32 C-70 0 -46 -36 0 -98 Z", 0),
            (ACCENT, "M-42 30 C-42 54 -26 68 -6 70", 12),
        ],
        [
            (INK, "M-20 -70 C18 -18 38 10 38 38 C38 72 10 92 -20 92 C-50 92 -78 72 -78 38 C-78 10 -58 -18 -20 -70 Z", 0),
            (GAP, [circle(40, (48, -28))], 0),
            (ACCENT, "M48 -92 C68 -64 80 -48 80 -30 C80 -10 66 0 48 0 C30 0 16 -10 16 -30 C16 -48 28 -64 48 -92 Z", 0),
        ],
    ],
    "pine": [
        [
            (ACCENT, "M-9 60 L9 60 L9 98 L-9 98 Z", 0),
            (INK, "M0 -98 L40 -36 L-40 -36 Z M0 -58 L56 16 L-56 16 Z M0 -10 L72 70 L-72 70 Z", 0),
        ],
        [
            (INK, "M-24 -80 L24 70 L-72 70 Z M-31 70 L-17 70 L-17 94 L-31 94 Z", 0),
            (GAP, "M46 -44 L0 70", 12),
            (ACCENT, "M46 -40 L90 70 L2 70 Z M40 70 L52 70 L52 94 L40 94 Z", 0),
        ],
        [
            (INK, "M0 -98 L34 -46 L18 -46 L52 6 L30 6 L72 62 L-72 62 L-30 6 L-52 6 L-18 -46 L-34 -46 Z", 0),
            (ACCENT, "M-11 70 L11 70 L11 98 L-11 98 Z", 0),
        ],
    ],
    "wind": [
        [
            (INK, "M-92 -28 L34 -28 C72 -28 74 -82 36 -80 C18 -78 10 -64 16 -52", 15),
            (ACCENT, "M-64 8 L62 8 C100 8 102 -44 68 -42", 15),
            (INK, "M-92 44 L22 44 C60 44 60 94 26 92 C10 90 4 78 10 68", 15),
        ],
    ],
    "kite": [
        [
            (INK, "M6 -98 L62 -36 L-8 44 L-52 -48 Z", 0),
            (ACCENT, "M6 -98 L62 -36 L-4 -44 Z M-4 -44 L-8 44 L-52 -48 Z", 0),
            (INK, "M-8 44 C26 54 -42 76 -4 98", 8),
            (ACCENT, "M8 50 L26 58 L24 40 Z M-22 70 L-42 64 L-38 84 Z", 0),
        ],
    ],
    "wheat": [
        [
            (INK, "M0 98 L0 -30", 9),
            (ACCENT, [circle(17, (0, -76), 0.62, 1.3)], 0),
            (INK, _GRAIN, 0),
            (ACCENT, _GRAIN[2:4], 0),
        ],
        [
            (INK, "M-92 40 C-104 -20 -56 -66 0 -66 C56 -66 104 -20 92 40 C90 62 -90 62 -92 40 Z", 0),
            (DETAIL, "M-40 -34 L-22 6 M-2 -44 L12 0 M36 -36 L44 2", 11),
            (ACCENT, "M-70 84 L70 84", 12),
        ],
    ],
    "grapes": [
        [
            (INK, [circle(23, p) for p in ((-44, -20), (0, -20), (44, -20), (-22, 20), (22, 20), (0, 60))], 0),
            (ACCENT, "M2 -48 C10 -84 46 -96 70 -86 C66 -56 36 -44 2 -48 Z", 0),
        ],
        [
            (INK, "M-48 -92 L48 -92 C56 -40 40 6 6 12 L6 76 L42 76 L42 92 L-42 92 L-42 76 L-6 76 L-6 12 C-40 6 -56 -40 -48 -92 Z", 0),
            (ACCENT, "M-42 -46 L42 -46 C38 -16 22 0 0 0 C-22 0 -38 -16 -42 -46 Z", 0),
        ],
    ],
}  # fmt: skip
