"""The name set in type: on one line or several, as large as it fits, in one color or more."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from bmn_sandbox.media.art import Art
from bmn_sandbox.media.faces import Face
from bmn_sandbox.media.lettering import Line, set_line

_MOST_LINES = 4
_LEADING = 0.22  # of a line's size, between the ink of two lines


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of type at one size, and where the middle of each is."""

    lines: list[Line]
    centers: list[tuple[float, float]]
    width: float
    height: float

    def art(self, roles: Sequence[str] = ("ink",)) -> Art:
        """roles: of the lines, in turn; a line takes the last one where they run out."""
        art = Art()
        for index, (line, center) in enumerate(zip(self.lines, self.centers, strict=True)):
            art.add(line.art(roles[min(index, len(roles) - 1)]).placed(center))
        return art


def broken(words: Sequence[str], most_lines: int) -> list[list[str]]:
    """Every way to write the words on up to so many lines."""
    found = []
    for cuts in range(min(most_lines, len(words))):
        for places in combinations(range(1, len(words)), cuts):
            edges = [0, *places, len(words)]
            lines = [" ".join(words[a:b]) for a, b in pairwise(edges)]
            if not any(line in ("&", "+", "-", "–", "and", "of", "the", "The", "AND", "OF") for line in lines[:-1]):
                found.append(lines)
    return found or [[" ".join(words)]]


def block(
    face: Face,
    words: Sequence[str],
    width: float,
    height: float,
    *,
    most_lines: int = _MOST_LINES,
    align: str = "center",
) -> Block:
    """The words as large as they can be in a box. align: left | center | right."""
    candidates = [_stacked(face, lines, width, height, align) for lines in broken(words[:12], most_lines)]
    if len(words) > 12:
        candidates = [_stacked(face, [" ".join(words)], width, height, align)]
    # A line more must be worth it: a name is read best on few.
    return max(candidates, key=lambda b: b.lines[0].size * (0.93 ** (len(b.lines) - 1)))


def _stacked(face: Face, texts: Sequence[str], width: float, height: float, align: str) -> Block:
    lines = [set_line(face, text, 100) for text in texts]
    tall = sum(line.height for line in lines) + _LEADING * 100 * (len(lines) - 1)
    size = 100 * min(width / max(line.width for line in lines), height / tall)
    lines = [set_line(face, text, size) for text in texts]
    return _arranged(lines, align, _LEADING * size)


def _arranged(lines: list[Line], align: str, gap: float) -> Block:
    widest = max(line.width for line in lines)
    total = sum(line.height for line in lines) + gap * (len(lines) - 1)
    centers, y = [], -total / 2
    for line in lines:
        free = (widest - line.width) / 2
        centers.append(({"left": -free, "right": free}.get(align, 0.0), y + line.height / 2))
        y += line.height + gap
    return Block(lines, centers, widest, total)


def padded(block: Block) -> tuple[float, float]:
    """Half the width and height of a tile that holds the block: air as the eye wants it, more beside than above."""
    line = min(line.height for line in block.lines)
    air = max(0.62 * line, 64.0)
    return block.width / 2 + max(air * 1.25, 0.15 * block.width), block.height / 2 + max(air, 0.2 * block.height)


def justified(face: Face, texts: Sequence[str], width: float, gap: float, tallest: float) -> Block:
    """Every line as wide as the others, as on an old poster; a short word does not get taller than `tallest`."""
    lines = []
    for text in texts:
        line = set_line(face, text, 100)
        lines.append(set_line(face, text, 100 * min(width / line.width, tallest / line.height)))
    return _arranged(lines, "center", gap)


def color_roles(rng: random.Random, lines: int) -> tuple[str, ...]:
    """Which line of a name speaks in which color."""
    if lines == 1 or rng.random() < 0.5:
        return ("ink",)
    return ("ink",) * (lines - 1) + ("voice",) if rng.random() < 0.6 else ("voice", "ink")
