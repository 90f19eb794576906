"""The paper logos are drawn on, and the pen that draws on it.

Coordinates of a sheet: the middle is (0, 0), the edges are at -500 and 500, y grows downwards. It is drawn three times as
large as it is delivered, in flat colours, and reduced once: smooth edges for the price of one resize.
"""

import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from PIL import Image, ImageDraw

from bmn_sandbox.media.canvas import Colour, Outline, Point, outlines

SMOOTH = 3
SIDE = 1024
_SCALE = SIDE * SMOOTH / 1000

Shape = str | Sequence[Outline]
Wobble = Callable[[Point], Point]


class Sheet:
    def __init__(self, paper: Colour) -> None:
        self.paper = paper
        self.image = Image.new("RGB", (SIDE * SMOOTH, SIDE * SMOOTH), tuple(paper))
        self.draw = ImageDraw.Draw(self.image)

    @staticmethod
    def pixel(point: Point) -> Point:
        return (point[0] + 500) * _SCALE, (point[1] + 500) * _SCALE

    @staticmethod
    def pixels(length: float) -> float:
        return length * _SCALE

    def polygon(self, outline: Iterable[Point], colour: Colour) -> None:
        points = [self.pixel(point) for point in outline]
        if len(points) > 2:
            self.draw.polygon(points, fill=tuple(colour))

    def stroke(self, outline: Sequence[Point], width: Sequence[float] | float, colour: Colour) -> None:
        """A line with round joints and ends. width: one, or one for each point."""
        points = [self.pixel(point) for point in outline]
        widths = [width] * len(points) if isinstance(width, int | float) else list(width)
        thick = [max(2.0, self.pixels(w)) for w in widths]
        for index, (x, y) in enumerate(points):
            r = thick[index] / 2
            self.draw.ellipse((x - r, y - r, x + r, y + r), fill=tuple(colour))
            if index:
                self.draw.line([points[index - 1], (x, y)], fill=tuple(colour), width=round(thick[index]))

    def ring(self, radius: float, width: float, colour: Colour, centre: Point = (0, 0)) -> None:
        """A circle's line; radius is to its middle."""
        (x, y), r = self.pixel(centre), self.pixels(radius + width / 2)
        self.draw.ellipse((x - r, y - r, x + r, y + r), outline=tuple(colour), width=round(self.pixels(width)))

    def disc(self, radius: float, colour: Colour, centre: Point = (0, 0)) -> None:
        (x, y), r = self.pixel(centre), self.pixels(radius)
        self.draw.ellipse((x - r, y - r, x + r, y + r), fill=tuple(colour))

    def finished(self) -> Image.Image:
        """SIDE x SIDE pixels, RGB."""
        return self.image.reduce(SMOOTH)


@dataclass(slots=True)
class Pen:
    """Draws shapes given in a box from -100 to 100, placed on a sheet by centre, scale and turn (degrees)."""

    sheet: Sheet
    centre: Point = (0.0, 0.0)
    scale: float = 1.0
    turn: float = 0.0
    wobble: Wobble | None = field(default=None)

    def fill(self, shape: Shape, colour: Colour) -> None:
        for outline in self._placed(shape):
            self.sheet.polygon(outline, colour)

    def stroke(self, shape: Shape, width: float, colour: Colour, *, closed: bool = False) -> None:
        """width: in the shape's own units."""
        for outline in self._placed(shape):
            line = [*outline, outline[0]] if closed else outline
            self.sheet.stroke(line, self._widths(line, width * self.scale), colour)

    def _widths(self, line: Outline, width: float) -> float | list[float]:
        if self.wobble is None:
            return width
        # A hand presses unevenly.
        return [width * (1 + 0.22 * math.sin(i / 9 + line[0][0])) for i in range(len(line))]

    def _placed(self, shape: Shape) -> list[Outline]:
        found = outlines(shape) if isinstance(shape, str) else shape
        return [self._outline(outline) for outline in found]

    def _outline(self, outline: Outline) -> Outline:
        cos, sin = math.cos(math.radians(self.turn)), math.sin(math.radians(self.turn))
        cx, cy = self.centre
        points = _dense(outline) if self.wobble else outline
        placed = [(cx + self.scale * (x * cos - y * sin), cy + self.scale * (x * sin + y * cos)) for x, y in points]
        return [self.wobble(point) for point in placed] if self.wobble else placed


def _dense(outline: Outline) -> Outline:
    """The same line with a point at least every 6 units, so that it can be bent."""
    points: Outline = [outline[0]]
    for x, y in outline[1:]:
        px, py = points[-1]
        steps = max(1, math.ceil(math.hypot(x - px, y - py) / 6))
        points += [(px + (x - px) * i / steps, py + (y - py) * i / steps) for i in range(1, steps + 1)]
    return points


def hand(rng: random.Random, amount: float = 5.0) -> Wobble:
    """A slightly unsteady hand: neighbouring points move together. amount: in a sheet's units."""
    a, b, c, d = (rng.uniform(0, math.tau) for _ in range(4))

    def moved(point: Point) -> Point:
        x, y = point
        dx = math.sin(y / 47 + a) + 0.5 * math.sin((x + y) / 19 + b)
        dy = math.sin(x / 53 + c) + 0.5 * math.sin((x - y) / 23 + d)
        return x + amount * dx, y + amount * dy

    return moved


def circle(radius: float, centre: Point = (0.0, 0.0), rx: float = 1.0, ry: float = 1.0, turn: float = 0.0) -> Outline:
    """A circle, or with rx, ry (factors) and turn (degrees) an ellipse."""
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    points = [(radius * rx * math.cos(a * math.pi / 60), radius * ry * math.sin(a * math.pi / 60)) for a in range(120)]
    return [(centre[0] + x * cos - y * sin, centre[1] + x * sin + y * cos) for x, y in points]


def polygon(corners: int, radius: float, turn: float = -90.0, inner: float | None = None) -> Outline:
    """A regular polygon; with inner (a radius) a star."""
    steps = corners * 2 if inner is not None else corners
    return [
        (
            (inner if inner is not None and i % 2 else radius) * math.cos(math.radians(turn + 360 * i / steps)),
            (inner if inner is not None and i % 2 else radius) * math.sin(math.radians(turn + 360 * i / steps)),
        )
        for i in range(steps)
    ]


def arc(radius: float, start: float, end: float, centre: Point = (0.0, 0.0)) -> Outline:
    """An open line along a circle, from start to end degrees (0 is right, 90 down)."""
    steps = max(2, int(abs(end - start) / 1.5))
    angles = [math.radians(start + (end - start) * i / steps) for i in range(steps + 1)]
    return [(centre[0] + radius * math.cos(a), centre[1] + radius * math.sin(a)) for a in angles]


def wavy(radius: float, bumps: int, depth: float) -> Outline:
    """A circle with a scalloped edge."""
    steps = max(120, bumps * 14)
    return [
        (r * math.cos(a), r * math.sin(a))
        for a, r in (
            (math.tau * i / steps, radius + depth * math.cos(math.tau * i / steps * bumps)) for i in range(steps)
        )
    ]


def squircle(radius: float, power: float = 4.0) -> Outline:
    """Between a square and a circle."""
    points = []
    for step in range(160):
        a = math.tau * step / 160
        cos, sin = math.cos(a), math.sin(a)
        r = radius / (abs(cos) ** power + abs(sin) ** power) ** (1 / power)
        points.append((r * cos, r * sin))
    return points
