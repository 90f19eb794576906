"""A few papers that fly up and sink, turning over as they go; those that are near are larger, and fall before the rest."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from bmn_sandbox.media.color import BLACK, WHITE, Color

Point = tuple[float, float]
_COUNT = 22
_SMOOTH = 3
_NEAR = 0.62  # what is nearer than this flies before the product


@dataclass(frozen=True, slots=True)
class _Paper:
    """Speeds are in heights of a frame, turns in full ones for a whole flight. near: 0 is far, 1 near."""

    across: float
    up: float
    near: float
    turn: float
    over: float
    start: float


def _thrown() -> list[_Paper]:
    rng, spread = random.Random(23), []
    for number in range(_COUNT):
        aside = (number + 0.5) / _COUNT * 2 - 1  # to all sides alike
        spread.append(
            _Paper(aside * rng.uniform(0.5, 0.95), rng.uniform(0.62, 1.15) - 0.3 * abs(aside), rng.random(),
                   rng.uniform(-1.2, 1.2), rng.uniform(2.0, 4.0), rng.random())
        )  # fmt: skip
    return sorted(spread, key=lambda paper: paper.near)


_PAPERS = _thrown()


def confetti(
    frame: Image.Image, colors: Sequence[Color], source: Point, unit: float, moment: float, *, near: bool
) -> None:
    """moment: of the flight, 0 to 1, when all have left the picture. unit: the height of a frame. near: draws those that
    fly before the product, else those behind it.
    """
    if not 0 < moment < 1:
        return
    for number, paper in enumerate(_PAPERS):
        if (paper.near > _NEAR) == near:
            facing = math.cos(2 * math.pi * (paper.over * moment + paper.start))
            color = colors[number % len(colors)]
            shade = color.mixed(WHITE, 0.3 * facing) if facing > 0 else color.mixed(BLACK, -0.26 * facing)
            _paste(frame, _corners(paper, source, unit, moment, facing), shade)


def _paste(frame: Image.Image, corners: Sequence[Point], color: Color) -> None:
    left, top = (math.floor(min(place[axis] for place in corners)) for axis in (0, 1))
    right, bottom = (math.ceil(max(place[axis] for place in corners)) for axis in (0, 1))
    shape = Image.new("L", ((right - left + 1) * _SMOOTH, (bottom - top + 1) * _SMOOTH))
    ImageDraw.Draw(shape).polygon([((x - left) * _SMOOTH, (y - top) * _SMOOTH) for x, y in corners], fill=255)
    frame.paste(tuple(color), (left, top), shape.reduce(_SMOOTH))


def _corners(paper: _Paper, source: Point, unit: float, moment: float, facing: float) -> list[Point]:
    """Air slows it down at once; then it sinks and sways."""
    flown = 1 - math.exp(-4.5 * moment)
    sway = 0.02 * math.sin(2 * math.pi * (1.5 * moment + paper.start)) * moment
    depth = 0.75 + 0.6 * paper.near
    x = source[0] + (paper.across * flown * depth + sway) * unit
    y = source[1] - (paper.up * flown * 0.72 - (0.5 + 0.6 * paper.near) * 1.35 * moment**1.8) * unit
    size = unit * 0.0125 * depth
    along, over = size, size * 0.62 * max(0.12, abs(facing))
    angle = 2 * math.pi * (paper.turn * moment + paper.start)
    cos, sin = math.cos(angle), math.sin(angle)
    return [
        (x + a * along * cos - b * over * sin, y + a * along * sin + b * over * cos)
        for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]
