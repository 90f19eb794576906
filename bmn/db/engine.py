"""The database: one writer thread with group commit, a few reader threads, SQLite or PostgreSQL.

Requests and jobs hand small transactions to the writer. It takes all that wait, runs them one after the other and commits
once, so that fifty clients share one fsync; where one of them fails, all are run again, each in its own savepoint. Nothing
here blocks an event loop.
"""

import asyncio
import fcntl
import json
import queue
import random
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bmn.cleaning import cleaned
from bmn.db.database_refusals import check_server
from bmn.errors import TryLater
from bmn.logs import Seldom, get_logger

__all__ = ["Connection", "Database", "IntegrityError", "is_passing", "make_engine"]

log = get_logger(__name__)
_away = Seldom(log)
T = TypeVar("T")

# What PostgreSQL takes in no document; SQLite would keep it, and a reader would stumble over it later.
_UNUSABLE = re.compile(r"\\u(?:0000|d[89a-f])|\bNaN\b|\bInfinity\b")


def _as_json(value: object) -> str:
    text = json.dumps(value)
    return json.dumps(cleaned(value)) if _UNUSABLE.search(text) else text


_BATCH = 64  # transactions one commit carries at most
_BATCH_SECONDS = 0.005  # a batch holds the write lock no longer than this before it commits
_TURN_SECONDS = 2.0  # how long a writer waits for its turn among those of this machine
_BUSY_SECONDS = 5.0  # how long a writer waits for somebody else's lock
_STATEMENT_SECONDS = 30.0
_IDLE_SECONDS = 10.0  # PostgreSQL ends a transaction whose process does nothing for so long, and frees its locks
_RETRIES = 5
_CONFLICTS = ("40001", "40P01")  # serialisation failure, deadlock
_READ_ONLY = "25006"
_NO_ROOM = re.compile(r"too many (?:clients|connections)|remaining connection slots|max clients reached", re.IGNORECASE)
_ENDED = ("25P03", "25P04", "57P05")  # by a time limit of the role, the database or the server for who does nothing
_FULL = ("The disk of the database is full.", 30)
_BUSY = ("The database is busy.", 2)
_MAY_NOT_WRITE = ("The database may only be read at the moment.", 30)
# What is wrong, and after how many seconds to try again, by SQLSTATE or SQLite's number; else it cannot be reached.
_TOLD: dict[str | int, tuple[str, int]] = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_READONLY: _MAY_NOT_WRITE,
    "53100": _FULL,
    "53200": ("The database has no memory left.", 30),
    "53300": ("The database takes no further connections.", 10),
    "55P03": _BUSY,
    "57014": ("The database took too long.", 5),
    _READ_ONLY: _MAY_NOT_WRITE,
}


@dataclass(slots=True)
class _Transaction:
    fn: Callable[[Connection], Any]
    future: "asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop
    result: Any = None
    error: BaseException | None = None


class Database:
    """Transactions are plain functions of a connection; one may run twice, so it must have no effect but its SQL."""

    def __init__(self, url: str, *, readers: int = 4) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self._writer = make_engine(url, writer=True)
        if not self.is_sqlite:
            event.listen(self._writer, "begin", _limit_waiting)
        self._reader = make_engine(url, size=readers)
        self._queue: queue.SimpleQueue[_Transaction | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="db-read")
        self._lock_file = Path(url.removeprefix("sqlite:///") + ".lock") if self.is_sqlite else None
        self._lock_handle: BinaryIO | None = None
        self._refused = False  # whether the last write was, by a disk that is full or a database that may be read only
        # PostgreSQL orders its writers itself, so a second thread there hides the round trip of the first.
        self._threads = [
            threading.Thread(target=self._write_loop, name=f"db-write-{n}", daemon=True)
            for n in range(1 if self.is_sqlite else 2)
        ]

    async def start(self) -> None:
        """Opens the database. Raises TryLater where it cannot be reached."""
        if self._lock_file:
            self._lock_file.parent.mkdir(parents=True, exist_ok=True)
            self._lock_file.touch(mode=0o600)
        for thread in self._threads:
            thread.start()
        await self.ping()

    async def ping(self) -> None:
        """Raises TryLater where the database cannot be reached, or has just refused to be written to."""
        await self.read(lambda conn: conn.execute(text("SELECT 1")).scalar())
        if self._refused:
            await self.write(lambda conn: conn.execute(text("UPDATE deployment SET id = id")))

    async def close(self) -> None:
        """Finishes what was handed in, then lets go of every connection."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            if thread.ident is not None:
                await asyncio.to_thread(thread.join)
        if self._lock_handle is not None:
            self._lock_handle.close()
        self._readers.shutdown(wait=True)
        self._writer.dispose()
        self._reader.dispose()

    async def write(self, fn: Callable[[Connection], T]) -> T:
        """Runs a transaction and returns its result after the commit.

        It is in line as soon as this is called: a caller that is cancelled while it waits does not undo it.
        Raises what fn raises, or TryLater where the database is away.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._queue.put(_Transaction(fn, future, loop))
        return await future

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Runs a query in a reader thread. Raises TryLater where the database is away."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, fn)

    def _read(self, fn: Callable[[Connection], T]) -> T:
        try:
            with self._reader.connect() as conn:
                return fn(conn)
        except (DBAPIError, PoolTimeout) as error:
            if isinstance(error, PoolTimeout) or is_away(error):
                raise database_away(error) from error
            raise

    # --- the writer thread ---------------------------------------------------------------------------------------------

    def _write_loop(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, closing = self._gather(first)
            self._run_batch(batch)
            if closing:
                return

    def _gather(self, first: _Transaction) -> tuple[list[_Transaction], bool]:
        batch = [first]
        while len(batch) < _BATCH:
            try:
                following = self._queue.get_nowait()
            except queue.Empty:
                break
            if following is None:
                return batch, True
            batch.append(following)
        return batch, False

    def _run_batch(self, batch: list[_Transaction]) -> None:
        while batch:
            done = self._commit_some(batch)
            _deliver(batch[:done])
            batch = batch[done:]

    def _commit_some(self, batch: list[_Transaction]) -> int:
        """Commits the first transactions of a batch, as many as fit into its time; returns how many."""
        run = _run_together
        for attempt in range(_RETRIES):
            try:
                with self._locked(), self._writer.connect() as conn, conn.begin():
                    done = run(conn, batch)
                self._refused = False
                return done
            except _Undo:
                run = _run_in_savepoints
            except Exception as error:  # noqa: BLE001, whoever waits is told; the thread has to live for the next batch
                if not _is_conflict(error) or attempt == _RETRIES - 1:
                    self._refused = _told(error) in (_FULL, _MAY_NOT_WRITE)
                    _fail(batch, error)
                    return len(batch)
                time.sleep(random.uniform(0, 0.02 * 2**attempt))
        return len(batch)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """SQLite's own busy handler starves; an advisory lock around each batch keeps the processes fair to each other."""
        if self._lock_file is None:
            yield
            return
        if self._lock_handle is None:
            self._lock_handle = self._lock_file.open("rb")
        _take_turn(self._lock_handle)
        try:
            yield
        finally:
            fcntl.flock(self._lock_handle, fcntl.LOCK_UN)


def _take_turn(handle: BinaryIO) -> None:
    """Waits for the advisory lock; goes on without it where its holder does not move, as it may have been stopped.

    That lock is for fairness alone: whether one may write, SQLite decides.
    """
    until, pause = time.monotonic() + _TURN_SECONDS, 0.0002
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > until:
                log.warning("another process does not let go of its turn; going on without ours")
                return
        time.sleep(random.uniform(0.5, 1.0) * pause)
        pause = min(pause * 2, 0.004)


def make_engine(url: str, *, writer: bool = False, size: int = 2) -> Engine:
    """An engine with our defaults: SQLite in WAL mode, PostgreSQL without state that a transaction pooler would lose."""
    if url.startswith("sqlite"):
        engine = create_engine(
            URL.create("sqlite", database=url.removeprefix("sqlite:///")),  # as it is: a path may hold ? and %
            pool_size=size,
            max_overflow=2,
            json_serializer=_as_json,
            hide_parameters=True,  # an error's text goes into logs, and a row may hold what its user wrote
            connect_args={"check_same_thread": False, "timeout": _BUSY_SECONDS},
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate if writer else _begin_deferred)
        return engine
    engine = create_engine(
        url,
        pool_size=size,
        max_overflow=2,
        pool_pre_ping=True,
        pool_recycle=1800,
        json_serializer=_as_json,
        hide_parameters=True,
        # A pooler in transaction mode shares connections, so nothing may be prepared on one.
        connect_args={"prepare_threshold": None, "connect_timeout": make_url(url).query.get("connect_timeout", "5")},
    )
    event.listen(engine, "handle_error", _leave_standby)
    # Before SQLAlchemy's own look at a new connection, which stumbles over what is refused here.
    event.listen(engine, "connect", lambda connection, _record: check_server(connection, url), insert=True)
    return engine


def _leave_standby(context: ExceptionContext) -> None:
    """A server that has become read-only is of no more use: its connections go, and new ones find the primary."""
    if getattr(context.original_exception, "sqlstate", None) == _READ_ONLY:
        context.is_disconnect = True


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "cache_size=-16000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(conn: Connection) -> None:
    _begin(conn, "BEGIN IMMEDIATE")


def _begin_deferred(conn: Connection) -> None:
    _begin(conn, "BEGIN")


def _begin(conn: Connection, statement: str) -> None:
    """By the driver alone: what SQLAlchemy sets up around a statement costs several times what this one does."""
    cursor = conn.connection.cursor()
    try:
        cursor.execute(statement)
    except conn.dialect.loaded_dbapi.Error as error:
        conn._handle_dbapi_exception(error, statement, None, cursor, None)
    finally:
        cursor.close()


def _limit_waiting(conn: Connection) -> None:
    """For this transaction: a process that was stopped while it held a lock must not hold everybody else up."""
    conn.exec_driver_sql(
        f"SET LOCAL lock_timeout = '{_BUSY_SECONDS:.0f}s'; SET LOCAL statement_timeout = '{_STATEMENT_SECONDS:.0f}s';"
        f" SET LOCAL idle_in_transaction_session_timeout = '{_IDLE_SECONDS:.0f}s'"
    )


class _Undo(Exception):
    """One transaction of a batch has failed, so the others have to be run again without it."""


def _run_together(conn: Connection, batch: list[_Transaction]) -> int:
    """Runs transactions until the batch's time is up; returns how many ran. Raises _Undo where one fails."""
    until = time.monotonic() + _BATCH_SECONDS
    for number, transaction in enumerate(batch):
        if number and time.monotonic() > until:
            return number
        transaction.error = None
        try:
            transaction.result = transaction.fn(conn)
        except Exception as error:
            if is_passing(error):
                raise
            raise _Undo from error
    return len(batch)


def _run_in_savepoints(conn: Connection, batch: list[_Transaction]) -> int:
    """As `_run_together`, but one that fails undoes only itself. Dearer by two statements a transaction."""
    until = time.monotonic() + _BATCH_SECONDS
    for number, transaction in enumerate(batch):
        if number and time.monotonic() > until:
            return number
        transaction.error = None
        try:
            with conn.begin_nested():
                transaction.result = transaction.fn(conn)
        except Exception as error:
            if is_passing(error):
                raise
            transaction.error = error
    return len(batch)


def is_passing(error: BaseException) -> bool:
    """Whether it is the database's moment and not the transaction: run again, it may succeed."""
    return is_away(error) or _is_conflict(error)


def is_away(error: BaseException) -> bool:
    """Whether a database does not answer at the moment, or has ended what was asked of it."""
    if isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _ENDED:
        return True
    return isinstance(error, OperationalError) or (isinstance(error, DBAPIError) and error.connection_invalidated)


def _is_conflict(error: BaseException) -> bool:
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _CONFLICTS


def _fail(batch: list[_Transaction], error: Exception) -> None:
    for transaction in batch:
        transaction.error = database_away(error)


def database_away(error: Exception) -> TryLater:
    """What is told of a database that does not work at the moment, and a line in the log."""
    orig = getattr(error, "orig", None)
    reason = (str(orig or error).strip() or type(error).__name__).splitlines()[0][:200]
    _away.warning("database away", reason=reason)
    said, again = _told(error)
    return TryLater(said, retry_after=again, hint="Nothing was changed. Try again shortly.", cause="database")


def _told(error: Exception) -> tuple[str, int]:
    orig = getattr(error, "orig", None)
    code = getattr(orig, "sqlstate", None) or getattr(orig, "sqlite_errorcode", 0) & 0xFF
    if not code and _NO_ROOM.search(str(orig)):  # a connection that is refused carries no number
        code = "53300"
    return _TOLD.get(code, ("The database cannot be reached.", 5))


def _deliver(batch: list[_Transaction]) -> None:
    for loop in {transaction.loop for transaction in batch}:
        mine = [transaction for transaction in batch if transaction.loop is loop]
        try:
            loop.call_soon_threadsafe(_resolve, mine)
        except RuntimeError:  # the loop is gone, and with it everybody who waited
            log.debug("results of a closed loop dropped", count=len(mine))


def _resolve(batch: list[_Transaction]) -> None:
    for transaction in batch:
        if transaction.future.done():
            continue
        if transaction.error is not None:
            transaction.future.set_exception(transaction.error)
        else:
            transaction.future.set_result(transaction.result)
