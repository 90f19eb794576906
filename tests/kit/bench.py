"""Jobs of every queue through the real executor, against a real database, a real Redis and the sandbox over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from bmn.db import claims
from bmn.db.accounts import credit_store
from bmn.db.library import asset_store, brand_store
from bmn.db.migrations import migrate
from bmn.db.records import BrandRow, NewAsset
from bmn.db.tables import job_events, job_units, jobs, provider_calls
from bmn.jobs.core import Core
from bmn.jobs.executor import Executor
from bmn.jobs.running_job import Run
from bmn.jobs.submission import submit
from bmn.providers.images import verify_picture
from bmn.schemas.payloads import TERMINAL_STATES
from bmn.settings import Settings
from bmn.storage import object_key
from bmn.work.registry import get_queue
from bmn.work.wiring import open_core
from tests.kit.people import ANA, BEN, EMAIL
from tests.kit.pictures import png
from tests.kit.sandbox import SandboxControl


@dataclass
class Bench:
    """One user with one brand, and the means to run their jobs an attempt at a time."""

    core: Core
    sandbox: SandboxControl
    brand: BrandRow

    async def submit(self, queue: str, **fields: Any) -> str:
        """A job of Ana's; fields are the payload's, in camelCase."""
        schema = get_queue(queue).payload
        owner = {"userId": ANA, "brandId": self.brand.id}
        known = {name: value for name, value in owner.items() if name in _names(schema)}
        payload = schema.model_validate({**known, **fields})
        (accepted,) = await submit(self.core, ANA if get_queue(queue).credits is not None else None, queue, [payload])
        return accepted.job_id

    async def attempt(self, queue: str) -> dict[str, Any]:
        """Claims the next job of a queue, as a worker of its own would, and runs it once; returns its row."""
        (row,) = await self.core.db.write(lambda conn: claims.claim(conn, queue, 1, f"worker-{uuid4()}", 30.0))
        executor = Executor(self.core, get_queue(queue))
        await executor.execute(Run(row))
        await executor.close()
        return await self.row(row.id)

    async def run(self, queue: str, **fields: Any) -> dict[str, Any]:
        """A job from its submission to its end; returns its row."""
        await self.submit(queue, **fields)
        row = await self.attempt(queue)
        while row["state"] not in TERMINAL_STATES:
            row = await self.attempt(queue)
        return row

    async def row(self, job_id: str) -> dict[str, Any]:
        return (await self._rows(select(jobs).where(jobs.c.id == job_id)))[0]

    async def units(self, job_id: str) -> dict[str, dict[str, Any]]:
        rows = await self._rows(select(job_units).where(job_units.c.job_id == job_id))
        return {row["unit"]: row for row in rows}

    async def calls(self, job_id: str) -> list[dict[str, Any]]:
        return await self._rows(
            select(provider_calls).where(provider_calls.c.job_id == job_id).order_by(provider_calls.c.id)
        )

    async def events(self, job_id: str, event: str | None = None) -> list[dict[str, Any]]:
        rows = await self._rows(select(job_events).where(job_events.c.job_id == job_id).order_by(job_events.c.seq))
        return [row["payload"] for row in rows if event in (None, row["event"])]

    async def jobs_of(self, queue: str) -> list[dict[str, Any]]:
        return await self._rows(select(jobs).where(jobs.c.queue == queue).order_by(jobs.c.created_at))

    async def balance(self) -> credit_store.CreditsRow:
        return await self.core.db.read(lambda conn: credit_store.balance(conn, ANA))

    async def reload(self) -> BrandRow:
        """The brand's row as it is now."""
        self.brand = await self.core.db.read(lambda conn: brand_store.get(conn, self.brand.id))
        return self.brand

    async def asset(self, kind: str, data: bytes | None = None) -> str:
        """A stored picture of the brand's; returns its address."""
        clean = await verify_picture(data or png())
        key = object_key(self.brand.id, kind, clean.mime)
        await self.core.storage.put(key, clean.data, clean.mime)
        url = self.core.storage.url_for(key)
        asset = NewAsset(
            id=str(uuid4()),
            brand_id=self.brand.id,
            asset_type=kind,
            url=url,
            storage_key=key,
            sha256=clean.sha256,
            mime_type=clean.mime,
            size_bytes=len(clean.data),
        )
        await self.core.db.write(lambda conn: asset_store.add(conn, asset))
        return url

    async def _rows(self, query: Any) -> list[dict[str, Any]]:
        return await self.core.db.read(lambda conn: [dict(row) for row in conn.execute(query).mappings()])


def _names(schema: Any) -> set[str]:
    return {info.alias or name for name, info in schema.model_fields.items()}


@pytest.fixture
async def bench(home: Path, redis_url: str, sandbox: SandboxControl) -> AsyncIterator[Bench]:
    url = f"sqlite:///{home / 'test.sqlite3'}"
    migrate(url)
    core = await open_core(
        Settings(
            bmn_home=home,
            redis_url=redis_url,
            database_url=url,
            bmn_sandbox_url=sandbox.url,
            bmn_backoff_scale=0,
            resend_max_rps=100,
            public_url="https://brand.example",
            ghl_custom_fields="wizard_step=f1,brand_name=f2,last_activity=f3,logo_url=f4",
        ),
        "test",
    )
    for user, email in ((ANA, EMAIL), (BEN, "ben@example.org")):
        await core.db.write(lambda conn, u=user, e=email: credit_store.ensure_user(conn, u, e, 50))  # type: ignore[misc]
    brand = await core.db.write(lambda conn: brand_store.create(conn, ANA, {"name": "Acme"}))
    yield Bench(core, sandbox, brand)
    await core.close()
