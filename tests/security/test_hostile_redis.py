"""Whoever can write to Redis can disturb, and no more: what cannot be read is passed over by servers and workers."""

import hashlib
import json
from typing import Any
from uuid import uuid4

import httpx
import pytest
import redis
from websockets.sync.client import connect

from bmn.broker import redis_keys
from bmn.identity.development import mint_development_token
from bmn.jobs.cancellation import cancel
from bmn.jobs.registered import registered
from tests.kit.engine import Engine
from tests.kit.people import ANA
from tests.kit.processes import eventually
from tests.security.target import Target

DEEP = "[" * 100_000
GARBAGE: list[dict[str, Any]] = [
    {"e": "{"},
    {"x": "not our field"},
    {"e": "[1,2]"},
    {"e": "null"},
    {"e": b"\xff\xfe"},
    {"e": DEEP},
    {"e": json.dumps(["/wizard", ["job:x"], "job:progress", 5, "x", "no number", 0])},
    {"e": json.dumps(["/wizard", [["a"]], "job:progress", {}, None, None, 0])},
    {"e": json.dumps(["/wizard", ["job:x"], "job:progress", {"url": "http://["}, None, None, 0])},
    {"e": json.dumps(["/wizard", 5, "x", {}, ["j"], 1, 0])},
    {"e": json.dumps(["/wizard", ["job:x"], "x", {}, "x", True, 0])},
]

NO_WORKER = [
    ("hostname", b"\xff\xfe"),
    ("state", b"\xc3"),
    ("birth", "yesterday"),
    ("last_heartbeat", "x"),
    ("last_heartbeat", "2026-01-01T00:00:00"),
]


def _pollute(url: str) -> None:
    with redis.Redis.from_url(url) as insider:
        for entry in GARBAGE:
            insider.xadd(redis_keys.STREAM, entry)


@pytest.fixture(scope="module")
def before_start(emptied_redis: str) -> None:
    _pollute(emptied_redis)


def test_live_events_go_past_what_nobody_here_has_written(target: Target, emptied_redis: str) -> None:
    user_id = str(uuid4())
    user = target.client(user_id)
    brand = target.brand(user)
    address = f"{target.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket"
    with connect(address, proxy=None) as socket:
        socket.recv(5)
        socket.send(f"40/dashboard,{json.dumps({'token': mint_development_token(target.settings, user_id)})}")
        assert str(socket.recv(5)).startswith('40/dashboard,{"sid"')
        _pollute(emptied_redis)
        assert user.patch(f"/api/v1/brands/{brand}", json={"vision": "seen"}).status_code == 200
        message = str(socket.recv(10))
    assert message.startswith('42/dashboard,["brand:updated"') and '"seen"' in message


def test_who_writes_to_redis_has_nobody_elses_picture_signed(target: Target, emptied_redis: str) -> None:
    owner_id, thief_id = str(uuid4()), str(uuid4())
    theirs, mine = target.brand(target.client(owner_id)), target.brand(target.client(thief_id))
    storage = target.app.resources.core.storage
    address = f"{target.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket"
    for user_id, brand, opens in ((thief_id, theirs, False), (thief_id, mine, True), (owner_id, theirs, True)):
        data = {"brandId": brand, "asset": {"url": storage.url_for(f"brands/{brand}/logo/x.png")}}
        rooms = [f"user:{user_id}", f"brand:{brand}"] if opens else [f"user:{user_id}", f"brand:{mine}"]
        with connect(address, proxy=None) as socket:
            socket.recv(5)
            socket.send(f"40/dashboard,{json.dumps({'token': mint_development_token(target.settings, user_id)})}")
            assert str(socket.recv(5)).startswith('40/dashboard,{"sid"')
            with redis.Redis.from_url(emptied_redis) as insider:
                insider.xadd(
                    redis_keys.STREAM, {"e": json.dumps(["/dashboard", rooms, "asset:new", data, None, None, 0])}
                )
            message = str(socket.recv(10))
        assert message.startswith('42/dashboard,["asset:new"')
        assert ("signature=" in message) == opens, message


def test_workers_are_listed_beside_what_is_no_worker(target: Target, emptied_redis: str) -> None:
    with redis.Redis.from_url(emptied_redis) as insider:
        insider.sadd("rq:workers", "rq:worker:text", "rq:worker:real")
        insider.set("rq:worker:text", "no hash")
        insider.hset("rq:worker:real", mapping={"birth": "2026-01-01T00:00:00Z", "queues": "cleanup", "pid": "²"})
        for number, (field, words) in enumerate(NO_WORKER):
            insider.sadd("rq:workers", f"rq:worker:fake-{number}")
            insider.hset(f"rq:worker:fake-{number}", mapping={"birth": "2026-01-01T00:00:00Z", field: words})
        insider.sadd("rq:workers", b"rq:worker:\xff")
        insider.hset(b"rq:worker:\xff", "birth", "2026-01-01T00:00:00Z")
    found = target.wait(registered(target.app.resources.core))
    assert found is not None and [worker.name for worker in found] == ["real"]
    told = target.client(str(uuid4()), "admin").get("/api/v1/admin/workers")
    assert [worker["name"] for worker in told.json()["workers"]] == ["real"]


def test_who_writes_to_redis_signs_nobody_in(target: Target, emptied_redis: str) -> None:
    owner = target.client(str(uuid4()))
    link = owner.post("/api/v1/session", json={"path": "/"}).json()["url"]
    with httpx.Client(base_url=target.url, trust_env=False) as browser:
        assert browser.get(link).status_code == 303
        (cookie,) = browser.cookies.keys()
        with redis.Redis.from_url(emptied_redis) as insider:
            (kept,) = (key for key in insider.scan_iter("session:browser:*"))
            mine = insider.get(kept)
            assert browser.get("/").status_code == 200
            forged = json.dumps([str(uuid4()), "a@example.org", "admin"]).encode()
            name = hashlib.sha256(b"chosen").hexdigest()
            seal, _, words = mine.partition(b".")
            for value in (forged, b"." + forged, seal + b"." + forged, b"\xff.[]", b"[]", words, mine):
                insider.set(f"session:browser:{name}", value)
                insider.set(f"session:ticket:{name}", value)
                for path in ("/", "/admin/queues"):
                    answer = httpx.get(target.url + path, cookies={cookie: "chosen"}, trust_env=False)
                    assert answer.status_code == 401, value
                landed = httpx.get(f"{target.url}/signin?ticket=chosen", trust_env=False)
                assert (landed.status_code, landed.headers.get("set-cookie")) == (401, None)


async def test_a_cancel_lands_at_once_whatever_else_was_said_on_the_channels(engine: Engine) -> None:
    slow = engine.settings.model_copy(update={"bmn_lease_seconds": 300.0, "bmn_renew_seconds": 100.0})
    async with engine.worker(settings=slow) as worker:
        registration = worker._rq
        assert registration is not None and registration.pubsub_thread is not None
        thread, channels = registration.pubsub_thread, (redis_keys.CONTROL, f"rq:pubsub:{registration.name}")

        async def heard() -> bool:
            return all([await engine.core.redis.publish(channel, "[]") > 0 for channel in channels])

        await eventually(heard)
        for words in ("null", "5", '"x"', "{", b"\xff", DEEP, '{"cancel": ["a"]}', '{"cancel": {"a": 1}}'):
            for channel in channels:
                await engine.core.redis.publish(channel, words)
        job_id = await engine.do("hang")
        await engine.started(job_id)
        assert (await cancel(engine.core, job_id, ANA)).state == "cancelled"
        assert thread.is_alive()
