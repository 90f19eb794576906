"""What the sandbox must remember across a restart: JSON documents by kind and key, in one SQLite file.

Tasks, mails and contacts are a handful of small rows, and every statement takes well under a millisecond
(WAL, no wait for the disk), so they are called straight from the event loop.
"""

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL, key TEXT NOT NULL, created REAL NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID;
"""


class Store:
    """Documents by kind (such as `bfl.task`) and key. One process, one thread."""

    def __init__(self, state_dir: Path) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        # uvicorn may build the application in one thread and serve it from another; only one uses it at a time.
        self.db = sqlite3.connect(
            state_dir / "sandbox.sqlite3", isolation_level=None, check_same_thread=False, timeout=2
        )
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.executescript(_SCHEMA)

    def put(self, kind: str, key: str, value: dict[str, Any]) -> None:
        """Stores a document, over an older one of the same kind and key, whose place in the order it keeps."""
        self.db.execute(
            "INSERT INTO documents VALUES (?, ?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value",
            (kind, key, time.time(), json.dumps(value)),
        )

    def get(self, kind: str, key: str) -> dict[str, Any] | None:
        row = self.db.execute("SELECT value FROM documents WHERE kind = ? AND key = ?", (kind, key)).fetchone()
        return json.loads(row[0]) if row else None

    def all(self, kind: str, *, limit: int = 1000) -> list[dict[str, Any]]:
        """The newest documents of a kind, oldest first."""
        rows = self.db.execute(
            "SELECT value FROM documents WHERE kind = ? ORDER BY created DESC LIMIT ?", (kind, limit)
        ).fetchall()
        return [json.loads(row[0]) for row in reversed(rows)]

    def delete(self, kind: str, key: str) -> bool:
        """Returns whether there was one."""
        done = self.db.execute("DELETE FROM documents WHERE kind = ? AND key = ?", (kind, key))
        return done.rowcount > 0

    def close(self) -> None:
        self.db.close()
