"""One picture by the first provider of a queue's order that is not out, and never by two.

A provider is out when it refuses our key or our account is empty, or when so many jobs in a row have got no answer as pause
a queue that has one provider. Then the next one serves; the first is asked again with one picture a minute, and who answers
is in again. A picture that was ordered is fetched from whoever took the order.
"""

from collections.abc import Sequence

from bmn.db import outage_store
from bmn.db.claims import PROBE_AGAIN_SECONDS
from bmn.db.engine import Connection
from bmn.db.health import clock
from bmn.db.records import OutageRow
from bmn.errors import CAUSES, OUTAGES, Cause, JobFailure
from bmn.jobs.context import Context
from bmn.jobs.outages import is_down
from bmn.jobs.running_job import NotOrdered
from bmn.jobs.units import AttemptUnit
from bmn.schemas.payloads import Payload
from bmn.work.makers import MAKERS, PictureOrder
from bmn.work.making import Made, Report

_KEPT_SECONDS = 600.0
"""How long a provider keeps a picture that was ordered: what it still refuses to hand out by then is lost."""

_ANSWERS = (Cause.MODERATED, Cause.BAD_INPUT, Cause.PROVIDER_RATE_LIMITED)
"""Refusals of one order by a provider that is well."""


async def make_picture(ctx: Context[Payload], unit: AttemptUnit, order: PictureOrder, report: Report) -> Made:
    """The picture, by whoever is to make it. Raises JobFailure: of the last provider that was asked, or of the first one
    where all are out and none is due to be asked."""
    names = ctx.queue.order(ctx.settings)
    if unit.task_id and unit.provider in MAKERS:
        return await _collect(ctx, unit, order, report, names)
    if len(names) == 1:
        return await MAKERS[names[0]](ctx, unit, order, report)
    left, refused = list(names), None
    while left:
        name = await _next(ctx, left)
        if isinstance(name, OutageRow):
            raise refused or JobFailure(name.cause, name.reason)
        left.remove(name)
        try:
            made = await MAKERS[name](ctx, unit, order, report)
        except JobFailure as failure:
            await _learn(ctx, name, failure)
            if not (left and await _moves_on(ctx, unit, name, failure)):
                raise
            refused = failure
        else:
            await _end(ctx, name)
            return made
    raise AssertionError("unreachable")


async def _collect(
    ctx: Context[Payload], unit: AttemptUnit, order: PictureOrder, report: Report, names: Sequence[str]
) -> Made:
    """From the provider that has the order; where another one could make it, for no longer than it is kept there."""
    name = str(unit.provider)
    try:
        return await MAKERS[name](ctx, unit, order, report)
    except JobFailure as failure:
        if len(names) > 1 and unit.task_id and CAUSES[failure.cause].pauses_queue:
            await _learn(ctx, name, failure)
            if await ctx.db.read(clock.now) - unit.updated_at > _KEPT_SECONDS:
                await unit.forget_task(failure)
        raise


async def _next(ctx: Context[Payload], left: Sequence[str]) -> str | OutageRow:
    """Whom to ask of those that are left; the first one's outage where none of them is to be asked now."""
    queue, again = ctx.queue.name, PROBE_AGAIN_SECONDS * ctx.settings.bmn_backoff_scale
    if left[0] not in await ctx.db.read(lambda conn: outage_store.of_queue(conn, queue)):
        return left[0]

    def choose(conn: Connection) -> str | OutageRow:
        out = outage_store.of_queue(conn, queue)
        for name in left:
            if name not in out or outage_store.take_probe(conn, queue, name, again=again):
                return name
        if not ctx.job.probe:
            return out[left[0]]
        longest = min(left, key=lambda name: out[name].probe_at)  # this job is to find out whether anybody is well
        outage_store.take_probe(conn, queue, longest, again=again, at_once=True)
        return longest

    return await ctx.commit(choose)


async def _learn(ctx: Context[Payload], name: str, failure: JobFailure) -> None:
    """Tells all workers what a failure says of the provider: that it is out, or in again."""
    queue, again = ctx.queue, PROBE_AGAIN_SECONDS * ctx.settings.bmn_backoff_scale
    if isinstance(failure, NotOrdered):
        return
    if failure.cause in _ANSWERS:
        await _end(ctx, name)
    if not _is_outage(failure):
        return

    def note(conn: Connection) -> bool:
        known = name in outage_store.of_queue(conn, queue.name)
        if not (known or CAUSES[failure.cause].pauses_queue or is_down(conn, ctx.settings, queue, name)):
            return False
        return outage_store.note(conn, queue.name, name, cause=failure.cause, reason=failure.message, probe_in=again)

    if await ctx.commit(note):
        await ctx.log("warning", f"{name} is out: {failure.message}", cause=failure.cause, provider=name)


async def _end(ctx: Context[Payload], name: str) -> None:
    queue = ctx.queue.name
    if name in await ctx.db.read(lambda conn: outage_store.of_queue(conn, queue)):
        await ctx.commit(lambda conn: outage_store.end(conn, queue, name))


async def _moves_on(ctx: Context[Payload], unit: AttemptUnit, name: str, failure: JobFailure) -> bool:
    """Whether the next provider is asked for what this one has failed at: surely nothing was ordered, and it is out.

    A job on its last attempt does not wait until others have found that out.
    """
    if failure.ambiguous or unit.task_id or not _is_outage(failure):
        return False
    if ctx.job.attempt >= ctx.job.max_attempts:
        return True
    return name in await ctx.db.read(lambda conn: outage_store.of_queue(conn, ctx.queue.name))


def _is_outage(failure: JobFailure) -> bool:
    """Whether another provider may do better: it is not the order that is refused."""
    return CAUSES[failure.cause].pauses_queue or (failure.cause in OUTAGES and failure.retryable)
