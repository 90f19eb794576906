"""Typefaces, and setting type the way a designer does: kerned, tracked, centred by what is seen, or on a circle."""

import functools
import math
import threading
from dataclasses import dataclass

import fontpkg  # type: ignore[import-untyped]
from PIL import Image, ImageDraw, ImageFont

from bmn_sandbox.media.canvas import Colour, Point
from bmn_sandbox.media.sheet import Sheet

_MEASURE = 200  # pixels; sizes are found by measuring at this one
_local = threading.local()  # FreeType's faces are not for two threads at once


@dataclass(frozen=True, slots=True)
class Face:
    """A family at a weight. tracking: extra space between letters, in hundredths of the size. case: how names are set."""

    family: str
    weight: int = 400
    tracking: float = 0.0
    case: str = "title"  # title | upper | lower

    def cased(self, text: str) -> str:
        return {"upper": text.upper(), "lower": text.lower()}.get(self.case, text)


@functools.cache
def _path(family: str) -> str:
    return str(fontpkg.path(family, nearest=True))


def _font(face: Face, pixels: float) -> ImageFont.FreeTypeFont:
    cache: dict[tuple[Face, int], ImageFont.FreeTypeFont] = _local.__dict__.setdefault("fonts", {})
    key = (face, round(pixels))
    if key not in cache:
        if len(cache) > 64:
            cache.clear()
        font = ImageFont.truetype(_path(face.family), max(4, round(pixels)))
        if "[" in _path(face.family):
            axes = font.get_variation_axes()
            font.set_variation_by_axes(
                [face.weight if b"eight" in (axis["name"] or b"") else axis["default"] or 0 for axis in axes]
            )
        cache[key] = font
    return cache[key]


def covers(face: Face, text: str) -> bool:
    """Whether the face has a glyph for every letter of the text."""
    return all(_has_glyph(face, letter) for letter in text if not letter.isspace())


@functools.lru_cache(4096)
def _has_glyph(face: Face, letter: str) -> bool:
    font = _font(face, 40)
    missing = font.getmask("\uffff")
    drawn = font.getmask(letter)
    return not (drawn.size == missing.size and bytes(drawn) == bytes(missing))


def _places(font: ImageFont.FreeTypeFont, text: str, tracking: float) -> list[float]:
    """Where each letter begins, and where the last one ends, in pixels; pairs are kerned."""
    places, x = [0.0], 0.0
    for index, letter in enumerate(text):
        following = text[index + 1 : index + 2]
        advance = (
            font.getlength(letter + following) - font.getlength(following) if following else font.getlength(letter)
        )
        x += advance + (tracking * font.size / 100 if following else 0)
        places.append(x)
    return places


@dataclass(frozen=True, slots=True)
class Line:
    """Type that has been measured: ink box of the text at a size in sheet units. Baseline is y = 0, x from the left."""

    face: Face
    text: str
    size: float
    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top


def measure(face: Face, text: str, size: float = 100) -> Line:
    font = _font(face, _MEASURE)
    places = _places(font, text, face.tracking)
    boxes = [
        (x + box[0], box[1], x + box[2], box[3])
        for letter, x in zip(text, places, strict=False)
        if not letter.isspace()
        for box in (font.getbbox(letter, anchor="ls"),)
    ] or [(0.0, -1.0, 1.0, 0.0)]
    k = size / _MEASURE
    return Line(
        face,
        text,
        size,
        min(b[0] for b in boxes) * k,
        min(b[1] for b in boxes) * k,
        max(b[2] for b in boxes) * k,
        max(b[3] for b in boxes) * k,
    )


def fitted(face: Face, text: str, width: float, height: float) -> Line:
    """The text as large as it can be within a box."""
    line = measure(face, text)
    return measure(face, text, 100 * min(width / line.width, height / line.height))


def set_line(
    sheet: Sheet, line: Line, centre: Point, colour: Colour, *, parts: dict[int, Colour] | None = None
) -> None:
    """Draws a line with the middle of its ink at centre. parts: other colours by letter index."""
    font = _font(line.face, sheet.pixels(line.size))
    left, base = centre[0] - (line.left + line.right) / 2, centre[1] - (line.top + line.bottom) / 2
    x0, y0 = sheet.pixel((left, base))
    places = _places(font, line.text, line.face.tracking)
    if not parts and not line.face.tracking:
        sheet.draw.text((x0, y0), line.text, font=font, fill=tuple(colour), anchor="ls")
        return
    for index, letter in enumerate(line.text):
        fill = tuple((parts or {}).get(index, colour))
        sheet.draw.text((x0 + places[index], y0), letter, font=font, fill=fill, anchor="ls")


def set_on_circle(
    sheet: Sheet,
    face: Face,
    text: str,
    size: float,
    radius: float,
    colour: Colour,
    *,
    middle: float,
    inside_out: bool = False,
) -> None:
    """Text along a circle about the sheet's middle. radius: of the baseline. middle: degrees of the text's middle
    (-90 is the top, 90 the bottom). inside_out: for the bottom, so that it reads from left to right."""
    font = _font(face, sheet.pixels(size))
    places = _places(font, text, face.tracking)
    per_pixel = 1 / sheet.pixels(radius) * (-1 if inside_out else 1)
    for index, letter in enumerate(text):
        if letter.isspace():
            continue
        at = (places[index] + font.getlength(letter) / 2 - places[-1] / 2) * per_pixel
        angle = math.radians(middle) + at
        turn = math.degrees(angle) + (-90 if inside_out else 90)
        _stamp(sheet, font, letter, (radius * math.cos(angle), radius * math.sin(angle)), turn, colour)


def arc_degrees(face: Face, text: str, size: float, radius: float) -> float:
    """How much of a circle the text takes."""
    font = _font(face, _MEASURE)
    return math.degrees(_places(font, text, face.tracking)[-1] * size / _MEASURE / radius)


def _stamp(sheet: Sheet, font: ImageFont.FreeTypeFont, letter: str, foot: Point, turn: float, colour: Colour) -> None:
    """One letter, turned (clockwise) about the middle of its foot."""
    side = int(font.size * 2.6) // 2 * 2
    stamp = Image.new("L", (side, side), 0)
    ImageDraw.Draw(stamp).text((side / 2, side / 2), letter, font=font, fill=255, anchor="ms")
    stamp = stamp.rotate(-turn, Image.Resampling.BICUBIC)
    x, y = sheet.pixel(foot)
    sheet.image.paste(tuple(colour), (round(x - side / 2), round(y - side / 2)), stamp)
