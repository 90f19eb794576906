"""Motifs of trades, travel and signs. For how they are written down, see `layers.py`."""
# ruff: noqa: E501 - data reads worse when it is broken

from bmn_sandbox.media.logo.layers import ACCENT, DETAIL, GAP, INK, Layer
from bmn_sandbox.media.shapes import arc, circle, path, polygon, rounded, turned

TRADES: dict[str, list[list[Layer]]] = {
    "compass": [
        [
            (INK, [[*circle(90), circle(90)[0]]], 10),
            (INK, [turned(path("M0 70 L22 0 L-22 0 Z")[0], 35)], 0),
            (ACCENT, [turned(path("M0 -70 L22 0 L-22 0 Z")[0], 35)], 0),
            (DETAIL, [circle(8)], 0),
        ],
        [
            (INK, [polygon(4, 98, inner=20)], 0),
            (ACCENT, [[(0, 0), (0, -98), (14, -14)], [(0, 0), (98, 0), (14, 14)], [(0, 0), (0, 98), (-14, 14)],
                      [(0, 0), (-98, 0), (-14, -14)]], 0),
            (ACCENT, [circle(8, p) for p in polygon(4, 66, -45)], 0),
        ],
    ],
    "diamond": [
        [
            (INK, "M-52 -62 L52 -62 L96 -12 L0 88 L-96 -12 Z", 0),
            (ACCENT, "M-52 -62 L-30 -12 L-96 -12 Z M52 -62 L30 -12 L96 -12 Z M-30 -12 L30 -12 L0 88 Z", 0),
        ],
        [
            (INK, [polygon(6, 96)], 0),
            (ACCENT, [[(0, 0), p, q] for p, q in zip(polygon(6, 96)[::2], polygon(6, 96)[1::2], strict=True)], 0),
            (DETAIL, [polygon(6, 40)], 0),
        ],
    ],
    "crown": [
        [
            (INK, "M-82 52 L-94 -34 L-44 6 L0 -66 L44 6 L94 -34 L82 52 Z M-82 64 L82 64 L82 82 L-82 82 Z", 0),
            (ACCENT, [circle(12, p) for p in ((-94, -44), (0, -78), (94, -44))], 0),
        ],
        [
            (INK, "M-88 60 L-88 -40 L-44 10 L0 -56 L44 10 L88 -40 L88 60 Z", 0),
            (ACCENT, "M-88 84 L88 84", 13),
            (DETAIL, [polygon(4, 20, -90), [(x - 46, y + 32) for x, y in polygon(4, 12)],
                      [(x + 46, y + 32) for x, y in polygon(4, 12)]], 0),
        ],
    ],
    "shield": [
        [
            (INK, "M0 -96 C30 -78 56 -72 84 -72 C86 10 56 70 0 98 C-56 70 -86 10 -84 -72 C-56 -72 -30 -78 0 -96 Z", 0),
            (ACCENT, "M0 -96 C30 -78 56 -72 84 -72 C86 10 56 70 0 98 Z", 0),
            (DETAIL, "M-34 0 L-8 26 L38 -24", 14),
        ],
    ],
    "chart": [
        [
            (INK, [rounded(-90, 20, -50, 88, 5), rounded(-36, -18, 4, 88, 5)], 0),
            (ACCENT, [rounded(18, -56, 58, 88, 5)], 0),
            (INK, "M-84 -14 L-24 -58 L14 -74 L78 -92", 10),
        ],
        [
            (INK, [[(0, 0), *arc(92, 0, 250)]], 0),
            (ACCENT, [[(12, -14), *arc(92, 258, 352, (12, -14))]], 0),
        ],
    ],
    "bubble": [
        [
            (INK, "M-40 -78 L40 -78 C76 -78 92 -54 92 -20 C92 16 76 38 40 38 L-4 38 L-48 82 L-44 38 "
                  "C-78 36 -92 14 -92 -20 C-92 -54 -76 -78 -40 -78 Z", 0),
            (ACCENT, [circle(12, (x, -20)) for x in (-40, 0, 40)], 0),
        ],
        [
            (INK, [rounded(-96, -72, 40, 28, 34)], 0),
            (INK, "M-70 20 L-70 64 L-26 24 Z", 0),
            (GAP, [rounded(-26, -18, 102, 74, 32)], 14),
            (ACCENT, [rounded(-20, -12, 96, 68, 28)], 0),
            (ACCENT, "M72 56 L72 98 L34 60 Z", 0),
        ],
    ],
    "scissors": [
        [
            (INK, "M-36 38 L52 -92 M36 38 L-52 -92", 17),
            (INK, [[*circle(27, (-46, 62)), (-19, 62)]], 14),
            (ACCENT, [[*circle(27, (46, 62)), (73, 62)]], 14),
            (DETAIL, [circle(7, (0, -16))], 0),
        ],
        [
            (INK, [rounded(-30, -54, 30, 54, 3)], 0),
            (DETAIL, "M-34 -14 L34 -50 M-34 22 L34 -14 M-34 58 L34 22", 12),
            (ACCENT, [rounded(-42, -74, 42, -58, 6), rounded(-42, 58, 42, 74, 6), circle(16, (0, -86)), circle(10, (0, 86))], 0),
        ],
    ],
    "bike": [
        [
            (INK, [[*circle(40, (-54, 34)), (-14, 34)], [*circle(40, (54, 34)), (94, 34)]], 11),
            (ACCENT, "M-54 34 L-22 -28 L34 -28 L0 34 L-54 34 M-22 -28 L0 34 M54 34 L30 -54 L48 -58 M-38 -46 L-8 -46", 11),
        ],
    ],
    "car": [
        [
            (INK, "M-96 40 L-96 6 C-96 -8 -86 -12 -66 -16 L-40 -52 C-34 -60 -26 -62 -16 -62 L28 -62 C40 -62 46 -58 54 -48 L78 -14 "
                  "C94 -10 98 0 98 14 L98 40 Z", 0),
            (DETAIL, "M-36 -16 L-22 -42 L2 -42 L2 -16 Z M16 -42 L32 -42 L48 -16 L16 -16 Z", 0),
            (DETAIL, [circle(30, (-52, 42)), circle(30, (54, 42))], 0),
            (ACCENT, [circle(22, (-52, 42)), circle(22, (54, 42))], 0),
        ],
    ],
    "music": [
        [
            (INK, "M-38 64 L-38 -66 L68 -90 L68 40", 13),
            (INK, [circle(30, (-62, 64), 1, 0.8, -18)], 0),
            (ACCENT, [circle(30, (44, 42), 1, 0.8, -18)], 0),
        ],
        [
            (INK, [circle(92)], 0),
            (DETAIL, [[*circle(66), circle(66)[0]]], 5),
            (ACCENT, [circle(36)], 0),
            (DETAIL, [circle(8)], 0),
        ],
        [
            (INK, "M-84 -22 L-84 22 M-28 -62 L-28 62 M28 -84 L28 84 M84 -34 L84 34", 19),
            (ACCENT, "M-56 -44 L-56 44 M0 -30 L0 30 M56 -56 L56 56", 19),
        ],
    ],
    "code": [
        [(INK, "M-46 -56 L-96 0 L-46 56 M46 -56 L96 0 L46 56", 17), (ACCENT, "M18 -74 L-18 74", 17)],
        [
            (INK, [rounded(-94, -74, 94, 74, 16)], 0),
            (DETAIL, "M-58 -28 L-26 2 L-58 32", 13),
            (ACCENT, "M-4 34 L54 34", 13),
        ],
        [
            (INK, "M-62 62 C-110 60 -108 -8 -58 -12 C-52 -84 54 -90 64 -20 C112 -16 108 62 62 62 Z", 0),
            (ACCENT, "M0 40 L0 -22 M-24 0 L0 -24 L24 0", 12),
        ],
    ],
    "globe": [
        [
            (INK, [[*circle(88), circle(88)[0]], [*circle(88, (0, 0), 0.42, 1), (37, 0)]], 10),
            (ACCENT, "M-84 -28 L84 -28 M-84 28 L84 28", 10),
        ],
        [
            (INK, [circle(70)], 0),
            (DETAIL, "M-66 -22 C-40 -10 -20 -40 4 -26 C26 -12 44 -34 62 -30 M-60 36 C-30 16 -10 44 16 30 C36 22 46 30 58 38", 9),
            (ACCENT, [arc(92, 200, 330)], 10),
        ],
    ],
    "lens": [
        [
            (INK, [polygon(6, 96, turn=0)], 0),
            (DETAIL, [circle(56)], 0),
            (ACCENT, [circle(40)], 0),
            (DETAIL, [circle(10, (-14, -14))], 0),
        ],
        [
            (INK, "M-92 -46 L-44 -46 L-28 -72 L28 -72 L44 -46 L92 -46 L92 70 L-92 70 Z", 0),
            (DETAIL, [circle(42, (0, 10))], 0),
            (ACCENT, [circle(30, (0, 10))], 0),
        ],
    ],
    "anchor": [
        [
            (INK, "M0 -44 L0 86 M-38 -22 L38 -22 M-82 26 C-74 70 -40 86 0 88 C40 86 74 70 82 26", 14),
            (ACCENT, [[*circle(20, (0, -68)), (20, -68)]], 13),
        ],
    ],
    "boat": [
        [
            (INK, "M-14 -96 L-14 44 L-84 44 Z", 0),
            (ACCENT, "M6 -76 L6 44 L66 44 Z", 0),
            (INK, "M-96 58 L92 58 C84 84 66 92 44 92 L-50 92 C-74 92 -90 82 -96 58 Z", 0),
        ],
    ],
}  # fmt: skip
