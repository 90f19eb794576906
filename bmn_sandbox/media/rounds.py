"""A round thing that turns about its upright axis: its light stays, its print goes around it, and a handle goes along."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import aggdraw
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter, ImageStat

from bmn_sandbox.media.canvas import outlines
from bmn_sandbox.media.color import BLACK, WHITE, Color
from bmn_sandbox.media.objects import HANDLE, MUG_AXIS, MUG_FOOT, MUG_RADIUS, MUG_TOP

Pixels = npt.NDArray[np.float32]
Point = tuple[float, float]
Ink = int | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Round:
    """Where a round body is in its picture, all in shares of that. straight: from where to where it is a cylinder.

    right: where the body ends, and a handle begins.
    """

    straight: tuple[float, float]
    right: float = 1.0


ROUNDS = {"mug": Round((0.24, 0.84), 0.705), "bottle": Round((0.36, 0.94))}
_BARE = 0.06  # of a cylinder, from its top: no print is there, so that one sees the light alone
_FAINT = 0.07  # a share of the light: what differs less from it is no print
_SEEN = math.radians(80)  # farther around, there is no print to be seen
_ABOVE = 0.25  # how much of a distance toward us is seen as lower: one looks a little from above
_TUBE = 0.12  # how thick half a handle is, beside the radius of the body
_BOW = [  # a handle's middle: from the axis, in radii of the body, and from its top, as shares of its height
    ((x - MUG_AXIS) / MUG_RADIUS, (y - MUG_TOP) / (MUG_FOOT - MUG_TOP)) for x, y in outlines(HANDLE)[0]
]
_COATS = (  # of a handle, from its rim inward: how broad, how far to the upper left, how dark or light
    (1.0, 0.0, -0.36), (0.84, 0.1, -0.2), (0.68, 0.16, -0.06), (0.5, 0.22, 0.06), (0.32, 0.3, 0.2), (0.14, 0.36, 0.5),
)  # fmt: skip


def turned_round(art: Image.Image, kind: Round) -> Callable[[float], Image.Image]:
    """The round thing at any angle, its axis in the middle of the picture. It is printed on both sides."""
    body = art.crop((0, 0, round(art.width * kind.right), art.height))
    if kind.right == 1.0:
        return _Printed.of(body, kind).turned
    body.putalpha(_even(body.getchannel("A")))
    printed = _Printed.of(body, kind)
    handle = _Handle(body.size, _skin(art, kind))
    return lambda degrees: handle.beside(printed.turned(degrees), degrees)


@dataclass(frozen=True)
class _Printed:
    """A body and what is on its cylinder. light: of each column. inked: what the print leaves of that, 1 where none is."""

    body: Image.Image
    top: int
    light: Pixels
    inked: Pixels

    @classmethod
    def of(cls, body: Image.Image, kind: Round) -> "_Printed":
        top, bottom = round(body.height * kind.straight[0]), round(body.height * kind.straight[1])
        part = np.asarray(body.crop((0, top, body.width, bottom)))
        light = np.maximum(part[: max(1, round(len(part) * _BARE)), :, :3].mean(axis=0), 1).astype(np.float32)
        inked: Pixels = part[..., :3] / light
        # What differs little from the light is no print, and would be streaks on the other side.
        inked[(np.abs(inked - 1) < _FAINT).all(axis=-1) | (part[..., 3] < 250)] = 1
        return cls(body, top, light, inked)

    def turned(self, degrees: float) -> Image.Image:
        wide = self.body.width
        angles = np.arcsin(np.clip((np.arange(wide) + 0.5) / wide * 2 - 1, -0.999, 0.999)) - math.radians(degrees)
        source = (angles + math.pi / 2) % math.pi - math.pi / 2
        columns = np.clip((np.sin(source) + 1) / 2 * wide - 0.5, 0, wide - 1.001)
        left, share = columns.astype(int), (columns % 1).astype(np.float32)[:, None]
        seen = self.inked[:, left] * (1 - share) + self.inked[:, left + 1] * share
        seen[:, np.abs(source) > _SEEN] = 1
        shown = np.minimum(self.light * seen, 255).astype(np.uint8)
        turned = self.body.copy()
        turned.paste(Image.fromarray(shown), (0, self.top))
        turned.putalpha(self.body.getchannel("A"))
        return turned


def _even(alpha: Image.Image) -> Image.Image:
    """The outline of a body whose right side a handle hides: its left side, twice."""
    half = alpha.crop((0, 0, (alpha.width + 1) // 2, alpha.height))
    whole = alpha.copy()
    whole.paste(half.transpose(Image.Transpose.FLIP_LEFT_RIGHT), (alpha.width - half.width, 0))
    return whole


def _skin(art: Image.Image, kind: Round) -> Color:
    """The color of a handle."""
    part = art.crop((round(art.width * (kind.right + 0.02)), 0, art.width, art.height))
    red, green, blue = ImageStat.Stat(part.convert("RGB"), part.getchannel("A").point([0] * 250 + [255] * 6)).median
    return Color(red, green, blue)


@dataclass(frozen=True)
class _Handle:
    """A bow beside a body. body: the size of that, in pixels."""

    body: tuple[int, int]
    color: Color

    @property
    def radius(self) -> float:
        return self.body[0] / 2

    @property
    def wide(self) -> int:
        """Of a picture in which it may stick out to both sides."""
        return 2 * math.ceil(self.radius * (max(x for x, _ in _BOW) + _TUBE) + 2)

    def beside(self, body: Image.Image, degrees: float) -> Image.Image:
        """The body and its handle, which is before it, beside it or behind it."""
        # The print goes to the left where degrees fall, and the handle comes to the front there.
        angle = math.radians(-degrees)
        sheet = Image.new("RGBA", (self.wide, body.height), (*self.color, 0))
        left = (self.wide - body.width) // 2
        before = math.sin(angle) > 0.01
        if not before:
            self._paint(sheet, angle)
        sheet.paste(body, (left, 0), body.getchannel("A"))
        if before:
            self._shade(sheet, angle)
            self._paint(sheet, angle)
        return sheet

    def _course(self, angle: float) -> list[Point]:
        """Where its middle is seen, as far as it is out of the body."""
        cos, toward = math.cos(angle), math.sin(angle)
        out = 1 + 0.25 * _TUBE * abs(cos) if toward > 0.01 else 0.0
        return [
            (self.wide / 2 + x * self.radius * cos, y * self.body[1] + x * self.radius * toward * _ABOVE)
            for x, y in _BOW
            if x >= out
        ]

    def _paint(self, sheet: Image.Image, angle: float) -> None:
        course, thick = self._course(angle), _TUBE * self.radius
        box = _around(course, thick + 2, sheet.size)
        tube = Image.new("RGB", (box[2] - box[0], box[3] - box[1]), tuple(self.color.mixed(BLACK, 0.36)))
        draw = aggdraw.Draw(tube)
        for broad, aside, tone in _COATS[1:]:
            color = self.color.mixed(WHITE if tone > 0 else BLACK, abs(tone))
            _line(draw, course, (box[0] + aside * thick, box[1] + aside * thick), broad * thick, tuple(color))
        draw.flush()
        tube = tube.filter(ImageFilter.GaussianBlur(max(0.6, thick / 12)))
        sheet.paste(tube, box[:2], _outline(course, box, thick))

    def _shade(self, sheet: Image.Image, angle: float) -> None:
        """The shadow that it throws on the body."""
        thick = _TUBE * self.radius
        course = [(x + thick * 0.9, y + thick * 0.6) for x, y in self._course(angle)]
        box = _around(course, 3 * thick, sheet.size)
        shade = _outline(course, box, thick).filter(ImageFilter.BoxBlur(thick * 0.6))
        kept = sheet.getchannel("A")
        sheet.paste((*BLACK, 255), box[:2], shade.point([round(v * 0.3) for v in range(256)]))
        sheet.putalpha(kept)


def _around(course: list[Point], rim: float, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The part of a picture that has them all."""
    across, down = [x for x, _ in course], [y for _, y in course]
    left, top = max(0, math.floor(min(across) - rim)), max(0, math.floor(min(down) - rim))
    return left, top, min(size[0], math.ceil(max(across) + rim)), min(size[1], math.ceil(max(down) + rim))


def _outline(course: list[Point], box: tuple[int, int, int, int], thick: float) -> Image.Image:
    mask = Image.new("L", (box[2] - box[0], box[3] - box[1]))
    draw = aggdraw.Draw(mask)
    _line(draw, course, box[:2], thick, 255)
    draw.flush()
    return mask


def _line(draw: aggdraw.Draw, course: list[Point], corner: Point, reach: float, ink: Ink) -> None:
    """A line with round joints and ends. corner: what is (0, 0) in the picture. reach: half of its breadth."""
    placed = [(x - corner[0], y - corner[1]) for x, y in course]
    draw.line([value for place in placed for value in place], aggdraw.Pen(ink, 2 * reach))
    brush = aggdraw.Brush(ink)
    for x, y in (*placed[1:-1:3], placed[0], placed[-1]):
        draw.ellipse((x - reach, y - reach, x + reach, y + reach), brush)
