"""Two users, every route: what is not yours reads, to the letter, like what is not there.

The routes come from the app itself, so a new one fails here until it is given a row in ROUTES.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import Connection, select

from bmn.db.tables import metadata
from tests.kit.api import Api
from tests.kit.jobs import add_asset
from tests.kit.people import ANA, BEN

CANARY = "Zanzibar Canary Roasters"
API = "/api/v1"


@dataclass(frozen=True)
class Route:
    """How to ask a route for somebody's thing. The words in braces are filled in: brand, asset, job, key, file, other.

    answer: what a stranger gets. `absent`: the same as for a thing that is not there. `own`: their own, empty list.
    `refused`: 403. `asked`: to sign in. `open`: anybody may.
    """

    answer: str
    path: str = ""
    body: Any = None
    form: dict[str, Any] | None = None
    query: dict[str, Any] = field(default_factory=dict)


ROUTES: dict[str, Route] = {
    "POST /api/v1/generation/logos": Route("absent", body={"brandId": "{brand}"}),
    "POST /api/v1/generation/mockups": Route(
        "absent",
        body={
            "brandId": "{brand}",
            "products": [{"productId": "{other}", "productName": "Mug", "productCategory": "drinkware"}],
            "logoUrl": "https://a.example/a.png",
        },
    ),
    "POST /api/v1/generation/bundles": Route(
        "absent",
        body={
            "brandId": "{brand}",
            "bundleName": "Set",
            "productMockupUrls": ["https://a.example/a.png", "https://a.example/b.png"],
        },
    ),
    "POST /api/v1/generation/videos": Route(
        "absent", body={"brandId": "{brand}", "productName": "Mug", "productMockupUrl": "https://a.example/a.png"}
    ),
    "POST /api/v1/generation/wizard": Route("absent", body={"brandId": "{brand}", "step": "brand-identity"}),
    "POST /api/v1/generation/logos/estimate": Route("absent", body={"brandId": "{brand}"}),
    "POST /api/v1/generation/mockups/estimate": Route(
        "absent",
        body={
            "brandId": "{brand}",
            "products": [{"productId": "{other}", "productName": "Mug", "productCategory": "drinkware"}],
            "logoUrl": "https://a.example/a.png",
            "colorPalette": ["#111111"],
        },
    ),
    "POST /api/v1/generation/bundles/estimate": Route(
        "absent",
        body={
            "brandId": "{brand}",
            "bundleName": "Set",
            "brandName": "Acme",
            "colorPalette": ["#111111"],
            "productMockupUrls": ["https://a.example/a.png", "https://a.example/b.png"],
        },
    ),
    "POST /api/v1/generation/videos/estimate": Route(
        "absent", body={"brandId": "{brand}", "productName": "Mug", "productMockupUrl": "https://a.example/a.png"}
    ),
    "POST /api/v1/generation/wizard/estimate": Route("absent", body={"brandId": "{brand}", "step": "brand-identity"}),
    "GET /api/v1/jobs": Route("own", query={"brand": "{brand}", "prefix": "{job}", "text": "Zanzibar"}),
    "GET /api/v1/jobs/groups": Route("own", query={"brand": "{brand}", "text": "Zanzibar"}),
    "GET /api/v1/jobs/{job_id}": Route("absent"),
    "GET /api/v1/jobs/{job_id}/why": Route("absent"),
    "GET /api/v1/jobs/{job_id}/logs": Route("absent"),
    "GET /api/v1/jobs/{job_id}/events": Route("absent"),
    "GET /api/v1/events": Route("absent", query={"job": "{job}"}),
    "POST /api/v1/jobs/{job_id}/cancel": Route("absent"),
    "POST /api/v1/jobs/{job_id}/retry": Route("absent", body={}),
    "POST /api/v1/jobs/{job_id}/share": Route("absent", body={"hours": 1}),
    "GET /api/v1/shared/{token}": Route("absent", path="/api/v1/shared/{job}.9999999999.AAAAAAAAAAAAAAAAAAAAAAAA"),
    "GET /api/v1/shared/{token}/events": Route(
        "absent", path="/api/v1/shared/{job}.9999999999.AAAAAAAAAAAAAAAAAAAAAAAA/events"
    ),
    "GET /api/v1/shares": Route("own"),
    "POST /api/v1/shares/{share_id}/revoke": Route("absent"),
    "POST /api/v1/tokens": Route("absent", body={"jobId": "{job}"}),
    "POST /api/v1/generation/kits": Route("absent", body={"brandId": "{brand}"}),
    "POST /api/v1/generation/kits/estimate": Route("absent", body={"brandId": "{brand}"}),
    "GET /api/v1/kits": Route("own"),
    "GET /api/v1/kits/{kit_id}": Route("absent"),
    "POST /api/v1/kits/{kit_id}/pick": Route("absent", body={"assetId": "{asset}"}),
    "POST /api/v1/kits/{kit_id}/cancel": Route("absent", body={}),
    "POST /api/v1/bulk": Route("absent", body={"action": "cancel", "ids": ["{job}"]}),
    "POST /api/v1/bulk-estimate": Route("own", body={"action": "cancel", "ids": ["{job}"]}),
    "GET /api/v1/bulk": Route("own"),
    "GET /api/v1/bulk/{bulk_id}": Route("absent"),
    "GET /api/v1/bulk/{bulk_id}/items": Route("absent"),
    "POST /api/v1/bulk/{bulk_id}/{change}": Route("absent", path="/api/v1/bulk/{bulk_id}/abort"),
    "POST /api/v1/session": Route("own", body={"path": "/"}),
    "GET /api/v1/brands": Route("own", query={"name": CANARY}),
    "POST /api/v1/brands": Route("own", body={"name": "Mine"}),
    "GET /api/v1/brands/{brand_id}": Route("absent"),
    "PATCH /api/v1/brands/{brand_id}": Route("absent", body={"name": "Taken over"}),
    "GET /api/v1/brands/{brand_id}/assets": Route("absent"),
    "GET /api/v1/assets/{asset_id}": Route("absent"),
    "POST /api/v1/assets/{asset_id}/select": Route("absent"),
    "GET /api/v1/products": Route("own"),
    "GET /api/v1/credits": Route("own"),
    "GET /api/v1/costs": Route("own"),
    "POST /api/v1/events": Route("refused", body={"crm": {"userId": "{other}", "eventType": "user.created"}}),
    "GET /api/v1/webhooks/default/secret": Route("own"),
    "GET /api/v1/webhooks/endpoints": Route("own"),
    "POST /api/v1/webhooks/endpoints": Route("own", body={"url": "https://a.example/"}),
    "DELETE /api/v1/webhooks/endpoints/{endpoint_id}": Route("absent"),
    "GET /api/v1/webhooks/endpoints/{endpoint_id}/secret": Route("absent"),
    "POST /api/v1/webhooks/endpoints/{endpoint_id}/enable": Route("absent"),
    "POST /api/v1/webhooks/test": Route("absent", body={"endpointId": "{endpoint_id}"}),
    "GET /api/v1/webhooks/deliveries": Route("own", query={"job": "{job}", "endpoint": "{endpoint_id}"}),
    "GET /api/v1/webhooks/deliveries/{delivery_id}": Route("absent"),
    "POST /api/v1/webhooks/deliveries/{delivery_id}/replay": Route("absent"),
    "POST /api/v1/webhooks/listen": Route("own"),
    "POST /api/v1/webhooks/listen/{endpoint_id}": Route("absent"),
    "POST /api/v1/webhooks/listen/{endpoint_id}/{delivery_id}": Route("absent", body={"status": 200}),
    "GET /api/v1/admin/queues": Route("refused"),
    "POST /api/v1/admin/queues/{queue}/pause": Route("refused", path="/api/v1/admin/queues/logo-generation/pause"),
    "POST /api/v1/admin/queues/{queue}/resume": Route("refused", path="/api/v1/admin/queues/logo-generation/resume"),
    "GET /api/v1/admin/workers": Route("refused"),
    "GET /api/v1/admin/overview": Route("refused"),
    "POST /api/v1/admin/probes": Route("refused"),
    "GET /api/v1/admin/jobs/{job_id}/calls": Route("refused", path="/api/v1/admin/jobs/{job}/calls"),
    "POST /api/v1/admin/workers/drain": Route("refused", body={"name": "all"}),
    "POST /api/v1/admin/workers/scale": Route("refused", body={"queue": "logo-generation", "count": 2}),
    "GET /api/v1/admin/alerts": Route("refused"),
    "POST /api/v1/admin/alerts/{alert_id}/ack": Route("refused", path="/api/v1/admin/alerts/1/ack"),
    "POST /api/v1/admin/alerts/mute": Route("refused", body={"kind": "waiting", "seconds": 60}),
    "POST /api/v1/admin/alerts/unmute": Route("refused", body={"kind": "waiting"}),
    "GET /api/v1/admin/audit": Route("refused"),
    "GET /api/v1/admin/keys": Route("refused"),
    "POST /api/v1/admin/keys": Route("refused", body={"name": "mine", "role": "admin"}),
    "POST /api/v1/admin/keys/{key}/revoke": Route("refused", path="/api/v1/admin/keys/000000000000/revoke", body={}),
    "GET /api/v1/me": Route("own"),
    "GET /api/v1/admin/incidents": Route("refused"),
    "GET /api/v1/admin/incidents/{name}": Route("refused", path="/api/v1/admin/incidents/bug"),
    "GET /api/v1/admin/dlq": Route("refused"),
    "POST /api/v1/admin/dlq/replay": Route("refused", body={"all": True}),
    "POST /api/v1/admin/dlq/purge": Route("refused", body={"all": True}),
    "POST /api/v1/admin/bulk": Route("refused", body={"action": "cancel", "all": True}),
    "POST /api/v1/admin/bulk-estimate": Route("refused", body={"action": "cancel", "all": True}),
    "GET /api/v1/admin/bulk": Route("refused"),
    "GET /api/v1/admin/bulk/{bulk_id}": Route("refused"),
    "GET /api/v1/admin/bulk/{bulk_id}/items": Route("refused"),
    "POST /api/v1/admin/bulk/{bulk_id}/{change}": Route("refused", path="/api/v1/admin/bulk/{bulk_id}/abort"),
    "POST /api/v1/admin/credits": Route("refused", body={"amount": 5}),
    "GET /files/{key}": Route("absent", path="/files/{key}"),
    "GET /health": Route("open"),
    "GET /health/live": Route("open"),
    "GET /metrics": Route("open"),
    "GET /openapi.json": Route("open"),
    "GET /docs": Route("open"),
    "GET /static/{name}": Route("open", path="/static/icon.svg"),
    "GET /s/{token}": Route("absent", path="/s/{job}.9999999999.AAAAAAAAAAAAAAAAAAAAAAAA"),
    "GET /signin": Route("asked"),
    "POST /signin": Route("refused", form={"ticket": "guessed"}),
    "POST /signin/local": Route("refused"),
    "POST /signout": Route("refused"),
    "GET /": Route("own"),
    "GET /g": Route("open"),
    "GET /g/{brand_id}": Route("absent"),
    "GET /g/{brand_id}/{room}": Route("absent", path="/g/{brand}/products"),
    "GET /g/{brand_id}/compare": Route("absent"),
    "GET /g/{brand_id}/pictures.zip": Route("absent"),
    "POST /g/{brand_id}/look": Route("absent", form={"style": "bold", "color": "#112233"}),
    "POST /g/{brand_id}/products": Route("absent", form={"key": "{other}", "product": "mug"}),
    "POST /g/{brand_id}/bundles": Route(
        "absent", form={"key": "{other}", "style": "grid", "picture": ["{asset}", "{other}"]}
    ),
    "POST /g/{brand_id}/films": Route("absent", form={"key": "{other}", "style": "minimal", "picture": "{asset}"}),
    "POST /g/{brand_id}/words": Route("absent", form={"key": "{other}", "step": "brand-identity"}),
    "POST /g/{brand_id}/share": Route("absent", form={"of": "{asset}"}),
    "POST /g/asset/{asset_id}/favorite": Route("absent", form={}),
    "GET /g/job/{job_id}": Route("absent"),
    "GET /g/kit/{kit_id}": Route("absent"),
    "POST /g/kit/{kit_id}/cancel": Route("absent", form={}),
    "POST /g/{brand_id}/kit": Route("absent", form={"key": "{other}"}),
    "POST /g/new": Route("own", form={"key": "{other}", "name": "Mine"}),
    "POST /g/{brand_id}/logos": Route("absent", form={"key": "{other}"}),
    "POST /g/asset/{asset_id}/pick": Route("absent", form={}),
    "POST /g/asset/{asset_id}/refine": Route("absent", form={"key": "{other}", "notes": "thicker"}),
    "POST /g/job/{job_id}/cancel": Route("absent", form={}),
    "POST /g/job/{job_id}/look": Route("absent", form={}),
    "POST /g/job/{job_id}/retry": Route("absent", form={}),
    "POST /g/job/{job_id}/share": Route("absent", form={}),
    "GET /mails/{token}": Route("absent", path="/mails/{other}.AAAAAAAAAAAAAAAAAAAAAAAA"),
    "POST /mails/{token}": Route("absent", path="/mails/{other}.AAAAAAAAAAAAAAAAAAAAAAAA", form={}),
    "GET /dev/mail": Route("absent"),
    "GET /dev/mail/{mail_id}": Route("absent", path="/dev/mail/{other}"),
    "GET /dev/mail/{mail_id}/body": Route("absent", path="/dev/mail/{other}/body"),
    "GET /dev/sandbox": Route("absent"),
    "GET /dev/webhooks": Route("own"),
    "POST /dev/webhooks/{endpoint_id}/enable": Route("absent"),
}
WITHOUT_TOKEN = {
    *(name for name, route in ROUTES.items() if route.answer == "open" or " /sign" in name),
    "GET /api/v1/shared/{token}",
    "GET /api/v1/shared/{token}/events",
    "GET /s/{token}",
    "GET /mails/{token}",
    "POST /mails/{token}",
}


@dataclass
class Things:
    """One user's things, and ids that name nothing."""

    brand: str
    asset: str
    job: str
    key: str
    endpoint: str
    delivery: str
    bulk: str
    kit: str
    share: str

    def fill(self, value: Any) -> Any:
        if isinstance(value, str):
            names = {"brand": self.brand, "asset": self.asset, "job": self.job, "key": self.key, "other": str(uuid4())}
            names |= {"brand_id": self.brand, "asset_id": self.asset, "job_id": self.job, "bulk_id": self.bulk}
            names |= {"endpoint_id": self.endpoint, "delivery_id": self.delivery, "kit_id": self.kit}
            names |= {"share_id": self.share}
            for name, text in names.items():
                value = value.replace(f"{{{name}}}", text)
            return value
        if isinstance(value, dict):
            return {name: self.fill(item) for name, item in value.items()}
        return [self.fill(item) for item in value] if isinstance(value, list) else value


@pytest.fixture
async def hers(api: Api, ana: httpx.AsyncClient) -> Things:
    brand = await api.brand(ana, CANARY, vision=CANARY)
    job = await api.logos(ana, brand)
    asset = await add_asset(api.core, brand, job, b"\x89PNG\r\n\x1a\n" + CANARY.encode())
    row = (await ana.get(f"{API}/jobs/{job}")).json()["assets"][0]
    listener = (await ana.post(f"{API}/webhooks/listen")).json()["id"]
    sent = (await ana.post(f"{API}/webhooks/test", json={"endpointId": listener})).json()["id"]
    begun = await ana.post(f"{API}/bulk", json={"action": "cancel", "ids": [job], "reason": CANARY})
    kit = await ana.post(f"{API}/generation/kits", json={"brandId": brand, "count": 1})
    key = row["url"].split("/files/")[1].split("?")[0]
    await ana.post(f"{API}/jobs/{job}/share")
    (share,) = (await ana.get(f"{API}/shares")).json()["shares"]
    bulk, group = begun.json()["id"], kit.json()["groupId"]
    return Things(brand, asset, job, key, listener, sent, bulk, group, share["id"])


@pytest.fixture
def nobodys() -> Things:
    brand = str(uuid4())
    return Things(
        brand,
        str(uuid4()),
        f"logo-generation-{uuid4()}",
        f"brands/{brand}/logo/{uuid4().hex}.png",
        str(uuid4()),
        f"msg_{uuid4().hex[:20]}",
        f"bulk-{uuid4()}",
        str(uuid4()),
        str(uuid4()),
    )


async def ask(client: httpx.AsyncClient, name: str, things: Things) -> httpx.Response:
    method, template = name.split(" ", 1)
    route = ROUTES[name]
    path = things.fill(route.path or template)
    given = {"data": things.fill(route.form)} if route.form is not None else {"json": things.fill(route.body)}
    return await client.request(method, path, params=things.fill(route.query) or None, **given)


def known(api: Api) -> set[str]:
    """Every route that the app has, documented or a page, but for what lies below /admin.

    No stranger gets there: `tests/pages/test_admin_ui.py` and `test_operators.py` beside it see to that.
    """
    routes = [route for route in iter_route_contexts(api.app.api.routes) if not route.path_format.startswith("/admin")]
    return {f"{method} {route.path_format}" for route in routes for method in (route.methods or ()) if method != "HEAD"}


async def test_every_route_has_its_row_here(api: Api) -> None:
    paths = api.app.api.openapi()["paths"]
    documented = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert documented < known(api)
    assert known(api) == set(ROUTES)


async def test_a_stranger_learns_nothing_from_any_route(
    api: Api, ben: httpx.AsyncClient, hers: Things, nobodys: Things
) -> None:
    for name, route in ROUTES.items():
        foreign, absent = await ask(ben, name, hers), await ask(ben, name, nobodys)
        assert (foreign.status_code, foreign.headers.get("content-type")) == (
            absent.status_code,
            absent.headers.get("content-type"),
        ), name
        if route.answer == "absent":
            assert foreign.status_code == 404, name
            assert foreign.text == absent.text, name
        elif route.answer in ("refused", "asked"):
            status = 403 if route.answer == "refused" else 401
            assert (foreign.status_code, foreign.text) == (status, absent.text), name
        else:
            assert foreign.status_code in (200, 201, 303), name
        told = f"{foreign.headers} {foreign.text}"
        leaked = [
            word
            for word in (CANARY, ANA, hers.brand, hers.asset, hers.job, hers.key, hers.endpoint, hers.delivery)
            if word in told
        ]
        assert not leaked, name


async def test_the_owner_gets_what_a_stranger_does_not(api: Api, ana: httpx.AsyncClient, hers: Things) -> None:
    """The crawler would pass on a server that knows nothing at all; this shows that the things are there."""
    for name in ("GET /api/v1/jobs/{job_id}", "GET /api/v1/brands/{brand_id}", "GET /files/{key}"):
        answer = await ask(ana, name, hers)
        assert answer.status_code == 200 and CANARY in answer.text, name
    assert (await ask(ana, "POST /api/v1/assets/{asset_id}/select", hers)).json()["isSelected"] is True


async def test_what_a_stranger_tries_changes_nothing_of_the_owners(
    api: Api, ana: httpx.AsyncClient, ben: httpx.AsyncClient, hers: Things
) -> None:
    await ben.get(f"{API}/credits")  # his account is opened at first sight

    async def state() -> list[Any]:
        paths = (
            "credits",
            "jobs",
            f"jobs/{hers.job}",
            "brands",
            f"brands/{hers.brand}/assets",
            "webhooks/endpoints",
            "webhooks/deliveries",
        )
        return [_unsigned((await ana.get(f"{API}/{path}")).json()) for path in paths]

    before = await state()
    for name in ROUTES:
        await ask(ben, name, hers)
        await ana.post(f"{API}/webhooks/listen/{hers.endpoint}")  # a listener that does not ask for a minute is gone
    assert await state() == before


async def test_without_a_token_every_route_but_the_open_ones_says_so(api: Api, hers: Things, nobodys: Things) -> None:
    anybody = api.anonymous()
    for name in ROUTES.keys() - WITHOUT_TOKEN:
        for things in (hers, nobodys):
            answer = await ask(anybody, name, things)
            assert answer.status_code == 401, name
            if name.split(" ")[1].startswith((API, "/files")):
                assert answer.json()["error"] == "Authentication required: no token provided", name
                assert answer.headers["www-authenticate"] == "Bearer"
            else:
                assert "Sign in" in answer.text, name
    expected = {"open": (200, 303), "absent": (404,), "refused": (403,), "asked": (401,)}
    for name in WITHOUT_TOKEN:
        assert (await ask(anybody, name, hers)).status_code in expected[ROUTES[name].answer], name


async def test_no_get_changes_anything(
    api: Api, ana: httpx.AsyncClient, admin: httpx.AsyncClient, hers: Things
) -> None:
    for client in (ana, admin):
        await client.get(f"{API}/credits")
    await ana.post(f"{API}/jobs/{hers.job}/cancel")  # so that its event stream ends
    before = await api.core.db.read(_contents)
    for name in ROUTES:
        if name.startswith("GET "):
            for client in (ana, admin):
                answer = await ask(client, name, hers)
                assert answer.status_code < 500, name
    assert await api.core.db.read(_contents) == before


async def test_an_id_that_cannot_be_one_is_absent_and_no_error(api: Api, ben: httpx.AsyncClient) -> None:
    for word in ("x", "%00", "a%2Fb", "..%2F..", "%F0%9F%98%80", "'%20OR%201=1--", "x" * 300, "{}", "%ff"):
        for path in (f"jobs/{word}", f"jobs/{word}/why", f"brands/{word}", f"brands/{word}/assets", f"shared/{word}"):
            answer = await ben.get(f"{API}/{path}")
            assert answer.status_code == 404 and "error" in answer.json(), path


async def test_a_brand_that_was_just_read_by_its_owner_is_still_foreign(
    api: Api, ana: httpx.AsyncClient, ben: httpx.AsyncClient, hers: Things
) -> None:
    assert (await ana.get(f"{API}/brands/{hers.brand}")).status_code == 200
    assert (await ben.get(f"{API}/brands/{hers.brand}")).status_code == 404
    assert BEN != ANA


def _unsigned(value: Any) -> Any:
    """Without signatures, which change with the hour."""
    if isinstance(value, dict):
        return {key: _unsigned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unsigned(item) for item in value]
    return value.split("?until=")[0] if isinstance(value, str) else value


def _contents(conn: Connection) -> dict[str, str]:
    """A fingerprint of every table."""
    return {
        table.name: hashlib.sha256(
            repr(sorted(map(repr, conn.execute(select(table)).all()))).encode("utf-8", "replace")
        ).hexdigest()
        for table in metadata.sorted_tables
    }
