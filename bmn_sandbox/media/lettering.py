"""Setting type as a designer does: shaped for its script, kerned, tracked, centered by what is seen, or on a circle."""

import functools
import math
import threading
import unicodedata
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import uharfbuzz as hb

from bmn_sandbox.media.art import Art
from bmn_sandbox.media.faces import CONNECTED, LAST_RESORTS, RIGHT_TO_LEFT, Face, file_of, script_of
from bmn_sandbox.media.shapes import Outline, curve

_local = threading.local()  # a font being shaped is not for two threads at once
_LANGUAGES = {"Kana": "ja", "Hangul": "ko", "Han": "zh-Hans"}


@dataclass(frozen=True, slots=True)
class Glyph:
    """One drawn letter (or several as one), placed on a baseline at y = 0, at size 1. cluster: the index in the text."""

    outlines: list[Outline]
    x: float
    advance: float
    cluster: int


@dataclass(frozen=True, slots=True)
class Line:
    """Type that has been set at a size: left, top, right and bottom are of the ink, the baseline is y = 0."""

    face: Face
    text: str
    size: float
    glyphs: tuple[Glyph, ...]
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

    def art(self, role: str = "ink", parts: dict[int, str] | None = None) -> Art:
        """The line with the middle of its ink at the origin. parts: other roles by the index of a letter."""
        cx, cy = (self.left + self.right) / 2, (self.top + self.bottom) / 2
        art = Art()
        for part, glyphs in groupby(self.glyphs, lambda glyph: (parts or {}).get(glyph.cluster, role)):
            areas = [
                [((g.x + x) * self.size - cx, y * self.size - cy) for x, y in outline]
                for g in glyphs
                for outline in g.outlines
            ]
            art.fill(part, areas)
        return art


def _font(family: str, weight: int) -> Any:
    cache: dict[tuple[str, int], Any] = _local.__dict__.setdefault("fonts", {})
    key = (family, weight)
    if key not in cache:
        face = hb.Face(hb.Blob.from_file_path(str(file_of(family, weight))))
        font = hb.Font(face)
        if "wght" in {axis.tag for axis in face.axis_infos}:
            font.set_variations({"wght": weight})
        if len(cache) > 48:
            cache.clear()
        cache[key] = font
    return cache[key]


@functools.lru_cache(8192)
def has_glyph(family: str, weight: int, letter: str) -> bool:
    return bool(_font(family, weight).get_nominal_glyph(ord(letter)))


def _is_seen(letter: str) -> bool:
    return unicodedata.category(letter) not in ("Cf", "Cc", "Zs") and letter not in "\ufe0e\ufe0f"


def face_for(face: Face, letter: str) -> Face | None:
    """The face itself where it has the letter, else one of the last resorts, else None."""
    families = (face.family, *LAST_RESORTS)
    for family in families:
        weight = face.weight
        if has_glyph(family, weight, letter):
            return face if family == face.family else Face(family, weight, face.tracking, face.case)
    return None


def covers(face: Face, text: str) -> bool:
    """Whether the face itself has a glyph for every letter of the text."""
    return all(has_glyph(face.family, face.weight, letter) for letter in text if _is_seen(letter))


def can_set(text: str) -> bool:
    """Whether any of our faces has each of the letters."""
    return all(face_for(Face("Jost"), letter) is not None for letter in text if _is_seen(letter))


def _runs(face: Face, text: str) -> list[tuple[Face, str, int, str]]:
    """The text in pieces of one face and script, in the order in which they are seen: face, text, start, script."""
    found: list[tuple[Face, str, int, str]] = []
    for index, letter in enumerate(text):
        if not _is_seen(letter) and letter != " ":
            kept = found[-1] if found else None
            if kept:
                found[-1] = (kept[0], kept[1] + letter, kept[2], kept[3])
            continue
        script = script_of(letter)
        follows = found[-1] if found else None
        neutral = not letter.isalnum() and not unicodedata.category(letter).startswith("M")
        if follows and neutral and has_glyph(follows[0].family, follows[0].weight, letter):
            script = follows[3]
        chosen = face_for(face, letter)
        if chosen is None:
            continue
        if follows and follows[3] == script and follows[0].family == chosen.family:
            found[-1] = (follows[0], follows[1] + letter, follows[2], script)
        else:
            found.append((chosen, letter, index, script))
    first = next((run[3] for run in found if any(c.isalpha() for c in run[1])), "Latin")
    return found[::-1] if first in RIGHT_TO_LEFT else found


@functools.lru_cache(512)
def _outlines(family: str, weight: int, glyph: int) -> list[Outline]:
    """A glyph's outlines at size 1, y downwards."""
    font = _font(family, weight)
    scale = 1 / font.face.upem
    found: list[Outline] = []

    def at(x: float, y: float) -> tuple[float, float]:
        return x * scale, -y * scale

    def start(x: float, y: float, _data: object) -> None:
        found.append([at(x, y)])

    def line(x: float, y: float, _data: object) -> None:
        found[-1].append(at(x, y))

    def quadratic(cx: float, cy: float, x: float, y: float, _data: object) -> None:
        found[-1].extend(curve([found[-1][-1], at(cx, cy), at(x, y)], 8))

    def cubic(ax: float, ay: float, bx: float, by: float, x: float, y: float, _data: object) -> None:
        found[-1].extend(curve([found[-1][-1], at(ax, ay), at(bx, by), at(x, y)], 10))

    pen = hb.DrawFuncs()
    pen.set_move_to_func(start)
    pen.set_line_to_func(line)
    pen.set_quadratic_to_func(quadratic)
    pen.set_cubic_to_func(cubic)
    font.draw_glyph(glyph, pen, None)
    return found


def _shaped(face: Face, text: str, script: str) -> list[tuple[int, float, float, float, int]]:
    """Glyph, x and y offset, advance at size 1, and cluster of each letter of a run, from left to right."""
    font = _font(face.family, face.weight)
    buffer = hb.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    if script in RIGHT_TO_LEFT:
        buffer.direction = "rtl"
    if script in _LANGUAGES:
        buffer.language = _LANGUAGES[script]
    hb.shape(font, buffer, {"kern": True, "liga": face.tracking == 0 or script in CONNECTED})
    scale = 1 / font.face.upem
    return [
        (info.codepoint, pos.x_offset * scale, pos.y_offset * scale, pos.x_advance * scale, info.cluster)
        for info, pos in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True)
    ]


def glyph_ids(face: Face, text: str) -> list[int]:
    """The glyphs that set a text, from left to right; 0 is what a font shows for a letter that it has not."""
    return [
        shaped[0] for chosen, piece, _start, script in _runs(face, text) for shaped in _shaped(chosen, piece, script)
    ]


@functools.lru_cache(256)
def _set(face: Face, text: str) -> tuple[tuple[Glyph, ...], tuple[float, float, float, float]]:
    """The glyphs at size 1, and the box of their ink."""
    glyphs: list[Glyph] = []
    x = 0.0
    for chosen, piece, start, script in _runs(face, text):
        spaced = 0.0 if script in CONNECTED else face.tracking / 100
        for glyph, dx, dy, advance, cluster in _shaped(chosen, piece, script):
            shape = [[(px + dx, py - dy) for px, py in o] for o in _outlines(chosen.family, chosen.weight, glyph)]
            glyphs.append(Glyph(shape, x, advance, start + cluster))
            x += advance + (spaced if advance else 0)
    xs = [g.x + px for g in glyphs for o in g.outlines for px, _py in o] or [0.0, 1.0]
    ys = [py for g in glyphs for o in g.outlines for _px, py in o] or [-1.0, 0.0]
    return tuple(glyphs), (min(xs), min(ys), max(xs), max(ys))


def set_line(face: Face, text: str, size: float = 100) -> Line:
    glyphs, (left, top, right, bottom) = _set(face, text)
    return Line(face, text, size, glyphs, left * size, top * size, right * size, bottom * size)


def fitted(face: Face, text: str, width: float, height: float) -> Line:
    """The text as large as it can be within a box."""
    line = set_line(face, text)
    return set_line(face, text, 100 * min(width / max(line.width, 1e-6), height / max(line.height, 1e-6)))


def arc_degrees(line: Line, radius: float) -> float:
    """How much of a circle a line takes, its baseline on it."""
    return math.degrees(line.width / radius)


def _pivot(line: Line, cluster: int) -> float:
    """The middle of a letter and its marks, which are turned as one."""
    parts = [glyph for glyph in line.glyphs if glyph.cluster == cluster]
    return line.size * (min(g.x for g in parts) + max(g.x + g.advance for g in parts)) / 2


def on_circle(line: Line, radius: float, role: str, *, middle: float = -90, inside_out: bool = False) -> Art:
    """A line along a circle about the origin. radius: of the baseline. middle: degrees of the text's middle (-90 is the
    top, 90 the bottom). inside_out: for the bottom, so that it reads from left to right."""
    sign = -1 if inside_out else 1
    center = (line.left + line.right) / 2
    art = Art()
    connected = any(script_of(letter) in CONNECTED for letter in line.text)
    for glyph in line.glyphs:
        pivot = _pivot(line, glyph.cluster)
        turned: list[Outline] = []
        for outline in glyph.outlines:
            points = []
            for x, y in outline:
                px, py = (glyph.x + x) * line.size, y * line.size
                # Letters that hang together are bent, others stay as they are and are turned.
                along = px if connected else pivot
                angle = math.radians(middle) + sign * (along - center) / radius
                r, across = radius - sign * py, (0.0 if connected else px - pivot)
                points.append(
                    (
                        r * math.cos(angle) - sign * across * math.sin(angle),
                        r * math.sin(angle) + sign * across * math.cos(angle),
                    )
                )
            turned.append(points)
        art.fill(role, turned)
    return art
