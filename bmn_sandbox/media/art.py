"""Flat vector art: a list of areas in roles, not colors, so that it can be moved, recolored and drawn at any size.

A role names what a color does (`ink`, `accent`, ...); a palette says which color that is. Coordinates of a finished sheet:
the middle is (0, 0), the edges are at -500 and 500.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import aggdraw
from PIL import Image

from bmn_sandbox.media.color import Color
from bmn_sandbox.media.shapes import Bend, Outline, Point, bounds, dense, path, stroke

Shape = str | Outline | Sequence[Outline]
Roles = Mapping[str, str]
Box = tuple[float, float, float, float]
_SMOOTH = 2  # drawn this much larger and reduced, so that areas that touch show no seam
_FULL = 1000  # the width of a sheet in its own units

ON_INK: Roles = {"ink": "paper", "accent": "bright", "soft": "deep", "paper": "ink", "bright": "accent"}
"""The roles of art that is laid on an area of ink."""
ON_ACCENT: Roles = {
    "ink": "on_accent",
    "accent": "on_accent",
    "soft": "on_accent",
    "voice": "on_accent",
    "paper": "accent",
}
"""The same for an area of the accent, and for one of the soft color."""
ON_SOFT: Roles = {"ink": "on_soft", "accent": "on_soft", "voice": "on_soft", "paper": "soft"}


@dataclass(frozen=True, slots=True)
class Fill:
    role: str
    outlines: list[Outline]


@dataclass(frozen=True, slots=True)
class Clip:
    """Art of which only what lies inside an area is seen; with `outside`, only what lies out of it."""

    outlines: list[Outline]
    art: "Art"
    outside: bool = False


@dataclass(slots=True)
class Art:
    """Later operations lie on top of earlier ones."""

    operations: list[Fill | Clip] = field(default_factory=list)

    def fill(self, role: str, shape: Shape) -> "Art":
        self.operations.append(Fill(role, outlines(shape)))
        return self

    def stroke(self, role: str, shape: Shape, width: float | Sequence[float], *, closed: bool = False) -> "Art":
        areas = [piece for line in outlines(shape) for piece in stroke(line, width, closed=closed)]
        self.operations.append(Fill(role, areas))
        return self

    def clip(self, shape: Shape, art: "Art", *, outside: bool = False) -> "Art":
        self.operations.append(Clip(outlines(shape), art, outside))
        return self

    def add(self, *others: "Art") -> "Art":
        for other in others:
            self.operations.extend(other.operations)
        return self

    def placed(self, center: Point = (0.0, 0.0), scale: float = 1.0, turn: float = 0.0, flip: bool = False) -> "Art":
        """A copy: scaled and turned (degrees) about the origin, then moved. flip: mirrored left to right first."""
        cos, sin = math.cos(math.radians(turn)) * scale, math.sin(math.radians(turn)) * scale
        (cx, cy), side = center, -1 if flip else 1

        def place(point: Point) -> Point:
            x, y = point[0] * side, point[1]
            return cx + x * cos - y * sin, cy + x * sin + y * cos

        return self._mapped(lambda outline: [place(point) for point in outline][::side])

    def bent(self, bend: Bend) -> "Art":
        """A copy of which every point is moved."""
        return self._mapped(lambda outline: [bend(point) for point in dense([*outline, outline[0]])])

    def recolored(self, roles: Roles) -> "Art":
        """A copy with other roles; roles that are not named stay."""
        copies: list[Fill | Clip] = []
        for operation in self.operations:
            if isinstance(operation, Fill):
                copies.append(Fill(roles.get(operation.role, operation.role), operation.outlines))
            else:
                copies.append(Clip(operation.outlines, operation.art.recolored(roles), operation.outside))
        return Art(copies)

    def silhouette(self, role: str, ground: str = "paper") -> "Art":
        """All of it in one role but for what is of the ground's role."""
        every = {
            name: role
            for name in ("ink", "accent", "soft", "mid", "bright", "deep", "voice", "on_accent", "on_soft", "paper")
            if name != ground
        }
        return self.recolored(every)

    def bounds(self) -> Box:
        """Left, top, right, bottom of what is seen: paper is not."""
        boxes = list(self.boxes())
        if not boxes:
            return 0.0, 0.0, 0.0, 0.0
        return min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)

    @property
    def width(self) -> float:
        left, _top, right, _bottom = self.bounds()
        return right - left

    @property
    def height(self) -> float:
        _left, top, _right, bottom = self.bounds()
        return bottom - top

    def centered(self, at: Point = (0.0, 0.0)) -> "Art":
        left, top, right, bottom = self.bounds()
        return self.placed((at[0] - (left + right) / 2, at[1] - (top + bottom) / 2))

    def fitted(self, width: float, height: float, at: Point = (0.0, 0.0)) -> "Art":
        """As large as it can be within a box, in the middle of it."""
        scale = min(width / max(self.width, 1e-6), height / max(self.height, 1e-6))
        return self.placed(scale=scale).centered(at)

    def boxes(self) -> Iterable[Box]:
        """The box of every area that is seen, but for paper."""
        for operation in self.operations:
            if isinstance(operation, Fill):
                if operation.role != "paper":
                    yield from (bounds([outline]) for outline in operation.outlines if outline)
            elif operation.outside:
                yield from operation.art.boxes()
            else:
                left, top, right, bottom = bounds(operation.outlines)
                for x0, y0, x1, y1 in operation.art.boxes():
                    box = max(left, x0), max(top, y0), min(right, x1), min(bottom, y1)
                    if box[0] < box[2] and box[1] < box[3]:
                        yield box

    def _mapped(self, change: Callable[[Outline], Outline]) -> "Art":
        copies: list[Fill | Clip] = []
        for operation in self.operations:
            changed = [change(outline) for outline in operation.outlines]
            if isinstance(operation, Fill):
                copies.append(Fill(operation.role, changed))
            else:
                copies.append(Clip(changed, operation.art._mapped(change), operation.outside))
        return Art(copies)


def outlines(shape: Shape) -> list[Outline]:
    if isinstance(shape, str):
        return path(shape)
    if shape and isinstance(shape[0], tuple):
        return [shape]  # type: ignore[list-item]
    return list(shape)  # type: ignore[arg-type]


def painted(art: Art, colors: Mapping[str, Color], side: int) -> Image.Image:
    """The sheet as a picture of side x side pixels on the color of `paper`."""
    full = side * _SMOOTH
    draw = aggdraw.Draw("RGB", (full, full), tuple(colors["paper"]))
    return _paint(draw, (full, full), _Sheet(full), art, colors).reduce(_SMOOTH)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Where a point of the art lies in a picture that shows a part of the sheet. side: of the whole sheet, in pixels."""

    side: int
    left: int = 0
    top: int = 0

    def pixels(self, outlines: Iterable[Outline]) -> aggdraw.Path:
        scale, across, down = self.side / _FULL, self.side / 2 - self.left, self.side / 2 - self.top
        found = aggdraw.Path()
        for outline in outlines:
            if len(outline) < 3:
                continue
            (x, y), *rest = outline
            found.moveto(x * scale + across, y * scale + down)
            for x, y in rest:
                found.lineto(x * scale + across, y * scale + down)
            found.close()
        return found

    def part(self, box: Box, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
        """The pixels of a box of the art within a picture of this size; None where there are none."""
        scale, across, down = self.side / _FULL, self.side / 2 - self.left, self.side / 2 - self.top
        left, top = max(0, math.floor(box[0] * scale + across)), max(0, math.floor(box[1] * scale + down))
        right, bottom = math.ceil(box[2] * scale + across), math.ceil(box[3] * scale + down)
        right, bottom = min(size[0], right), min(size[1], bottom)
        return (left, top, right, bottom) if left < right and top < bottom else None


def _paint(
    draw: aggdraw.Draw, size: tuple[int, int], sheet: _Sheet, art: Art, colors: Mapping[str, Color]
) -> Image.Image:
    """Paints over what `draw` holds, and hands it out as a picture."""
    for operation in art.operations:
        if isinstance(operation, Fill):
            draw.path(sheet.pixels(operation.outlines), None, aggdraw.Brush(tuple(colors[operation.role])))
            continue
        touched = _extent(operation.art) if operation.outside else bounds(operation.outlines)
        if (box := sheet.part(touched, size)) is None:
            continue
        image = _picture(draw, size)
        part, there = image.crop(box), _Sheet(sheet.side, sheet.left + box[0], sheet.top + box[1])
        inside = _paint(aggdraw.Draw(part), part.size, there, operation.art, colors)
        mask = _mask(operation.outlines, part.size, there)
        if operation.outside:
            mask = mask.point([255 - value for value in range(256)])
        image.paste(inside, box[:2], mask)
        draw = aggdraw.Draw(image)
    return _picture(draw, size)


def _picture(draw: aggdraw.Draw, size: tuple[int, int]) -> Image.Image:
    return Image.frombytes("RGB", size, draw.tobytes())


def _extent(art: Art) -> Box:
    """The box of all areas, paper too."""
    boxes = [
        bounds([outline]) if isinstance(operation, Fill) else _extent(operation.art)
        for operation in art.operations
        for outline in (operation.outlines if isinstance(operation, Fill) else operation.outlines[:1])
        if outline
    ]
    if not boxes:
        return 0.0, 0.0, 0.0, 0.0
    return min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)


def _mask(shape: Iterable[Outline], size: tuple[int, int], sheet: _Sheet) -> Image.Image:
    draw = aggdraw.Draw("L", size, 0)
    draw.path(sheet.pixels(shape), None, aggdraw.Brush(255))
    return Image.frombytes("L", size, draw.tobytes())
