"""A small vector canvas over Pillow: anti-aliased outlines, soft light and shadow, on a square of SIZE pixels.

Outlines are written as SVG path data (absolute M, L, C, Q, Z). Masks are grayscale pictures of the canvas' size.
Anything soft is blurred at a quarter of the size, which nobody sees and which costs a tenth.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

import aggdraw
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from bmn_sandbox.media.color import BLACK, WHITE, Color

SIZE = 1024
_SMOOTH = 3  # outlines are drawn this much larger and reduced
_COARSE = 4  # soft things are drawn this much smaller and enlarged
_STEPS = 24  # points per curve
_COVERED = "covered"  # where a canvas notes what was painted over its backdrop
_FAINT = 150  # what covers less is light, shadow or steam

Point = tuple[float, float]
Outline = list[Point]


def outlines(path: str) -> list[Outline]:
    """The polygons of SVG path data."""
    found: list[Outline] = []
    current: Outline = []
    for command, arguments in re.findall(r"([MLCQZ])([^MLCQZ]*)", path):
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
                current.extend(_curve([current[-1], *points[start : start + group]]))
    return found


def _curve(control: Sequence[Point]) -> Iterable[Point]:
    """Points of a Bézier curve of any degree, after its first."""
    degree = len(control) - 1
    for step in range(1, _STEPS + 1):
        t = step / _STEPS
        weights = [math.comb(degree, i) * (1 - t) ** (degree - i) * t**i for i in range(degree + 1)]
        yield (
            sum(w * p[0] for w, p in zip(weights, control, strict=True)),
            sum(w * p[1] for w, p in zip(weights, control, strict=True)),
        )


def mirrored(path: str) -> Outline:
    """A closed outline from its left half, which begins and ends on the vertical axis."""
    half = outlines(path)[0]
    return half + [(SIZE - x, y) for x, y in reversed(half)]


def ellipse(cx: float, cy: float, rx: float, ry: float) -> Outline:
    return [(cx + rx * math.cos(a / 48 * math.pi), cy + ry * math.sin(a / 48 * math.pi)) for a in range(96)]


def rounded(x0: float, y0: float, x1: float, y1: float, radius: float) -> Outline:
    """A rectangle with round corners."""
    r = radius
    return outlines(
        f"M{x0 + r} {y0} L{x1 - r} {y0} Q{x1} {y0} {x1} {y0 + r} L{x1} {y1 - r} Q{x1} {y1} {x1 - r} {y1} "
        f"L{x0 + r} {y1} Q{x0} {y1} {x0} {y1 - r} L{x0} {y0 + r} Q{x0} {y0} {x0 + r} {y0}"
    )[0]


def turned(outline: Outline, degrees: float, about: Point) -> Outline:
    """The outline, turned clockwise on the screen about a point."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    ax, ay = about
    return [(ax + (x - ax) * cos - (y - ay) * sin, ay + (x - ax) * sin + (y - ay) * cos) for x, y in outline]


Shape = str | Outline | list[Outline]


def _polygons(shape: Shape) -> list[Outline]:
    if isinstance(shape, str):
        return outlines(shape)
    if shape and isinstance(shape[0], tuple):
        return [shape]
    return shape  # type: ignore[return-value]


def _scaled(outline: Outline, factor: float) -> Outline:
    return [(x * factor, y * factor) for x, y in outline]


def mask(shape: Shape) -> Image.Image:
    """The inside of a shape, with smooth edges."""
    draw, brush = aggdraw.Draw("L", (SIZE, SIZE), 0), aggdraw.Brush(255)
    for outline in _polygons(shape):
        if len(outline) > 2:
            draw.polygon([part for point in outline for part in point], None, brush)
    return Image.frombytes("L", (SIZE, SIZE), draw.tobytes())


def line(shape: Shape, width: float, *, dashes: tuple[float, float] | None = None) -> Image.Image:
    """A stroke along a shape. dashes: lengths of mark and gap, in pixels."""
    found = Image.new("L", (SIZE, SIZE), 0)
    pieces = [p for outline in _polygons(shape) for p in (_dashed(outline, *dashes) if dashes else [outline])]
    if not pieces:
        return found
    # Only what the stroke reaches is drawn: most of them are short.
    xs, ys = zip(*(point for piece in pieces for point in piece), strict=True)
    left, top = (max(0, math.floor(min(of) - width)) for of in (xs, ys))
    right, bottom = (min(SIZE, math.ceil(max(of) + width)) for of in (xs, ys))
    if left >= right or top >= bottom:
        return found
    image = Image.new("L", ((right - left) * _SMOOTH, (bottom - top) * _SMOOTH), 0)
    draw = ImageDraw.Draw(image)
    thick = max(1, round(width * _SMOOTH))
    for piece in pieces:
        points = [((x - left) * _SMOOTH, (y - top) * _SMOOTH) for x, y in piece]
        draw.line(points, fill=255, width=thick, joint="curve")
        for x, y in (points[0], points[-1]):
            draw.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), fill=255)
    found.paste(image.reduce(_SMOOTH), (left, top))
    return found


def _dashed(outline: Outline, mark: float, gap: float) -> Iterable[Outline]:
    piece: Outline = []
    travelled = 0.0
    for (x0, y0), (x1, y1) in pairwise(outline):
        length = math.hypot(x1 - x0, y1 - y0)
        for step in range(max(1, round(length / 2))):
            share = step * 2 / length if length else 0
            if travelled % (mark + gap) < mark:
                piece.append((x0 + (x1 - x0) * share, y0 + (y1 - y0) * share))
            elif len(piece) > 1:
                yield piece
                piece = []
            travelled += 2
    if len(piece) > 1:
        yield piece


def soft(shape: Shape | Image.Image, blur: float, *, width: float | None = None) -> Image.Image:
    """A blurred shape or mask; with `width`, the blurred stroke along it."""
    if isinstance(shape, Image.Image):
        small = shape.reduce(_COARSE)
    else:
        side = SIZE // _COARSE
        draw = aggdraw.Draw("L", (side, side), 0)
        for outline in _polygons(shape):
            points = [part / _COARSE for point in outline for part in point]
            if width is not None:
                draw.line(points, aggdraw.Pen(255, width / _COARSE))
            elif len(outline) > 2:
                draw.polygon(points, None, aggdraw.Brush(255))
        small = Image.frombytes("L", (side, side), draw.tobytes())
    blurred = small.filter(ImageFilter.GaussianBlur(blur / _COARSE))
    return blurred.resize((SIZE, SIZE), Image.Resampling.BICUBIC)


def ramp(stops: Sequence[tuple[float, int]], *, vertical: bool = False) -> Image.Image:
    """A grayscale gradient. stops: position in pixels, value 0..255, ascending."""
    strip = Image.new("L", (SIZE, 1))
    strip.putdata([_between(stops, x) for x in range(SIZE)])
    if vertical:
        strip = strip.transpose(Image.Transpose.ROTATE_270)
    return strip.resize((SIZE, SIZE))


def _between(stops: Sequence[tuple[float, int]], position: float) -> int:
    if position <= stops[0][0]:
        return stops[0][1]
    for (x0, v0), (x1, v1) in pairwise(stops):
        if position <= x1:
            t = (position - x0) / max(x1 - x0, 1e-6)
            return round(v0 + (v1 - v0) * t * t * (3 - 2 * t))
    return stops[-1][1]


def moved(image: Image.Image, right: int, down: int) -> Image.Image:
    """A mask moved; what leaves the canvas is gone."""
    result = Image.new("L", image.size, 0)
    result.paste(image, (right, down))
    return result


def within(*masks: Image.Image) -> Image.Image:
    """Where all masks are."""
    result = masks[0]
    for other in masks[1:]:
        result = ImageChops.multiply(result, other)
    return result


def without(mask_: Image.Image, hole: Image.Image) -> Image.Image:
    return ImageChops.multiply(mask_, ImageChops.invert(hole))


def paint(canvas: Image.Image, where: Image.Image, color: Color, opacity: float = 1.0) -> None:
    """Lays a color over the canvas where the mask is; what a studio shows is covered by it from then on."""
    box = where.getbbox()
    if box is None:
        return
    where = _tinted(canvas, where.crop(box), color, opacity, box)
    if (covered := canvas.info.get(_COVERED)) is not None:
        covered.paste(ImageChops.lighter(covered.crop(box), where), box)


def covered(canvas: Image.Image) -> Image.Image:
    """What stands before the studio's backdrop, as a mask: the product, without shadow or steam."""
    found: Image.Image = canvas.info.get(_COVERED) or Image.new("L", canvas.size, 255)
    return found.point([0] * _FAINT + [255] * (256 - _FAINT))


@contextmanager
def beside(canvas: Image.Image) -> Iterator[None]:
    """What is painted inside stands beside the product and is no part of it."""
    before = canvas.info.pop(_COVERED, None)
    yield
    canvas.info[_COVERED] = before


def _tinted(
    canvas: Image.Image, where: Image.Image, color: Color, opacity: float, box: tuple[int, int, int, int]
) -> Image.Image:
    """Paints within a box, and returns the mask as strong as it was painted."""
    if opacity < 1:
        where = where.point([round(value * opacity) for value in range(256)])
    canvas.paste(tuple(color), box, where)
    return where


def _shaded(canvas: Image.Image, where: Image.Image, opacity: float) -> None:
    _tinted(canvas, where, BLACK, opacity, (0, 0, SIZE, SIZE))


def floor_shadow(canvas: Image.Image, shape: Shape, *, opacity: float = 0.35) -> None:
    """What stands on a floor: a wide weak shadow and a narrow dark one below the shape."""
    _shaded(canvas, soft(shape, 34), opacity * 0.7)
    _shaded(canvas, soft(shape, 10), opacity)


def lying_shadow(canvas: Image.Image, what: Image.Image, *, opacity: float = 0.3) -> None:
    """What lies on a table or hangs on a wall: its own outline, moved down and blurred."""
    _shaded(canvas, moved(soft(what, 30), 10, 26), opacity * 0.75)
    _shaded(canvas, moved(soft(what, 8), 3, 7), opacity * 0.8)


def studio(tint: Color, *, horizon: float | None = 700) -> Image.Image:
    """A photographer's paper backdrop: a lit wall that runs into the floor; None: a table seen from above."""
    wall, deep = WHITE.mixed(tint, 0.10), WHITE.mixed(tint, 0.30).mixed(BLACK, 0.03)
    canvas = Image.new("RGB", (SIZE, SIZE), tuple(deep))
    paint(canvas, soft(ellipse(460, 400, 470, 440), 190), wall)
    if horizon is not None:
        floor = ramp([(horizon - 90, 0), (horizon + 30, 255), (SIZE, 200)], vertical=True)
        paint(canvas, floor, WHITE.mixed(tint, 0.13), 0.75)
        paint(canvas, soft(ellipse(512, horizon + 150, 430, 110), 70), WHITE, 0.55)
        paint(canvas, soft([(0.0, horizon - 34), (1024.0, horizon - 34)], 36, width=22), deep.mixed(BLACK, 0.15), 0.35)
    canvas.info[_COVERED] = Image.new("L", canvas.size, 0)
    return canvas
