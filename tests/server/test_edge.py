"""The outermost layer: who is let in, how large a body may be, what every answer carries, and what is never told."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from bmn.db import outage_store
from bmn.db.operators import queue_store
from bmn.errors import Cause, Misconfigured, UsageProblem
from bmn.server.app import create_app
from bmn.server.edge.measured import read_json
from bmn.server.state.snapshot import Snapshot
from bmn.settings import load_settings
from tests.kit.api import Api, Starter
from tests.kit.people import ANA
from tests.kit.processes import PATIENCE
from tests.kit.tokens import Project

API = "/api/v1"


async def test_every_forged_token_gets_the_same_answer(start: Starter) -> None:
    project = Project()
    with project.serving():
        api = await start(**project.settings())
        client = api.anonymous()
        good = await client.get(f"{API}/credits", headers={"Authorization": f"Bearer {project.token()}"})
        assert (good.status_code, good.json()["userId"]) == (200, ANA)
        answers = {}
        for name, token in project.forgeries().items():
            header = f"Bearer {token}".encode()
            answer = await client.get(f"{API}/credits", headers=[(b"Authorization", header)])
            answers[name] = (answer.status_code, answer.text, answer.headers["www-authenticate"])
        expected = (401, '{"error":"Authentication failed: invalid token","code":"not_signed_in"}', "Bearer")
        assert {name: answer for name, answer in answers.items() if answer != expected} == {}


async def test_a_role_of_the_users_own_making_opens_no_admin_route(start: Starter) -> None:
    project = Project()
    with project.serving():
        api = await start(**project.settings())
        client = api.anonymous()
        statuses = {}
        for name, claims in {
            "user_metadata": {"user_metadata": {"role": "admin"}},
            "top level": {"app_role": "admin"},
            "service": {"app_metadata": {"role": "service"}},
            "admin": {"app_metadata": {"role": "admin"}},
        }.items():
            headers = {"Authorization": f"Bearer {project.token(**claims)}"}
            statuses[name] = (await client.get(f"{API}/admin/queues", headers=headers)).status_code
        assert statuses == {"user_metadata": 403, "top level": 403, "service": 403, "admin": 200}


async def test_a_body_over_the_limit_is_refused_before_it_is_read(api: Api, ana: httpx.AsyncClient) -> None:
    answer = await ana.post(f"{API}/brands", content=b"x" * 2_000_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")

    read, write = await asyncio.open_connection("127.0.0.1", int(api.url.rsplit(":", 1)[1]))
    write.write(b"POST /api/v1/brands HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n")
    assert b" 413 " in await asyncio.wait_for(read.readline(), PATIENCE)
    write.close()


async def test_a_chunked_body_over_the_limit_is_refused_while_it_comes(api: Api, ana: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 50_000

    answer = await ana.post(f"{API}/brands", content=chunks(), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_a_body_just_below_the_limit_is_read(start: Starter) -> None:
    api = await start(bmn_max_body_bytes=2000)
    ana = api.as_user(ANA)
    body = b'{"name": "Acme"}'
    statuses = [
        (
            await ana.post(f"{API}/brands", content=body.ljust(n), headers={"Content-Type": "application/json"})
        ).status_code
        for n in (2000, 2001)
    ]
    assert statuses == [201, 413]


@pytest.mark.parametrize("path", ["brands", "generation/wizard", "generation/wizard/estimate", "bulk-estimate"])
async def test_a_small_body_of_very_many_values_is_refused_in_one_sentence(ana: httpx.AsyncClient, path: str) -> None:
    """Not in one sentence for each of them, which keeps everybody waiting for seconds."""
    many = {f"k{number}": number for number in range(2001)}
    deep: list[object] = []
    for _ in range(40):
        deep = [deep]
    too_many, too_deep = "holds more than 2000 values", "nested deeper than 32 levels"
    headers = {"Content-Type": "application/json"}
    for body, words in {
        json.dumps(many): too_many,
        json.dumps({"input": {"a": [many, many]}}): too_many,
        json.dumps({"input": deep}): too_deep,
        "[" * 100_000 + "]" * 100_000: too_deep,
    }.items():
        answer = await ana.post(f"{API}/{path}", content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
        assert words in answer.json()["error"]
    few = await ana.post(f"{API}/{path}", json=dict(list(many.items())[:1900]))
    assert few.json()["error"] == "Validation failed" and len(few.json()["issues"]) == 10


def test_a_member_that_is_given_twice_is_found_in_one_pass() -> None:
    """Each one compared with all others would take the loop for a quarter of a minute."""
    members = ",".join(f'"k{number}":1' for number in range(45_000))
    began = time.process_time()
    with pytest.raises(UsageProblem, match="'last' twice"):
        read_json(f'{{{members},"last":1,"last":2}}'.encode())
    assert time.process_time() - began < 2


async def test_every_answer_carries_the_headers_that_protect_it(api: Api, ana: httpx.AsyncClient) -> None:
    for path in (f"{API}/credits", f"{API}/nothing", "/health", f"{API}/jobs/x"):
        headers = (await ana.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers and "strict-transport-security" not in headers


async def test_a_request_id_is_taken_over_where_it_is_one_and_made_where_it_is_not(
    api: Api, ana: httpx.AsyncClient
) -> None:
    given = await ana.get(f"{API}/credits", headers={"X-Request-ID": "my-request-42"})
    assert given.headers["x-request-id"] == "my-request-42"
    for bad in ("short", "with space and more", "x" * 65, 'quote"quote"'):
        made = (await ana.get(f"{API}/credits", headers={"X-Request-ID": bad})).headers["x-request-id"]
        assert made != bad and len(made) == 32
    brand = await api.brand(ana)
    sent = await ana.post(f"{API}/generation/logos", json={"brandId": brand}, headers={"X-Request-ID": "for-the-job-1"})
    assert (await ana.get(f"{API}/jobs/{sent.json()['jobId']}")).json()["requestId"] == "for-the-job-1"


async def test_only_the_listed_sites_may_call_from_a_browser(start: Starter) -> None:
    api = await start(cors_origins="https://app.example.org")
    client = api.as_user(ANA)
    good = await client.get(f"{API}/credits", headers={"Origin": "https://app.example.org"})
    assert good.headers.get_list("access-control-allow-origin") == ["https://app.example.org"]
    for origin in ("https://evil.example.org", "null", "https://app.example.org.evil.com"):
        bad = await client.get(f"{API}/credits", headers={"Origin": origin})
        assert "access-control-allow-origin" not in bad.headers
    preflight = await client.options(
        f"{API}/brands",
        headers={
            "Origin": "https://app.example.org",
            "Access-Control-Request-Method": "PATCH",
            "Access-Control-Request-Headers": "authorization, idempotency-key",
        },
    )
    assert preflight.status_code == 200
    answered = {name for route in api.app.api.routes for name in getattr(route, "methods", None) or ()}
    for method in answered - {"OPTIONS"}:
        asked = {"Origin": "https://app.example.org", "Access-Control-Request-Method": method}
        assert (await client.options(f"{API}/brands", headers=asked)).status_code == 200, method


async def test_a_defect_is_told_without_its_inside(
    api: Api, ana: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("the inside of the machine")

    monkeypatch.setattr("bmn.db.accounts.credit_store.ledger", broken)
    answer = await ana.get(f"{API}/credits", headers={"X-Request-ID": "find-me-again"})
    body = answer.json()
    assert (answer.status_code, body["requestId"]) == (500, "find-me-again")
    assert "machine" not in answer.text and "Traceback" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_access_log_has_no_query_and_no_token(
    api: Api, ana: httpx.AsyncClient, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO), caplog.at_level(logging.WARNING, "httpx"):
        await ana.get("/files/brands/a/logo/b.png", params={"until": "1", "signature": "canary-signature"})
        await ana.get(f"{API}/jobs", params={"text": "canary-text"})
    token = ana.headers["authorization"].split(" ")[1]
    said = capsys.readouterr()
    written = said.out + said.err + caplog.text
    assert f"{API}/jobs" in written
    for secret in ("canary-signature", "canary-text", token):
        assert secret not in written


async def test_unknown_routes_and_methods_answer_in_json(api: Api, ana: httpx.AsyncClient) -> None:
    for method, path, status in (("GET", "/nothing", 404), ("DELETE", f"{API}/jobs", 405), ("PUT", "/files/x", 405)):
        answer = await ana.request(method, path)
        assert answer.status_code == status and "error" in answer.json()


async def test_health_names_each_dependency(api: Api) -> None:
    answer = await api.anonymous().get("/health")
    body = answer.json()
    assert (answer.status_code, set(body["checks"])) == (200, {"database", "redis", "storage", "workers", "providers"})
    assert all(entry["ok"] and entry["ms"] >= 0 for entry in body["checks"].values())
    assert body["status"] == "ok"


async def test_a_waiting_job_without_a_worker_degrades_health(api: Api, ana: httpx.AsyncClient) -> None:
    await api.logos(ana, await api.brand(ana))
    body = (await ana.get("/health")).json()
    assert (body["status"], body["checks"]["workers"]["waitingWithoutWorker"]) == ("degraded", ["logo-generation"])


async def test_a_provider_that_is_down_is_said_before_a_job_waits_for_it(api: Api, ana: httpx.AsyncClient) -> None:
    brand = await api.brand(ana)
    body = {"brandId": brand}
    assert "warning" not in (await ana.post(f"{API}/generation/logos/estimate", json=body)).json()
    assert "warning" not in (await ana.post(f"{API}/generation/logos", json=body)).json()
    down = {"reason": "Provider degraded: it is not well.", "cause": "provider_overloaded", "probe_in": 60.0}
    await api.core.db.write(lambda conn: queue_store.set_paused(conn, "logo-generation", by="system", **down))

    warning = "Provider degraded: the job waits until that is over; nothing is lost."
    assert (await ana.post(f"{API}/generation/logos/estimate", json=body)).json()["warning"] == warning
    answer = await ana.post(f"{API}/generation/logos", json=body)
    assert (answer.status_code, answer.json()["warning"]) == (202, warning)
    health = await ana.get("/health")
    assert (health.status_code, health.json()["status"]) == (200, "degraded")
    assert health.json()["checks"]["providers"]["degraded"] == {"logo-generation": "provider_overloaded"}
    why = (await ana.get(f"{API}/jobs/{answer.json()['jobId']}/why")).json()
    assert why["causeText"].startswith("Provider degraded: ") and "tries it again in" in why["causeText"]
    assert (why["cause"], why["try"]["command"].split()[:3]) == ("provider_overloaded", ["bmn", "jobs", "watch"])


async def test_a_provider_that_stands_in_is_said_and_priced(start: Starter) -> None:
    api = await start(bmn_providers="logo-generation=bfl,openai")
    ana = api.as_user(ANA)
    body = {"brandId": await api.brand(ana), "count": 2}

    async def estimated() -> tuple[float, int]:
        found = (await ana.post(f"{API}/generation/logos/estimate", json=body)).json()
        return found["usd"], found["credits"]

    assert await estimated() == (0.06, 2)
    refused = {"cause": Cause.PROVIDER_AUTH, "reason": "refuses our key", "probe_in": 60.0}
    await api.core.db.write(lambda conn: outage_store.note(conn, "logo-generation", "bfl", **refused))
    assert await estimated() == (0.34, 2)
    health = (await ana.get("/health")).json()
    assert health["status"] == "ok"
    assert health["checks"]["providers"]["standIns"] == {"logo-generation": "openai"}


async def test_health_is_503_without_redis_and_requests_that_need_none_go_on(start: Starter) -> None:
    api = await start(redis_url="redis://127.0.0.1:9/0", bmn_requests_per_minute=5)
    ana = api.as_user(ANA)
    health = await ana.get("/health")
    assert (health.status_code, health.json()["checks"]["redis"]["ok"]) == (503, False)
    assert "127.0.0.1" not in health.text
    brand = await api.brand(ana)
    assert [(await ana.get(f"{API}/brands/{brand}")).status_code for _ in range(6)] == [200] * 6
    assert (await ana.get("/health/live")).status_code == 200


async def test_a_queue_that_is_long_away_takes_no_jobs_and_keeps_no_credits(start: Starter) -> None:
    api = await start(redis_url="redis://127.0.0.1:9/0", bmn_redis_down_seconds=30)
    ana = api.as_user(ANA)
    brand = await api.brand(ana)
    await api.logos(ana, brand)
    api.core.health._answered -= 60
    answer = await ana.post(f"{API}/generation/logos", json={"brandId": brand})
    assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0
    assert (await ana.get(f"{API}/jobs")).json()["total"] == 1
    assert (await ana.get(f"{API}/credits")).json()["creditsRemaining"] == 16


async def test_metrics_count_routes_and_never_name_a_user(api: Api, ana: httpx.AsyncClient) -> None:
    brand = await api.brand(ana)
    await api.logos(ana, brand)
    text = (await ana.get("/metrics")).text
    assert 'bmn_http_requests_total{method="POST",route="/api/v1/generation/logos",status="202"} 1.0' in text
    assert 'bmn_jobs{queue="logo-generation",state="queued"} 1.0' in text
    assert ANA not in text and brand not in text


async def test_metrics_are_for_who_has_the_token_where_one_is_set(start: Starter) -> None:
    api = await start(bmn_metrics_token="scraper-secret")
    client = api.anonymous()
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic scraper-secret"}):
        assert (await client.get("/metrics", headers=headers)).status_code == 401
    found = await client.get("/metrics", headers={"Authorization": "Bearer scraper-secret"})
    assert found.status_code == 200 and "bmn_jobs" in found.text


async def test_many_who_ask_at_once_share_one_answer() -> None:
    made, released = 0, asyncio.Event()

    async def make() -> int:
        nonlocal made
        made += 1
        await released.wait()
        return made

    snapshot = Snapshot(make, 60.0)
    asking = [asyncio.create_task(snapshot.get()) for _ in range(50)]
    await asyncio.sleep(0)
    released.set()
    assert await asyncio.gather(*asking) == [1] * 50


async def test_the_openapi_document_says_what_is_asked_and_answered(api: Api) -> None:
    client = api.anonymous()
    assert (await client.get("/docs")).status_code == 200
    document = (await client.get("/openapi.json")).json()
    operation = document["paths"][f"{API}/generation/logos"]["post"]
    assert {"202", "400", "401", "402", "404", "409", "413", "429", "503"} <= set(operation["responses"])
    assert any(parameter["name"] == "Idempotency-Key" for parameter in operation["parameters"])
    assert document["security"] == [{"bearer": []}]


@pytest.mark.parametrize("path", ["/openapi.json", "/docs"])
async def test_what_is_the_same_for_everybody_is_made_once(
    api: Api, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = api.anonymous()
    first = await client.get(path)

    def again(*_: Any, **__: Any) -> Any:
        raise AssertionError("made anew")

    monkeypatch.setattr("bmn.server.pages.reference.JSONResponse", again)
    monkeypatch.setattr("bmn.server.pages.reference.rendered", again)
    second = await client.get(path)
    assert (second.status_code, second.content) == (200, first.content)
    assert second.headers["content-type"] == first.headers["content-type"]
    kept = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (kept.status_code, kept.content, kept.headers["cache-control"]) == (304, b"", "no-cache")
    policy = first.headers["content-security-policy"]
    assert kept.headers.get("content-security-policy", policy) == policy  # a browser takes that of the 304
    assert (await client.head(path)).headers["content-length"] == str(len(first.content))


async def test_every_route_declares_what_it_answers(api: Api) -> None:
    document = (await api.anonymous().get("/openapi.json")).json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            answers = operation["responses"]
            good = [status for status in answers if status in ("200", "201", "202", "204")]
            for status in answers.keys() - {"204", "206", "304", "412", "416"}:
                (content,) = answers[status]["content"].values()
                assert content["schema"], (method, path, status)
            assert good and "422" not in answers, (method, path)
            assert operation["description"], (method, path)


def test_production_does_not_start_with_what_is_for_development(home: Any) -> None:
    with pytest.raises(Misconfigured, match="DATABASE_URL"):
        create_app(load_settings(bmn_env="production"))
