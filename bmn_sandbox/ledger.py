"""The bill: one row for every call a real vendor would have charged for, kept across restarts.

Tests read it as the oracle for "nothing is billed twice", people as "what would this have cost".
"""

import hashlib
import time
import uuid
from typing import Any

from bmn_sandbox.store import Store

_SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger (
    id TEXT PRIMARY KEY, provider TEXT NOT NULL, model TEXT NOT NULL, unit TEXT NOT NULL, units REAL NOT NULL,
    usd REAL NOT NULL, time REAL NOT NULL, task_id TEXT, request_hash TEXT NOT NULL, prompt_hash TEXT NOT NULL,
    prompt TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS ledger_time ON ledger (time);
"""
_COLUMNS = (
    ("id", "id"),
    ("provider", "provider"),
    ("model", "model"),
    ("unit", "unit"),
    ("units", "units"),
    ("usd", "usd"),
    ("time", "time"),
    ("task_id", "taskId"),
    ("request_hash", "requestHash"),
    ("prompt_hash", "promptHash"),
    ("prompt", "prompt"),
)
_PROMPT_KEPT = 200


class Ledger:
    def __init__(self, store: Store) -> None:
        self._db = store.db
        self._db.executescript(_SCHEMA)

    def bill(
        self,
        provider: str,
        model: str,
        *,
        unit: str,
        units: float,
        usd: float,
        request_body: bytes,
        prompt: str = "",
        task_id: str | None = None,
    ) -> str:
        """Books one charged call and returns the row's id.

        unit: `image`, `second`, `tokens`, `mail`…; units: how many; usd: for all of them.
        request_body and prompt tell later which job's unit it was: vendors' wires carry no id of ours.
        """
        row_id = str(uuid.uuid4())
        hashes = (hashlib.sha256(request_body).hexdigest(), hashlib.sha256(prompt.encode()).hexdigest())
        self._db.execute(
            "INSERT INTO ledger VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            (row_id, provider, model, unit, units, usd, time.time(), task_id, *hashes, prompt[:_PROMPT_KEPT]),
        )
        return row_id

    def rows(self, *, provider: str | None = None, since: float = 0, limit: int = 10_000) -> list[dict[str, Any]]:
        """The newest rows, oldest first. since: a unix time in seconds."""
        found = self._db.execute(
            f"SELECT {', '.join(name for name, _ in _COLUMNS)} FROM ledger"
            " WHERE time >= ?1 AND (?2 IS NULL OR provider = ?2) ORDER BY time DESC, rowid DESC LIMIT ?3",
            (since, provider, limit),
        ).fetchall()
        return [dict(zip((label for _, label in _COLUMNS), row, strict=True)) for row in reversed(found)]

    def totals(self) -> dict[str, dict[str, float]]:
        """Calls and dollars for each provider."""
        found = self._db.execute("SELECT provider, count(*), sum(usd) FROM ledger GROUP BY provider").fetchall()
        return {provider: {"calls": calls, "usd": round(usd, 6)} for provider, calls, usd in found}
