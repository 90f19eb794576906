"""One request, one answer: a submission or a look at a job may wait for the job's end."""

import asyncio
import time

import httpx
import pytest

from bmn.server.usecases.waiting import preferred_wait
from tests.kit.api import Api
from tests.kit.processes import PATIENCE


async def _cancel_the_only_job(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(PATIENCE):
        while not (found := (await client.get("/api/v1/jobs", params={"state": "queued"})).json()["jobs"]):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert (await client.post(f"/api/v1/jobs/{found[0]['jobId']}/cancel")).status_code == 200


async def test_a_look_at_a_job_waits_for_its_end(api: Api, ana: httpx.AsyncClient) -> None:
    job = await api.logos(ana, await api.brand(ana))
    waiting = asyncio.create_task(ana.get(f"/api/v1/jobs/{job}", params={"wait": 50}))
    started = time.monotonic()
    await _cancel_the_only_job(ana)
    answer = await waiting
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert time.monotonic() - started < 50
    assert answer.json() == (await ana.get(f"/api/v1/jobs/{job}")).json()


async def test_a_job_that_takes_longer_is_answered_as_it_is(api: Api, ana: httpx.AsyncClient) -> None:
    job = await api.logos(ana, await api.brand(ana))
    answer = await ana.get(f"/api/v1/jobs/{job}", params={"wait": 1})
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")


async def test_nobody_waits_for_a_foreign_job(api: Api, ana: httpx.AsyncClient, ben: httpx.AsyncClient) -> None:
    job = await api.logos(ana, await api.brand(ana))
    assert (await ben.get(f"/api/v1/jobs/{job}", params={"wait": 30})).status_code == 404


@pytest.mark.parametrize("wait", ["-1", "61", "soon", "1.5"])
async def test_a_wait_that_is_none_is_refused(api: Api, ana: httpx.AsyncClient, wait: str) -> None:
    job = await api.logos(ana, await api.brand(ana))
    assert (await ana.get(f"/api/v1/jobs/{job}", params={"wait": wait})).status_code == 400


async def test_a_submission_may_prefer_to_wait(api: Api, ana: httpx.AsyncClient) -> None:
    body = {"brandId": await api.brand(ana)}
    waiting = asyncio.create_task(ana.post("/api/v1/generation/logos", json=body, headers={"Prefer": "wait=50"}))
    await _cancel_the_only_job(ana)
    answer = await waiting
    assert (answer.status_code, answer.headers["preference-applied"]) == (200, "wait=50")
    assert answer.json() == (await ana.get(f"/api/v1/jobs/{answer.json()['jobId']}")).json()


async def test_a_submission_that_takes_longer_is_accepted_as_ever(api: Api, ana: httpx.AsyncClient) -> None:
    body = {"brandId": await api.brand(ana)}
    answer = await ana.post("/api/v1/generation/logos", json=body, headers={"Prefer": "wait=1"})
    assert (answer.status_code, "preference-applied" in answer.headers) == (202, False)
    assert answer.json()["jobId"].startswith("logo-generation-")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("respond-async", None),
        ("wait", None),
        ("wait=", None),
        ("wait=-1", None),
        ("wait=soon", None),
        ("wait=²", None),
        ("wait=5", 5),
        ('Wait = "5"', 5),
        ("respond-async, wait=7; x=y", 7),
        ("wait=999999999999999999999", 60),
    ],
)
def test_the_preference_is_read_as_the_standard_writes_it(header: str | None, seconds: int | None) -> None:
    assert preferred_wait(header) == seconds
