"""Our states in the words that the specification's clients know from BullMQ."""

from collections.abc import Mapping

from bmn.db.records import JobRow
from bmn.schemas.events import JobWord, QueueFigures
from bmn.schemas.payloads import JobState

_WORDS: dict[JobState, JobWord] = {
    JobState.QUEUED: "waiting",
    JobState.ACTIVE: "active",
    JobState.RETRYING: "delayed",
    JobState.COMPLETED: "completed",
    JobState.PARTIAL: "completed",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "cancelled",
}


def state_word(job: JobRow) -> JobWord:
    """A job's state as those clients say it."""
    return _WORDS[job.state]


def queue_figures(counts: Mapping[str, int]) -> QueueFigures:
    """A queue's jobs by BullMQ's words. counts: by our states, and `delayed`: those of them that wait for their time."""
    later = counts.get("delayed", 0)
    waiting = counts.get(JobState.QUEUED, 0) + counts.get(JobState.RETRYING, 0) - later
    return QueueFigures(
        waiting=max(waiting, 0),
        active=counts.get(JobState.ACTIVE, 0),
        completed=counts.get(JobState.COMPLETED, 0) + counts.get(JobState.PARTIAL, 0),
        failed=counts.get(JobState.FAILED, 0),
        delayed=later,
    )
