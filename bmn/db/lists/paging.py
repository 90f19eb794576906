"""Cursors: where a page ended, in words that only we read."""

import base64
import json

from bmn.errors import UsageProblem

COUNTED = 10_000  # a total is counted so far; what is beyond is "10,000+"


def write_cursor(at: float, row_id: str) -> str:
    """The cursor of the next page, as clients hand it back."""
    return base64.urlsafe_b64encode(json.dumps([at, row_id]).encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[float, str]:
    """Raises UsageProblem for one that was not made here."""
    try:
        at, row_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(row_id, str) or not row_id.isascii() or "\0" in row_id:
            raise ValueError("not an id")
        return float(at), row_id
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise UsageProblem("This cursor was not made here.", hint="Use the one the last page ended with.") from error
