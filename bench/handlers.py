"""The handler of the engine's bench: does nothing, waits, or makes one HTTP call, as its payload says."""

import asyncio

import httpx2 as httpx

from bmn.jobs.context import Context, Result
from bmn.schemas.payloads import CrmSync
from bmn.schemas.results import Counts

_client: httpx.AsyncClient | None = None


async def run(ctx: Context[CrmSync]) -> Result:
    data = ctx.payload.data
    if url := data.get("url"):
        await _fetch(url)
    elif data.get("wait"):
        await asyncio.Event().wait()
    return Result("done", data=Counts({}))


async def _fetch(url: str) -> None:
    global _client
    if _client is None:
        _client = httpx.AsyncClient(trust_env=False)
    answer = await _client.get(url)
    answer.raise_for_status()
