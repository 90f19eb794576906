"""Whether we are well, and in figures."""

import asyncio
import contextlib
import hmac
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Annotated, Any, Literal

import redis
from fastapi import APIRouter, Header, Request
from fastapi.responses import Response

from bmn import __version__
from bmn.db.engine import Connection
from bmn.db.operators import queue_store
from bmn.errors import BmnError, NotSignedIn
from bmn.jobs.outages import stand_in
from bmn.jobs.registered import registered
from bmn.redaction import redact
from bmn.schemas import documents
from bmn.server.access.asking import AskingRoute
from bmn.server.access.dependencies import Res
from bmn.server.state.metrics import CONTENT_TYPE, read_figures
from bmn.server.state.resources import Resources
from bmn.settings import Settings
from bmn.settings.web import is_loopback
from bmn.work.registry import QUEUES

router = APIRouter(tags=["health"], route_class=AskingRoute)

_SECONDS = 2.0
_OPEN: dict[str, Any] = {"security": []}

Fields = Mapping[str, object]
"""Fields of a `documents.Check`; `ok` where it is not."""


@router.get("/health", openapi_extra=_OPEN, responses={503: {"model": documents.Health}})
async def health(res: Res, response: Response) -> documents.Health:
    """200 while requests can be served, 503 while the database or Redis is away; one entry per dependency."""
    found = await res.health.get()
    if found.status == "down":
        response.status_code = 503
    return found


async def check_health(res: Resources) -> documents.Health:
    """Asks every dependency at once; each gets two seconds."""
    checks = (_database, _redis, _storage, _workers, _providers)
    database, broker, storage, workers, providers = await asyncio.gather(*(_timed(check, res) for check in checks))
    found = documents.Checks(database=database, redis=broker, storage=storage, workers=workers, providers=providers)
    # A Redis that answers and refuses something stops nothing: rows are the truth, and work goes on from them.
    down = not database.ok or not (broker.ok or (res.core.health.refusals and not res.core.health.full))
    degraded = not (broker.ok and storage.ok and workers.ok and providers.ok)
    status: Literal["down", "degraded", "ok"] = "down" if down else "degraded" if degraded else "ok"
    return documents.Health(status=status, version=__version__, checks=found)


@router.get("/health/live", openapi_extra=_OPEN)
async def live(request: Request, res: Res) -> documents.Liveness:
    """The process answers; nothing else is asked."""
    near = request.client is not None and is_loopback(request.client.host) and is_loopback(request.url.hostname)
    home = str(res.settings.bmn_home) if near and not res.settings.is_production else None
    return documents.Liveness(status="ok", version=__version__, home=home)


_PROMETHEUS: dict[str, Any] = {"content": {"text/plain": {"schema": {"type": "string"}}}}


@router.get("/metrics", response_class=Response, openapi_extra=_OPEN, responses={200: _PROMETHEUS})
async def metrics(res: Res, authorization: Annotated[str | None, Header()] = None) -> Response:
    """Prometheus. With BMN_METRICS_TOKEN set, and in production always, for its bearer alone."""
    _check_scraper(res.settings, authorization)
    return Response(await res.scrape.get(), media_type=CONTENT_TYPE)


async def render_metrics(res: Resources) -> bytes:
    """The figures as Prometheus reads them."""
    figures = res.metrics
    with suppress(BmnError):  # without the database the process's own figures are still worth having
        figures.show(await res.core.db.read(read_figures))
    figures.redis_memory.set(res.core.health.memory_share)
    figures.redis_down.set(res.core.health.down_for())
    return await asyncio.to_thread(figures.render)


def _check_scraper(settings: Settings, authorization: str | None) -> None:
    """Raises NotSignedIn."""
    expected = settings.bmn_metrics_token.get_secret_value()
    if not expected and not settings.is_production:
        return
    scheme, _, token = (authorization or "").partition(" ")
    if not expected or scheme.lower() != "bearer" or not hmac.compare_digest(token.strip().encode(), expected.encode()):
        raise NotSignedIn("Metrics need the token that BMN_METRICS_TOKEN sets.")


async def _timed(check: Callable[[Resources], Awaitable[Fields]], res: Resources) -> documents.Check:
    """The check's entry with its time. A failure says what kind it is; addresses and keys stay in the log."""
    started = time.perf_counter()
    try:
        async with asyncio.timeout(_SECONDS):
            entry = {"ok": True, **await check(res)}
    except TimeoutError:
        entry = {"ok": False, "error": f"no answer within {_SECONDS:.0f} s"}
    except BmnError as error:
        entry = {"ok": False, "error": redact(error.message)}
    except (redis.RedisError, OSError) as error:
        entry = {"ok": False, "error": type(error).__name__}
    return documents.Check.model_validate({**entry, "ms": round((time.perf_counter() - started) * 1000, 1)})


async def _database(res: Resources) -> Fields:
    await res.core.db.ping()
    return {"kind": "sqlite" if res.core.db.is_sqlite else "postgresql"}


async def _redis(res: Resources) -> Fields:
    state = res.core.health
    facts: Fields = {"memory_share": round(state.memory_share, 3), "evicts_nothing": state.policy_ok}
    if state.refusals:
        told = {"error": " ".join(each.message for each in state.refusals)}
        return {"ok": False, **told, "remedy": "; ".join(each.remedy for each in state.refusals), **facts}
    await res.core.redis.ping()
    return {"ok": not state.full, **facts}


async def _storage(res: Resources) -> Fields:
    with contextlib.suppress(FileNotFoundError):  # it is not there, and the store could say so
        await res.core.storage.head("brands/health/probe/none.bin")
    return {"kind": res.settings.storage_backend}


async def _workers(res: Resources) -> Fields:
    """Without a worker jobs are taken and wait, so this degrades and does not fail."""
    found = await registered(res.core)
    if found is None:
        return {"ok": False, "error": "Redis is away"}
    alive = [worker for worker in found if worker.state != "lost"]
    served = {queue for worker in alive for queue in worker.queues}
    unserved = sorted(await res.core.db.read(lambda conn: queue_store.with_waiting(conn, set(QUEUES) - served)))
    return {"ok": not unserved, "count": len(alive), "waiting_without_worker": unserved}


async def _providers(res: Resources) -> Fields:
    """Queues that have paused themselves, since their provider fails for every job of theirs, and those that go on by
    another one."""

    def read(conn: Connection) -> Fields:
        degraded = {name: row.cause for name, row in queue_store.settings(conn).items() if row.paused and row.cause}
        stand_ins = {name: by for name, queue in QUEUES.items() if (by := stand_in(conn, res.settings, queue))}
        return {"ok": not degraded, "degraded": degraded} | ({"stand_ins": stand_ins} if stand_ins else {})

    return await res.core.db.read(read)
