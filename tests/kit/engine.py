"""The engine in one process: a real Redis, both databases, workers as tasks, the sandbox as provider."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from bmn.db import claims, job_store
from bmn.db.accounts import credit_store
from bmn.db.engine import Connection
from bmn.db.library import brand_store
from bmn.db.records import JobRow
from bmn.db.tables import jobs as job_table
from bmn.jobs.core import Core
from bmn.jobs.queue import Queue
from bmn.jobs.submission import Submission, dispatch, submit
from bmn.jobs.worker import Worker
from bmn.schemas.generators.logos import LogoGeneration
from bmn.schemas.payloads import TERMINAL_STATES
from bmn.settings import Settings, load_settings
from bmn.work.registry import get_queue
from bmn.work.wiring import open_core
from tests.kit import checker, handlers
from tests.kit.people import ANA
from tests.kit.processes import PATIENCE, eventually
from tests.kit.sandbox import RunningSandbox

FAST: dict[str, Any] = {
    "bmn_lease_seconds": 2.0,
    "bmn_renew_seconds": 0.3,
    "bmn_sweep_seconds": 0.1,
    "bmn_backoff_scale": 0.01,
    "bmn_grace_seconds": 10,
}


_DISPATCHED = ("priority", "delay", "job_id", "start_within", "finish_within")


@dataclass
class Engine:
    """What tests do with the engine, and what they ask it."""

    settings: Settings
    core: Core
    brands: dict[str, str] = field(default_factory=dict)

    async def read(self, fn: Callable[[Connection], Any]) -> Any:
        return await self.core.db.read(fn)

    async def write(self, fn: Callable[[Connection], Any]) -> Any:
        return await self.core.db.write(fn)

    async def job(self, job_id: str) -> JobRow:
        """A job as it is now, with the fence of whoever has it."""
        row: JobRow = await self.read(lambda conn: job_store.get_job(conn, job_id))
        return row

    async def all_jobs(self) -> list[JobRow]:
        rows: list[JobRow] = await self.read(
            lambda conn: [JobRow.from_row(row) for row in conn.execute(select(job_table))]
        )
        return rows

    async def user(self, user_id: str = ANA, balance: int = 100) -> str:
        """A user with credits and a brand; returns the brand."""
        await self.write(lambda conn: credit_store.ensure_user(conn, user_id, None, balance))
        row = await self.write(lambda conn: brand_store.create(conn, user_id, {"name": "Acme"}))
        self.brands[user_id] = row.id
        return str(row.id)

    def logos(self, user_id: str = ANA, count: int = 1) -> LogoGeneration:
        return LogoGeneration(
            userId=user_id,
            brandId=self.brands[user_id],
            brandName="Acme",
            logoStyle="modern",
            colorPalette=["#112233"],
            brandVision="plain",
            count=count,
        )

    async def submit(self, user_id: str = ANA, count: int = 1, **more: Any) -> Submission:
        """A paid job: `count` logos."""
        (accepted,) = await submit(self.core, user_id, "logo-generation", [self.logos(user_id, count)], **more)
        return accepted

    async def do(self, deed: str = "nothing", *, user_id: str = ANA, **data: Any) -> str:
        """A free job that does what tests/kit/handlers.py says; returns its id."""
        options = {name: data.pop(name) for name in _DISPATCHED if name in data}
        payload = {"userId": user_id, "eventType": "user.created", "data": {"do": deed, **data}}
        accepted = await dispatch(self.core, handlers.QUEUE, payload, **options)
        return accepted.job_id

    async def claim(self, queue: str = "logo-generation", limit: int = 1, owner: str = "w1") -> list[JobRow]:
        rows: list[JobRow] = await self.write(lambda conn: claims.claim(conn, queue, limit, owner, 10))
        return rows

    async def state(self, job_id: str) -> str:
        return str((await self.job(job_id)).state)

    async def ended(self, *job_ids: str, seconds: float = PATIENCE) -> list[str]:
        """Waits until these jobs have ended; returns their states."""

        async def all_ended() -> bool:
            return all([await self.state(job_id) in TERMINAL_STATES for job_id in job_ids])

        await eventually(all_ended, seconds)
        return [await self.state(job_id) for job_id in job_ids]

    async def started(self, job_id: str, seconds: float = PATIENCE) -> None:
        """Waits until the handler of a job runs."""
        async with asyncio.timeout(seconds):
            while await handlers.started.get() != job_id:
                pass

    async def balance(self, user_id: str = ANA) -> credit_store.CreditsRow:
        found: credit_store.CreditsRow = await self.read(lambda conn: credit_store.balance(conn, user_id))
        return found

    @asynccontextmanager
    async def worker(
        self, queue: str | Queue | None = None, *, slots: int = 4, settings: Settings | None = None, **more: Any
    ) -> AsyncIterator[Worker]:
        """A worker with connections of its own, stopped at the end."""
        row = handlers.obeying() if queue is None else get_queue(queue) if isinstance(queue, str) else queue
        core = await open_core(settings or self.settings, row.name)
        worker = Worker(core, row, slots=slots, **more)
        ready = asyncio.Event()
        task = asyncio.create_task(worker.run(ready.set))
        try:
            await asyncio.wait_for(ready.wait(), PATIENCE)
            yield worker
        finally:
            worker.stop()
            worker.stop()
            await asyncio.wait_for(task, PATIENCE)
            await core.close()

    def books(self, sandbox: RunningSandbox | None = None) -> checker.Books:
        bill = sandbox.ledger() if sandbox else []
        url = self.settings.database_address
        return checker.read_books(url, bill=bill, objects=self.settings.bmn_home / "objects")

    def problems(self, sandbox: RunningSandbox | None = None, **more: Any) -> list[str]:
        served = more.pop("served", (handlers.QUEUE, "logo-generation"))
        return checker.check(self.books(sandbox), served=served, **more).problems


@pytest.fixture
def settings(home: Path, redis_url: str, database_url: str) -> Settings:
    return load_settings(bmn_home=home, redis_url=redis_url, database_url=database_url, **FAST)


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[Engine]:
    handlers.started = asyncio.Queue()  # one belongs to one event loop
    core = await open_core(settings, "test")
    yield Engine(settings, core)
    await core.close()


@pytest.fixture
def with_sandbox(settings: Settings, sandbox: RunningSandbox) -> Settings:
    """The same settings, with the sandbox as every provider."""
    return settings.model_copy(update={"bmn_sandbox_url": sandbox.url})


def some_key() -> str:
    return uuid4().hex
