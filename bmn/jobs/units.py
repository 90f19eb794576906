"""A paid step of a job: what has been asked of a provider is written down before and after, so that nothing is paid twice.

unit = await ctx.unit("logo-0")
if unit.saved: …                              it was finished by an earlier attempt
if unit.task_id is None:
    async with unit.paying(request):          commits `submitting` before the call
        task = await provider.submit(request)
    await unit.submitted(task.id, task.polling_url)
…                                             poll, fetch, verify
await unit.store(data, mime, asset_type)
await unit.save(…)
"""

import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Protocol, TypeVar
from uuid import NAMESPACE_URL, uuid5

from bmn import failpoints
from bmn.db import units as rows
from bmn.db.engine import Connection
from bmn.db.records import NewJob
from bmn.errors import CAUSES, Cause, JobFailure, Moderated
from bmn.jobs.outbox import Outbox
from bmn.jobs.run import Fenced
from bmn.schemas.events import Progress
from bmn.settings import Settings
from bmn.storage import Storage, object_key

T = TypeVar("T")

MAX_AMBIGUOUS = 1
"""A paid request whose answer was lost is sent again once, for every provider; it is counted, shown and not charged."""


class Attempt(Protocol):
    """What a unit needs of the attempt that it belongs to; `Context` is one."""

    @property
    def job_id(self) -> str: ...
    @property
    def brand_id(self) -> str | None: ...
    @property
    def user_id(self) -> str | None: ...
    @property
    def request_id(self) -> str | None: ...
    @property
    def fence(self) -> int: ...
    @property
    def price(self) -> int: ...
    @property
    def storage(self) -> Storage: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def is_held(self) -> bool: ...
    def follow_up(self, asset: dict[str, Any]) -> NewJob | None: ...
    def held_since(self, moment: float) -> None: ...
    def highest(self, percent: float) -> int: ...
    def supersede(self) -> None: ...
    async def commit(self, fn: Callable[[Connection], T]) -> T: ...
    async def log(self, level: str, message: str, **fields: Any) -> None: ...


class Unit:
    """One row of `job_units`. Made by `Context.unit`, which has read the row."""

    def __init__(self, ctx: Attempt, name: str, row: rows.UnitRow | None) -> None:
        self._ctx = ctx
        self.name = name
        self._row = row or {"state": "planned", "ambiguous": 0, "data": {}}

    @property
    def state(self) -> str:
        return str(self._row["state"])

    @property
    def saved(self) -> bool:
        return self.state == "saved"

    @property
    def is_stored(self) -> bool:
        """The bytes are in the object store; only the row of the asset is missing."""
        return self.state == "stored"

    @property
    def task_id(self) -> str | None:
        """The provider's id of a request that it has accepted: ask it, do not pay again."""
        return self._row.get("provider_task_id") if self.state in ("submitted", "ready", "stored") else None

    @property
    def polling_url(self) -> str | None:
        return self._row.get("polling_url")

    @property
    def usd(self) -> float:
        return float(self._row.get("cost_usd") or 0.0)

    @property
    def data(self) -> dict[str, Any]:
        """What `remember` has kept."""
        return dict(self._row.get("data") or {})

    @property
    def storage_key(self) -> str | None:
        return self._row.get("storage_key")

    def failed_for_good(self) -> JobFailure | None:
        """The failure that an earlier attempt has recorded as final, such as refused content."""
        if self.state != "failed":
            return None
        cause = Cause(self._row["cause"])
        message = str(self._row.get("error") or cause)
        return Moderated(message) if cause is Cause.MODERATED else JobFailure(cause, message, retryable=False)

    @asynccontextmanager
    async def paying(self, request: Any, *, provider: str) -> AsyncIterator[None]:
        """Around the call that costs money. Raises JobFailure where this was asked twice already without an answer.

        request: what is asked, for the record's hash. A failure that surely cost nothing makes the unit `planned` again.
        """
        if self.state in ("submitting", "ready"):
            await self._count_lost_answer()
        began = time.monotonic()
        lease = self._ctx.settings.bmn_lease_seconds
        await self._put(lease, state="submitting", provider=provider, request_hash=request_hash(request))
        self._ctx.held_since(began)
        failpoints.hit("submitting")
        if not self._ctx.is_held:
            raise Fenced  # this process stood still, and the order may be somebody else's by now
        try:
            yield
        except JobFailure as failure:
            if not failure.ambiguous:
                await self._put(state="planned")
            raise
        failpoints.hit("provider_sent")

    async def _count_lost_answer(self) -> None:
        ambiguous = int(self._row["ambiguous"])
        if ambiguous >= MAX_AMBIGUOUS:
            raise JobFailure(
                Cause.PROVIDER_TIMEOUT, "The provider was asked twice and never answered.", retryable=False
            )
        await self._ctx.log("warning", f"{self.name}: sent before, answer lost; asking once more", unit=self.name)
        await self._put(ambiguous=ambiguous + 1)

    async def submitted(self, task_id: str, polling_url: str | None = None, *, usd: float = 0.0) -> None:
        """The provider has accepted: from now on it is asked for the result, never paid again."""
        await self._put(state="submitted", provider_task_id=task_id, polling_url=polling_url, cost_usd=usd)
        failpoints.hit("submitted")

    async def forget_task(self) -> None:
        """The provider does not know the task any more: it has to be asked, and paid, once more."""
        await self._put(state="submitting", provider_task_id=None, polling_url=None)

    async def remember(self, **data: Any) -> None:
        """Keeps small facts beside the unit."""
        await self._put(data={**self.data, **data})

    async def store(self, data: bytes, mime: str, asset_type: str, *, usd: float | None = None) -> None:
        """Puts the verified bytes into the object store.

        The row keeps the name for a second run. Nobody can guess it, or the owner could fetch the picture before it is paid.
        """
        if not self._ctx.brand_id:
            raise JobFailure(Cause.BUG, "A stored unit needs a brand.")
        failpoints.hit("ready")
        key = object_key(self._ctx.brand_id, asset_type, mime)
        await self._put(
            state="ready",
            storage_key=key,
            sha256=hashlib.sha256(data).hexdigest(),
            mime_type=mime,
            cost_usd=self.usd if usd is None else usd,
            data={**self.data, "size": len(data), "assetType": asset_type},
        )
        await self._ctx.storage.put(key, data, mime)
        await self._put(state="stored")
        failpoints.hit("stored")

    async def recover(self) -> bool:
        """Finishes the storing that an earlier attempt began, from the object store or the spool; True if that worked.

        So an object store that was away costs an upload, not a second picture.
        """
        if self.state != "ready" or not self.storage_key:
            return False
        key, storage = self.storage_key, self._ctx.storage
        data = await storage.spooled(key)
        if data is None:
            try:
                data = await storage.get(key)
            except FileNotFoundError:
                return False
        if hashlib.sha256(data).hexdigest() != self._row["sha256"]:
            return False
        await storage.put(key, data, str(self._row["mime_type"]))
        await self._put(state="stored")
        return True

    async def save(self, shown: Progress, *, metadata: dict[str, Any]) -> None:
        """The last step: the asset's row, its credits, its event and its thumbnail job, in one transaction.

        shown: how far the job is with it.
        """
        ctx, row = self._ctx, self._row
        asset_id = str(uuid5(NAMESPACE_URL, f"{ctx.job_id}/{self.name}/asset"))
        asset = {
            "id": asset_id,
            "brand_id": ctx.brand_id,
            "job_id": ctx.job_id,
            "asset_type": row["data"]["assetType"],
            "url": ctx.storage.url_for(row["storage_key"]),
            "storage_key": row["storage_key"],
            "sha256": row["sha256"],
            "mime_type": row["mime_type"],
            "size_bytes": row["data"]["size"],
            "metadata": metadata,
            "is_selected": 0,
        }
        await self._finish(shown, asset, ctx.follow_up(asset))

    async def finish(self, shown: Progress) -> None:
        """As `save`, for a unit that leaves no asset: a mail, a wizard's step."""
        await self._finish(shown, None, None)

    async def _finish(self, shown: Progress, asset: dict[str, Any] | None, follow_up: NewJob | None) -> None:
        ctx = self._ctx
        ctx.supersede()
        bar = replace(shown, percent=ctx.highest(shown.percent))
        change = await ctx.commit(
            lambda conn: rows.save(
                conn,
                ctx.job_id,
                ctx.fence,
                self.name,
                asset=asset,
                price=ctx.price,
                usd=self.usd,
                shown=bar,
                follow_up=follow_up,
            )
        )
        if change is None:
            raise Fenced
        self._row = {**self._row, "state": "saved"}
        ctx.outbox.publish(change)
        failpoints.hit("saved")

    async def fail(self, failure: JobFailure) -> None:
        """Records a failure that no further attempt can heal, so that none asks again."""
        await self._put(state="failed", cause=failure.cause, error=failure.message)

    async def _put(self, lease: float | None = None, /, **values: Any) -> None:
        ctx = self._ctx
        if not await ctx.commit(lambda conn: rows.put(conn, ctx.job_id, ctx.fence, self.name, values, lease=lease)):
            raise Fenced
        self._row = {**self._row, **values}


def request_hash(request: Any) -> str:
    """What was asked, as a short fingerprint; never its text."""
    return hashlib.sha256(json.dumps(request, sort_keys=True, default=str).encode()).hexdigest()


def is_final(failure: JobFailure) -> bool:
    """Whether a unit that failed this way is settled: not retried, and not waiting for an operator either."""
    return not failure.retryable and not CAUSES[failure.cause].pauses_queue
