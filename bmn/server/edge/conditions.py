"""Conditional and partial requests, as RFC 9110 has them: which copy the caller holds, and which part it wants."""

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import formatdate, parsedate_to_datetime

_RANGE = re.compile(r"bytes\s*=\s*([0-9]{0,15})-([0-9]{0,15})", re.IGNORECASE)


def http_date(seconds: float) -> str:
    return formatdate(seconds, usegmt=True)


def is_current(asked: Mapping[str, str], etag: str, modified: str) -> bool:
    """Whether the caller's copy is still good. etag, modified: of what there is; empty where that is not known.

    Tags may be several and weak; a date counts where no tag is shown.
    """
    if (tags := asked.get("if-none-match")) is not None:
        shown = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
        return "*" in shown or (bool(etag) and etag in shown)
    since, last = _seconds(asked.get("if-modified-since")), _seconds(modified)
    return since is not None and last is not None and last <= since


def is_another(asked: Mapping[str, str], etag: str, modified: str) -> bool:
    """Whether the caller wants what there was, and that is no more: 412. Weak tags never match here."""
    if (tags := asked.get("if-match")) is not None:
        shown = {tag.strip() for tag in tags.split(",")}
        return "*" not in shown and (not etag or etag not in shown)
    since, last = _seconds(asked.get("if-unmodified-since")), _seconds(modified)
    return since is not None and last is not None and last > since


def range_asked(asked: Mapping[str, str], etag: str, modified: str) -> str | None:
    """The range, where there is one and If-Range, a strong tag or the very date, names what there is."""
    condition = asked.get("if-range")
    if condition is not None and (not condition.strip() or condition.strip() not in (etag, modified)):
        return None
    return asked.get("range")


def wanted(asked: str | None, size: int) -> tuple[int, int, int]:
    """Status, first byte, and the one behind the last: the whole, or the one range that was asked for, since some browsers
    play a video no other way. Raises ValueError for a range that is not there. Of several the whole is given."""
    match = _RANGE.fullmatch((asked or "").strip())
    if match is None or not (match[1] or match[2]):
        return 200, 0, size
    if match[1] and match[2] and int(match[1]) > int(match[2]):
        return 200, 0, size  # no range at all, so there is none to refuse
    first = int(match[1]) if match[1] else max(0, size - int(match[2]))
    end = min(int(match[2]) + 1, size) if match[1] and match[2] else size
    if first >= end:
        raise ValueError("no such range")
    return 206, first, end


def _seconds(date: str | None) -> float | None:
    """What a date names; None for what is none, which counts as not shown."""
    if not date:
        return None
    try:
        at = parsedate_to_datetime(date)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()  # HTTP's dates are in UTC, named or not
    except (ValueError, TypeError, OverflowError):
        return None
