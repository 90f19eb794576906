"""Times as people write and read them: `10m`, `2d`, `yesterday`, an ISO time; "3 m ago", "1 m 52 s"."""

import re
from datetime import UTC, date, datetime, time, timedelta

from bmn.cli.terminal.console import console
from bmn.format import duration, parse_span

_DATE = re.compile(r"(?:19|20)[0-9]{6}")  # 20261129: a date, not 234 days of seconds
_UNIX = re.compile(
    r"([0-9]{10})(?:(?:\.[0-9]*)?|[0-9]{3})"
)  # seconds since 1970, as `date +%s` prints them, or milliseconds


def seconds_ago(text: str, now: datetime | None = None) -> float:
    """How long ago a `--since` lies: a span, `today`, `yesterday`, an ISO time, or a Unix one. Raises ValueError."""
    now = now or datetime.now(UTC)
    today = now.astimezone().date()
    words = {"today": _midnight(today), "yesterday": _midnight(today - timedelta(days=1))}
    word = text.strip().lower()
    if word in words:
        return (now - words[word]).total_seconds()
    if found := _UNIX.fullmatch(word):
        return now.timestamp() - float(found[1])
    try:
        return parse_span(word if not _DATE.fullmatch(word) else "")
    except ValueError:
        pass
    try:
        return (now - _readings(datetime.fromisoformat(text.strip()))[0]).total_seconds()
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is not a time; write 10m, 2h, 3d, yesterday or 2026-11-23T10:00Z") from None


def next_moment(text: str, now: datetime | None = None) -> datetime:
    """A time to come: an ISO one, or a time of day, today's or tomorrow's. Raises ValueError."""
    here = (now or datetime.now(UTC)).astimezone()
    word = text.strip()
    try:
        if re.fullmatch(r"[0-9]{1,2}:[0-9][0-9]", word):
            clock = time.fromisoformat(word.zfill(5))
            days = [here.date() + timedelta(days=ahead) for ahead in (0, 1)]
            found = [moment for day in days for moment in _readings(datetime.combine(day, clock))]
        else:
            found = list(_readings(datetime.fromisoformat(word)))
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is not a time; write 18:30, or 2026-11-30T09:00Z") from None
    if ahead := [moment for moment in found if moment > here]:
        return ahead[0]
    raise ValueError(f"{text!r} lies in the past")


def _readings(at: datetime) -> tuple[datetime, ...]:
    """When clocks show a time: with its zone once; here twice in the hour that comes again, earlier first.

    In the hour that is left out it is as long after the jump as it would have been, so that nothing begins too early.
    """
    if at.tzinfo is not None:
        return (at.astimezone(),)
    both = sorted(at.replace(fold=fold).astimezone() for fold in (0, 1))
    return tuple(found for found in both if found.replace(tzinfo=None, fold=0) == at) or (both[-1],)


def _midnight(day: date) -> datetime:
    return _readings(datetime.combine(day, time.min))[0]


def moment(text: str) -> datetime:
    """An RFC 3339 time of the API."""
    return datetime.fromisoformat(text)


def ago(text: str | None, now: datetime | None = None) -> str:
    """`3 m ago` for an RFC 3339 time; `in 6 s` for one to come; empty for None."""
    if not text:
        return ""
    seconds = ((now or datetime.now(UTC)) - moment(text)).total_seconds()
    if seconds < -0.5:
        return f"in {duration(-seconds)}"
    if seconds < 1:
        return "now"
    whole = duration(max(10.0, seconds)) if seconds >= 10 else f"{round(seconds)} s"
    parts = whole.split(" ")
    return " ".join(parts[:2]) + " ago"


def listed(text: str | None) -> str:
    """In a table: `3 m ago` on a terminal; elsewhere, where it may be read much later, the minute in UTC."""
    if console.width is not None or not text:
        return ago(text)
    return moment(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def local(text: str | None) -> str:
    """The whole time with its zone, as `show` prints it."""
    return moment(text).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z") if text else ""
