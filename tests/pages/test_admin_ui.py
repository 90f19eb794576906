"""The queues' dashboard: who gets in, in whatever disguise they come, and that it only shows."""

import asyncio
import http.client
import json
import pickle
import re
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import websockets
from rq.job import Job

from bmn.server.operators.admin_ui import is_admin_path
from bmn.work.registry import ALL_QUEUES
from tests.kit.api import Api, sign_in
from tests.kit.jobs import everything
from tests.kit.people import ADMIN, ANA
from tests.kit.processes import PATIENCE, eventually

UI = "/admin/queues"
ASSETS = (
    "favicon.ico",
    "css/bootstrap.min.css",
    "css/main.css",
    "js/jquery-3.5.1.min.js",
    "js/underscore-umd-min.js",
    "js/sugar-1.2.1.min.js",
    "js/bootstrap.bundle.min.js",
)
DISGUISES = (
    *("/admin", "/admin/", UI, f"{UI}/", f"{UI}/static/css/main.css", f"{UI}/static/favicon.ico", f"{UI}/favicon.ico"),
    *(
        "//admin/queues",
        "///admin//queues",
        "/admin//queues",
        "/./admin/queues",
        "/x/../admin/queues",
        "/admin/queues/.",
    ),
    *(
        "/admin/queues./",
        "/admin./queues",
        "/admin%2fqueues",
        "/admin%2Fqueues",
        "/%61dmin/queues",
        "/%2561dmin/queues",
    ),
    *("/ADMIN/queues", "/Admin/Queues", "/admin;x=1/queues", "/admin%00/queues", "/admin%20/queues", "/admin\\queues"),
    *("/%5cadmin/queues", f"{UI}?x=1", f"{UI}/0/data/queues.json", f"{UI}/0/view/workers", f"{UI}/requeue/x"),
    *("/admin/queues/../queues", "/%2e/admin/queues", "/%2e%2e/admin/queues", "/static/../admin/queues"),
)
CHANGES = (
    ("POST", "/job/{job}/delete"),
    ("POST", "/job/{job}/requeue"),
    ("POST", "/requeue/logo-generation"),
    ("GET", "/requeue/logo-generation"),
    ("HEAD", "/requeue/logo-generation"),
    ("POST", "/queue/logo-generation/queued/empty"),
    ("POST", "/queue/logo-generation/compact"),
    ("PUT", "/0/view/queues"),
    ("DELETE", "/0/view/queues"),
    ("PATCH", "/"),
    ("OPTIONS", "/"),
)


@pytest.fixture
async def admin(api: Api) -> httpx.AsyncClient:
    return await sign_in(api, ADMIN, "admin", path=UI)


async def raw(api: Api, method: str, path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    """The path as it stands: a client library would tidy it up."""

    def ask() -> tuple[int, str]:
        connection = http.client.HTTPConnection(urlsplit(api.url).netloc, timeout=PATIENCE)
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read().decode(errors="replace")
        connection.close()
        return answer.status, body

    return await asyncio.to_thread(ask)


async def shown(api: Api, job_id: str) -> None:
    async def listed() -> bool:
        return job_id in await api.core.view.listed("logo-generation")

    await eventually(listed)


async def redis_contents(api: Api) -> dict[str, Any]:
    """Everything below rq: but the workers' heartbeats."""
    keys = [key async for key in api.core.redis.scan_iter("rq:*")]
    return {key: await api.core.redis.dump(key) for key in keys} if keys else {}


@pytest.mark.parametrize("path", DISGUISES)
async def test_no_disguise_gets_in_without_a_session(api: Api, path: str) -> None:
    token = (await api.as_user(ADMIN, "admin").get("/api/v1/credits")).request.headers["authorization"]
    ben = await sign_in(api, ANA)
    ((name, value),) = ben.cookies.items()
    for method in ("GET", "HEAD", "POST", "OPTIONS", "PUT"):
        status, body = await raw(api, method, path)
        assert status == 401 and "RQ" not in body, method
        assert (await raw(api, method, path, {"Authorization": token}))[0] == 401, "a session, not a token"
        status, body = await raw(api, method, path, {"Cookie": f"{name}={value}"})
        assert status == 403 and "RQ" not in body, method


async def test_other_paths_are_not_taken_for_the_admins() -> None:
    for path in ("/", "/api/v1/admin/queues", "/g/admin", "/administration", "/x%20admin", "/adminx/queues"):
        assert not is_admin_path(path), path


async def test_a_websocket_gets_in_no_better(api: Api) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        await websockets.connect(f"{api.url.replace('http', 'ws')}{UI}")
    assert refused.value.response.status_code == 403


async def test_an_admin_sees_the_queues_with_every_file_they_need(api: Api, admin: httpx.AsyncClient) -> None:
    await api.core.view.register()
    before = await api.core.db.read(everything)
    for path in (UI, f"{UI}/", f"{UI}/0/view/queues", f"{UI}/0/view/workers", f"{UI}/0/view/jobs"):
        page = await admin.get(path, follow_redirects=True)
        assert page.status_code == 200 and "RQ-dashboard" in page.text, path
        files = set(re.findall(r'(?:src|href)="(/[^"]*static/[^"]+)"', page.text))
        assert files == {f"{UI}/static/{name}" for name in ASSETS}
    for name in ASSETS:
        answer = await admin.get(f"{UI}/static/{name}")
        assert answer.status_code == 200 and answer.content, name
    queues = (await admin.get(f"{UI}/0/data/queues.json")).json()["queues"]
    assert {queue["name"] for queue in queues} == set(ALL_QUEUES)
    assert (await admin.head(UI)).status_code == 200
    assert await api.core.db.read(everything) == before
    for odd in ("//admin/queues", "/%61dmin/queues", "/ADMIN/queues", f"{UI}/0/view/jobs/');alert(1)//failed/8/asc/1"):
        assert (await raw(api, "GET", odd.replace(" ", ""), {"Cookie": _cookie(admin)}))[0] in (200, 404), odd


async def test_it_shows_jobs_and_busy_workers_written_as_json(api: Api, admin: httpx.AsyncClient) -> None:
    client = api.as_user(ANA)
    job_id = await api.logos(client, await api.brand(client))
    await shown(api, job_id)
    jobs = await admin.get(f"{UI}/0/data/jobs/logo-generation/queued/8/asc/1.json")
    assert [job["id"] for job in jobs.json()["jobs"]] == [job_id]
    assert (await admin.get(f"{UI}/0/view/job/{job_id}")).status_code == 200
    assert (await admin.get(f"{UI}/0/data/job/{job_id}.json")).json()["origin"] == "logo-generation"
    worker = {
        "birth": "2026-01-01T00:00:00.000000Z",
        "queues": "logo-generation",
        "state": "busy",
        "current_job": job_id,
    }
    await api.core.redis.hset("rq:worker:w", mapping=worker)
    await api.core.redis.sadd("rq:workers", "rq:worker:w")
    found = await admin.get(f"{UI}/0/data/workers.json")
    assert found.status_code == 200
    assert [(one["name"], one["queues"]) for one in found.json()["workers"]] == [("w", ["logo-generation"])]
    assert (await admin.get(f"{UI}/0/data/job/absent.json")).status_code == 404


async def test_looking_at_a_list_leaves_it_as_it_is(api: Api, admin: httpx.AsyncClient) -> None:
    """Dead letters stand in another queue's list than their own, and what RQ knew of a job ends before its row."""
    client = api.as_user(ANA)
    job_id = await api.logos(client, await api.brand(client))
    await shown(api, job_id)
    await api.core.redis.rpush("rq:queue:dead-letter", job_id, "forgotten")
    await api.core.redis.zadd("rq:failed:logo-generation", {"forgotten": 9e9})
    redis = await redis_contents(api)
    for queue, registry in (("dead-letter", "queued"), ("logo-generation", "queued"), ("logo-generation", "failed")):
        listed = await admin.get(f"{UI}/0/data/jobs/{queue}/{registry}/8/asc/1.json")
        assert [job["id"] for job in listed.json()["jobs"]] == ([job_id] if registry == "queued" else [])
    assert await redis_contents(api) == redis


@pytest.mark.parametrize(("method", "path"), CHANGES)
async def test_it_changes_nothing(api: Api, admin: httpx.AsyncClient, method: str, path: str) -> None:
    client = api.as_user(ANA)
    job_id = await api.logos(client, await api.brand(client))
    await shown(api, job_id)
    await api.core.redis.zadd("rq:failed:logo-generation", {job_id: 9e9})
    rows, redis = await api.core.db.read(everything), await redis_contents(api)
    answer = await admin.request(method, UI + path.format(job=job_id))
    assert answer.status_code == 405
    assert method == "HEAD" or "bmn jobs retry" in answer.text
    assert await api.core.db.read(everything) == rows
    assert await redis_contents(api) == redis


class _Trap:
    def __init__(self, file: Path) -> None:
        self._file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self._file,))


async def test_what_stands_in_redis_is_never_unpickled(api: Api, admin: httpx.AsyncClient, tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    trap = pickle.dumps(_Trap(sprung))
    for key in ("rq:job:trap", "rq:worker:trap"):
        fields = {"data": zlib.compress(trap), "meta": trap, "result": trap, "description": "trap", "origin": "cleanup"}
        times = {
            "created_at": "2026-01-01T00:00:00.000000Z",
            "birth": "2026-01-01T00:00:00.000000Z",
            "queues": "cleanup",
        }
        more: Any = {**fields, **times, "status": "failed", "current_job": "trap", "exc_info": zlib.compress(trap)}
        await api.core.redis.hset(key, mapping=more)
    await api.core.redis.sadd("rq:workers", "rq:worker:trap")
    await api.core.redis.rpush("rq:queue:cleanup", "trap")
    await api.core.redis.xadd(
        "rq:results:trap", {"type": "2", "return_value": trap, "exc_string": trap, "created_at": 1}
    )
    for path in (
        "/0/view/job/trap",
        "/0/data/job/trap.json",
        "/0/data/workers.json",
        "/0/view/workers",
        "/0/data/jobs/cleanup/queued/8/asc/1.json",
        "/0/data/queues.json",
    ):
        await admin.get(UI + path)
    assert not sprung.exists()
    pickle.loads(trap)
    assert sprung.exists(), "the trap is none"


@pytest.mark.parametrize("path", ["/nothing", "/g/x/y/z/w", "/admin/workers", f"{UI}/nothing"])
async def test_a_browser_at_an_unknown_address_gets_a_page(admin: httpx.AsyncClient, path: str) -> None:
    answer = await admin.get(path, headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html") and "There is nothing here." in answer.text


async def test_what_others_wrote_is_shown_as_text(api: Api, admin: httpx.AsyncClient) -> None:
    page = await admin.get(f"{UI}/0/view/job/x")
    assert page.status_code == 404
    data = zlib.compress(json.dumps(["bmn.cleanup", None, [], {}]).encode())
    text = "<script>alert(1)</script>"
    job: Any = {"data": data, "description": text, "origin": "cleanup", "created_at": "2026-01-01T00:00:00.000000Z"}
    await api.core.redis.hset(f"{Job.redis_job_namespace_prefix}x", mapping=job)
    page = await admin.get(f"{UI}/0/view/job/x")
    assert page.status_code == 200 and "<%= d." not in page.text and "<%- d.description %>" in page.text
    policy = page.headers["content-security-policy"]
    (nonce,) = re.findall(r"'nonce-([^']+)'", policy)
    assert f'<script nonce="{nonce}">' in page.text and "script-src 'self' 'nonce-" in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
    assert nonce not in (await admin.get(f"{UI}/0/view/job/x")).text


def _cookie(browser: httpx.AsyncClient) -> str:
    return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
