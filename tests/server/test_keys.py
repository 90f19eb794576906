"""API keys: made once, kept as a digest, refused for a reason, ended soon; and who did what, in the audit log."""

import asyncio
import re
import time
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from bmn.db.accounts import api_keys
from bmn.db.tables import api_keys as key_table
from bmn.db.tables import metadata
from bmn.identity.key_format import PREFIX, mint_key, read_key
from bmn.identity.refused import KeyRefused
from bmn.schemas.base import Role
from bmn.schemas.events import ADMIN
from tests.kit.api import Api
from tests.kit.people import ADMIN as BOSS
from tests.kit.people import ANA, BEN
from tests.kit.processes import PATIENCE
from tests.kit.raw import Raw

API = "/api/v1/admin"


async def made(admin: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await admin.post(f"{API}/keys", json={"name": "deploy", "role": "operator", **fields})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def everything(api: Api) -> str:
    """All that is in the database, as text."""
    return await api.core.db.read(
        lambda conn: "\n".join(str(row) for table in metadata.sorted_tables for row in conn.execute(select(table)))
    )


async def test_a_key_is_shown_once_and_kept_as_a_digest(api: Api, admin: httpx.AsyncClient) -> None:
    key = await made(admin, userId=ANA, expiresIn=3600, reason="night shift")
    assert key["key"].startswith(PREFIX + key["id"])
    assert (key["role"], key["userId"], key["createdBy"], key["revokedAt"]) == ("operator", ANA, BOSS, None)
    holder = api.with_token(key["key"])
    assert (await holder.get(f"{API}/queues")).status_code == 200
    kept = await everything(api)
    assert key["id"] in kept
    assert key["key"] not in kept and key["key"].removeprefix(PREFIX + key["id"]) not in kept
    (listed,) = (await admin.get(f"{API}/keys")).json()["keys"]
    assert "key" not in listed and listed["name"] == "deploy" and listed["lastUsedAt"]
    assert (await admin.post(f"{API}/keys/{key['id']}/revoke", json={"reason": "left"})).json()["revokedBy"] == BOSS
    assert (await admin.get(f"{API}/keys")).json()["keys"] == []
    assert len((await admin.get(f"{API}/keys", params={"ended": True})).json()["keys"]) == 1
    assert (await admin.post(f"{API}/keys/000000000000/revoke")).status_code == 404
    log = (await admin.get(f"{API}/audit", params={"action": "key"})).json()["entries"]
    assert [(e["action"], e["subject"], e["actor"], e["reason"], e["address"]) for e in log] == [
        ("key.revoke", key["id"], BOSS, "left", "127.0.0.1"),
        ("key.create", key["id"], BOSS, "night shift", "127.0.0.1"),
    ]
    assert log[1]["after"]["role"] == "operator"


def test_a_mistyped_key_is_told_from_another_before_it_is_looked_up() -> None:
    text = mint_key().text
    assert read_key(text) == text[len(PREFIX) :][:12]
    wrong = [text[:at] + ("b" if text[at] == "a" else "a") + text[at + 1 :] for at in range(len(PREFIX), len(text))]
    swapped = [text[:at] + text[at + 1] + text[at] + text[at + 2 :] for at in range(len(PREFIX) + 12, len(text) - 1)]
    for other in (*wrong, *(each for each in swapped if each != text), text[:-1], text + "a", text.upper(), PREFIX):
        with pytest.raises(KeyRefused, match="mistyped"):
            read_key(other)


async def test_each_refusal_has_its_reason(
    api: Api, admin: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    revoked, late = await made(admin), await made(admin)
    await admin.post(f"{API}/keys/{revoked['id']}/revoke")
    past = update(key_table).where(key_table.c.id == late["id"]).values(expires_at=time.time() - 1)
    await api.core.db.write(lambda conn: conn.execute(past))
    unknown = mint_key().text
    refused = {
        "key_mistyped": (unknown[:-1] + ("0" if unknown[-1] != "0" else "1"), "copy it again"),
        "key_unknown": (unknown, None),
        "key_revoked": (revoked["key"], "was revoked"),
        "key_expired": (late["key"], "has expired"),
    }
    for reason, (text, hint) in refused.items():
        answer = await api.with_token(text).get("/api/v1/credits")
        assert (answer.status_code, answer.json()["error"]) == (401, "Authentication failed: invalid token")
        assert (hint or "") in answer.json().get("hint", "") and ("hint" in answer.json()) == (hint is not None)
        said = "".join(capsys.readouterr())
        assert re.search(rf"reason\W+{reason}\b", said)
        assert text not in said
        assert "invalid token" in await (await Raw.open(api)).join(ADMIN, text)


async def test_who_guesses_keys_is_slowed_down_and_nobody_else(api: Api, admin: httpx.AsyncClient) -> None:
    holder = api.with_token((await made(admin))["key"])
    assert (await holder.get(f"{API}/queues")).status_code == 200
    answers = [(await api.with_token(mint_key().text).get("/api/v1/me")) for _ in range(40)]
    codes = [answer.status_code for answer in answers]
    assert codes[0] == 401 and codes[-1] == 429
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert (await holder.get(f"{API}/queues")).status_code == 200


async def test_the_last_use_is_written_once_a_minute(api: Api) -> None:
    key = await api.key(Role.USER, ANA)

    async def last() -> float | None:
        row = await api.core.db.read(lambda conn: api_keys.find(conn, key.id))
        assert row is not None
        return row.last_used_at

    assert await last() is None
    assert (await api.with_token(key.text).get("/api/v1/credits")).status_code == 200
    first = await last()
    assert first is not None
    await api.core.db.write(lambda conn: api_keys.note_use(conn, key.id))  # by another process
    assert await last() == first
    minute_ago = update(key_table).where(key_table.c.id == key.id).values(last_used_at=first - 61)
    await api.core.db.write(lambda conn: conn.execute(minute_ago))
    await api.core.db.write(lambda conn: api_keys.note_use(conn, key.id))
    assert (await last() or 0) >= first


async def test_a_revoked_key_ends_its_streams_sockets_and_sessions(api: Api, admin: httpx.AsyncClient) -> None:
    key = await api.key(Role.OPERATOR, BEN)
    holder = api.with_token(key.text)
    job_id = await api.logos(holder, await api.brand(holder))
    raw = await Raw.open(api)
    assert '"sid"' in await raw.join(ADMIN, key.text)
    link = (await holder.post("/api/v1/session", json={"path": "/"})).json()["url"]
    browser = api.anonymous()
    await browser.get(link)
    assert (await browser.get("/")).status_code == 200
    async with holder.stream("GET", f"/api/v1/jobs/{job_id}/events") as stream:
        assert stream.status_code == 200
        lines = stream.aiter_lines()
        await anext(lines)
        assert (await admin.post(f"{API}/keys/{key.id}/revoke")).status_code == 200
        async with asyncio.timeout(PATIENCE):
            async for _ in lines:
                pass
    async with asyncio.timeout(PATIENCE):
        assert await raw.closed()
    assert (await browser.get("/")).status_code == 401
    assert (await holder.get("/api/v1/credits")).status_code == 401


async def test_the_audit_log_says_who_what_why_and_from_where(api: Api, admin: httpx.AsyncClient) -> None:
    ana = api.as_user(ANA)
    job_id = await api.logos(ana, await api.brand(ana))
    key = await api.key(Role.OPERATOR, BEN)
    operator = api.with_token(key.text)
    for path, body in (
        ("admin/queues/logo-generation/pause", {"reason": "provider is down"}),
        ("admin/queues/logo-generation/resume", {"reason": "it is back"}),
        (f"jobs/{job_id}/cancel", {"reason": "ordered twice"}),
        (f"jobs/{job_id}/retry", {"reason": "they want it after all"}),
    ):
        answer = await operator.post(f"/api/v1/{path}", json=body)
        assert answer.status_code < 300, answer.text
    page = (await admin.get(f"{API}/audit", params={"key": key.id, "limit": 3})).json()
    assert [(entry["action"], entry["reason"]) for entry in page["entries"]] == [
        ("job.replay", "they want it after all"),
        ("job.cancel", "ordered twice"),
        ("queue.resume", "it is back"),
    ]
    assert {(e["actor"], e["keyName"], e["address"]) for e in page["entries"]} == {
        (BEN, "the tests' operator", "127.0.0.1")
    }
    rest = (await admin.get(f"{API}/audit", params={"key": key.id, "cursor": page["nextCursor"]})).json()
    assert [entry["action"] for entry in rest["entries"]] == ["queue.pause"]
    for chosen, actions in (
        ({"subject": job_id}, ["job.replay", "job.cancel"]),
        ({"action": "queue"}, ["queue.resume", "queue.pause"]),
        ({"action": "queue.pause"}, ["queue.pause"]),
        ({"actor": ANA}, []),
        ({"actor": BEN, "until": 3600}, []),
    ):
        found = (await operator.get(f"{API}/audit", params=chosen)).json()["entries"]
        assert [entry["action"] for entry in found] == actions, chosen
    acts = (await operator.get(f"/api/v1/jobs/{job_id}")).json()["acts"]
    assert [(act["action"], act["actor"], act["reason"]) for act in acts] == [
        ("job.cancel", BEN, "ordered twice"),
        ("job.replay", BEN, "they want it after all"),
    ]
