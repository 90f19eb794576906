"""How records look: a job's short id, its state with a symbol and a word, money, progress."""

import re
from typing import TYPE_CHECKING

from bmn.cli.terminal.timespan import moment
from bmn.names import stem_of

if TYPE_CHECKING:
    from bmn.schemas.documents import Job

_JOB_ID = re.compile(r"(?:([a-z-]+)-)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")

# state -> symbol, style: never color alone
_STATES = {
    "queued": ("…", "dim"),
    "active": ("●", "cyan"),
    "retrying": ("↻", "yellow"),
    "completed": ("✓", "green"),
    "partial": ("◐", "yellow"),
    "failed": ("✗", "red"),
    "cancelled": ("⊘", "dim"),
}
STATES = tuple(_STATES)


def state_cell(state: str) -> tuple[str, str]:
    """A state with its symbol, and its style."""
    symbol, style = _STATES.get(state, ("·", ""))
    return f"{symbol} {state}", style


def state_text(state: str) -> str:
    """A state with its symbol."""
    return f"{_STATES.get(state, ('·', ''))[0]} {state}"


def short_id(job_id: str) -> str:
    """The first 8 digits of the uuid, enough to name the job in any command."""
    match = _JOB_ID.fullmatch(job_id)
    return match[2][:8] if match else job_id


def shortened(job_id: str) -> str:
    """The queue and the first 8 digits: names the job in any command as well, and says what it is."""
    match = _JOB_ID.fullmatch(job_id)
    return f"{match[1]}-{match[2][:8]}" if match and match[1] else job_id


def is_whole_id(text: str) -> bool:
    """Whether a text is a job's id, not a part of it."""
    match = _JOB_ID.fullmatch(text)
    return bool(match and match[1])


def slug(name: str) -> str:
    """A name as a file name: letters and digits of any script, the rest dashes, and no longer than a file's may be."""
    return stem_of(name)


def elapsed(job: "Job") -> float | None:
    """Seconds from the first start to the end; None while it has not ended or never started."""
    start, end = job.started_at or job.created_at, job.completed_at
    return (moment(end) - moment(start)).total_seconds() if end else None


def unsigned(url: str) -> str:
    """A picture's address without what lets in whoever has it; for its owner's token, and short. JSON has it whole."""
    return url.partition("?")[0]
