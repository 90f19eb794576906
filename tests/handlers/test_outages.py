"""A provider that is down for everybody: jobs wait for it, one tries, and none burns its attempts against a closed door."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bmn.db import claims
from bmn.db.operators import queue_store
from bmn.db.records import QueueSettingRow
from bmn.errors import CAUSES, Cause
from bmn.jobs.executor import Executor
from bmn.jobs.running_job import Run
from bmn.work.registry import get_queue
from tests.handlers.orders import WELCOME, bundle, logos, mockup, video, wizard
from tests.kit.bench import Bench
from tests.kit.people import ANA
from tests.kit.processes import eventually

Payload = Callable[[Bench], Awaitable[dict[str, Any]]]


async def mail(bench: Bench) -> dict[str, Any]:
    return WELCOME


async def event(bench: Bench) -> dict[str, Any]:
    return {"userId": ANA, "eventType": "wizard.started"}


EVERY_PROVIDER = pytest.mark.parametrize(
    ("queue", "payload", "provider"),
    [
        pytest.param("logo-generation", logos, "bfl", id="bfl"),
        pytest.param("mockup-generation", mockup, "openai", id="openai"),
        pytest.param("bundle-composition", bundle, "google", id="gemini"),
        pytest.param("video-generation", video, "google", id="video"),
        pytest.param("brand-wizard", wizard, "anthropic", id="anthropic"),
        pytest.param("email-send", mail, "resend", id="resend"),
        pytest.param("crm-sync", event, "ghl", id="gohighlevel"),
    ],
)


def _open_after(bench: Bench, jobs: int, **more: Any) -> None:
    bench.core.settings = bench.core.settings.model_copy(update={"bmn_outage_jobs": jobs, **more})


async def _pause(bench: Bench, queue: str) -> QueueSettingRow | None:
    return await bench.core.db.read(lambda conn: queue_store.get_pause(conn, queue))


@EVERY_PROVIDER
async def test_jobs_wait_for_a_provider_that_is_down_and_one_tries_it(
    bench: Bench, queue: str, payload: Payload, provider: str
) -> None:
    _open_after(bench, 2)
    bench.sandbox.fault(provider, status=503)
    first = await bench.run(queue, **await payload(bench))
    assert (first["state"], await _pause(bench, queue)) == ("failed", None)  # one job alone says little

    job_id = await bench.submit(queue, **await payload(bench))
    for _ in range(get_queue(queue).attempts + 2):  # more often than it has attempts; all but the first are probes
        row = await bench.attempt(queue)
        assert (row["id"], row["state"], row["attempt"]) == (job_id, "queued", 0)
        assert row["message"] == CAUSES[Cause.PROVIDER_OVERLOADED].told_while_waiting
    paused = await _pause(bench, queue)
    assert paused is not None and paused.reason.startswith("Provider degraded: ")
    assert (paused.cause, paused.paused_by) == ("provider_overloaded", "system")

    bench.sandbox.clear()
    row = await bench.attempt(queue)
    assert (row["state"], row["attempt"], await _pause(bench, queue)) == ("completed", 1, None)


async def test_an_answer_in_between_starts_the_count_anew(bench: Bench) -> None:
    _open_after(bench, 2)
    for times in (3, 0, 3):
        if times:
            bench.sandbox.fault("bfl", op="submit", status=503, times=times)
        row = await bench.run("logo-generation", **await logos(bench))
        assert row["state"] == ("failed" if times else "completed")
    assert await _pause(bench, "logo-generation") is None


async def test_a_job_that_fails_of_its_own_does_not_keep_a_mended_queue_closed(bench: Bench) -> None:
    _open_after(bench, 2, bmn_backoff_scale=0.01)  # a probe each 0.15 s
    queue = get_queue("logo-generation")
    bench.sandbox.fault("bfl", op="submit", match="Poison", status=503)
    poison = await bench.submit(queue.name, **{**await logos(bench), "brandName": "Poison"})
    healthy = await bench.submit(queue.name, **await logos(bench))
    down = {"by": "system", "reason": "down", "cause": "provider_overloaded", "probe_in": -1.0}
    await bench.core.db.write(lambda conn: queue_store.set_paused(conn, queue.name, **down))
    executor = Executor(bench.core, queue)
    tried: list[str] = []

    async def the_queue_runs() -> bool:
        claimed = await bench.core.db.write(lambda conn: claims.claim(conn, queue.name, 4, "w", 30.0, probe_again=0.15))
        for row in claimed:
            tried.append(row.id)
            await executor.execute(Run(row))
        return await _pause(bench, queue.name) is None

    await eventually(the_queue_runs)
    await executor.close()
    assert tried == [poison, healthy]
    assert (await bench.row(healthy))["state"] == "completed"


async def test_a_job_whose_answer_was_lost_twice_ends_though_its_provider_is_down(bench: Bench) -> None:
    _open_after(bench, 1)
    bench.sandbox.fault("bfl", dropResponse=True)
    row = await bench.run("logo-generation", **await logos(bench))
    assert (row["state"], row["cause"]) == ("failed", "provider_timeout")
    assert (await bench.units(row["id"]))["logo-0"]["ambiguous"] == 1
