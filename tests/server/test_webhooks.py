"""Webhooks over HTTP: receivers, secrets, the log, replay, and listening; each of its owner alone."""

import json
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from bmn.db.engine import Connection
from bmn.db.hooks import deliveries, gone
from bmn.db.records import DeliveryState
from bmn.internet import NotVisited, read_target
from bmn.schemas.webhook_payloads import own_origins
from bmn.work.webhooks.relay import relay
from tests.kit.api import Api
from tests.kit.jobs import claim, complete
from tests.kit.people import ANA

HOOKS = "/api/v1/webhooks"
LOGOS = "/api/v1/generation/logos"


async def _log(client: httpx.AsyncClient, **chosen: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.get(f"{HOOKS}/deliveries", params=chosen)).json()["deliveries"]
    return found


async def test_a_submission_names_who_is_told(api: Api, ana: httpx.AsyncClient) -> None:
    brand = await api.brand(ana)
    job_id = await api.logos(ana, brand, count=1, webhookUrl="https://a.example/hook", webhookEvents=["job.started"])
    await complete(api.core, await claim(api.core, job_id))
    (entry,) = await _log(ana)
    assert (entry["event"], entry["state"], entry["url"]) == ("job.started", "pending", "https://a.example/hook")
    assert (entry["jobId"], entry["payload"]["jobId"], entry["endpointId"]) == (job_id, job_id, None)
    ends = await api.logos(ana, brand, count=1, webhookUrl="http://127.0.0.1:4000/")
    await complete(api.core, await claim(api.core, ends))
    (ended,) = await _log(ana, job=ends)
    assert ended["event"] == "job.completed"


async def test_a_default_secret_is_made_once_and_is_its_owners(
    api: Api, ana: httpx.AsyncClient, ben: httpx.AsyncClient
) -> None:
    keys = [(await client.get(f"{HOOKS}/default/secret")).json() for client in (ana, ana, ben)]
    assert keys[0] == keys[1] != keys[2]
    assert Webhook(keys[0]["key"])
    assert keys[0]["key"].startswith("whsec_")


REFUSED = [
    "https://name:word@a.example/",
    "https://a.example:22/",
    "http://a.example/",
    "https://10.0.0.8/",
    "https://169.254.169.254/latest",
    "https://localhost.localdomain:99999/",
    "https://intranet/",
    "https://2130706433/",
    "ftp://a.example/",
    "https://a.example/\r\nX-Other: header",
    "https://a.example/ho\tok",
    "https://a.example/\u2028hook",
    "https://a.example\\@b.example/",
    "https://example..com/",
    "https://0x7f.1/",
    f"https://{'a' * 64}.example/",
    "https://a_.example/",
    "https://receiver.local/",
    "https://168.63.129.16/",
    "https://[::ffff:93.184.215.14]/",
    "https://[3fff::1]/",
]


@pytest.mark.parametrize("url", REFUSED)
async def test_an_address_that_may_not_be_told_is_refused(api: Api, ana: httpx.AsyncClient, url: str) -> None:
    body = {"brandId": await api.brand(ana), "webhookUrl": url}
    bodies = ((LOGOS, body), (f"{HOOKS}/endpoints", {"url": url}), (f"{HOOKS}/test", {"url": url}))
    for path, given in bodies:
        answer = await ana.post(path, json=given)
        assert answer.status_code == 400, (path, answer.text)
        assert ("webhookUrl" if path == LOGOS else "url") in answer.text
    assert (await ana.get("/api/v1/jobs")).json()["total"] == 0


def test_receivers_on_this_machine_are_for_development() -> None:
    for url in ("http://localhost:4000/", "https://127.0.0.1/", "http://[::1]:1/"):
        assert read_target(url, trusted=own_origins(url, development=True)).trusted
        with pytest.raises(NotVisited):
            read_target(url, trusted=own_origins(url, development=False))
    with pytest.raises(NotVisited):
        read_target("http://name@localhost/", trusted=own_origins("http://name@localhost/", development=True))


async def test_an_account_has_receivers_of_its_own(api: Api, ana: httpx.AsyncClient, ben: httpx.AsyncClient) -> None:
    made = (await ana.post(f"{HOOKS}/endpoints", json={"url": "https://a.example/"})).json()
    assert made["events"] == ["job.completed", "job.failed", "job.cancelled"]
    listed = (await ana.get(f"{HOOKS}/endpoints")).json()["endpoints"]
    assert [each["id"] for each in listed] == [made["id"]]
    assert "key" not in listed[0]
    assert (await ana.get(f"{HOOKS}/endpoints/{made['id']}/secret")).json() == {"key": made["key"]}
    await complete(api.core, await claim(api.core, await api.logos(ana, await api.brand(ana), count=1)))
    (entry,) = await _log(ana, endpoint=made["id"])
    for method, path in (
        ("GET", f"endpoints/{made['id']}/secret"),
        ("DELETE", f"endpoints/{made['id']}"),
        ("GET", f"deliveries/{entry['id']}"),
        ("POST", f"deliveries/{entry['id']}/replay"),
        ("POST", f"listen/{made['id']}"),
        ("POST", f"listen/{made['id']}/{entry['id']}"),
    ):
        body = {"status": 200} if path.count("/") == 2 else None
        assert (await ben.request(method, f"{HOOKS}/{path}", json=body)).status_code == 404, path
    assert await _log(ben) == []
    assert (await ana.post(f"{HOOKS}/listen/{made['id']}")).status_code == 404  # it is called, and does not ask
    assert (await ana.delete(f"{HOOKS}/endpoints/{made['id']}")).status_code == 204
    (entry,) = await _log(ana)
    assert (entry["state"], entry["error"]) == ("dropped", "Its endpoint was removed.")


async def test_a_receiver_that_is_gone_is_told_and_enabled_by_its_owner_alone(
    api: Api, ana: httpx.AsyncClient, ben: httpx.AsyncClient
) -> None:
    made = (await ana.post(f"{HOOKS}/endpoints", json={"url": "https://a.example/"})).json()
    assert (made["disabledAt"], made["disabledReason"]) == (None, None)
    sent = (await ana.post(f"{HOOKS}/test", json={"endpointId": made["id"]})).json()

    def say_gone(conn: Connection) -> None:
        gone.forget(conn, deliveries.get_delivery(conn, sent["id"]))

    await api.core.db.write(say_gone)
    (listed,) = (await ana.get(f"{HOOKS}/endpoints")).json()["endpoints"]
    assert listed["disabledAt"] and listed["disabledReason"] == gone.WHY
    assert (await _log(ana))[0]["state"] == "dropped"
    for refused in (
        await ana.post(f"{HOOKS}/test", json={"endpointId": made["id"]}),
        await ana.post(f"{HOOKS}/deliveries/{sent['id']}/replay"),
    ):
        assert refused.status_code == 409
        assert "bmn webhooks enable" in refused.text
    page = await ana.get("/dev/webhooks")
    assert gone.WHY in page.text and f"/dev/webhooks/{made['id']}/enable" in page.text
    path = f"{HOOKS}/endpoints/{made['id']}/enable"
    assert (await ben.post(path)).status_code == 404
    assert (await ben.post(f"/dev/webhooks/{made['id']}/enable")).status_code == 404
    assert (await ana.post(path)).json()["disabledAt"] is None
    await api.core.db.write(say_gone)
    assert (await ana.post(f"/dev/webhooks/{made['id']}/enable")).status_code == 303
    assert (await ana.get(f"{HOOKS}/endpoints")).json()["endpoints"][0]["disabledAt"] is None


async def test_twenty_receivers_are_enough(api: Api, ana: httpx.AsyncClient) -> None:
    answers = [await ana.post(f"{HOOKS}/endpoints", json={"url": f"https://a.example/{n}"}) for n in range(21)]
    assert [answer.status_code for answer in answers] == [201] * 20 + [409]


async def test_a_delivery_is_replayed_under_its_id(api: Api, ana: httpx.AsyncClient) -> None:
    sent = (await ana.post(f"{HOOKS}/test", json={"url": "https://a.example/"})).json()
    assert (sent["event"], sent["state"]) == ("webhook.test", "pending")
    path = f"{HOOKS}/deliveries/{sent['id']}/replay"
    assert (await ana.post(path)).status_code == 409
    await api.core.db.write(
        lambda conn: deliveries.attempted(conn, sent["id"], DeliveryState.FAILED, status=500, error="no")
    )
    assert (await _log(ana, state="failed"))[0]["error"] == "no"
    again = (await ana.post(path)).json()
    assert (again["id"], again["state"], again["attempts"], again["error"]) == (sent["id"], "pending", 0, None)


async def test_a_listener_gets_its_messages_until_it_says_what_came_of_them(api: Api, ana: httpx.AsyncClient) -> None:
    listener = (await ana.post(f"{HOOKS}/listen")).json()
    job_id = await api.logos(ana, await api.brand(ana), count=1)
    await complete(api.core, await claim(api.core, job_id))
    path = f"{HOOKS}/listen/{listener['id']}"
    first, second = [(await ana.post(path)).json()["messages"] for _ in range(2)]
    assert [each["event"] for each in first] == ["job.started", "job.completed"]
    assert [each["id"] for each in first] == [each["id"] for each in second]
    message = Webhook(listener["key"]).verify(first[1]["body"], first[1]["headers"])
    assert (message["type"], message["data"]["jobId"]) == ("job.completed", job_id)
    assert message == json.loads(first[1]["body"])
    taken = (await ana.post(f"{path}/{first[0]['id']}", json={"status": 204})).json()
    lost = (await ana.post(f"{path}/{first[1]['id']}", json={"error": "Nobody answers."})).json()
    assert (taken["state"], lost["state"], lost["error"]) == ("delivered", "failed", "Nobody answers.")
    assert (await ana.post(path)).json()["messages"] == []


async def test_deliveries_are_no_jobs_in_a_users_list(api: Api, ana: httpx.AsyncClient) -> None:
    job_id = await api.logos(ana, await api.brand(ana), count=1, webhookUrl="https://a.example/")
    await complete(api.core, await claim(api.core, job_id))
    await relay(api.core)
    listed = (await ana.get("/api/v1/jobs")).json()["jobs"]
    assert [job["jobId"] for job in listed] == [job_id]
    asked = (await ana.get("/api/v1/jobs", params={"queue": "webhook-delivery"})).json()["jobs"]
    assert [(job["queueName"], job["userId"]) for job in asked] == [("webhook-delivery", ANA)]


@pytest.mark.parametrize(
    "body",
    [
        {"webhookEvents": ["job.completed"]},
        {"webhookUrl": "https://a.example/", "webhookEvents": ["job.exploded"]},
        {"webhookUrl": "https://a.example/", "webhookEvents": []},
    ],
)
async def test_events_that_there_are_not_are_refused(api: Api, ana: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answer = await ana.post(LOGOS, json={"brandId": await api.brand(ana), **body})
    assert answer.status_code == 400
