"""Calls of providers, what they add up to, and which providers are out."""

from dataclasses import dataclass
from typing import ClassVar

from bmn.db.records.base import Record
from bmn.errors import Cause


@dataclass(frozen=True, slots=True)
class NewCall:
    """A call of a provider about to be written down: what was asked, what it cost, and on whose behalf."""

    provider: str
    operation: str
    model: str | None
    units: float
    usd: float
    sandboxed: bool
    ms: int
    outcome: str
    status: int | None
    request_id: str | None
    job_id: str | None = None
    unit: str | None = None
    attempt: int | None = None
    user_id: str | None = None
    queue: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderCallRow(Record):
    """What a provider was asked. outcome: `ok`, or a cause. ms: how long it took."""

    CONVERTED: ClassVar = {"sandboxed": bool}

    id: int
    job_id: str | None
    unit: str | None
    attempt: int | None
    user_id: str | None
    queue: str | None
    provider: str
    operation: str
    model: str | None
    units: float
    usd: float
    sandboxed: bool
    ms: int
    outcome: str
    status: int | None
    request_id: str | None
    at: float


@dataclass(frozen=True, slots=True)
class Cost(Record):
    """What calls with one key (a kind, provider, user or model) add up to."""

    CONVERTED: ClassVar = {"sandboxed": bool}

    key: str
    sandboxed: bool
    calls: int
    units: float
    usd: float


@dataclass(frozen=True, slots=True)
class OutageRow(Record):
    """A provider that is out for a queue while another one does its work. probe_at: when it is asked again."""

    CONVERTED: ClassVar = {"cause": Cause}

    queue: str
    provider: str
    cause: Cause
    reason: str
    since: float
    probe_at: float
