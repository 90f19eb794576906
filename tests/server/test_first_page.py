"""The first page is not the list: what is looked for may be older than anything that a page holds."""

from typing import Any

import httpx
from sqlalchemy import insert

from bmn.db import job_store
from bmn.db.tables import brand_assets, provider_calls
from bmn.errors import Cause
from tests.kit.api import Api, sign_in
from tests.kit.jobs import claim, fail
from tests.kit.people import ANA


async def _logos(api: Api, brand: str, number: int) -> None:
    """The oldest one is the chosen one."""
    rows = [
        {
            "id": f"00000000-0000-4000-8000-{n:012}",
            "brand_id": brand,
            "asset_type": "logo",
            "url": f"https://example.com/{n}.png",
            "storage_key": f"brands/{brand}/logo/{n}.png",
            "sha256": "0" * 64,
            "mime_type": "image/png",
            "size_bytes": 1,
            "is_selected": int(n == 1),
            "created_at": 1_700_000_000.0 + n,
        }
        for n in range(1, number + 1)
    ]
    await api.core.db.write(lambda conn: conn.execute(insert(brand_assets), rows).rowcount)


async def test_a_brands_pages_show_the_chosen_logo_however_old_it_is(api: Api, ana: httpx.AsyncClient) -> None:
    brand = await api.brand(ana, "Acme")
    await _logos(api, brand, 207)
    person = await sign_in(api, ANA)
    assert "https://example.com/1.png" in (await person.get("/")).text  # its cover
    shown = (await person.get(f"/g/{brand}")).text
    assert shown.index("https://example.com/1.png") < shown.index("https://example.com/207.png")
    assert "acme-logo-207.png" in shown and "acme-logo-1.png" in shown  # numbered among all, not among those shown


async def test_an_attempts_log_is_found_behind_a_thousand_lines_of_another(api: Api, ana: httpx.AsyncClient) -> None:
    job_id = await api.logos(ana, await api.brand(ana))

    def write(conn: Any) -> None:
        for number in range(1001):
            job_store.add_log(conn, job_id, 1, "info", f"line {number}")
        job_store.add_log(conn, job_id, 2, "info", "the second try")

    await api.core.db.write(write)
    second = (await ana.get(f"/api/v1/jobs/{job_id}/logs", params={"attempt": 2})).json()["logs"]
    assert [line["message"] for line in second] == ["the second try"]


async def test_why_speaks_of_the_newest_call(api: Api, ana: httpx.AsyncClient) -> None:
    job_id = await api.logos(ana, await api.brand(ana))
    call = {"operation": "submit", "provider": "bfl", "usd": 0.0, "units": 0.0, "sandboxed": 0, "job_id": job_id}
    rows = [{**call, "outcome": "provider_overloaded", "status": 503} for _ in range(230)]
    rows.append({**call, "outcome": "provider_rate_limited", "status": 429})
    await api.core.db.write(lambda conn: conn.execute(insert(provider_calls), rows).rowcount)
    await fail(api.core, await claim(api.core, job_id), Cause.PROVIDER_RATE_LIMITED)
    assert "the last with status 429" in (await ana.get(f"/api/v1/jobs/{job_id}/why")).json()["causeText"]
