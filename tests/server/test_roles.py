"""Which role reaches which route and message: every one of them, for everybody who may call; and what viewers are shown."""

import json
import re
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import update

from bmn.db import job_store
from bmn.db.accounts import api_keys
from bmn.db.tables import api_keys as key_table
from bmn.errors import Cause
from bmn.events.audience import queue_stats, system_alert, system_error
from bmn.redaction import HIDDEN
from bmn.schemas.base import Role
from bmn.schemas.events import ADMIN, DASHBOARD, WIZARD
from bmn.schemas.generators import KINDS
from bmn.server.access.permissions import EVENTS, NAMESPACES, ROUTES
from tests.kit.api import Api
from tests.kit.jobs import add_asset, claim, fail
from tests.kit.people import ANA, BEN
from tests.kit.raw import Raw
from tests.server.addresses import IDS, NOBODY, address

# Each letter a role: viewer, operator, admin, service, user. What stands in no line here is in no route.
_EXPECTED = {
    "-oasu": """
        POST /api/v1/generation/* POST /api/v1/generation/*/estimate
        GET /api/v1/jobs/{job_id}/events GET /api/v1/events POST /api/v1/jobs/{job_id}/cancel
        POST /api/v1/jobs/{job_id}/retry POST /api/v1/jobs/{job_id}/share POST /api/v1/brands GET /api/v1/brands
        GET /api/v1/brands/{brand_id} PATCH /api/v1/brands/{brand_id} GET /api/v1/brands/{brand_id}/assets
        GET /api/v1/assets/{asset_id} POST /api/v1/assets/{asset_id}/select GET /api/v1/credits GET /files/{key:path}
        GET / GET /g/{brand_id} GET /g/job/{job_id} POST /g/new POST /g/{brand_id}/logos POST /g/asset/{asset_id}/refine
        POST /g/asset/{asset_id}/pick POST /g/job/{job_id}/cancel POST /g/job/{job_id}/retry POST /g/job/{job_id}/share
        GET /g/{brand_id}/{room} GET /g/{brand_id}/compare GET /g/{brand_id}/pictures.zip POST /g/{brand_id}/share
        POST /g/{brand_id}/look POST /g/{brand_id}/products POST /g/{brand_id}/bundles POST /g/{brand_id}/films
        POST /g/{brand_id}/words POST /g/asset/{asset_id}/favorite POST /g/job/{job_id}/look
        GET /dev/mail GET /dev/mail/{mail_id} GET /dev/mail/{mail_id}/body GET /dev/sandbox GET /dev/webhooks
        POST /dev/webhooks/{endpoint_id}/enable POST /api/v1/webhooks/endpoints/{endpoint_id}/enable
        GET /api/v1/webhooks/default/secret GET /api/v1/webhooks/endpoints POST /api/v1/webhooks/endpoints
        DELETE /api/v1/webhooks/endpoints/{endpoint_id} GET /api/v1/webhooks/endpoints/{endpoint_id}/secret
        POST /api/v1/webhooks/test GET /api/v1/webhooks/deliveries GET /api/v1/webhooks/deliveries/{delivery_id}
        POST /api/v1/webhooks/deliveries/{delivery_id}/replay POST /api/v1/webhooks/listen
        POST /api/v1/bulk POST /api/v1/bulk-estimate GET /api/v1/bulk GET /api/v1/bulk/{bulk_id}
        GET /api/v1/bulk/{bulk_id}/items POST /api/v1/bulk/{bulk_id}/{change}
        POST /api/v1/tokens GET /api/v1/shares POST /api/v1/shares/{share_id}/revoke
        POST /api/v1/generation/kits POST /api/v1/generation/kits/estimate GET /api/v1/kits GET /api/v1/kits/{kit_id}
        GET /g/kit/{kit_id} POST /g/kit/{kit_id}/cancel POST /g/{brand_id}/kit
        POST /api/v1/kits/{kit_id}/pick POST /api/v1/kits/{kit_id}/cancel
        POST /api/v1/webhooks/listen/{endpoint_id} POST /api/v1/webhooks/listen/{endpoint_id}/{delivery_id}
    """,
    "voasu": """
        GET /api/v1/jobs GET /api/v1/jobs/groups GET /api/v1/jobs/{job_id} GET /api/v1/jobs/{job_id}/why
        GET /api/v1/jobs/{job_id}/logs GET /api/v1/products GET /api/v1/costs GET /api/v1/me POST /api/v1/session
    """,
    "voa--": """
        GET /api/v1/admin/queues GET /api/v1/admin/workers GET /api/v1/admin/alerts GET /api/v1/admin/dlq
        GET /api/v1/admin/incidents GET /api/v1/admin/overview
        GET /api/v1/admin/jobs/{job_id}/calls
        GET /api/v1/admin/bulk GET /api/v1/admin/bulk/{bulk_id} GET /api/v1/admin/bulk/{bulk_id}/items
        GET /admin GET /admin/jobs GET /admin/jobs/{job_id} GET /admin/dlq GET /admin/bulk GET /admin/bulk/{bulk_id}
        GET /admin/events
    """,
    "-oa--": """
        POST /api/v1/admin/queues/{queue}/pause POST /api/v1/admin/queues/{queue}/resume POST /api/v1/admin/dlq/replay
        POST /api/v1/admin/alerts/{alert_id}/ack POST /api/v1/admin/alerts/mute POST /api/v1/admin/alerts/unmute
        GET /api/v1/admin/incidents/{name} POST /api/v1/admin/workers/drain POST /api/v1/admin/workers/scale
        POST /api/v1/admin/probes
        POST /api/v1/admin/bulk POST /api/v1/admin/bulk-estimate POST /api/v1/admin/bulk/{bulk_id}/{change}
        GET /api/v1/admin/audit GET /admin/queues
        GET /admin/audit GET /admin/users GET /admin/users/{user_id}
        GET /admin/bulk/new POST /admin/bulk POST /admin/bulk/{bulk_id}/{change}
        POST /admin/queue/{queue}/{change} POST /admin/jobs/{job_id}/retry POST /admin/jobs/{job_id}/cancel
        POST /admin/alerts/{alert_id}/ack POST /admin/alerts/mute POST /admin/alerts/unmute
    """,
    "--a--": """
        POST /api/v1/admin/dlq/purge POST /api/v1/admin/credits POST /api/v1/admin/keys GET /api/v1/admin/keys
        POST /api/v1/admin/keys/{key}/revoke POST /admin/users/{user_id}/grant
    """,
    "--as-": "POST /api/v1/events",
}
_EXPECTED_EVENTS = {
    "-oasu": [
        *(
            (WIZARD, name)
            for name in (
                "brand:join",
                "brand:leave",
                "group:join",
                "group:leave",
                "job:join",
                "job:leave",
                "job:status",
                "job:cancel",
                "user:join",
                "user:leave",
            )
        ),
        *((DASHBOARD, name) for name in ("brand:watch", "brand:unwatch", "group:watch", "group:unwatch")),
    ],
    "voa--": [(ADMIN, "queues:stats")],
    "-oa--": [(ADMIN, "job:retry")],
}
_EXPECTED_NAMESPACES = {WIZARD: "-oasu", DASHBOARD: "-oasu", ADMIN: "voa--"}
_LETTERS = dict(zip(Role, "voasu", strict=True))
# For everybody, signed in or not.
_OPEN = {
    "GET /api/v1/shared/{token}",
    "GET /api/v1/shared/{token}/events",
    "GET /health",
    "GET /health/live",
    "GET /metrics",
    "GET /static/{name}",
    "GET /signin",
    "POST /signin",
    "POST /signin/local",
    "POST /signout",
    "GET /g",
    "GET /s/{token}",
    "GET /mails/{token}",
    "POST /mails/{token}",
    "GET /docs",
    "GET /openapi.json",
}
_CANARY = "canary-of-ana"
_STAFF = "canary-of-staff"
_LOOK = {"reveal": "true", "reason": "ticket 7"}


async def test_a_look_that_is_refused_is_not_in_the_log(api: Api, ana: httpx.AsyncClient) -> None:
    operator = api.with_token((await api.key(Role.OPERATOR, BEN)).text)
    job_id = await api.logos(ana, await api.brand(ana), count=1)
    for path, more, status in (
        (f"/api/v1/jobs/{job_id}", {"wait": "61"}, 400),
        (f"/api/v1/jobs/{job_id}", {"wait": "nonsense"}, 400),
        ("/api/v1/jobs", {"all": "true", "cursor": "none"}, 400),
        (f"/api/v1/jobs/{job_id}-not", {}, 404),
        (f"/g/job/{job_id}-not", {}, 404),
    ):
        assert (await operator.get(path, params={**_LOOK, **more})).status_code == status, path
    log = "/api/v1/admin/audit?action=reveal"
    assert (await operator.get(log)).json()["entries"] == []
    assert (await operator.get(f"/api/v1/jobs/{job_id}", params=_LOOK)).status_code == 200
    unknown = {"user": "nobody@example.com", **_LOOK}
    assert (await operator.get("/api/v1/jobs", params=unknown)).status_code == 404
    entries = (await operator.get(log)).json()["entries"]
    assert [each["action"] for each in entries] == ["reveal.user", "reveal.job"]


# What a role may do is no question of the database.
_ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def expected() -> dict[str, str]:
    found: dict[str, str] = {}
    for letters, text in _EXPECTED.items():
        for name in re.findall(r"[A-Z]+ \S+", text):
            for each in [name.replace("*", kind) for kind in KINDS] if "*" in name else [name]:
                found[each] = letters
    return found


@_ONE_DATABASE
def test_every_route_stands_in_the_table(api: Api) -> None:
    routes = {
        f"{method} {route.path}"
        for route in api.app.api.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    assert routes - _OPEN == ROUTES.keys() - {"GET /admin/queues"}
    assert expected().keys() == ROUTES.keys()
    assert {event for events in _EXPECTED_EVENTS.values() for event in events} == EVENTS.keys()
    assert _EXPECTED_NAMESPACES.keys() == NAMESPACES.keys()


async def callers(api: Api) -> dict[str, str | None]:
    """A token for everybody of the matrix, by name."""
    texts: dict[str, str | None] = {role.value: (await api.key(role, ANA)).text for role in Role}
    revoked, late = await api.key(Role.ADMIN, ANA), await api.key(Role.ADMIN, ANA)
    await api.core.db.write(lambda conn: api_keys.revoke(conn, revoked.id, by="tests"))
    past = update(key_table).where(key_table.c.id == late.id).values(expires_at=1.0)
    await api.core.db.write(lambda conn: conn.execute(past))
    return {**texts, "anonymous": None, "revoked": revoked.text, "expired": late.text}


async def _ask(api: Api, client: httpx.AsyncClient, name: str) -> httpx.Response:
    method, path = name.split(" ")
    if path.startswith("/admin"):  # a page, so that it takes a browser's session
        signed = await client.post("/api/v1/session", json={"path": "/admin"})
        if signed.status_code != 201:
            return signed
        browser = api.anonymous()
        browser.headers["Sec-Fetch-Site"] = "same-origin"
        await browser.get(signed.json()["url"])
        asked = browser.build_request(method, address(path))
        answer = await browser.send(asked, stream=True)  # one of them is a stream without an end
        await answer.aclose()
        return answer
    body = {} if method == "GET" else {"json": {}}
    return await client.request(method, address(path), **body)


@_ONE_DATABASE
async def test_role_by_route(api: Api) -> None:
    wrong = []
    for caller, token in (await callers(api)).items():
        letter = _LETTERS.get(Role(caller)) if caller in set(Role) else None
        client = api.with_token(token) if token else api.anonymous()
        for name, letters in expected().items():
            status = (await _ask(api, client, name)).status_code
            if letter is None:
                as_it_should = status == 401
            elif letter in letters:
                as_it_should = status not in (401, 403, 500)
            else:
                as_it_should = status == 403
            if not as_it_should:
                wrong.append((caller, name, status))
    assert wrong == []


@_ONE_DATABASE
async def test_role_by_event(api: Api) -> None:
    wrong = []
    for caller, token in (await callers(api)).items():
        letter = _LETTERS.get(Role(caller)) if caller in set(Role) else None
        for namespace, letters in _EXPECTED_NAMESPACES.items():
            raw = await Raw.open(api)
            answer = await raw.join(namespace, token or "")
            joined = '"sid"' in answer
            if joined != (letter is not None and letter in letters):
                wrong.append((caller, namespace, answer))
            if not joined or letter is None:
                await raw.connection.close()
                continue
            for letters_of_event, events in _EXPECTED_EVENTS.items():
                for _, event in (entry for entry in events if entry[0] == namespace):
                    asked = {"jobId": "logo-generation-none", "brandId": NOBODY}
                    told = json.dumps(await raw.ask(f"42{namespace},7{json.dumps([event, asked])}"))
                    if ("access required" in told) == (letter in letters_of_event):
                        wrong.append((caller, event, told))
            await raw.connection.close()
    assert wrong == []


@pytest.fixture
async def troubled(api: Api) -> str:
    """A failed job of somebody whose name, mail, words and error hold the canary."""
    ana = api.as_user(ANA, email=f"{_CANARY}@example.org")
    brand = await api.brand(ana, f"Brand {_CANARY}", vision=f"Vision {_CANARY}")
    job_id = await api.logos(ana, brand, count=1, brandVision=f"Words {_CANARY}")
    await fail(api.core, await claim(api.core, job_id), Cause.PROVIDER_GARBAGE, f"cannot read {_CANARY}")
    await api.as_user(BEN, "admin").post(
        "/api/v1/admin/queues/logo-generation/pause", json={"reason": f"{_STAFF} asked for it"}
    )
    return job_id


@pytest.fixture
async def reasoned(api: Api, troubled: str) -> str:
    """A job that the same user has cancelled, and one that a service has cancelled for them, each for a reason of theirs.

    And a bulk action that the service began for them, by what they wrote: its id.
    """
    ana, service = api.as_user(ANA), api.with_token((await api.key(Role.SERVICE, BEN)).text)
    brand = (await ana.get(f"/api/v1/jobs/{troubled}")).json()["brandId"]
    service.headers["X-On-Behalf-Of"] = ANA
    why = {"reason": f"because {_CANARY}"}
    for asking in (ana, service):
        other = await api.logos(ana, brand, count=1)
        assert (await asking.post(f"/api/v1/jobs/{other}/cancel", json=why)).status_code == 200
    await api.logos(ana, brand, count=1, brandVision=f"Words {_CANARY}")
    begun = await service.post("/api/v1/bulk", json={"action": "cancel", "state": ["queued"], "text": _CANARY, **why})
    assert begun.status_code == 202, begun.text
    return str(begun.json()["id"])


def for_operators(troubled: str, begun: str) -> dict[str, str]:
    """What viewers do not see at all, as in `lists`."""
    return {
        "/api/v1/admin/audit": troubled,
        "/api/v1/admin/incidents/provider_garbage": "provider_garbage",
    }


def lists(troubled: str, begun: str) -> dict[str, str]:
    """Every list and page of a job that operators and viewers see, and a word that each must show."""
    return {
        "/api/v1/jobs?all=true": troubled,
        f"/api/v1/jobs?user={ANA}": troubled,
        "/api/v1/jobs/groups?by=cause&all=true": "provider_garbage",
        f"/api/v1/jobs/{troubled}": troubled,
        f"/api/v1/jobs/{troubled}?wait=0": troubled,
        f"/api/v1/jobs/{troubled}/why": troubled,
        f"/api/v1/jobs/{troubled}/logs": "logs",
        "/api/v1/costs?all=true": "rows",
        "/api/v1/costs?by=user": "rows",
        "/api/v1/products": "products",
        "/api/v1/me": "userId",
        "/api/v1/admin/queues": "logo-generation",
        "/api/v1/admin/workers": "workers",
        "/api/v1/admin/overview": "usdLimit",
        f"/api/v1/admin/jobs/{troubled}/calls": troubled,
        "/api/v1/admin/alerts?ended=true": "alerts",
        "/api/v1/admin/incidents": "alerts",
        "/api/v1/admin/dlq": troubled,
        "/api/v1/jobs/groups?all=true": "groups",
        "/api/v1/admin/bulk": begun,
        f"/api/v1/admin/bulk/{begun}": begun,
        f"/api/v1/admin/bulk/{begun}/items": troubled,
    }


async def test_nothing_personal_reaches_who_has_not_said_why(api: Api, troubled: str, reasoned: str) -> None:
    viewer, operator, admin = [
        api.with_token((await api.key(role, BEN)).text) for role in (Role.VIEWER, Role.OPERATOR, Role.ADMIN)
    ]
    body = {"action": "retry", "ids": [troubled], "reason": _STAFF}
    begun = (await admin.post("/api/v1/admin/bulk", json=body)).json()["id"]
    hidden = for_operators(troubled, begun)
    seen = {**lists(troubled, begun), f"/api/v1/admin/bulk/{reasoned}": reasoned, **hidden}
    shown_to_admins = revealed = ""
    for path, word in seen.items():
        answer = await viewer.get(path)
        assert answer.status_code == (403 if path in hidden else 200), (path, answer.text)
        assert path in hidden or word in answer.text, path
        assert _CANARY not in answer.text and _STAFF not in answer.text, path
        for one in (operator, admin):
            answer = await one.get(path)
            assert word in answer.text, path
            assert _CANARY not in answer.text, path
            shown_to_admins += answer.text
        looked = path + ("&" if "?" in path else "?") + "reveal=true&reason=ticket+7"
        revealed += (await admin.get(looked)).text
    assert shown_to_admins.count(_STAFF) > 5
    assert revealed.count(_CANARY) > 5
    # Nor is it to be found out by asking whether it is there.
    words = ("jobs?all=true&", "jobs/groups?all=true&", "admin/dlq?")
    for path in (f"/api/v1/{place}text={_CANARY}" for place in words):
        assert (await viewer.get(path)).status_code == 403
        refused = await admin.get(path)
        assert (refused.status_code, "--reveal REASON" in refused.text) == (403, True), path
        assert (await admin.get(f"{path}&reveal=true&reason=ticket+7")).status_code == 200
    assert {
        address(name.split(" ")[1])
        for name, letters in expected().items()
        if letters in ("voasu", "voa--", "-oa--")
        and name.startswith("GET /api/")  # pages: tests/pages/test_operators.py
    } <= {_as_in_the_table(path, troubled, begun) for path in seen}


def _as_in_the_table(path: str, troubled: str, begun: str) -> str:
    named = {troubled: IDS["job_id"], begun: IDS["bulk_id"], "provider_garbage": NOBODY}
    path = re.sub(r"\?.*", "", path)
    for found, stands_for in named.items():
        path = path.replace(found, stands_for)
    return path


@_ONE_DATABASE
async def test_what_is_wholly_personal_is_not_there_until_somebody_says_why(api: Api, troubled: str) -> None:
    ana, admin = api.as_user(ANA), api.with_token((await api.key(Role.ADMIN, BEN)).text)
    brand = (await ana.get(f"/api/v1/jobs/{troubled}")).json()["brandId"]
    asset = await add_asset(api.core, brand, troubled, data=b"png")
    for path in (f"brands/{brand}", f"brands/{brand}/assets", f"assets/{asset}", f"jobs/{troubled}/events"):
        assert (await ana.get(f"/api/v1/{path}")).status_code == 200, path
        assert (await admin.get(f"/api/v1/{path}")).status_code == 404, path
        assert (await admin.get(f"/api/v1/{path}", params=_LOOK)).status_code == 200, path
    for method, path in (("PATCH", f"brands/{brand}"), ("POST", f"jobs/{troubled}/share")):
        answer = await admin.request(method, f"/api/v1/{path}", params=_LOOK, json={})
        assert answer.status_code in (400, 404), "to look is not to change or to hand on"


@_ONE_DATABASE
async def test_ones_own_is_shown_whole(api: Api, troubled: str) -> None:
    for role in (Role.OPERATOR, Role.ADMIN):
        own = api.with_token((await api.key(role, ANA)).text)
        for path in ("jobs?all=true", f"jobs/{troubled}", "admin/dlq"):
            answer = await own.get(f"/api/v1/{path}")
            assert _CANARY in answer.text and HIDDEN not in answer.text, (role, path)


@_ONE_DATABASE
async def test_the_audit_log_says_who_looked_at_what_and_why(api: Api, troubled: str) -> None:
    key = await api.key(Role.OPERATOR, BEN)
    operator = api.with_token(key.text)
    for path in (f"jobs/{troubled}", f"jobs/{troubled}", f"jobs/{troubled}/why", "jobs?all=true&state=failed"):
        answer = await operator.get(f"/api/v1/{path}", params=None if "?" in path else _LOOK)
        assert answer.status_code == 200
    await operator.get("/api/v1/jobs?all=true&state=failed&limit=5&reveal=true&reason=ticket+7")
    found = (await operator.get("/api/v1/admin/audit?action=reveal")).json()["entries"]
    assert [(act["action"], act["subject"], act["reason"], act["after"]) for act in found] == [
        ("reveal.jobs", "jobs", "ticket 7", {"asked": "all=true&state=failed"}),
        ("reveal.job", troubled, "ticket 7", None),  # three looks within a quarter of an hour are one
    ]
    assert {(act["actor"], act["keyId"]) for act in found} == {(BEN, key.id)}
    acts = (await operator.get(f"/api/v1/jobs/{troubled}")).json()["acts"]
    assert "reveal.job" in [act["action"] for act in acts]
    for reason in ({}, {"reason": " "}, {"reason": "ticket 7\nqueue.pause"}):
        assert (await operator.get(f"/api/v1/jobs/{troubled}", params={"reveal": "true", **reason})).status_code == 400
    assert (await api.as_user(ANA).get(f"/api/v1/jobs/{troubled}", params=_LOOK)).status_code == 403


@_ONE_DATABASE
async def test_words_of_others_are_searched_with_a_reason_and_ones_own_without(api: Api, troubled: str) -> None:
    operator, own = [api.with_token((await api.key(Role.OPERATOR, one)).text) for one in (BEN, ANA)]
    chosen = {"text": _CANARY}
    for path, body in {
        "admin/bulk-estimate": {"action": "retry", **chosen},
        "admin/bulk": {"action": "replay", "user": ANA, **chosen},
        "admin/dlq/replay": {"dryRun": True, **chosen},
    }.items():
        assert (await operator.post(f"/api/v1/{path}", json=body)).status_code == 403, path
        assert (await operator.post(f"/api/v1/{path}", json=body, params=_LOOK)).status_code < 300, path
    assert (await operator.get("/api/v1/jobs", params=chosen)).json()["jobs"] == []
    assert troubled in (await own.get("/api/v1/jobs", params=chosen)).text
    assert (await own.post("/api/v1/bulk-estimate", json={"action": "retry", **chosen})).status_code == 200
    audit = (await operator.get("/api/v1/admin/audit?action=reveal")).json()["entries"]
    assert {act["action"] for act in audit} == {"reveal.bulk-estimate", "reveal.bulk", "reveal.replay"}


@_ONE_DATABASE
async def test_why_users_act_on_their_own_is_theirs_and_what_staff_say_is_not(api: Api, troubled: str) -> None:
    ana, operator = api.as_user(ANA), api.with_token((await api.key(Role.OPERATOR, BEN)).text)
    other = await api.logos(ana, (await ana.get(f"/api/v1/jobs/{troubled}")).json()["brandId"], count=1)
    why = {"reason": f"because {_CANARY}"}
    assert (await ana.post(f"/api/v1/jobs/{other}/cancel", json=why)).status_code == 200
    body = {"action": "retry", "state": ["failed"], "text": _CANARY, **why}
    begun = (await ana.post("/api/v1/bulk", json=body)).json()
    assert (begun["reason"], begun["selection"]["text"]) == (why["reason"], _CANARY), "the owner sees it"
    stopped = {"reason": f"{_STAFF} stopped it"}
    assert (await operator.post(f"/api/v1/admin/bulk/{begun['id']}/abort", json=stopped)).status_code < 300
    seen = ("admin/audit", f"jobs/{other}", "admin/bulk", f"admin/bulk/{begun['id']}")
    for path in seen:
        hidden, shown = [(await operator.get(f"/api/v1/{path}", params=how)).text for how in ({}, _LOOK)]
        assert _CANARY not in hidden and _CANARY in shown, path
        assert (_STAFF in hidden) == (path == "admin/audit"), path
    assert '"state":["failed"]' in hidden, "words alone are hidden"


@_ONE_DATABASE
async def test_whose_an_address_is_is_told_and_written_down(api: Api, troubled: str) -> None:
    operator = api.with_token((await api.key(Role.OPERATOR, BEN)).text)
    asked = {"user": f"{_CANARY}@example.org"}
    assert (await operator.get("/api/v1/jobs", params=asked)).json()["jobs"][0]["jobId"] == troubled
    assert (await operator.get("/api/v1/costs", params=asked)).status_code == 200
    assert (await operator.get("/api/v1/costs", params={"user": f"{_CANARY}@example"})).status_code == 404
    audit = await operator.get("/api/v1/admin/audit?action=reveal")
    assert [(act["action"], act["subject"]) for act in audit.json()["entries"]] == [
        ("reveal.user", HIDDEN),  # nobody has it
        ("reveal.user", ANA),
    ]
    for path in ("jobs?all=true", "admin/dlq?", f"events?job={troubled}"):
        asked = {"user": f"{_CANARY}@example.org"} if "jobs" in path else {"text": f"{_CANARY}@x.org"}
        one = f"{path}&{urlencode({**(asked if 'events' not in path else {}), **_LOOK})}"
        assert (await operator.get(f"/api/v1/{one}")).status_code == 200, one
    audit = await operator.get("/api/v1/admin/audit?action=reveal&limit=3")
    assert [(act["subject"], act["after"]) for act in audit.json()["entries"]] == [
        (troubled, None),
        ("dlq", {"asked": urlencode({"text": HIDDEN})}),
        ("jobs", {"asked": f"all=true&user={ANA}"}),
    ]
    assert _CANARY not in audit.text


async def test_a_viewers_socket_hears_figures_and_nothing_of_users(api: Api) -> None:
    raw = await Raw.open(api)
    assert '"sid"' in await raw.join(ADMIN, (await api.key(Role.VIEWER, BEN)).text)
    await api.core.stream.publish(
        [
            system_error(queue="q", job_id="j", error=_CANARY, cause="bug", attempts=1, user_id=ANA),
            system_alert("rate-limit", _CANARY, "warn"),
            queue_stats({}),
        ]
    )
    assert "system:queue-stats" in await raw.read()
    await raw.connection.close()


async def test_a_service_submits_for_a_user_and_nobody_else_does(api: Api) -> None:
    ana = api.as_user(ANA)
    brand = await api.brand(ana)
    service = api.with_token((await api.key(Role.SERVICE, BEN)).text)
    user = api.with_token((await api.key(Role.USER, BEN)).text)
    for_ana = {"X-On-Behalf-Of": ANA}
    answer = await service.post("/api/v1/generation/logos", json={"brandId": brand}, headers=for_ana)
    assert answer.status_code == 202, answer.text
    row = await api.core.db.read(lambda conn: job_store.get_job(conn, answer.json()["jobId"]))
    assert row.user_id == ANA
    job = f"/api/v1/jobs/{row.id}"
    assert (await service.post(f"{job}/cancel", headers=for_ana, json={"reason": "they called"})).status_code == 200
    (act,) = (await api.as_user(ANA, "admin").get(job)).json()["acts"]
    assert (act["actor"], act["keyName"], act["reason"]) == (BEN, "the tests' service", "they called")
    for other in (user, api.as_user(BEN, "admin"), api.with_token((await api.key(Role.OPERATOR, BEN)).text)):
        assert (await other.get("/api/v1/brands", headers=for_ana)).status_code == 403
    refused: dict[str, Any] = {"nobody": 400, NOBODY: 404}
    for name, status in refused.items():
        assert (await service.get("/api/v1/brands", headers={"X-On-Behalf-Of": name})).status_code == status
    assert (await service.get("/api/v1/admin/queues", headers=for_ana)).status_code == 403
