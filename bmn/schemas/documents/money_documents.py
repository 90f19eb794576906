"""Credits, and what providers charged."""

from bmn.schemas.documents.document import Document, Time


class LedgerEntry(Document):
    """One movement of credits. amount: positive where they came, negative where they went."""

    at: Time
    kind: str
    amount: int
    job_id: str | None
    reason: str | None


class Credits(Document):
    """A balance. remaining can be spent; reserved is held by running jobs.

    ledger: a page of the movements, newest first; next_cursor: of the older ones.
    """

    user_id: str
    credits_remaining: int
    credits_reserved: int
    credits_used: int
    ledger: list[LedgerEntry]
    next_cursor: str | None


class Granted(Document):
    """The balance after credits were granted."""

    user_id: str
    credits_remaining: int


class CostRow(Document):
    """What one kind, provider or user cost. sandboxed: nobody charged it.

    usd_estimated: what its jobs that ended meanwhile were expected to cost; null by provider and model, of a user's kinds,
    of the sandbox, and where nothing was expected.
    """

    key: str | None
    calls: int
    units: float
    usd: float
    sandboxed: bool
    usd_estimated: float | None


class Costs(Document):
    """What providers charged, in rows by one property. usd_estimated: what was expected of all jobs that ended meanwhile.

    credits_charged: what their users were charged for those jobs.
    """

    by: str
    rows: list[CostRow]
    total_usd: float
    sandboxed_usd: float
    usd_estimated: float
    credits_charged: int
