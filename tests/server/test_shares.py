"""Links that show what was made: live while it runs, listed, and withdrawn one by one."""

import json
import re
import time
from urllib.parse import quote

import httpx
from fastapi.routing import APIRoute

from bmn.redaction import redact
from tests.kit.api import Api, Starter
from tests.kit.jobs import add_asset, claim, complete, progress
from tests.kit.people import ANA, BEN


async def _shared(api: Api, ana: httpx.AsyncClient) -> tuple[str, str, dict[str, str]]:
    brand = await api.brand(ana)
    job = await api.logos(ana, brand, count=1)
    return brand, job, (await ana.post(f"/api/v1/jobs/{job}/share", json={"hours": 1})).json()


async def test_a_share_is_withdrawn_by_itself(api: Api) -> None:
    ana, ben, anybody = api.as_user(ANA), api.as_user(BEN), api.anonymous()
    _, job, first = await _shared(api, ana)
    second = (await ana.post(f"/api/v1/jobs/{job}/share")).json()
    listed = (await ana.get("/api/v1/shares")).json()["shares"]
    assert [(each["id"], each["jobId"], each["brandName"]) for each in listed] == [
        (second["id"], job, "Acme Coffee"),
        (first["id"], job, "Acme Coffee"),
    ]
    assert listed[1]["url"] == first["url"]
    page = (await ana.get("/api/v1/shares?limit=1")).json()
    rest = (await ana.get(f"/api/v1/shares?limit=1&cursor={page['nextCursor']}")).json()
    assert [each["id"] for each in page["shares"] + rest["shares"]] == [second["id"], first["id"]]
    assert rest["nextCursor"] is None
    assert (await ben.get("/api/v1/shares")).json()["shares"] == []
    assert (await ben.post(f"/api/v1/shares/{first['id']}/revoke")).status_code == 404
    for _ in range(2):  # the second time changes nothing
        done = await ana.post(f"/api/v1/shares/{first['id']}/revoke")
        assert done.status_code == 200 and done.json()["revokedAt"]
    for path in (f"/s/{first['token']}", f"/api/v1/shared/{first['token']}", f"/api/v1/shared/{first['token']}/events"):
        assert (await anybody.get(path)).status_code == 404, path
    assert (await anybody.get(f"/api/v1/shared/{second['token']}")).status_code == 200
    assert [each["id"] for each in (await ana.get("/api/v1/shares")).json()["shares"]] == [second["id"]]
    assert len((await ana.get("/api/v1/shares?all=true")).json()["shares"]) == 2


async def test_a_shared_job_is_live_and_tells_nothing_of_its_owner(api: Api) -> None:
    ana, anybody = api.as_user(ANA), api.anonymous()
    brand, job, link = await _shared(api, ana)
    assert 'data-shared="' in (await anybody.get(link["url"])).text
    seen = []
    async with anybody.stream("GET", f"/api/v1/shared/{link['token']}/events") as answer:
        assert answer.status_code == 200
        async for line in answer.aiter_lines():
            if not line.startswith("data:"):
                continue
            seen.append(json.loads(line.removeprefix("data:")))
            if len(seen) == 1:
                row = await claim(api.core, job)
                await progress(api.core, row, 40)
            elif seen[-1]["progress"] == 40 and not seen[-1]["assets"]:
                await add_asset(api.core, brand, job, b"\x89PNG\r\n\x1a\npicture")
                await complete(api.core, row)
    assert (seen[0]["state"], seen[-1]["state"], len(seen[-1]["assets"])) == ("queued", "completed", 1)
    assert seen[-1] == (await anybody.get(f"/api/v1/shared/{link['token']}")).json()
    assert ANA not in json.dumps(seen) and "cost" not in json.dumps(seen).lower()
    assert "data-shared" not in (await anybody.get(link["url"])).text


async def test_whoever_holds_a_link_is_counted_by_it(start: Starter) -> None:
    api = await start(bmn_requests_per_minute=4)
    ana, anybody = api.as_user(ANA), api.anonymous()
    _, job, link = await _shared(api, ana)
    other = (await ana.post(f"/api/v1/jobs/{job}/share")).json()
    mails = f"/mails/{api.app.resources.signer.mails_token(ANA)}"
    paths = (f"/api/v1/shared/{link['token']}", f"/s/{link['token']}")
    assert [(await anybody.get(paths[turn % 2])).status_code for turn in range(42)] == [200] * 40 + [429] * 2
    assert (await anybody.get(f"{paths[0]}/events")).status_code == 429
    assert (await anybody.get(f"/s/{other['token']}")).status_code == 200
    assert [(await anybody.get(mails)).status_code for _ in range(41)] == [200] * 40 + [429]
    assert (await anybody.post(mails, data={"wanted": "true"})).status_code == 429


async def test_nothing_that_opens_something_by_itself_is_written(api: Api) -> None:
    """Neither into a log nor into a trace, wherever it stands: what is in no query is in the path."""
    ana, signer = api.as_user(ANA), api.app.resources.signer
    _, job, link = await _shared(api, ana)
    older = f"{job}.{int(time.time()) + 60}.{signer._sign('share', job, int(time.time()) + 60)}"
    mails = signer.mails_token(ANA)
    view = (await ana.post("/api/v1/tokens", json={"jobId": job})).json()["token"]
    ticket = (await ana.post("/api/v1/session", json={"path": "/"})).json()["url"]
    file = signer.signed(api.core.storage.url_for("brands/x/logo/a.png"))
    given = {"/s/{token}": [link["token"], older], "/mails/{token}": [mails]}
    given["/api/v1/shared/{token}"] = given["/api/v1/shared/{token}/events"] = given["/s/{token}"]
    routes = {route.path for route in api.app.api.routes if isinstance(route, APIRoute)}
    assert {path for path in routes if "token}" in path} == given.keys()
    texts = [path.replace("{token}", token) for path, tokens in given.items() for token in tokens]
    for text in [*texts, file, ticket, f"/api/v1/events?token={view}"]:
        secret = re.split(r"[./=]", text.removesuffix("/events"))[-1]
        assert len(secret) >= 24 and secret in text
        assert secret not in redact(f"GET {text} failed"), text


async def test_a_page_that_follows_is_ended_when_the_link_is_withdrawn(api: Api) -> None:
    ana, anybody = api.as_user(ANA), api.anonymous()
    _, _, link = await _shared(api, ana)
    async with anybody.stream("GET", f"/api/v1/shared/{link['token']}/events") as answer:
        async for line in answer.aiter_lines():
            if line.startswith("data:"):
                await ana.post(f"/api/v1/shares/{link['id']}/revoke")
    assert (await anybody.get(link["url"])).status_code == 404


async def test_a_link_of_the_release_that_kept_none_works_until_it_ends(api: Api) -> None:
    _, job, _ = await _shared(api, api.as_user(ANA))
    signer, until = api.app.resources.signer, int(time.time()) + 60
    token = f"{quote(job)}.{until}.{signer._sign('share', job, until)}"
    for path in (f"/s/{token}", f"/api/v1/shared/{token}"):
        assert (await api.anonymous().get(path)).status_code == 200
