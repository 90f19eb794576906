"""What all generators share: making several assets at once, paying for each once, telling how far each is."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from bmn.db import job_store
from bmn.errors import CAUSES, Cause, JobFailure
from bmn.jobs.context import Context
from bmn.jobs.running_job import NotOrdered
from bmn.jobs.units import AttemptUnit, is_final, open_units
from bmn.providers.images import CleanPicture
from bmn.providers.xmp import PictureMaker, stamped
from bmn.schemas.events import Progress
from bmn.schemas.payloads import Payload
from bmn.work.previews import keep_preview


class Report(Protocol):
    """Tells how far one asset is, 0.0 (asked for) to 1.0 (its bytes are here). rough: a picture of it so far."""

    async def __call__(self, fraction: float, rough: bytes | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class Made:
    """Verified bytes of one asset. maker: who made them. usd: what it cost; None where the unit knows.

    metadata: added to the asset's. small: its thumbnail, where there is one already.
    """

    data: bytes
    mime: str
    maker: PictureMaker
    usd: float | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    small: CleanPicture | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One asset to make. label: as people read it, `Logo 2`. index: of one of several."""

    unit: str
    label: str
    asset_type: str
    make: Callable[[AttemptUnit, Report], Awaitable[Made]]
    metadata: dict[str, Any] = field(default_factory=dict)
    index: int | None = None


_STAGES = ("generating", "uploading", "saving")


class _Course:
    """How far the items are. The job is as far as the one furthest behind, so that its status only goes forward."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._stages = {item.unit: 0 for item in items}

    def reach(self, item: Item, stage: str) -> str:
        """Notes where an item is; returns the job's status."""
        self._stages[item.unit] = max(self._stages[item.unit], _STAGES.index(stage))
        return _STAGES[min(self._stages.values())]


async def make_all(ctx: Context[Payload], items: Sequence[Item]) -> int:
    """Makes every item that no earlier attempt has made; returns how many there are in the end.

    One that fails does not stop the others. Raises the failure that decides about the job: where another attempt may heal
    some, or where nothing at all was made. What can never be made is written down, so that nobody asks for it again.
    """
    if ctx.job.collects_id:
        ordered = {unit.unit for unit in await ctx.db.read(lambda conn: job_store.units(conn, ctx.job.id))}
        items = [item for item in items if item.unit in ordered]
    course, count = _Course(items), len(items)
    units = await open_units(ctx, [item.unit for item in items])
    making = (_make_one(ctx, item, unit, course, count) for item, unit in zip(items, units, strict=True))
    outcomes = await asyncio.gather(*making, return_exceptions=True)
    failures: list[JobFailure] = []
    for outcome in outcomes:
        if isinstance(outcome, NotOrdered):
            count -= 1
        elif isinstance(outcome, JobFailure):
            failures.append(outcome)
        elif outcome is not None:
            raise outcome
    open_failures = [failure for failure in failures if not is_final(failure)]
    if open_failures:
        raise min(open_failures, key=_rank)
    if len(failures) == count:
        raise failures[0] if failures else NotOrdered
    return count - len(failures)


def _rank(failure: JobFailure) -> int:
    """Which failure decides: one that stops the whole queue, then one that spends the attempt, then a mere wait."""
    if CAUSES[failure.cause].pauses_queue:
        return 0
    return 2 if failure.cause is Cause.PROVIDER_RATE_LIMITED else 1


async def _make_one(ctx: Context[Payload], item: Item, unit: AttemptUnit, course: _Course, count: int) -> None:
    if failure := unit.failed_for_good():
        course.reach(item, "saving")
        raise failure
    async with ctx.calling(item.unit, unit.books):
        try:
            await _bring_home(ctx, item, unit, course, count)
        except NotOrdered:
            course.reach(item, "saving")
            raise
        except JobFailure as failure:
            if is_final(failure):
                course.reach(item, "saving")
                await unit.fail(failure)
                fields = {"unit": item.unit, "cause": failure.cause} | ({"said": failure.said} if failure.said else {})
                await ctx.log("warning", f"{item.label}: {failure.message}", **fields)
            raise


async def _bring_home(ctx: Context[Payload], item: Item, unit: AttemptUnit, course: _Course, count: int) -> None:
    if unit.saved:
        course.reach(item, "saving")
        ctx.unit_percent(item.unit, 1.0, units=count)
        return
    if not unit.is_stored and not await unit.recover():

        async def report(fraction: float, rough: bytes | None = None) -> None:
            percent = ctx.unit_percent(item.unit, 0.8 * fraction, units=count)
            status = course.reach(item, "generating")
            preview = await keep_preview(ctx, item.unit, rough) if rough else None
            message = f"{item.label}: {fraction:.0%}"
            await ctx.progress(status, percent, message, logo_index=item.index, preview=preview)

        await report(0.0)
        made = await item.make(unit, report)
        percent = ctx.unit_percent(item.unit, 0.9, units=count)
        status = course.reach(item, "uploading")
        await ctx.progress(status, percent, f"{item.label}: saving", logo_index=item.index)
        data, provenance = await stamped(made.data, made.maker)
        metadata = {**item.metadata, **made.metadata, "provenance": provenance.dump()}
        small = made.small
        if small is not None:
            small = replace(small, data=(await stamped(small.data, made.maker))[0])
        await unit.store(data, made.mime, item.asset_type, usd=made.usd, metadata=metadata, small=small)
    percent = ctx.unit_percent(item.unit, 1.0, units=count)
    shown = Progress(course.reach(item, "saving"), percent, f"{item.label} is ready", logo_index=item.index)
    await unit.save(shown, metadata=unit.data.get("metadata", item.metadata))
