"""AC-27 to AC-33: what owners and admins do about jobs."""

import asyncio
import time
import uuid
from collections.abc import Callable

import httpx
import pytest

from bmn.work.registry import QUEUES
from tests.acceptance.world import ENDED, Dashboard, FrontEnd, Person, ended, of_job, rows
from tests.kit.processes import PATIENCE, wait_until
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

    await asyncio.to_thread(wait_until, in_line, what="the job stands in RQ's queue")
    answer = await client.ask("job:cancel", {"jobId": job_id, "queueName": "logo-generation"})
    assert (answer["ok"], answer["state"]) == (True, "cancelled")
    await front_end.until(lambda: of_job(client, job_id, "job:cancelled"))
    assert person.job(job_id)["state"] == "cancelled"
    assert person.get("/credits")["creditsRemaining"] == 20
    await asyncio.to_thread(wait_until, lambda: not in_line(), what="the job has left RQ's queue")


@pytest.mark.node
async def test_ac_28_an_active_job_is_stopped(stack: Stack, person: Person, front_end: FrontEnd) -> None:
    """An active job receives the cancellation and stops

    The `_cancelled` flag's counterpart is a column of the job's row and a word to the worker at once.
    """
    brand = person.brand()
    stack.fault(provider="bfl", match=brand.name, op="poll", pending=True)  # it takes the order, and never gets done
    client = await front_end.join(person)
    job_id = person.order_logos(brand, 1)
    await client.ask("job:join", {"jobId": job_id})
    await front_end.until(lambda: any(told["progress"] > 10 for told in of_job(client, job_id)))
    assert (await client.ask("job:cancel", {"jobId": job_id, "queueName": "logo-generation"}))["ok"] is True
    await front_end.until(lambda: of_job(client, job_id, "job:cancelled"))
    assert person.job(job_id)["state"] == "cancelled"
    assert person.get("/credits")["creditsRemaining"] == 19  # the provider had the order: it is charged, and arrives
    stack.mend()
    await asyncio.to_thread(wait_until, lambda: person.job(job_id)["assets"], PATIENCE, "what was ordered is here")
    assert of_job(client, job_id, "job:complete") == []
    assert person.job(job_id)["state"] == "cancelled"
    assert rows(stack, "SELECT 1 FROM dead_letters WHERE job_id = ?", job_id) == []


@pytest.mark.node
async def test_ac_29_only_the_owner_cancels(idle: Stack, front_end: FrontEnd) -> None:
    """Only a job's owner can cancel it

    The specification's word is `Not authorized`. A stranger is told `Job not found` instead, word for word what is said of
    a job that does not exist, since the other word would tell whoever tries ids which of them are somebody's.
    """
    owner, stranger = Person(idle), Person(idle)
    job_id, nobodys = owner.order_logos(owner.brand(), 1), f"logo-generation-{uuid.uuid4()}"
    client = await front_end.join(stranger)
    for event in ("job:cancel", "job:join", "job:status"):
        for asked in (job_id, nobodys):
            answer = await client.ask(event, {"jobId": asked, "queueName": "logo-generation"})
            assert answer == {"error": "Job not found"}
    assert stranger.ask("POST", f"/jobs/{job_id}/cancel").status_code == 404
    assert owner.job(job_id)["state"] == "queued"
    its_own = await front_end.join(owner)
    assert (await its_own.ask("job:cancel", {"jobId": job_id, "queueName": "logo-generation"}))["ok"] is True


FIGURES = ("count", "started_job_registry_count", "finished_job_registry_count", "failed_job_registry_count")


def test_ac_30_the_dashboard_shows_all_queues(private: Callable[..., Stack]) -> None:
    """The queues' dashboard is accessible at /admin/queues, with figures

    Bull Board's counterpart is rq-dashboard, for signed-in admins and read-only. Of the nine queues only one has a worker
    here, and its four slots are taken, so that it is known what each figure has to be.
    """
    running = private("--queues", "logo-generation")
    person, admin = Person(running), Person(running, "admin")
    good, bad, slow = person.brand(), person.brand(), person.brand()
    running.fault(provider="bfl", match=bad.name, status=422)
    running.fault(provider="bfl", match=slow.name, pending=True)
    over = [person.order_logos(brand, 1) for brand in (good, good, bad)]
    wait_until(lambda: all(person.job(job_id)["state"] in ENDED for job_id in over), what="three jobs have ended")
    for _ in range(6):
        person.order_logos(slow, 1)

    def shown() -> dict[str, tuple[int, ...]]:
        return {name: tuple(queue[figure] for figure in FIGURES) for name, queue in Dashboard(admin).queues.items()}

    def told() -> dict[str, tuple[int, ...]]:
        listed = admin.get("/admin/queues")["queues"]
        return {row["name"]: (row["waiting"], row["active"], row["completed"], row["failed"]) for row in listed}

    known = {"logo-generation": (2, 4, 2, 1), "image-upload": (2, 0, 0, 0)}
    wait_until(lambda: known.items() <= shown().items() and shown() == told(), what="each figure is true")
    assert set(shown()) == {*QUEUES, "dead-letter"}
    dashboard = Dashboard(admin)
    assert (dashboard.page.status_code, dashboard.page.url.path) == (200, "/admin/queues")
    assert httpx.get(f"{running.api_url}/admin/queues").status_code == 401
    assert Dashboard(Person(running)).page.status_code == 403


@pytest.mark.node
async def test_ac_31_the_admin_namespace_is_for_admins(person: Person, front_end: FrontEnd) -> None:
    """The admin namespace requires the admin role"""
    client = await front_end.open(person.stack, "/admin", **person.auth())
    assert (await client.refused())["message"] == "Admin access required"


@pytest.mark.timed
@pytest.mark.node
async def test_ac_32_figures_come_every_ten_seconds(idle: Stack, front_end: FrontEnd) -> None:
    """Queue stats are broadcast every 10 s

    The second broadcast comes ten seconds after the first, and tells what was submitted in between.
    """
    client = await front_end.join(Person(idle, "admin"), "/admin")
    began = time.monotonic()
    await client.heard("system:queue-stats")
    assert time.monotonic() - began < 12
    person = Person(idle)
    person.order_logos(person.brand(), 1)
    await client.heard("system:queue-stats", 2)
    first, second = client.events("system:queue-stats")[:2]
    assert 9_000 < second["at"] - first["at"] < 13_000
    before, after = (said["args"][0]["stats"] for said in (first, second))
    assert set(before) == set(after) == set(QUEUES)
    assert all(set(figures) == {"waiting", "active", "failed"} for figures in after.values())
    assert after["logo-generation"]["waiting"] == before["logo-generation"]["waiting"] + 1


@pytest.mark.node
async def test_ac_33_an_admin_retries_a_failed_job(
    stack: Stack, person: Person, admin: Person, front_end: FrontEnd
) -> None:
    """An admin can retry a failed job

    The specification says that the job itself goes back into its queue. Here a new one does that names it as its parent:
    the failed one's events and attempts stay as they were told, and it has all of its attempts again. Its pictures that
    were finished are taken over, and not paid for a second time.
    """
    brand = person.brand()
    stack.fault(provider="bfl", match=brand.name, status=422)  # nothing that another attempt would heal
    failed = person.order_logos(brand, 1)
    await asyncio.to_thread(wait_until, lambda: person.job(failed)["state"] in ENDED)
    assert person.job(failed)["state"] == "failed"
    stack.mend()
    owner, client = await front_end.join(person), await front_end.join(admin, "/admin")
    await owner.ask("brand:join", {"brandId": brand.id})
    answer = await client.ask("job:retry", {"jobId": failed, "queueName": "logo-generation"})
    assert answer["ok"] is True
    await front_end.until(lambda: ended(owner, answer["jobId"]))
    job = person.job(answer["jobId"])
    assert (job["state"], job["parentId"]) == ("completed", failed)
    assert answer["jobId"] != failed
    assert person.job(failed)["state"] == "failed"
