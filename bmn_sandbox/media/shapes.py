"""Plane geometry: outlines from path data and formulas, moved, turned, bent, and strokes turned into areas.

An outline is a list of points; a shape is one or more of them, filled by the nonzero rule: an outline that runs the other
way round is a hole. y grows downwards, angles are degrees, 0 is right and 90 down.
"""

import math
import random
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

Point = tuple[float, float]
Outline = list[Point]
Bend = Callable[[Point], Point]

_STEPS = 20  # points per curve


def path(data: str) -> list[Outline]:
    """The outlines of SVG path data with absolute M, L, C, Q and Z."""
    found: list[Outline] = []
    current: Outline = []
    for command, arguments in re.findall(r"([MLCQZ])([^MLCQZ]*)", data):
        numbers = [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", arguments)]
        points = list(zip(numbers[0::2], numbers[1::2], strict=True))
        if command == "M":
            current = []
            found.append(current)
            current.extend(points)
        elif command == "L":
            current.extend(points)
        elif command in "CQ":
            group = 3 if command == "C" else 2
            for start in range(0, len(points), group):
                current.extend(curve([current[-1], *points[start : start + group]]))
    return found


def curve(control: Sequence[Point], steps: int = _STEPS) -> Iterable[Point]:
    """Points of a Bézier curve of any degree, after its first."""
    degree = len(control) - 1
    for step in range(1, steps + 1):
        t = step / steps
        weights = [math.comb(degree, i) * (1 - t) ** (degree - i) * t**i for i in range(degree + 1)]
        yield (
            sum(w * p[0] for w, p in zip(weights, control, strict=True)),
            sum(w * p[1] for w, p in zip(weights, control, strict=True)),
        )


def circle(radius: float, center: Point = (0.0, 0.0), rx: float = 1.0, ry: float = 1.0, turn: float = 0.0) -> Outline:
    """A circle, or with rx, ry (factors) and turn (degrees) an ellipse."""
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    points = [(radius * rx * math.cos(a * math.pi / 60), radius * ry * math.sin(a * math.pi / 60)) for a in range(120)]
    return [(center[0] + x * cos - y * sin, center[1] + x * sin + y * cos) for x, y in points]


def ellipse(cx: float, cy: float, rx: float, ry: float) -> Outline:
    return circle(1, (cx, cy), rx, ry)


def polygon(corners: int, radius: float, turn: float = -90.0, inner: float | None = None) -> Outline:
    """A regular polygon; with inner (a radius) a star."""
    steps = corners * 2 if inner is not None else corners
    radii = [inner if inner is not None and i % 2 else radius for i in range(steps)]
    angles = [math.radians(turn + 360 * i / steps) for i in range(steps)]
    return [(r * math.cos(a), r * math.sin(a)) for r, a in zip(radii, angles, strict=True)]


def arc(radius: float, start: float, end: float, center: Point = (0.0, 0.0)) -> Outline:
    """An open line along a circle, from start to end degrees."""
    steps = max(2, int(abs(end - start) / 2))
    angles = [math.radians(start + (end - start) * i / steps) for i in range(steps + 1)]
    return [(center[0] + radius * math.cos(a), center[1] + radius * math.sin(a)) for a in angles]


def rectangle(x0: float, y0: float, x1: float, y1: float) -> Outline:
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def rounded(x0: float, y0: float, x1: float, y1: float, radius: float) -> Outline:
    """A rectangle with round corners."""
    r = min(radius, (x1 - x0) / 2, (y1 - y0) / 2)
    corners = ((x1 - r, y0 + r, -90), (x1 - r, y1 - r, 0), (x0 + r, y1 - r, 90), (x0 + r, y0 + r, 180))
    return [point for x, y, start in corners for point in arc(r, start, start + 90, (x, y))]


def wavy(radius: float, bumps: int, depth: float) -> Outline:
    """A circle with a scalloped edge."""
    steps = max(120, bumps * 14)
    turns = [math.tau * i / steps for i in range(steps)]
    return [(r * math.cos(a), r * math.sin(a)) for a, r in ((a, radius + depth * math.cos(a * bumps)) for a in turns)]


def squircle(radius: float, power: float = 4.0, ratio: float = 1.0) -> Outline:
    """Between a square and a circle. ratio: its width for a height of 1."""
    points = []
    for step in range(160):
        cos, sin = math.cos(math.tau * step / 160), math.sin(math.tau * step / 160)
        r = radius / (abs(cos) ** power + abs(sin) ** power) ** (1 / power)
        points.append((r * cos * ratio, r * sin))
    return points


def blob(rng: random.Random, radius: float, wild: float = 0.12) -> Outline:
    """A soft irregular round."""
    waves = [(k, rng.uniform(0.4, 1) * wild / k**0.6, rng.uniform(0, math.tau)) for k in (2, 3, 4)]
    points = []
    for step in range(120):
        a = math.tau * step / 120
        r = radius * (1 + sum(depth * math.sin(k * a + shift) for k, depth, shift in waves))
        points.append((r * math.cos(a), r * math.sin(a)))
    return points


def turned(outline: Outline, degrees: float, about: Point = (0.0, 0.0)) -> Outline:
    """The outline, turned clockwise on the screen about a point."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    ax, ay = about
    return [(ax + (x - ax) * cos - (y - ay) * sin, ay + (x - ax) * sin + (y - ay) * cos) for x, y in outline]


def moved(outline: Outline, dx: float, dy: float) -> Outline:
    return [(x + dx, y + dy) for x, y in outline]


def scaled(outline: Outline, x: float, y: float | None = None) -> Outline:
    return [(px * x, py * (x if y is None else y)) for px, py in outline]


def reversed_(outline: Outline) -> Outline:
    """The same outline the other way round: a hole where the first is an area."""
    return outline[::-1]


def ring(radius: float, width: float, center: Point = (0.0, 0.0)) -> list[Outline]:
    """A circle's line; radius is to its middle."""
    return [circle(radius + width / 2, center), reversed_(circle(radius - width / 2, center))]


def hollow(outline: Outline, width: float) -> list[Outline]:
    """A band along the inside of a convex outline about the origin."""
    reach = max(math.hypot(x, y) for x, y in outline)
    return [outline, reversed_(scaled(outline, 1 - width / reach))]


def area(outline: Outline) -> float:
    """Signed: outlines that run against each other have different signs."""
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(outline, [*outline[1:], outline[0]], strict=True)) / 2


def bounds(shape: Iterable[Outline]) -> tuple[float, float, float, float]:
    """Left, top, right, bottom."""
    points = [point for outline in shape for point in outline] or [(0.0, 0.0)]
    xs, ys = [x for x, _y in points], [y for _x, y in points]
    return min(xs), min(ys), max(xs), max(ys)


def dense(outline: Outline, step: float = 6.0) -> Outline:
    """The same line with a point at least every `step` units, so that it can be bent."""
    points: Outline = [outline[0]]
    for x, y in outline[1:]:
        px, py = points[-1]
        steps = max(1, math.ceil(math.hypot(x - px, y - py) / step))
        points += [(px + (x - px) * i / steps, py + (y - py) * i / steps) for i in range(1, steps + 1)]
    return points


def hand(rng: random.Random, amount: float = 5.0) -> Bend:
    """A slightly unsteady hand: neighboring points move together. amount: in units of the sheet."""
    a, b, c, d = (rng.uniform(0, math.tau) for _ in range(4))

    def bent(point: Point) -> Point:
        x, y = point
        dx = math.sin(y / 47 + a) + 0.5 * math.sin((x + y) / 19 + b)
        dy = math.sin(x / 53 + c) + 0.5 * math.sin((x - y) / 23 + d)
        return x + amount * dx, y + amount * dy

    return bent


def stroke(line: Outline, width: float | Sequence[float], *, closed: bool = False) -> list[Outline]:
    """The area of a line with round joints and ends. width: one, or one for each point."""
    points = [point for point, before in zip(line, [None, *line], strict=False) if point != before]
    if closed and points[0] != points[-1]:
        points.append(points[0])
    halves = [width / 2] * len(points) if isinstance(width, int | float) else [w / 2 for w in width[: len(points)]]
    if len(points) < 2:
        return [circle(halves[0], points[0])]
    pieces: list[Outline] = []
    headings = [math.atan2(y1 - y0, x1 - x0) for (x0, y0), (x1, y1) in pairwise(points)]
    for ((x0, y0), (x1, y1)), (r0, r1), a in zip(pairwise(points), pairwise(halves), headings, strict=True):
        nx, ny = -math.sin(a), math.cos(a)
        pieces.append(
            [
                (x0 - nx * r0, y0 - ny * r0),
                (x1 - nx * r1, y1 - ny * r1),
                (x1 + nx * r1, y1 + ny * r1),
                (x0 + nx * r0, y0 + ny * r0),
            ]
        )
    turns = list(zip(points[1:-1], halves[1:-1], pairwise(headings), strict=True))
    if closed:
        turns.append((points[0], halves[0], (headings[-1], headings[0])))
    for center, r, (before, after) in turns:
        pieces += _joint(center, r, before, after)
    if not closed:
        pieces.append(_cap(points[0], halves[0], headings[0] + math.pi / 2))
        pieces.append(_cap(points[-1], halves[-1], headings[-1] - math.pi / 2))
    return pieces


def _joint(center: Point, r: float, before: float, after: float) -> list[Outline]:
    """The sector that fills the outer side of a turn; it runs the same way as the pieces that it joins."""
    turn = (after - before + math.pi) % math.tau - math.pi
    if abs(turn) < 0.02:
        return []
    side = -math.pi / 2 if turn > 0 else math.pi / 2
    sector = [center, *arc(r, math.degrees(before + side), math.degrees(before + side + turn), center)]
    return [sector if turn > 0 else sector[::-1]]


def _cap(center: Point, r: float, start: float) -> Outline:
    return arc(r, math.degrees(start), math.degrees(start) + 180, center)
