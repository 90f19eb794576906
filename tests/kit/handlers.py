"""A handler for tests: `data.do` of a crm-sync payload says what becomes of the job. Registered as any handler is."""

import asyncio
import ctypes
import os
import signal
from contextlib import suppress
from dataclasses import replace
from typing import Any

import httpx

from bmn.errors import Cause, JobFailure, Moderated
from bmn.jobs import core
from bmn.jobs.context import Context, Result
from bmn.jobs.core import Core
from bmn.jobs.queue import Queue
from bmn.schemas.payloads import CrmSync
from bmn.schemas.results import Counts
from bmn.settings import Settings
from bmn.work.registry import QUEUES, get_queue
from bmn.work.wiring import WORK

QUEUE = "crm-sync"
started: asyncio.Queue[str] = asyncio.Queue()
"""In-process tests wait here for a job to have begun."""


def obeying(**figures: Any) -> Queue:
    """The row of the queue whose jobs do what their payload says."""
    return replace(get_queue(QUEUE), handler="tests.kit.handlers", **figures)


def register(**figures: Any) -> None:
    """For a worker process of a test."""
    QUEUES[QUEUE] = obeying(**figures)


async def open_core(settings: Settings, role: str) -> Core:
    """For the process of a job that runs alone, which is told the name of this module."""
    return await core.open_core(settings, role, replace(WORK, queues={QUEUE: obeying()}, module=__name__))


async def run(ctx: Context[CrmSync]) -> Result:
    data: dict[str, Any] = ctx.payload.data
    await started.put(ctx.job.id)
    return await _DEEDS[data.get("do", "nothing")](ctx, data)


async def _nothing(ctx: Context[CrmSync], data: dict[str, Any]) -> Result:
    return Result("done", data=Counts({"attempt": ctx.job.attempt}))


async def _progress(ctx: Context[CrmSync], data: dict[str, Any]) -> Result:
    for step in range(data["steps"]):
        await ctx.progress("generating", 100 * step / data["steps"], f"step {step}")
        await asyncio.sleep(data.get("pause", 0))
    return Result("done", data=Counts({}))


async def _hang(ctx: Context[CrmSync], data: dict[str, Any]) -> Result:
    await asyncio.Event().wait()
    return Result("never", data=Counts({}))


async def _sleep(ctx: Context[CrmSync], data: dict[str, Any]) -> Result:
    await asyncio.sleep(data["seconds"])
    return Result("slept", data=Counts({}))


async def _served(ctx: Context[CrmSync], data: dict[str, Any]) -> Result:
    """Holds the one slot of a provider for `seconds`."""
    async with ctx.slot("served", 1):
        await asyncio.sleep(data["seconds"])
    return Result("served", data=Counts({}))


async def _swallow(ctx: Context[CrmSync], data: dict[str, Any]) -> Result:
    """Ignores that it is to stop, `times` times."""
    for _ in range(data.get("times", 1)):
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
    await asyncio.Event().wait()
    return Result("never", data=Counts({}))


async def _fail(ctx: Context[CrmSync], data: dict[str, Any]) -> Result:
    """Fails in the first `times` attempts with a cause."""
    if ctx.job.attempt <= data.get("times", 100):
        retry_after = data.get("retryAfter")
        if data["cause"] == "moderated":
            raise Moderated("declined")
        raise JobFailure(Cause(data["cause"]), "asked\0 to fail", retry_after=retry_after)
    return Result("healed", data=Counts({"attempt": ctx.job.attempt}))


async def _file_fail(ctx: Context[CrmSync], data: dict[str, Any]) -> Result:
    """Fails as long as a file is there."""
    if os.path.exists(data["path"]):  # noqa: ASYNC240, PTH110
        raise JobFailure(Cause(data["cause"]), "not mended yet")
    return Result("mended", data=Counts({}))


async def _raise(ctx: Context[CrmSync], data: dict[str, Any]) -> Result:
    raise RuntimeError("a defect")


async def _cancel_itself(ctx: Context[CrmSync], data: dict[str, Any]) -> Result:
    raise asyncio.CancelledError


async def _unstorable(ctx: Context[CrmSync], data: dict[str, Any]) -> Result:
    return Result("done", data=Counts.model_construct({"object": object()}))


async def _die(ctx: Context[CrmSync], data: dict[str, Any]) -> Result:
    """Takes its process with it."""
    if data.get("how") == "segfault":
        ctypes.string_at(0)
    os.kill(os.getpid(), signal.SIGKILL)
    return Result("never", data=Counts({}))


async def _fetch(ctx: Context[CrmSync], data: dict[str, Any]) -> Result:
    async with httpx.AsyncClient() as client:
        await client.get(data["url"])
    return Result("fetched", data=Counts({}))


_DEEDS = {
    "nothing": _nothing,
    "progress": _progress,
    "hang": _hang,
    "sleep": _sleep,
    "served": _served,
    "swallow": _swallow,
    "fail": _fail,
    "file_fail": _file_fail,
    "raise": _raise,
    "cancel_itself": _cancel_itself,
    "unstorable": _unstorable,
    "die": _die,
    "fetch": _fetch,
}
