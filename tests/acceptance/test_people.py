"""AC-27 to AC-33: what owners and admins do about jobs."""

import asyncio
import time

import httpx
import pytest

from bmn.work.registry import QUEUES
from tests.acceptance.world import ENDED, Dashboard, FrontEnd, Person, ended, of_job, rows
from tests.kit.processes import wait_until
from tests.kit.stack import Stack


@pytest.mark.node
async def test_ac_27_a_waiting_job_is_cancelled(idle: Stack, front_end: FrontEnd) -> None:
    """A waiting job can be cancelled, and leaves its queue"""
    person, admin = Person(idle), Person(idle, "admin")
    client = await front_end.join(person)
    job_id = person.order_logos(person.brand())
    await client.ask("job:join", {"jobId": job_id})

    def in_line() -> bool:
        return job_id in Dashboard(admin).jobs("logo-generation", "queued")

    await asyncio.to_thread(wait_until, in_line, 20, "the job stands in RQ's queue")
    answer = await client.ask("job:cancel", {"jobId": job_id, "queueName": "logo-generation"})
    assert (answer["ok"], answer["state"]) == (True, "cancelled")
    await front_end.until(lambda: of_job(client, job_id, "job:cancelled"))
    assert person.job(job_id)["state"] == "cancelled"
    assert person.get("/credits")["creditsRemaining"] == 20
    await asyncio.to_thread(wait_until, lambda: not in_line(), 20, "the job has left RQ's queue")


@pytest.mark.node
async def test_ac_28_an_active_job_is_stopped(stack: Stack, person: Person, front_end: FrontEnd) -> None:
    """An active job receives the cancellation and stops

    The `_cancelled` flag's counterpart is a column of the job's row and a word to the worker at once.
    """
    brand = person.brand()
    stack.fault(provider="bfl", match=brand.name, pending=True)  # the provider never gets done with it
    client = await front_end.join(person)
    job_id = person.order_logos(brand, 1)
    await client.ask("job:join", {"jobId": job_id})
    await front_end.until(lambda: any(told["progress"] >= 10 for told in of_job(client, job_id)))
    assert (await client.ask("job:cancel", {"jobId": job_id, "queueName": "logo-generation"}))["ok"] is True
    await front_end.until(lambda: of_job(client, job_id, "job:cancelled"))
    stack.mend()
    assert client.data()[-1]["jobId"] == job_id
    assert person.get("/credits")["creditsRemaining"] == 20
    assert rows(stack, "SELECT 1 FROM dead_letters WHERE job_id = ?", job_id) == []


@pytest.mark.node
async def test_ac_29_only_the_owner_cancels(idle: Stack, front_end: FrontEnd) -> None:
    """Only a job's owner can cancel it

    A stranger is told what they would be told of a job that does not exist: `Job not found` in place of `Not authorized`.
    """
    owner, stranger = Person(idle), Person(idle)
    job_id = owner.order_logos(owner.brand(), 1)
    client = await front_end.join(stranger)
    for event in ("job:cancel", "job:join", "job:status"):
        answer = await client.ask(event, {"jobId": job_id, "queueName": "logo-generation"})
        assert answer == {"error": "Job not found"}
    assert stranger.ask("POST", f"/jobs/{job_id}/cancel").status_code == 404
    assert owner.job(job_id)["state"] == "queued"


def test_ac_30_the_dashboard_shows_all_queues(stack: Stack, admin: Person) -> None:
    """The queues' dashboard is accessible at /admin/queues, with figures

    Bull Board's counterpart is rq-dashboard, for signed-in admins and read-only.
    """
    dashboard = Dashboard(admin)
    assert dashboard.page.status_code == 200
    assert dashboard.page.url.path == "/admin/queues"
    assert set(QUEUES) <= set(dashboard.queues)
    figures = {"count", "started_job_registry_count", "finished_job_registry_count", "failed_job_registry_count"}
    assert all(figures <= set(dashboard.queues[queue]) for queue in QUEUES)
    for row in admin.get("/admin/queues")["queues"]:
        assert {"waiting", "active", "completed", "failed"} <= set(row)
    assert httpx.get(f"{stack.api_url}/admin/queues").status_code == 401
    assert Dashboard(Person(stack)).page.status_code == 403


@pytest.mark.node
async def test_ac_31_the_admin_namespace_is_for_admins(person: Person, front_end: FrontEnd) -> None:
    """The admin namespace requires the admin role"""
    client = await front_end.open(person.stack, "/admin", **person.auth())
    assert (await client.refused())["message"] == "Admin access required"


@pytest.mark.node
async def test_ac_32_figures_come_every_ten_seconds(admin: Person, front_end: FrontEnd) -> None:
    """Queue stats are broadcast every 10 s"""
    client = await front_end.join(admin, "/admin")
    began = time.monotonic()
    await front_end.until(lambda: client.events("system:queue-stats"))
    assert time.monotonic() - began < 12
    stats = client.data("system:queue-stats")[0]["stats"]
    assert set(stats) == set(QUEUES)
    assert all(set(figures) == {"waiting", "active", "failed"} for figures in stats.values())


@pytest.mark.node
async def test_ac_33_an_admin_retries_a_failed_job(
    stack: Stack, person: Person, admin: Person, front_end: FrontEnd
) -> None:
    """An admin can retry a failed job

    The retry is a new job that names its parent, so that the history of the failed one stays as it was.
    """
    brand = person.brand()
    stack.fault(provider="bfl", match=brand.name, status=422)  # nothing that another attempt would heal
    failed = person.order_logos(brand, 1)
    await asyncio.to_thread(wait_until, lambda: person.job(failed)["state"] in ENDED, 60)
    assert person.job(failed)["state"] == "failed"
    stack.mend()
    owner, client = await front_end.join(person), await front_end.join(admin, "/admin")
    await owner.ask("brand:join", {"brandId": brand.id})
    answer = await client.ask("job:retry", {"jobId": failed, "queueName": "logo-generation"})
    assert answer["ok"] is True
    await front_end.until(lambda: ended(owner, answer["jobId"]))
    job = person.job(answer["jobId"])
    assert (job["state"], job["parentId"]) == ("completed", failed)
