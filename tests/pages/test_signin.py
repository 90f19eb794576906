"""Signing in with a browser: links that work once, sessions that end, and who may do without."""

import http.cookies
from pathlib import Path

import httpx
import pytest

from bmn.broker import redis_keys
from bmn.broker.embedded import EmbeddedRedis
from bmn.identity import roles
from bmn.settings import DEV_USER_ID
from tests.kit.api import Api, Starter, sign_in
from tests.kit.people import ANA, BEN
from tests.kit.tokens import SECRET_KEY, Project


async def link(api: Api, path: str = "/", user_id: str = ANA) -> str:
    answer = await api.as_user(user_id).post("/api/v1/session", json={"path": path})
    assert answer.status_code == 201
    url: str = answer.json()["url"]
    return url


async def test_a_link_signs_in_once_and_leads_to_its_page(api: Api) -> None:
    url = await link(api, "/g?x=1")
    first, second = api.anonymous(), api.anonymous()
    landed = await first.get(url)
    assert (landed.status_code, landed.headers["location"]) == (303, "/g?x=1")
    assert (await first.get("/")).status_code == 200
    again = await second.get(url)
    assert again.status_code == 401 and "used already" in again.text
    assert (await second.get("/")).status_code == 401


async def test_a_link_ends_by_itself(api: Api) -> None:
    url = await link(api)
    found = [key async for key in api.core.redis.scan_iter("session:*")]
    assert len(found) == 1 and 0 < await api.core.redis.ttl(found[0]) <= 120
    await api.core.redis.delete(found[0])
    assert (await api.anonymous().get(url)).status_code == 401


@pytest.mark.parametrize(
    "path", ["//evil.example", "https://evil.example", "/\\evil.example", "", "x", "/a b", "/\n/x"]
)
async def test_a_link_leads_to_our_own_pages_only(api: Api, path: str) -> None:
    assert (await api.as_user(ANA).post("/api/v1/session", json={"path": path})).status_code == 400


async def test_only_who_has_a_token_gets_a_link(api: Api) -> None:
    assert (await api.anonymous().post("/api/v1/session", json={"path": "/"})).status_code == 401


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(start: Starter) -> None:
    for address, name, secure in (
        ("", "bmn-session-", ""),
        ("https://bmn.example", "__Host-bmn-session", True),
        ("https://bmn.example:8443", "__Host-bmn-session-8443", True),
    ):
        api = await start(**({"public_url": address} if address else {}))
        url = (await link(api)).replace(address or api.url, api.url)
        cookie = http.cookies.SimpleCookie((await api.anonymous().get(url)).headers["set-cookie"])
        ((found, morsel),) = cookie.items()
        assert found == name or (not address and found.startswith(name))
        assert (morsel["httponly"], morsel["samesite"], morsel["path"], morsel["secure"]) == (
            True,
            "strict",
            "/",
            secure,
        )
        assert int(morsel["max-age"]) == redis_keys.SESSION_SECONDS


async def test_redis_does_not_hold_what_would_sign_somebody_in(api: Api, ana: httpx.AsyncClient) -> None:
    (value,) = ana.cookies.values()
    kept = [key async for key in api.core.redis.scan_iter("session:*")]
    assert len(kept) == 1 and value not in kept[0] + str(await api.core.redis.get(kept[0]))
    assert 0 < await api.core.redis.ttl(kept[0]) <= redis_keys.SESSION_SECONDS


async def test_a_session_ends_with_its_time_or_with_sign_out(api: Api) -> None:
    stays, leaves = await sign_in(api), await sign_in(api)
    assert (await leaves.post("/signout")).status_code == 303
    assert (await leaves.get("/")).status_code == 401
    assert (await stays.get("/")).status_code == 200
    async for key in api.core.redis.scan_iter("session:*"):
        await api.core.redis.delete(key)
    assert (await stays.get("/")).status_code == 401


async def test_a_session_has_its_role_no_longer_than_the_user_does(
    start: Starter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roles, "_BELIEVED_SECONDS", 0.0)
    project = Project()
    project.users = {ANA: {"app_metadata": {"role": "admin"}}}
    with project.serving():
        api = await start(**project.settings(), supabase_secret_key=SECRET_KEY)
        browser = api.anonymous()
        signed = {"Authorization": f"Bearer {project.token(app_metadata={'role': 'admin'})}"}
        answer = await browser.post("/api/v1/session", json={"path": "/admin/queues"}, headers=signed)
        assert (await browser.get(answer.json()["url"], follow_redirects=True)).status_code == 200
        project.users = {ANA: {"app_metadata": {}}}
        assert (await browser.get("/admin/queues")).status_code == 403
        assert (await browser.get("/")).status_code == 200
        project.users = {ANA: {"app_metadata": {"role": "admin"}}}
        assert (await browser.get("/admin/queues")).status_code == 200
        project.users = {}
        assert (await browser.get("/")).status_code == 401


async def test_signing_in_again_ends_the_session_before(api: Api, ana: httpx.AsyncClient) -> None:
    old = dict(ana.cookies)
    await ana.get(await link(api, user_id=BEN))
    assert dict(ana.cookies) != old
    left = api.anonymous()
    left.cookies.update(old)
    assert (await left.get("/")).status_code == 401


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Purpose": "prefetch"}])
async def test_a_link_that_somebody_else_opened_asks_first(api: Api, headers: dict[str, str]) -> None:
    browser, url = api.anonymous(), await link(api)
    asked = await browser.get(url, headers=headers)
    assert asked.status_code == 200 and "set-cookie" not in asked.headers
    ticket = {"ticket": url.partition("ticket=")[2]}
    assert (await browser.post("/signin", data=ticket, headers={"Sec-Fetch-Site": "cross-site"})).status_code == 403
    assert (await browser.post("/signin", data=ticket, headers={"Sec-Fetch-Site": "same-origin"})).status_code == 303


async def test_on_a_local_server_the_developer_signs_in_with_one_click(api: Api) -> None:
    browser = api.anonymous()
    assert "local developer" in (await browser.get("/")).text
    own = {"Sec-Fetch-Site": "same-origin"}
    landed = await browser.post("/signin/local", data={"back": "/g/x"}, headers=own)
    assert (landed.status_code, landed.headers["location"]) == (303, "/g/x")
    assert (await browser.get("/api/v1/credits")).json()["userId"] == DEV_USER_ID
    assert (await browser.post("/signin/local", data={"back": "//evil.example"}, headers=own)).status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {},
        {"Sec-Fetch-Site": "same-origin", "Host": "evil.example"},
        {"Sec-Fetch-Site": "same-origin", "X-Forwarded-For": "192.0.2.7"},
        {"Sec-Fetch-Site": "same-origin", "Host": "127.0.0.1.evil.example"},
    ],
)
async def test_another_site_cannot_sign_the_developer_in(api: Api, headers: dict[str, str]) -> None:
    answer = await api.anonymous().post("/signin/local", data={"back": "/"}, headers=headers)
    assert answer.status_code == 403 and "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "settings",
    [{"supabase_jwt_secret": "s" * 40}, {"bmn_host": "0.0.0.0"}, {"bmn_host": "192.0.2.7"}],
)
async def test_a_server_for_others_has_no_such_click(start: Starter, settings: dict[str, str]) -> None:
    browser = (await start(**settings)).anonymous()
    assert "local developer" not in (await browser.get("/")).text
    answer = await browser.post("/signin/local", headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 403


async def test_a_session_opens_the_api_to_pages_of_ours_only(api: Api, ana: httpx.AsyncClient) -> None:
    assert (await ana.get("/api/v1/jobs")).status_code == 200
    assert (await ana.post("/api/v1/brands", json={"name": "Mine"})).status_code == 201
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"}):
        assert (await ana.post("/api/v1/brands", json={"name": "Theirs"}, headers=headers)).status_code == 403
    bad = {"Authorization": "Bearer nonsense"}
    assert (await ana.get("/api/v1/jobs", headers=bad)).status_code == 401


async def test_while_redis_is_away_a_page_says_so(start: Starter, tmp_path: Path) -> None:
    redis = EmbeddedRedis(tmp_path / "own-redis")
    redis.start()
    try:
        api = await start(redis_url=redis.url)
        ana = await sign_in(api)
    finally:
        redis.stop()
    for path in ("/", "/g/job/x", "/admin/queues"):
        answer = await ana.get(path)
        assert answer.status_code == 503 and "away" in answer.text, path
