"""Joining, asking and being answered, by the official JavaScript client."""

import pytest
from sqlalchemy import Connection

from bmn.db import claims, transitions
from bmn.db.transitions import Change
from bmn.errors import Cause
from tests.kit.people import ANA, BEN
from tests.live.servers import Live

pytestmark = pytest.mark.node


async def test_ac_5_a_client_with_a_token_connects(live: Live) -> None:
    server = await live.server()
    for namespace in ("/wizard", "/dashboard"):
        client = await live.client(server, namespace)
        assert (await client.connected())["recovered"] is False


@pytest.mark.parametrize("namespace", ["/wizard", "/dashboard", "/admin"])
async def test_ac_6_without_a_token_nobody_connects(live: Live, namespace: str) -> None:
    server = await live.server()
    client = await live.join(server, namespace, auth={"no": "token"})
    assert (await client.refused())["message"] == "Authentication required: no token provided"
    client = await live.join(server, namespace, token="nonsense")
    assert (await client.refused())["message"] == "Authentication failed: invalid token"


async def test_ac_31_only_admins_join_admin(live: Live) -> None:
    server = await live.server()
    client = await live.join(server, "/admin")
    assert (await client.refused())["message"] == "Admin access required"
    await live.client(server, "/admin", token=live.token(role="admin"))


async def test_an_unknown_namespace_is_refused(live: Live) -> None:
    server = await live.server()
    for namespace in ("/", "/other"):
        assert (await (await live.join(server, namespace)).refused())["message"] == "Invalid namespace"


async def test_a_job_is_followed_from_its_first_event(live: Live) -> None:
    server = await live.server()
    client = await live.client(server)
    job = await live.job(brand_id=await live.brand())
    await live.publish(job)
    assert await client.ask("job:join", {"jobId": job}) == {"ok": True, "seq": 2, "state": "waiting"}
    assert client.seqs(job) == [1, 2]
    await live.publish(job)
    await client.got(job, [1, 2, 3])


async def test_a_socket_in_two_rooms_of_a_job_hears_each_event_once(live: Live) -> None:
    server = await live.server()
    brand = await live.brand()
    client = await live.client(server)
    assert await client.ask("brand:join", {"brandId": brand}) == {"ok": True}
    job = await live.job(brand_id=brand)
    await live.publish(job)
    await client.ask("job:join", {"jobId": job})
    await live.publish_many(job, 5)
    await client.got(job, list(range(1, 8)))


async def test_who_enters_a_brand_in_the_middle_of_a_job_hears_its_beginning_first(live: Live) -> None:
    server = await live.server()
    brand = await live.brand()
    job = await live.job(brand_id=brand)
    await live.publish_many(job, 3)
    client = await live.client(server)
    await client.ask("brand:join", {"brandId": brand})
    await live.publish(job)
    await client.got(job, [1, 2, 3, 4, 5])
    assert (await client.ask("job:join", {"jobId": job}))["seq"] == 5
    await live.publish(job)
    await client.got(job, [1, 2, 3, 4, 5, 6])


async def test_who_leaves_a_job_and_comes_back_hears_its_past_again(live: Live) -> None:
    server = await live.server()
    client = await live.client(server)
    job = await live.job()
    await client.ask("job:join", {"jobId": job})
    await client.ask("job:leave", {"jobId": job})
    await live.publish(job)
    await client.ask("job:join", {"jobId": job})
    assert client.seqs(job) == [1, 1, 2]


async def test_who_left_a_brand_hears_no_more_of_it(live: Live) -> None:
    server = await live.server()
    brand = await live.brand()
    client = await live.client(server)
    await client.ask("brand:join", {"brandId": brand})
    assert await client.ask("brand:leave", {"brandId": brand}) == {"ok": True}
    job = await live.job(brand_id=brand)
    await live.publish(job)
    other = await live.job()
    await client.ask("job:join", {"jobId": other})
    assert client.seqs(job) == []


async def test_status_answers_in_the_words_that_clients_know(live: Live) -> None:
    server = await live.server()
    client = await live.client(server)
    job = await live.job()
    expected = {"queued": "waiting", "active": "active", "retrying": "delayed", "completed": "completed"}
    expected |= {"partial": "completed", "failed": "failed", "cancelled": "cancelled"}
    for state, word in expected.items():
        await live.end(job, state, result={"logos": []}, message=f"It is {state}.")
        answer = await client.ask("job:status", {"jobId": job, "queueName": "logo-generation"})
        assert answer == {
            "jobId": job,
            "state": word,
            "progress": 100,
            "data": {"logos": []},
            "failedReason": f"It is {state}." if state in ("retrying", "failed", "cancelled") else None,
            "seq": 1,
        }


@pytest.mark.parametrize("retries_left", [1, 0])
async def test_status_and_event_of_one_moment_give_the_same_reason(live: Live, retries_left: int) -> None:
    server = await live.server()
    client = await live.client(server)
    job = await live.job()
    await client.ask("job:join", {"jobId": job})
    (row,) = await live.core.db.write(lambda conn: claims.claim(conn, "logo-generation", 1, "worker", 10))

    def end_attempt(conn: Connection) -> Change | None:
        if retries_left:
            error = {"cause": Cause.PROVIDER_OVERLOADED, "error": "HTTP 503"}
            return transitions.retry(conn, row, delay=9, retries_left=retries_left, **error)
        return transitions.fail(conn, row, Cause.PROVIDER_OVERLOADED, "HTTP 503")

    change = await live.core.db.write(end_attempt)
    assert change
    live.core.outbox.publish(change)
    await client.heard("job:failed")
    (failed,) = client.data("job:failed")
    status = await client.ask("job:status", {"jobId": job})
    assert (status["failedReason"], status["progress"]) == (failed["error"], failed["progress"])
    assert status["state"] == ("delayed" if retries_left else "failed")


async def test_ac_27_a_waiting_job_is_cancelled(live: Live) -> None:
    server = await live.server()
    client = await live.client(server)
    job = await live.job()
    await client.ask("job:join", {"jobId": job})
    answer = await client.ask("job:cancel", {"jobId": job})
    assert answer["ok"] is True and "Cancelled" in answer["message"]
    await client.driver.until(lambda _: client.events("job:cancelled"))
    assert (await client.ask("job:status", {"jobId": job}))["state"] == "cancelled"
    assert "error" in await client.ask("job:cancel", {"jobId": job})


async def test_ac_29_nothing_of_one_user_is_reachable_by_another(live: Live) -> None:
    server = await live.server()
    brand = await live.brand(ANA)
    job = await live.job(ANA, brand)
    ben = await live.client(server, token=live.token(BEN))
    absent = "logo-00000000-0000-4000-8000-000000000000"
    for event in ("job:join", "job:status", "job:cancel"):
        for job_id in (job, absent):
            assert await ben.ask(event, {"jobId": job_id}) == {"error": "Job not found"}
    assert await ben.ask("brand:join", {"brandId": brand}) == {"error": "Brand not found or not authorized"}
    watching = await live.client(server, "/dashboard", token=live.token(BEN))
    assert await watching.ask("brand:watch", {"brandId": brand}) == {"error": "Not authorized"}
    await live.publish(job)
    own = await live.job(BEN)
    await ben.ask("job:join", {"jobId": own})
    assert ben.seqs(job) == []


@pytest.mark.parametrize("wrong", ["nope", "11111111-1111", 7, {"a": 1}, ["x"], "x" * 300, "a\0b"])
async def test_what_is_no_id_is_answered_like_an_id_of_nothing(live: Live, wrong: object) -> None:
    server = await live.server()
    client, watching = await live.client(server), await live.client(server, "/dashboard")
    admin = await live.client(server, "/admin", token=live.token(role="admin"))
    assert await client.ask("brand:join", {"brandId": wrong}) == {"error": "Brand not found or not authorized"}
    assert await watching.ask("brand:watch", {"brandId": wrong}) == {"error": "Not authorized"}
    for socket, event in ((client, "job:join"), (client, "job:status"), (client, "job:cancel"), (admin, "job:retry")):
        assert await socket.ask(event, {"jobId": wrong, "queueName": wrong}) == {"error": "Job not found"}


async def test_long_polling_works_too(live: Live) -> None:
    server = await live.server()
    client = await live.client(server, transports=["polling"])
    job = await live.job()
    assert (await client.ask("job:join", {"jobId": job}))["seq"] == 1
    await live.publish(job)
    await client.got(job, [1, 2])


async def test_several_namespaces_share_one_transport(live: Live) -> None:
    server = await live.server()
    wizard = await live.client(server, forceNew=False)
    dashboard = await live.client(server, "/dashboard", forceNew=False)
    assert await wizard.ask("job:join", {"jobId": await live.job()})
    assert await dashboard.ask("brand:watch", {"brandId": await live.brand()}) == {"ok": True}
