"""How records look: a job's short id, its state with a symbol and a word, money, progress."""

import re
from typing import Any

from bmn.cli.terminal.timespan import moment

_JOB_ID = re.compile(r"(?:([a-z-]+)-)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")

# The queues that people fill themselves, by the word of their route.
GENERATOR_QUEUES = {
    "logos": "logo-generation",
    "mockups": "mockup-generation",
    "bundles": "bundle-composition",
    "videos": "video-generation",
    "wizard": "brand-wizard",
}
GENERATORS = list(GENERATOR_QUEUES.values())

# state -> symbol, style: never colour alone
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
    symbol, style = _STATES.get(state, ("·", ""))
    return f"{symbol} {state}", style


def state_text(state: str) -> str:
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
    match = _JOB_ID.fullmatch(text)
    return bool(match and match[1])


def usd(amount: float | None) -> str:
    """Cents where they say something, more digits where they would say nothing."""
    value = float(amount or 0)
    return f"${value:.2f}" if value >= 0.1 or round(value, 2) == round(value, 5) else f"${value:.3f}"


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def elapsed(job: dict[str, Any]) -> float | None:
    """Seconds from the first start to the end; None while it has not ended or never started."""
    start, end = job.get("startedAt") or job.get("createdAt"), job.get("completedAt")
    return (moment(end) - moment(start)).total_seconds() if start and end else None


def outcome_document(job: dict[str, Any], assets: list[dict[str, Any]]) -> dict[str, Any]:
    """The JSON document of a finished generator. assets: with the `file` each was written to, or None."""
    seconds = elapsed(job)
    error = None
    if job["state"] == "failed":
        error = {"code": job.get("cause"), "message": job.get("error"), "hint": None, "requestId": job.get("requestId")}
    return {
        "jobId": job["jobId"],
        "queueName": job["queueName"],
        "state": job["state"],
        "attempts": job["attempt"],
        "elapsedMs": round(seconds * 1000) if seconds is not None else None,
        "costUsd": job["costUsd"],
        "creditsCharged": job["creditsCharged"],
        "assets": [{key: asset.get(key) for key in ("id", "type", "url", "file", "metadata")} for asset in assets],
        "error": error,
    }
