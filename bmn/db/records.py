"""Rows as the rest of the program knows them: plain values, nothing of SQL."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job about to be stored. credits: what is reserved for it. delay: seconds until it may run."""

    id: str
    queue: str
    payload: dict[str, Any]
    payload_version: int
    max_attempts: int
    priority: int
    user_id: str | None = None
    brand_id: str | None = None
    credits: int = 0
    delay: float = 0.0
    idempotency_key: str | None = None
    parent_id: str | None = None
    group_id: str | None = None
    request_id: str | None = None
    trace_parent: str | None = None
    message: str = "Waiting in line"
