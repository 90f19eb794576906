"""Vendor clients, one of each per worker process, and the record of every call they make."""

from collections.abc import Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from typing import TypeVar

from bmn.broker.shared_rate import Turns
from bmn.db import call_store
from bmn.db.engine import Database
from bmn.db.records import NewCall
from bmn.errors import Cause, JobFailure, TryLater
from bmn.logs import get_logger
from bmn.providers.base import Provider, ProviderCall
from bmn.settings import PROVIDERS, Settings

log = get_logger(__name__)
P = TypeVar("P", bound=Provider)


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf a provider is called; written beside the call."""

    job_id: str | None = None
    unit: str | None = None
    attempt: int | None = None
    user_id: str | None = None
    queue: str | None = None


current_caller: ContextVar[Caller] = ContextVar("current_caller", default=Caller())  # noqa: B039, it is frozen
current_books: ContextVar[list[NewCall] | None] = ContextVar("current_books", default=None)
"""Where calls that went well are kept until their unit's next word is written down, in the same transaction."""


class Clients:
    """turns: of vendors that take so many calls a second, shared with other processes."""

    def __init__(self, settings: Settings, db: Database, turns: Turns | None = None) -> None:
        self._settings = settings
        self._db = db
        self._turns = turns
        self._open: dict[type[Provider], Provider] = {}

    def get(self, kind: type[P]) -> P:
        """The process's client of a vendor. Raises JobFailure where it has neither a key nor a sandbox."""
        client = self._open.get(kind)
        if client is None:
            access = self._settings.provider(kind.provider)
            if access is None:
                variable = PROVIDERS[kind.provider].key_field.upper()
                raise JobFailure(Cause.PROVIDER_AUTH, f"There is no key for {kind.label}: {variable} is not set.")
            client = self._open[kind] = kind(access, self._settings, self._record)
            client.turns = self._turns
        assert isinstance(client, kind)
        return client

    async def _record(self, call: ProviderCall) -> None:
        row = NewCall(**asdict(call), **asdict(current_caller.get()))
        books = current_books.get()
        if books is not None and call.outcome == "ok":
            books.append(row)
            return
        await record(self._db, [row])

    async def close(self) -> None:
        """Closes every client that was opened."""
        for client in self._open.values():
            with suppress(OSError):
                await client.close()
        self._open.clear()


async def record(db: Database, rows: Sequence[NewCall]) -> None:
    """Writes calls down. They were made, whatever the books say: losing an entry must not lose the picture."""
    try:
        await db.write(lambda conn: call_store.add_all(conn, rows))
    except TryLater:
        for row in rows:
            log.error(
                "a provider call could not be recorded", **{k: v for k, v in asdict(row).items() if v is not None}
            )
