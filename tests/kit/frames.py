"""What a watch draws, frame by frame: the bars that stood on a screen after each."""

import re
from dataclasses import dataclass

import pyte

_FRAME = b"\r\x1b[2K"  # with which a frame takes the one before away
_ROW = re.compile(r"^  (?P<mark>\S| ) (?P<name>.{14}) [━─]+ +(?P<percent>\d+)%  (?P<tail>.*)$")
_TIMES = re.compile(r"\d+ m|\d+(\.\d)? s|about |left|longer than usual|, *$")


@dataclass(frozen=True, slots=True)
class DrawnBar:
    """A bar as it was drawn. words: what stands beside it, times apart."""

    mark: str
    name: str
    percent: int
    words: str


def frames(raw: bytes, columns: int, rows: int) -> list[list[DrawnBar]]:
    """The bars on the screen after each frame."""
    screen = pyte.Screen(columns, rows)
    stream = pyte.ByteStream(screen)
    seen: list[list[DrawnBar]] = []
    for number, part in enumerate(raw.split(_FRAME)):
        stream.feed((_FRAME if number else b"") + part)
        found = [
            DrawnBar(m["mark"], m["name"].strip(), int(m["percent"]), _words(m["tail"]))
            for m in map(_ROW.match, screen.display)
            if m
        ]
        if found:
            seen.append(found)
    return seen


def _words(tail: str) -> str:
    return " ".join(_TIMES.sub("", tail).split())


def never_back(shown: list[list[DrawnBar]]) -> None:
    highest: dict[str, int] = {}
    for frame in shown:
        for row in frame:
            assert row.percent >= highest.get(row.name, 0), (row, frame)
            highest[row.name] = row.percent
