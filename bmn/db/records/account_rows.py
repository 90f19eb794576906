"""Movements of credits, what was done by whom, API keys and shared links."""

from dataclasses import dataclass
from typing import Any, ClassVar

from bmn.db.records.base import Record


@dataclass(frozen=True, slots=True)
class LedgerRow(Record):
    """One movement of a user's credits."""

    id: int
    user_id: str
    job_id: str
    unit: str
    kind: str
    amount: int
    actor: str | None
    reason: str | None
    created_at: float


@dataclass(frozen=True, slots=True)
class AuditRow(Record):
    """Something that was done. key_id, address: with which API key, and from where, as far as it is known.

    on_behalf_of: the user for whom a service did it, and whose words the reason then is.
    """

    id: int
    actor: str
    action: str
    subject: str
    reason: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    at: float
    key_id: str | None
    address: str | None
    on_behalf_of: str | None


@dataclass(frozen=True, slots=True)
class ApiKeyRow(Record):
    """A key that signs somebody in. digest: SHA-256 of its text, in hexadecimal. user_id: whom it acts as."""

    id: str
    digest: str
    name: str
    role: str
    user_id: str
    created_by: str
    created_at: float
    expires_at: float | None
    last_used_at: float | None
    revoked_at: float | None
    revoked_by: str | None


@dataclass(frozen=True, slots=True)
class ShareRow(Record):
    """A link that shows a job, or pictures, to whoever holds it."""

    CONVERTED: ClassVar = {"asset_ids": tuple}

    id: str
    user_id: str
    brand_id: str | None
    job_id: str | None
    asset_ids: tuple[str, ...]
    created_at: float
    expires_at: float
    revoked_at: float | None
