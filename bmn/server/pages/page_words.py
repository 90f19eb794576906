"""What the pages say: states, causes, money and times, in words for somebody who only wants their pictures."""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from bmn.db.records import JobRow, StoredEvent
from bmn.errors import CAUSES, Cause
from bmn.format import count
from bmn.schemas import generators
from bmn.schemas.payloads import JobState
from bmn.server.pages.told import Saying

STATES = {
    JobState.QUEUED: "Waiting in line",
    JobState.ACTIVE: "Being made",
    JobState.RETRYING: "Trying again",
    JobState.COMPLETED: "Done",
    JobState.PARTIAL: "Partly done",
    JobState.FAILED: "Failed",
    JobState.CANCELLED: "Cancelled",
}
# What people asked for; the rest is our own housekeeping and on no page.
KINDS = {kind.queue: kind.label for kind in generators.KINDS.values()}
_PERCENT = re.compile(r": [0-9]+ ?%$")


def reason(cause: str | None) -> str:
    """Why something went wrong, without a vendor's name or a stack trace."""
    return CAUSES[Cause(cause)].told if cause else "Something went wrong, and no cause was recorded."


def reason_only(cause: str) -> str:
    """What went wrong in an attempt, without advice."""
    return CAUSES[Cause(cause)].user_text


def reason_before_retry(cause: str | None) -> str:
    """Why another attempt is made."""
    return CAUSES[Cause(cause)].told_before_retry if cause else "We try again by ourselves."


def reason_to_wait(cause: str | None) -> str:
    """Why a kind of work stands still."""
    return (
        CAUSES[Cause(cause)].told_while_waiting
        if cause
        else "This kind of work is paused for a while. Nothing is lost."
    )


def can_be_repeated(job: JobRow, cause: str | None) -> bool:
    """Whether the same request could end otherwise next time."""
    ended = job.state in (JobState.PARTIAL, JobState.FAILED, JobState.CANCELLED)
    return ended and cause not in (Cause.BAD_INPUT, Cause.MODERATED)


def credits_told(job: JobRow) -> str:
    """What a job has cost its owner, in a sentence."""
    charged, refunded = job.credits_charged, job.credits_refunded
    if job.completed_at is None:
        held = job.credits_reserved - charged - refunded
        told = [f"{count(held, 'credit')} set aside"] if held else []
        told += [f"{charged} charged so far"] if charged else []
        return ", ".join(told) + "." if told else "This costs nothing."
    if not charged:
        return "Nothing was charged."
    back = f" {count(refunded, 'credit')} came back." if refunded else ""
    return f"{count(charged, 'credit')} charged.{back}"


@dataclass(frozen=True, slots=True)
class Sentence:
    """What a job has told at a moment. at: seconds since 1970."""

    at: float
    text: str


def story(events: Iterable[StoredEvent]) -> list[Sentence]:
    """What a job has told, oldest first. Mere percentages are left out, and what is said twice."""
    told: list[Sentence] = []
    for event in events:
        text = _sentence(event.event, Saying.of(event.payload))
        if text and (not told or told[-1].text != text):
            told.append(Sentence(event.at, text))
    return told


def _sentence(event: str, told: Saying) -> str:
    if event == "job:failed":
        return f"An attempt failed: {reason_before_retry(told.cause) if told.retries_left else reason(told.cause)}"
    if event == "job:tool-error":
        return "A step had to be repeated."
    if event == "agent:message":
        return ""
    return "" if _PERCENT.search(told.message) else told.message


def calm(message: str | None) -> str:
    """What a job is at, without the share of one of its pictures, which stands beside that."""
    return "Drawing" if _PERCENT.search(message or "") else message or ""


def ago(seconds: float) -> str:
    """How long ago, in the largest unit that fits."""
    passed = max(0, time.time() - seconds)
    for length, noun in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if passed >= length:
            return f"{count(int(passed // length), noun)} ago"
    return "just now"


def day(seconds: float) -> str:
    """Without a script nobody knows the reader's clock, so a day is named in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%-d %B %Y, %H:%M UTC")


def stamp(seconds: float) -> str:
    """For the `datetime` of a time element."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> float:
    """Seconds since 1970 of an RFC 3339 time."""
    return datetime.fromisoformat(text).timestamp()
