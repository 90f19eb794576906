"""A whole installation out of real processes, for breaking: Redis, a database, the sandbox, workers, APIs.

Everything it starts is recorded by process id and ended by `close`. Waits are shortened by settings, their ratios kept.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
import sqlite3
import time
from collections.abc import Awaitable, Callable, Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil
import redis
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from bmn.broker.embedded import EmbeddedRedis
from bmn.db import job_store
from bmn.db.accounts import credit_store
from bmn.db.engine import Connection
from bmn.db.library import brand_store
from bmn.db.records import JobRow, UnitRow
from bmn.db.tables import job_units
from bmn.db.tables import jobs as job_table
from bmn.errors import BmnError
from bmn.jobs.core import Core
from bmn.jobs.submission import Idempotent, dispatch, submit
from bmn.schemas.generators.logos import LogoGeneration
from bmn.schemas.payloads import TERMINAL_STATES
from bmn.settings import Settings, load_settings
from bmn.work.wiring import open_core
from tests.chaos.nursery import Child, Nursery
from tests.kit import checker, handlers
from tests.kit.people import ANA
from tests.kit.processes import PATIENCE, eventually, wait_until
from tests.kit.proxy import Proxy

LOGOS = "logo-generation"
SERVED = (LOGOS, handlers.QUEUE)

FAST = {
    "BMN_LEASE_SECONDS": "5",
    "BMN_RENEW_SECONDS": "0.8",
    "BMN_SWEEP_SECONDS": "0.2",
    "BMN_BACKOFF_SCALE": "0.05",
    "BMN_GRACE_SECONDS": "10",
    "BMN_REDIS_DOWN_SECONDS": "3",
    "BMN_REQUESTS_PER_MINUTE": "0",
    "BMN_GENERATIONS_PER_MINUTE": "0",
}


class Deployment:
    """One installation in `folder`. proxied: Redis and PostgreSQL are reached through proxies that can be broken.

    speed: the sandbox's.
    """

    def __init__(
        self,
        nursery: Nursery,
        folder: Path,
        database_url: str,
        *,
        proxied: bool = False,
        speed: float = 0.02,
        **env: str,
    ) -> None:
        self.nursery, self.folder = nursery, folder
        self.home = folder / "home"
        self.home.mkdir(exist_ok=True)
        self.children: list[Child] = []
        self.accepted: list[str] = []
        self.losses = 0  # answers that this test has made a provider or a worker lose
        self.redis = EmbeddedRedis(folder / "redis")
        self.redis.start()
        self.redis_url = self.redis.url  # where the books of Redis are looked at
        self.redis_proxy = Proxy(str(self.redis.socket)) if proxied else None
        self.database_proxy = self._database_proxy(database_url) if proxied else None
        self.sandbox = self._fork("sandbox", {}, state=str(folder / "sandbox"), speed=speed)
        self.sandbox.wait_ready()
        self.env = {
            **{name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "NO_PROXY")},
            **FAST,
            "BMN_HOME": str(self.home),
            "REDIS_URL": f"redis://127.0.0.1:{self.redis_proxy.port}/0" if self.redis_proxy else self.redis.url,
            "DATABASE_URL": database_url,
            "BMN_SANDBOX_URL": self.sandbox_url,
            **env,
        }
        if self.database_proxy:
            url = make_url(database_url).set(host="127.0.0.1", port=self.database_proxy.port)
            self.env["DATABASE_URL"] = url.render_as_string(hide_password=False)
        # A job that runs alone is a Python of its own, which has to know the handler of the tests too.
        site = folder / "site"
        site.mkdir(exist_ok=True)
        (site / "sitecustomize.py").write_text("from tests.kit import handlers\nhandlers.register()\n")
        self.env["PYTHONPATH"] = f"{site}{os.pathsep}{Path(__file__).parents[2]}"
        self._core: Core | None = None
        self.brand = ""

    @property
    def is_sqlite(self) -> bool:
        return self.env["DATABASE_URL"].startswith("sqlite")

    @property
    def objects(self) -> Path:
        """The folder of the object store."""
        return self.home / "objects"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox.port}"

    @property
    def core(self) -> Core:
        assert self._core
        return self._core

    @property
    def settings(self) -> Settings:
        return load_settings(**{name.lower(): value for name, value in self.env.items() if name.isupper()})

    @staticmethod
    def _database_proxy(url: str) -> Proxy | None:
        parsed = make_url(url)
        return Proxy((parsed.host, parsed.port)) if parsed.host and parsed.port else None

    async def open(self, balance: int = 1000) -> "Deployment":
        """This process's own connections, a user with credits, and a brand."""
        self._core = await open_core(self.settings, "test")
        await self.core.db.write(lambda conn: credit_store.ensure_user(conn, ANA, None, balance))
        self.brand = (await self.core.db.write(lambda conn: brand_store.create(conn, ANA, {"name": "Acme"}))).id
        return self

    # --- processes -------------------------------------------------------------------------------------------------

    def _fork(self, role: str, env: dict[str, str], **options: Any) -> Child:
        child = self.nursery.fork(role, self.folder, env, **options)
        self.children.append(child)
        return child

    def worker(
        self, queue: str = LOGOS, *, wait: bool = True, env: dict[str, str] | None = None, **options: Any
    ) -> Child:
        """options: slots, replaces, figures of the queue, file_size."""
        child = self._fork("worker", {**self.env, **(env or {})}, queue=queue, **options)
        return child.wait_ready() if wait else child

    def worker_at(self, point: str, queue: str = LOGOS, **options: Any) -> Child:
        """A worker that is killed at a failpoint."""
        return self.worker(queue, env={"BMN_KILL_AT": point}, **options)

    def worker_held_at(self, point: str, **options: Any) -> Child:
        """A worker that gets as far as a failpoint; `stop_there` stops it."""
        return self.worker(env={"BMN_HOLD_AT": point, "BMN_HOLD_FILE": str(self._held)}, **options)

    async def stop_there(self, worker: Child) -> None:
        """Stops a worker where it is held, once it is there; SIGCONT lets it go on.

        On SQLite while no transaction of its is open: the lock of one would never be let go, and that is another test's.
        """
        await asyncio.to_thread(wait_until, self._held.exists, what="the failpoint")
        with self._writing_alone():
            worker.signal(signal.SIGSTOP)
            wait_until(lambda: psutil.Process(worker.pid).status() == psutil.STATUS_STOPPED)
        self._held.unlink()

    @property
    def _held(self) -> Path:
        return self.folder / "held"

    @contextlib.contextmanager
    def _writing_alone(self) -> Iterator[None]:
        """With the turn of SQLite's writers and its lock in our hand; nothing on PostgreSQL."""
        if not self.is_sqlite:
            yield
            return
        path = self.env["DATABASE_URL"].removeprefix("sqlite:///")
        with Path(f"{path}.lock").open("rb") as turn, contextlib.closing(sqlite3.connect(path, PATIENCE)) as conn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            conn.execute("BEGIN IMMEDIATE")
            yield

    def api(self) -> Child:
        return self._fork("api", self.env).wait_ready()

    # --- work ------------------------------------------------------------------------------------------------------

    async def logos(self, count: int = 2, *, key: str | None = None) -> str:
        """Submits logos as a request would; the id counts as accepted."""
        payload = LogoGeneration(
            userId=ANA,
            brandId=self.brand,
            brandName="Acme",
            logoStyle="modern",
            colorPalette=["#112233"],
            brandVision="plain",
            count=count,
        )
        idempotent = Idempotent.of(key, count) if key else None
        (accepted,) = await submit(self.core, ANA, LOGOS, [payload], idempotent=idempotent)
        self.accepted.append(accepted.job_id)
        return accepted.job_id

    async def do(self, deed: str = "nothing", **data: Any) -> str:
        """Submits a job that does what tests/kit/handlers.py says."""
        payload = {"userId": ANA, "eventType": "user.created", "data": {"do": deed, **data}}
        accepted = await dispatch(self.core, handlers.QUEUE, payload)
        self.accepted.append(accepted.job_id)
        return accepted.job_id

    async def read(self, fn: Callable[[Connection], Any]) -> Any:
        return await self.core.db.read(fn)

    async def job(self, job_id: str) -> JobRow:
        row: JobRow = await self.read(lambda conn: job_store.get_job(conn, job_id))
        return row

    async def units(self, job_id: str) -> list[UnitRow]:
        found: list[UnitRow] = await self.read(lambda conn: job_store.units(conn, job_id))
        return found

    async def until(self, condition: Callable[[], Any], seconds: float = PATIENCE) -> float:
        """Waits for an awaitable condition; returns how long it took. A database that is away is asked again."""
        began = time.monotonic()

        async def holds() -> bool:
            try:
                return bool(await condition())
            except BmnError:
                return False

        await eventually(holds, seconds)
        return time.monotonic() - began

    async def active(self, job_id: str, seconds: float = PATIENCE) -> None:
        async def is_active() -> bool:
            return (await self.job(job_id)).state == "active"

        await self.until(is_active, seconds)

    async def ended(self, *job_ids: str, seconds: float = PATIENCE) -> list[str]:
        """Waits until these jobs (or all accepted ones) have ended; returns their states."""
        wanted = job_ids or tuple(self.accepted)

        async def all_ended() -> bool:
            return await self.read(lambda conn: _open(conn, wanted)) == 0

        try:
            await self.until(all_ended, seconds)
        except TimeoutError:
            rows = [await self.job(job_id) for job_id in wanted]
            late = [(r.id, r.state, r.message) for r in rows if r.state not in TERMINAL_STATES]
            logs = "\n".join(f"--- {child.name} ({child.code})\n{child.tail(2500)}" for child in self.children)
            raise AssertionError(f"not ended after {seconds} s: {late}\n{logs}") from None
        return [str((await self.job(job_id)).state) for job_id in wanted]

    async def count_ended(self) -> int:
        """How many of the accepted jobs have ended."""
        accepted = list(self.accepted)
        return len(accepted) - int(await self.read(lambda conn: _open(conn, accepted)))

    async def orders_under_way(self) -> int:
        """Paid requests without a recorded answer: what a kill at this moment loses, and nothing else may be ambiguous."""
        return int(await self.read(_orders_under_way))

    async def lost(self) -> None:
        """To be called when a worker has been killed or stopped, before another takes over."""
        taken = await self.orders_under_way()
        self.losses += taken

    async def ended_or_gone(self, job_id: str, child: Child) -> bool:
        """Waits until a job has ended (True), or a process has."""

        async def either() -> bool:
            return child.code is not None or (await self.job(job_id)).state in TERMINAL_STATES

        await self.until(either)
        return child.code is None

    # --- faults and bills ------------------------------------------------------------------------------------------

    def fault(self, provider: str = "bfl", **rule: Any) -> None:
        answer = httpx.post(
            f"{self.sandbox_url}/_sandbox/faults",
            json={"provider": provider, **rule},
            trust_env=False,
            timeout=PATIENCE,
        )
        assert answer.status_code == 201, answer.text

    def clear_faults(self) -> None:
        httpx.delete(f"{self.sandbox_url}/_sandbox/faults", trust_env=False, timeout=PATIENCE)

    def bill(self, provider: str = "bfl") -> list[dict[str, Any]]:
        answer = httpx.get(
            f"{self.sandbox_url}/_sandbox/ledger", params={"limit": 10_000}, timeout=PATIENCE, trust_env=False
        )
        found: list[dict[str, Any]] = answer.json()
        return [row for row in found if row["provider"] == provider]

    def kill_redis(self) -> None:
        assert self.redis.pid
        os.kill(self.redis.pid, signal.SIGKILL)
        self.redis.stop()

    def start_redis(self) -> None:
        """Again, on the same folder and socket."""
        self.redis.start()

    async def redis_is_back(self) -> None:
        """Waits until this process's probe has seen it, as a client would that was asked to try again later."""

        async def seen() -> bool:
            return self.core.health.down_for() == 0

        await self.until(seen)

    def redis_client(self) -> "redis.Redis":
        """Past the proxy."""
        return redis.Redis.from_url(self.redis.url, decode_responses=True)

    # --- the end ---------------------------------------------------------------------------------------------------

    async def check(self, *, served: Collection[str] = SERVED, redis_kept: bool = True) -> checker.Report:
        """Stops every worker (each has to exit 0 within its grace), then looks at the books."""
        workers = [child for child in self.children if child.name.startswith("worker") and child.code is None]
        for child in workers:
            child.signal(signal.SIGCONT)
            await asyncio.to_thread(child.wait_ready)
        if workers and redis_kept:
            await self.until(self.view_is_right)
        for child in workers:
            child.signal(signal.SIGTERM)
        codes = [await asyncio.to_thread(child.wait_end, 40) for child in workers]
        assert codes == [0] * len(workers), [f"{c.name}: {c.code}\n{c.tail()}" for c in workers if c.code]
        await self.core.outbox.close()
        await self.core.storage.sweep(older_than=-1)
        url = self.settings.database_address
        books = checker.read_books(url, bill=self.bill(), objects=self.objects)
        report = checker.check(books, accepted=self.accepted, served=served)
        if redis_kept:
            report.problems += checker.check_redis(self.redis_url, books)
        if report.ambiguous > self.losses:
            report.problems.append(f"I2: {report.ambiguous} ambiguous units, {self.losses} answers were lost")
        assert not report.problems, str(report)
        return report

    async def view_is_right(self) -> bool:
        """Whether Redis shows what the rows say."""
        view = self.core.view
        running = [job for queue in SERVED for job in await view.started(queue)]
        in_line = [job for queue in SERVED for job in await view.listed(queue)]
        return not await self.read(partial(job_store.misplaced, running=running, in_line=in_line))

    async def close(self) -> None:
        for child in self.children:
            if child.code is None:
                child.kill()
        if self._core:
            await self._core.close()
        for proxy in (self.redis_proxy, self.database_proxy):
            if proxy:
                proxy.close()
        self.redis.stop()


def _open(conn: Connection, job_ids: Collection[str]) -> int:
    query = select(func.count()).where(job_table.c.id.in_(job_ids), job_table.c.state.not_in(list(TERMINAL_STATES)))
    return int(conn.execute(query).scalar_one())


def _orders_under_way(conn: Connection) -> int:
    query = (
        select(func.count())
        .select_from(job_units.join(job_table, job_table.c.id == job_units.c.job_id))
        .where(job_units.c.state == "submitting", job_table.c.state == "active")
    )
    return int(conn.execute(query).scalar_one())


Start = Callable[..., Awaitable[Deployment]]
