"""Parsers of option values: what the API would refuse is refused before anything is made of the others."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from bmn.cli.terminal.timespan import next_moment, seconds_ago
from bmn.format import parse_span
from bmn.numbers import number

# Panels of the help of a command with many options.
LOOK, CHANGE, FILE, WHEN, WATCH = (
    *("More of its look", "From a logo that is there", "From a file of brands"),
    *("When it runs", "Watching it, and its end"),
)

Bell = Annotated[bool, typer.Option("--bell", help="Ring when it has ended.", rich_help_panel=WATCH)]
Exec = Annotated[
    str | None,
    typer.Option(
        "--exec",
        metavar="CMD",
        help="Run this after the end, once a job, with the job as JSON on its input.",
        rich_help_panel=WATCH,
    ),
]
Images = Annotated[
    str | None,
    typer.Option("--images", metavar="HOW", help="auto, kitty, iterm, sixel, blocks or none.", rich_help_panel=WATCH),
]
Out = Annotated[Path | None, typer.Option("-o", "--out", file_okay=False, metavar="DIR", help="Write the files there.")]
Strict = Annotated[
    bool, typer.Option("--strict", help="Exit 9 where only a part was delivered.", rich_help_panel=WATCH)
]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why; kept in the audit log.")]


Reveal = Annotated[
    str | None,
    typer.Option(
        "--reveal",
        metavar="REASON",
        help="With what other users have said and made; for operators. The reason goes into the audit log.",
    ),
]


def span(value: str | float) -> float:
    """Seconds of a span of time: `90s`, `10m`, `0.5`. Raises ValueError."""
    return float(value) if isinstance(value, int | float) else parse_span(value)


def ahead(value: str | float) -> float:
    """Seconds of a span that a job may be planned ahead, or take. Raises ValueError."""
    from bmn.schemas.terms import LONGEST_SECONDS

    seconds = span(value)
    if not 0 < seconds <= LONGEST_SECONDS:
        raise ValueError(f"{value!r} is not between 1s and {LONGEST_SECONDS // 86_400}d")
    return seconds


def since(value: str | float) -> float:
    """Seconds since a moment in the past. Raises ValueError."""
    if isinstance(value, int | float):
        return float(value)
    seconds = seconds_ago(value)
    if seconds <= 0:
        raise ValueError(f"{value!r} lies in the future")
    return seconds


def later(text: str) -> str:
    """A moment to come, as the API takes it: an ISO time, or `18:30`, the next one there is. Raises ValueError."""
    from bmn.schemas.terms import LONGEST_SECONDS

    found = next_moment(text)
    if (found - datetime.now(UTC)).total_seconds() > LONGEST_SECONDS:
        raise ValueError(f"{text!r} is more than {LONGEST_SECONDS // 86_400} days ahead")
    return found.isoformat(timespec="seconds")


def dollars(value: str | float) -> float:
    """An amount of USD, `0.5` or `$0.50`. Raises ValueError."""
    try:
        amount = number(value.strip().removeprefix("$")) if isinstance(value, str) else float(value)
    except ValueError:
        raise ValueError(f"{value!r} is not an amount; write it like 0.50") from None
    if not 0 <= amount <= 1e6:  # not a number is neither
        raise ValueError(f"{value!r} is not between 0 and 1,000,000")
    return amount


def rate(value: str | float) -> float:
    """Jobs a second of `10/m`, `5/s`, `600/h`. Raises ValueError."""
    if isinstance(value, int | float):
        return float(value)
    match = re.fullmatch(r"([0-9]{1,9})\s*/\s*([smh])", value.strip())
    if not match or not int(match[1]):
        raise ValueError(f"{value!r} is not a rate; write it like 10/m, with s, m or h")
    return int(match[1]) / {"s": 1, "m": 60, "h": 3600}[match[2]]


def share(value: str | float) -> float:
    """A part of all, `20%` or `0.2`. Raises ValueError."""
    text = str(value).strip()
    try:
        found = number(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise ValueError(f"{value!r} is not a share; write it like 20%") from None
    if not 0 < found <= 1:
        raise ValueError(f"{value!r} is not between 0% and 100%")
    return found


Rate = Annotated[
    float | None,
    typer.Option("--rate", parser=rate, metavar="N/m", help="At most so many a minute (10/m), second or hour."),
]
StopAt = Annotated[
    float | None,
    typer.Option(
        "--stop-at", parser=share, metavar="SHARE", help="Stop where this share is refused or fails again: 20%."
    ),
]
DryRun = Annotated[
    bool, typer.Option("-n", "--dry-run", help="Only say what it comes to, in figures; nothing is done.")
]
Detach = Annotated[bool, typer.Option("--detach", help="Do not watch it: the server goes on by itself.")]


def brand_name(text: str) -> str:
    """A text that the API takes for a brand's name. Raises ValueError."""
    return _checked("Name", text)


def color(text: str) -> str:
    """A color as the API takes it: `#5A3825`, or what CSS calls one. Raises ValueError."""
    from PIL import ImageColor

    name = "".join(text.lower().split())
    if name in ImageColor.colormap:
        return "#{:02x}{:02x}{:02x}".format(*ImageColor.getrgb(name))
    try:
        return _checked("Color", text)
    except ValueError as error:
        raise ValueError(f"{error}, or a CSS name such as navy") from None


def _checked(schema: str, text: str) -> str:
    """The text, where it fits a type of `bmn.schemas.base`. Raises ValueError with what is wrong in words."""
    from pydantic import TypeAdapter, ValidationError

    from bmn.issues import issues
    from bmn.schemas import base

    checker: Any = TypeAdapter(getattr(base, schema))
    try:
        checker.validate_python(text.strip())
    except ValidationError as error:
        problem = issues(error)[0]
        if problem.kind == "string_too_short":
            raise ValueError("it is empty") from error
        if problem.kind == "string_too_long":
            raise ValueError("it is longer than {max_length} characters".format_map(problem.context)) from error
        raise ValueError(str(problem.error or problem.words)) from error
    return text
