"""A paid step of a job: what has been asked of a provider is written down before and after, so that nothing is paid twice.

unit = await open_unit(ctx, "logo-0")
if unit.saved: …                              it was finished by an earlier attempt
if unit.task_id is None:
    async with unit.paying(request, provider="bfl"):   commits `submitting` before the call
        task = await provider.submit(request)
    await unit.submitted(task.id, task.polling_url)
…                                             poll, fetch, verify
await unit.store(data, mime, asset_type)          commits `ready` before it writes the object
await unit.save(…)                                the asset, its credits and its event
"""

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from bmn import failpoints
from bmn.db import call_store, job_store, unit_store
from bmn.db.engine import Connection
from bmn.db.records import JobRow, NewAsset, NewCall, UnitState
from bmn.db.records import UnitRow as UnitRecord
from bmn.db.transitions import Change
from bmn.errors import CAUSES, BmnError, Cause, JobFailure, Moderated
from bmn.jobs.context import Context
from bmn.jobs.running_job import Fenced, NotOrdered
from bmn.logs import get_logger
from bmn.providers.images import CleanPicture
from bmn.providers.wire import watched
from bmn.schemas.events import Progress
from bmn.schemas.payloads import Payload
from bmn.schemas.results import JobResult
from bmn.storage import object_key

log = get_logger(__name__)

_ACCEPTED = (UnitState.SUBMITTED, UnitState.READY, UnitState.STORED)
_NOT_MOVED = ("job_id", "unit", "credits", "updated_at")
MAX_AMBIGUOUS = 1
"""A paid request whose answer was lost is sent again once, for every provider; it is counted, shown and not charged."""
_TWICE: Mapping[Cause, str] = {
    Cause.PROVIDER_TIMEOUT: "never answered",
    Cause.PROVIDER_GARBAGE: "sent nothing that can be read",
    Cause.PROVIDER_OVERLOADED: "broke off",
}


async def open_unit(ctx: Context[Payload], name: str) -> "AttemptUnit":
    """A paid step of a job, with what earlier attempts have got of it."""
    return (await open_units(ctx, [name]))[0]


async def open_units(ctx: Context[Payload], names: Sequence[str]) -> list["AttemptUnit"]:
    """As `open_unit`, for several."""
    found = {unit.unit: unit for unit in await ctx.db.read(lambda conn: job_store.units(conn, ctx.job.id))}
    return [AttemptUnit(ctx, found.get(name) or UnitRecord(ctx.job.id, name)) for name in names]


class AttemptUnit:
    """One row of `job_units`, as this attempt goes on with it.

    books: calls to providers that went well; the unit's next commit writes them down with it.
    """

    def __init__(self, ctx: Context[Payload], kept: UnitRecord) -> None:
        self._ctx = ctx
        self._kept = kept
        self._small: str | None = None  # the key of its thumbnail, where that is stored already
        self.books: list[NewCall] = []

    @property
    def name(self) -> str:
        """Its name within the job."""
        return self._kept.unit

    @property
    def saved(self) -> bool:
        """It is done, and what it made is the user's."""
        return self._kept.state is UnitState.SAVED

    @property
    def is_stored(self) -> bool:
        """The bytes are in the object store; only the row of the asset is missing."""
        return self._kept.state is UnitState.STORED

    @property
    def task_id(self) -> str | None:
        """The provider's id of a request that it has accepted: ask it, do not pay again."""
        return self._kept.provider_task_id if self._kept.state in _ACCEPTED else None

    @property
    def provider(self) -> str | None:
        """Who was asked for it last: whoever has its task is the one to fetch it from."""
        return self._kept.provider

    @property
    def updated_at(self) -> float:
        """When an earlier attempt has written it down last, by the database's clock."""
        return self._kept.updated_at

    @property
    def polling_url(self) -> str | None:
        """Where the provider says what became of the request."""
        return self._kept.polling_url

    @property
    def usd(self) -> float:
        """What the provider was paid for it."""
        return self._kept.cost_usd

    @property
    def data(self) -> dict[str, Any]:
        """What `remember` and `store` have kept."""
        return self._kept.data

    def failed_for_good(self) -> JobFailure | None:
        """The failure that an earlier attempt has recorded as final, such as refused content."""
        cause = self._kept.cause
        if self._kept.state is not UnitState.FAILED or cause is None:
            return None
        message = self._kept.error or str(cause)
        return Moderated(message) if cause is Cause.MODERATED else JobFailure(cause, message, retryable=False)

    @asynccontextmanager
    async def paying(self, request: Any, *, provider: str) -> AsyncIterator[None]:
        """Around the call that costs money. Raises JobFailure where this was asked twice already without an answer.

        request: what is asked, for the record's hash. A failure that surely cost nothing makes the unit `planned` again.
        """
        if self.task_id is not None:
            raise JobFailure(
                Cause.BUG, f"{self.name} is ordered already: its task has to be asked for, not paid again."
            )
        if self._ctx.job.collects_id:
            raise NotOrdered
        if self._kept.state in (UnitState.SUBMITTING, UnitState.READY):
            await self._count_lost_answer()
        began = time.monotonic()
        lease = self._ctx.settings.bmn_lease_seconds
        order = {
            "state": UnitState.SUBMITTING,
            "provider": provider,
            "request_hash": request_hash(request),
            "cause": None,
        }
        await self._write(order, lease=lease, orders=True)
        self._ctx.lease_renewed_at(began)
        failpoints.hit("submitting")
        if not self._ctx.run.is_held:
            await self._plan_again()
            raise Fenced  # this process stood still, and the order may be somebody else's by now
        with watched() as wire:
            try:
                yield
            except JobFailure as failure:
                if not (failure.ambiguous and wire.sent):
                    await self._put(state=UnitState.PLANNED)
                    raise
                if self._kept.ambiguous >= MAX_AMBIGUOUS:
                    raise _asked_twice(failure.cause) from failure
                await self._put(cause=failure.cause)
                raise
            except BaseException:
                if not wire.sent:  # cancelled, or a defect of ours, before anything was asked
                    await self._plan_again()
                raise
        failpoints.hit("provider_sent")

    async def _plan_again(self) -> None:
        """As far as it is ours to write: what ends the attempt must not be hidden by a database that is away."""
        with contextlib.suppress(BmnError, Fenced):
            await self._put(state=UnitState.PLANNED)

    async def _count_lost_answer(self) -> None:
        ambiguous = self._kept.ambiguous
        if ambiguous >= MAX_AMBIGUOUS:
            raise _asked_twice(self._kept.cause)
        await self._ctx.log("warning", f"{self.name}: sent before, answer lost; asking once more", unit=self.name)
        await self._put(ambiguous=ambiguous + 1)

    async def answered(self, *, usd: float) -> None:
        """The whole of the provider's answer is here: nothing of it is left to fetch."""
        await self._put(state=UnitState.ANSWERED, cost_usd=usd)

    async def show(self, result: JobResult) -> None:
        """It is not finished, and worth its price already: whoever cancels now pays for it, and keeps this result."""
        await self._put(state=UnitState.SHOWN, data={**self.data, "result": result.dump()})

    async def submitted(self, task_id: str, polling_url: str | None = None, *, usd: float = 0.0) -> None:
        """The provider has accepted: from now on it is asked for the result, never paid again."""
        await self._put(state=UnitState.SUBMITTED, provider_task_id=task_id, polling_url=polling_url, cost_usd=usd)
        failpoints.hit("submitted")

    async def forget_task(self, failure: JobFailure) -> None:
        """The provider has the task no more, or nothing usable of it: it has to be asked, and paid, once more."""
        await self._put(state=UnitState.SUBMITTING, provider_task_id=None, polling_url=None, cause=failure.cause)

    async def remember(self, **data: Any) -> None:
        """Keeps small facts beside the unit."""
        await self._put(data={**self.data, **data})

    async def store(
        self,
        data: bytes,
        mime: str,
        asset_type: str,
        *,
        usd: float | None = None,
        metadata: Mapping[str, object] | None = None,
        small: CleanPicture | None = None,
    ) -> None:
        """Puts the verified bytes into the object store, and beside them the thumbnail, where there is one.

        The row keeps the name and the asset's metadata for a second run, which knows the object by its hash. Nobody can
        guess the name, or the owner could fetch the picture before it is paid.
        """
        if self._ctx.job.brand_id is None:
            raise JobFailure(Cause.BUG, "A stored unit needs a brand.")
        failpoints.hit("ready")
        sha256 = hashlib.sha256(data).hexdigest()
        begun = self._kept.storage_key if self._kept.sha256 == sha256 else None  # by an attempt that may still write it
        key = begun or object_key(self._ctx.job.brand_id, asset_type, mime)
        await self._put(
            state=UnitState.READY,
            storage_key=key,
            sha256=sha256,
            mime_type=mime,
            cost_usd=self.usd if usd is None else usd,
            data={**self.data, "size": len(data), "assetType": asset_type, "metadata": metadata or {}},
        )
        _, self._small = await asyncio.gather(self._ctx.storage.put(key, data, mime), self._keep_small(small))
        self._kept = replace(self._kept, state=UnitState.STORED)
        failpoints.hit("stored")

    async def _keep_small(self, small: CleanPicture | None) -> str | None:
        """The thumbnail's key; None where it could not be kept: the job that follows makes it."""
        if small is None:
            return None
        key = object_key(str(self._ctx.job.brand_id), "thumbnail", small.mime)
        try:
            await self._ctx.storage.put(key, small.data, small.mime)
        except JobFailure as failure:
            log.warning("a thumbnail is left to its job", unit=self.name, reason=failure.message)
            return None
        return key

    async def recover(self) -> bool:
        """Finishes the storing that an earlier attempt began, from the object store or the spool; True if that worked.

        So an object store that was away costs an upload, not a second picture.
        """
        kept, storage = self._kept, self._ctx.storage
        if kept.state is not UnitState.READY or kept.storage_key is None:
            return False
        key = kept.storage_key
        data = await storage.spooled(key)
        if data is None:
            try:
                data = await storage.get(key)
            except FileNotFoundError:
                return False
        if hashlib.sha256(data).hexdigest() != kept.sha256:
            return False
        await storage.put(key, data, str(kept.mime_type))
        self._kept = replace(kept, state=UnitState.STORED)
        return True

    async def save(self, shown: Progress, *, metadata: Mapping[str, object]) -> None:
        """The last step: the asset's row, its credits, its event and its thumbnail job, in one transaction.

        shown: how far the job is with it.
        """
        await self._finish(shown, metadata)

    def _asset(self, job: JobRow, metadata: Mapping[str, object]) -> NewAsset:
        ctx, kept = self._ctx, self._kept
        key = str(kept.storage_key)
        return NewAsset(
            id=str(uuid5(NAMESPACE_URL, f"{job.id}/{self.name}/asset")),
            brand_id=str(job.brand_id),
            job_id=job.id,
            asset_type=kept.data["assetType"],
            url=ctx.storage.url_for(key),
            storage_key=key,
            sha256=str(kept.sha256),
            mime_type=str(kept.mime_type),
            size_bytes=kept.data["size"],
            metadata=metadata,
            thumbnail_url=ctx.storage.url_for(self._small) if self._small else None,
        )

    async def finish(self, shown: Progress) -> None:
        """As `save`, for a unit that leaves no asset: a mail, a wizard's step."""
        await self._finish(shown, None)

    async def _finish(self, shown: Progress, metadata: Mapping[str, object] | None) -> None:
        ctx = self._ctx
        ctx.supersede()
        bar = replace(shown, percent=ctx.highest(shown.percent))
        books, first = self._close_books(), ctx.job

        def save(conn: Connection, job: JobRow) -> Change | None:
            call_store.add_all(conn, books if job is first else ())
            asset = None if metadata is None else self._asset(job, metadata)
            follow_up = ctx.core.work.follow_up(job, asset) if asset else None
            usd = self.usd
            return unit_store.save(
                conn, job, self.name, asset=asset, price=_price(ctx, job), usd=usd, shown=bar, follow_up=follow_up
            )

        change = await ctx.write(save)
        self._kept = replace(self._kept, state=UnitState.SAVED)
        ctx.outbox.publish(change)
        failpoints.hit("saved")

    async def fail(self, failure: JobFailure) -> None:
        """Records a failure that no further attempt can heal, so that none asks again."""
        await self._put(state=UnitState.FAILED, cause=failure.cause, error=failure.message)

    async def _put(self, **values: Any) -> None:
        await self._write(values)

    async def _write(self, values: Mapping[str, Any], *, lease: float | None = None, orders: bool = False) -> None:
        books, first = self._close_books(), self._ctx.job

        def put(conn: Connection, job: JobRow) -> bool:
            call_store.add_all(conn, books if job is first else ())  # paid, whoever has the job by now
            return unit_store.put(conn, job, self.name, {**self._moved_to(job), **values}, lease=lease)

        await self._ctx.write(put, orders=orders)
        self._kept = replace(self._kept, job_id=self._ctx.job.id, **values)

    def _moved_to(self, job: JobRow) -> dict[str, object]:
        """Of a job that goes on for a cancelled one, what may have been written for that one a moment ago."""
        if job.id == self._kept.job_id:
            return {}
        return {name: value for name, value in asdict(self._kept).items() if name not in _NOT_MOVED}

    def _close_books(self) -> list[NewCall]:
        """The calls that go with the next commit."""
        books = self.books.copy()
        self.books.clear()
        return books


def _asked_twice(cause: Cause | None) -> JobFailure:
    """The end of a unit that is not asked for a third time. cause: of the last answer that was lost."""
    found = Cause.PROVIDER_TIMEOUT if cause is None or cause not in _TWICE else cause
    return JobFailure(found, f"The provider was asked twice and {_TWICE[found]}.", retryable=False)


def _price(ctx: Context[Payload], job: JobRow) -> int:
    """As it was agreed at submission; jobs of the release before have it from the settings."""
    return ctx.queue.price(ctx.settings) if job.unit_credits is None else job.unit_credits


def request_hash(request: Any) -> str:
    """What was asked, as a short fingerprint; never its text."""
    return hashlib.sha256(json.dumps(request, sort_keys=True, default=str).encode()).hexdigest()


def is_final(failure: JobFailure) -> bool:
    """Whether a unit that failed this way is settled: not retried, and not waiting for an operator either."""
    return not failure.retryable and not CAUSES[failure.cause].pauses_queue
