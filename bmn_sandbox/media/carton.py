"""An open carton as a solid thing, seen from slightly above: walls, the inside, and four flaps that turn about its rim."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import aggdraw
import numpy as np
from PIL import Image

from bmn_sandbox.media.color import BLACK, WHITE, Color

Point = tuple[float, float]
Place = tuple[float, float, float]
"""Along the front, up, and toward the camera, in pixels from the middle of the foot."""
Layer = tuple[Image.Image, Image.Image]
"""Colors, and where they are."""
_YAW, _PITCH = math.radians(24), math.radians(22)
_FAR = 5.5  # from the carton to the camera, in halves of its width
_STEPS = 48  # how finely an opening is drawn
_LATER = 0.4  # of the opening has passed when the flaps that lie below begin
_WIDEST = {"back": 104.0, "front": 212.0, "left": 132.0, "right": 132.0}  # degrees that a flap opens; the lowest first


@dataclass(frozen=True)
class Layers:
    """What is behind that which is in a carton, and what is before it. foot: the middle of its foot in both pictures."""

    back: Layer
    front: Layer
    foot: Point


@dataclass(frozen=True)
class Carton:
    """half: of its width, in pixels."""

    color: Color
    tape: Color
    half: float

    @property
    def tall(self) -> float:
        return self.half * 1.1

    @property
    def deep(self) -> float:
        """Half of its depth."""
        return self.half * 0.82

    def mouth(self) -> Point:
        """The middle of its opening, from the middle of its foot."""
        return self._seen((0.0, self.tall, 0.0))

    def rim(self) -> float:
        """How far above its foot the nearest corner of its opening is."""
        return -self._seen((0.0, self.tall, self.deep))[1]

    def ground(self) -> list[Point]:
        """What it stands on, from the middle of that."""
        return [self._seen((x * self.half, 0.0, z * self.deep)) for x, z in ((-1, -1), (1, -1), (1, 1), (-1, 1))]

    def opened(self, share: float) -> Layers:
        """share: 0 is closed, 1 open; it may be a little more."""
        return _layers(self, round(share * _STEPS))

    def _seen(self, place: Place) -> Point:
        x, up, near = place
        x, near = x * math.cos(_YAW) - near * math.sin(_YAW), x * math.sin(_YAW) + near * math.cos(_YAW)
        low, depth = near * math.sin(_PITCH) - up * math.cos(_PITCH), near * math.cos(_PITCH) + up * math.sin(_PITCH)
        scale = _FAR / (_FAR - depth / self.half)
        return x * scale, low * scale

    def wall(
        self, name: str, low: float = 0.0, high: float = 1.0, across: tuple[float, float] = (-1, 1)
    ) -> list[Point]:
        """A part of a wall, its upper edge first."""
        ends = [self._edge(name, side) for side in across]
        corners = [(*ends[0], high), (*ends[1], high), (*ends[1], low), (*ends[0], low)]
        return [self._seen((x, share * self.tall, z)) for x, z, share in corners]

    def flap(self, name: str, angle: float) -> list[Point]:
        """A flap, its hinge first. angle: from lying on the carton."""
        long = self.half if name in ("left", "right") else self.deep * 0.9
        inward, up = math.cos(angle) * long, math.sin(angle) * long
        (x0, z0), (x1, z1) = self._edge(name, -1), self._edge(name, 1)
        away_x, away_z = -np.sign(x0 + x1) * inward, -np.sign(z0 + z1) * inward
        top = self.tall
        # A flap is cut a little narrower toward its end.
        dx, dz = (x1 - x0) * 0.03, (z1 - z0) * 0.03
        corners: list[Place] = [
            (x0, top, z0), (x1, top, z1),
            (x1 + away_x - dx, top + up, z1 + away_z - dz), (x0 + away_x + dx, top + up, z0 + away_z + dz),
        ]  # fmt: skip
        return [self._seen(corner) for corner in corners]

    def _edge(self, name: str, side: float) -> Point:
        """A point of the rim of a side: along, toward the camera."""
        along = {"front": (side, 1), "back": (side, -1), "left": (-1, side), "right": (1, side)}[name]
        return along[0] * self.half, along[1] * self.deep


@cache
def _layers(carton: Carton, step: int) -> Layers:
    share = step / _STEPS
    late = max(0.0, share - _LATER) / (1 - _LATER)
    shares = {"back": late, "front": late, "left": share, "right": share}
    angles = {name: math.radians(widest) * shares[name] for name, widest in _WIDEST.items()}
    lying = [name for name, angle in angles.items() if angle <= math.pi / 2]
    back, front = _inside(carton).copy(), _walls(carton)
    for name in [*lying, *(each for each in ("back", "left") if each not in lying)]:
        _flap(back, carton, name, angles[name])
    if over := [name for name in ("right", "front") if name not in lying]:
        front = front.copy()
        for name in over:
            _flap(front, carton, name, angles[name])
    return Layers(back.drawn(), front.drawn(), _frame(carton)[1])


def _frame(carton: Carton) -> tuple[tuple[int, int], Point]:
    """The size of a picture of it, and where its foot is there."""
    wide, high = carton.half * 4.3, carton.half * 3.5
    return (round(wide), round(high)), (wide / 2, high - carton.half * 0.7)


def _blank(carton: Carton) -> "_Sheet":
    size, foot = _frame(carton)
    return _Sheet(foot, (Image.new("RGB", size, tuple(carton.color)), Image.new("L", size)))


@cache
def _inside(carton: Carton) -> "_Sheet":
    sheet = _blank(carton)
    for name, dark in (("back", 0.5), ("left", 0.62)):
        for low, high, shade in _graded():
            sheet.fill(carton.wall(name, low, high), carton.color.mixed(BLACK, dark - 0.2 + 0.3 * shade))
    return sheet


@cache
def _walls(carton: Carton) -> "_Sheet":
    sheet = _blank(carton)
    for name, tone in (("front", carton.color), ("right", carton.color.mixed(BLACK, 0.32))):
        for low, high, shade in _graded():
            sheet.fill(carton.wall(name, low, high), tone.mixed(BLACK, 0.26 * shade))
        sheet.line(carton.wall(name)[:2], tone.mixed(WHITE, 0.4), 2.0)
    sheet.line(carton.wall("front")[1:3], carton.color.mixed(WHITE, 0.3), 1.6)
    sheet.fill(carton.wall("front", 0.72, 1.0, (-0.13, 0.13)), carton.tape)
    sheet.fill(carton.wall("front", 0.985, 1.0, (-0.13, 0.13)), carton.tape.mixed(WHITE, 0.3))
    return sheet


def _graded(steps: int = 24) -> Iterator[tuple[float, float, float]]:
    """Strips of a wall from its foot up, and how dark each is."""
    for number in range(steps):
        yield number / steps, 1.0 if number == steps - 1 else (number + 1.2) / steps, 1 - number / (steps - 1)


def _flap(sheet: "_Sheet", carton: Carton, name: str, angle: float) -> None:
    """Its inner side is darker than its outer one."""
    shape = carton.flap(name, angle)
    outer = _area(shape) * _area(carton.flap(name, 0.0)) > 0
    tone = {"left": 0.2, "right": 0.06, "back": 0.14, "front": 0.18}[name] + 0.12 * abs(math.cos(angle))
    color = carton.color.mixed(WHITE, tone)
    sheet.fill(shape, color if outer else color.mixed(BLACK, 0.16))
    sheet.line([shape[3], shape[2]], carton.color.mixed(WHITE, 0.5), 2.2)
    sheet.line(shape[:2], carton.color.mixed(BLACK, 0.3), 1.4)
    if outer and name in ("left", "right"):
        sheet.fill(_taped(shape), carton.tape)


def _area(shape: list[Point]) -> float:
    """Below 0 where one sees its other side."""
    return sum(ax * by - bx * ay for (ax, ay), (bx, by) in zip(shape, [*shape[1:], shape[0]], strict=True))


def _taped(shape: list[Point]) -> list[Point]:
    """The half of the tape over the seam that stays on a flap."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = shape
    share = 0.86
    return [
        (ax + (dx - ax) * share, ay + (dy - ay) * share), (bx + (cx - bx) * share, by + (cy - by) * share),
        (cx, cy), (dx, dy),
    ]  # fmt: skip


class _Sheet:
    """Smooth shapes on nothing. foot: where (0, 0) is."""

    def __init__(self, foot: Point, layer: Layer) -> None:
        self._foot = foot
        self._colors, self._where = layer
        self._paint, self._cover = aggdraw.Draw(self._colors), aggdraw.Draw(self._where)

    def _placed(self, shape: list[Point]) -> list[float]:
        return [value for x, y in shape for value in (x + self._foot[0], y + self._foot[1])]

    def fill(self, shape: list[Point], color: Color) -> None:
        placed = self._placed(shape)
        # Its rim is a little broader, so that two shapes leave no seam.
        self._paint.polygon(placed, aggdraw.Pen(tuple(color), 1.0), aggdraw.Brush(tuple(color)))
        self._cover.polygon(placed, aggdraw.Pen(255, 1.0), aggdraw.Brush(255))

    def line(self, shape: list[Point], color: Color, thick: float) -> None:
        self._paint.line(self._placed(shape), aggdraw.Pen(tuple(color), thick))

    def copy(self) -> "_Sheet":
        colors, where = self.drawn()
        return _Sheet(self._foot, (colors.copy(), where.copy()))

    def drawn(self) -> Layer:
        self._paint.flush()
        self._cover.flush()
        return self._colors, self._where
