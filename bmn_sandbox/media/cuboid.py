"""A carton that turns as a solid thing: each of its faces is taken from its picture and seen from another side."""

import math

import numpy as np
from PIL import Image, ImageDraw, ImageStat

from bmn_sandbox.media.color import BLACK

Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]

# Where the corners of a carton are in its picture, as shares: of its upper face left, near, right and far; of its foot.
_A, _B, _C, _D = (0.0, 0.156), (0.578, 0.322), (1.0, 0.131), (0.428, 0.0)
_A0, _B0, _C0 = (0.023, 0.793), (0.578, 1.0), (0.98, 0.768)
_FACES: dict[str, Quad] = {"lid": (_A, _B, _C, _D), "front": (_A, _B, _B0, _A0), "side": (_B, _C, _C0, _B0)}
_YAW, _PITCH = 36.0, 21.0  # degrees at which its picture shows it
_SIDE, _HIGH = 0.714, 0.655  # of the carton, beside the width of its picture
_RIM = 0.02  # of a face is left out at its edges
_SMOOTH = 2


def coefficients(shown: Quad, source: Quad) -> tuple[float, ...]:
    """Pillow's eight numbers that take a quadrilateral of a picture from one of another."""
    rows: list[list[float]] = []
    found: list[float] = []
    for (x, y), (u, v) in zip(shown, source, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        found += [u, v]
    return tuple(float(value) for value in np.linalg.solve(np.array(rows, float), np.array(found, float)))


def turned_carton(art: Image.Image, degrees: float) -> Image.Image:
    """The carton of a picture, turned about its upright axis, up to 30 degrees to each side."""
    wide, high = art.size
    size = (round(wide * 1.06), round(wide * 0.98) + 4)
    corners = _corners(_YAW - degrees, wide, size)
    red, green, blue = ImageStat.Stat(art.convert("RGB"), art.getchannel("A")).mean
    sheet = Image.new("RGBA", size, (round(red), round(green), round(blue), 0))  # what its soft rim fades into
    for name, lit in (("side", math.sin), ("front", math.cos), ("lid", None)):
        source = _inset([(x * wide, y * high) for x, y in _FACES[name]])
        left, top, right, bottom = _around(corners[name], size)
        shown = _moved(corners[name], (left, top))
        part = (right - left, bottom - top)
        face = art.transform(part, Image.Transform.PERSPECTIVE, coefficients(shown, source), Image.Resampling.BILINEAR)
        face = face.convert("RGB")
        if lit is not None:
            face = _shaded(face, lit(math.radians(_YAW)) - lit(math.radians(_YAW - degrees)))
        sheet.paste(face, (left, top), _area(shown, part))
    return sheet


def foot_of_carton(wide: int, degrees: float) -> Quad:
    """What a turned carton stands on, from the middle of the lower edge of its picture. wide: of the picture it is from."""
    return _corners(_YAW - degrees, wide, (0, 0))["foot"]


def _around(shown: Quad, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The part of a picture of this size that has a face, and its soft rim."""
    across, down = [x for x, _ in shown], [y for _, y in shown]
    left, top = max(0, math.floor(min(across)) - 2), max(0, math.floor(min(down)) - 2)
    return left, top, min(size[0], math.ceil(max(across)) + 2), min(size[1], math.ceil(max(down)) + 2)


def _moved(quad: Quad, corner: tuple[int, int]) -> Quad:
    a, b, c, d = ((x - corner[0], y - corner[1]) for x, y in quad)
    return a, b, c, d


def _inset(corners: list[Point]) -> Quad:
    """A little less than the face, so that nothing of what is beside it comes along."""
    x0, y0 = (sum(point[axis] for point in corners) / 4 for axis in (0, 1))
    a, b, c, d = ((x + (x0 - x) * _RIM, y + (y0 - y) * _RIM) for x, y in corners)
    return a, b, c, d


def _shaded(face: Image.Image, share: float) -> Image.Image:
    """A face that turns from the light is darker, one that turns toward it lighter. share: -1 to 1."""
    over = Image.new("RGB", face.size, tuple(BLACK) if share > 0 else (255, 244, 226))
    return Image.blend(face, over, min(0.3, abs(share) * 0.42))


def _area(quad: Quad, size: tuple[int, int]) -> Image.Image:
    """A little more than the face, so that two faces leave no seam."""
    x0, y0 = (sum(point[axis] for point in quad) / 4 for axis in (0, 1))
    large = Image.new("L", (size[0] * _SMOOTH, size[1] * _SMOOTH))
    grown = []
    for x, y in quad:
        reach = math.hypot(x - x0, y - y0) or 1.0
        grown.append(((x + (x - x0) / reach * 0.7) * _SMOOTH, (y + (y - y0) / reach * 0.7) * _SMOOTH))
    ImageDraw.Draw(large).polygon(grown, fill=255)
    return large.reduce(_SMOOTH)


def _corners(yaw: float, wide: int, size: tuple[int, int]) -> dict[str, Quad]:
    """The faces of the carton seen at this angle, its foot on the lower edge of the picture."""
    side, tall = _SIDE * wide, _HIGH * wide * math.cos(math.radians(_PITCH))
    cos, sin, flat = math.cos(math.radians(yaw)), math.sin(math.radians(yaw)), math.sin(math.radians(_PITCH))

    def at(along: float, deep: float, up: float) -> Point:
        x = along * cos + deep * sin
        y = (along * sin - deep * cos) * flat
        return size[0] / 2 + x * side, size[1] - 2 - reach + y * side - up * tall

    reach = 0.5 * side * flat * math.sqrt(2)
    a, b, c, d = (at(*place, 1.0) for place in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)))
    a0, b0, c0, d0 = (at(*place, 0.0) for place in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)))
    return {"lid": (a, b, c, d), "front": (a, b, b0, a0), "side": (b, c, c0, b0), "foot": (a0, b0, c0, d0)}
