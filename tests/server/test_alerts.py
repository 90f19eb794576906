"""Alerts over the API: listed, taken up, muted for a while; and incidents."""

import httpx
from sqlalchemy import select

from bmn.db.operators import alert_store
from bmn.db.operators.alert_store import Trouble
from bmn.db.tables import audit_log
from tests.kit.api import Api
from tests.kit.people import ADMIN

API = "/api/v1/admin"


async def opened(api: Api, kind: str = "waiting", subject: str = "logo-generation") -> int:
    await api.core.db.write(lambda conn: alert_store.open_alert(conn, Trouble(kind, subject, "wrong", "error")))
    (alert,) = await api.core.db.read(lambda conn: alert_store.listed(conn, kind=kind))
    return alert.id


async def audited(api: Api) -> list[tuple[str, str, str, str | None]]:
    columns = (audit_log.c.actor, audit_log.c.action, audit_log.c.subject, audit_log.c.reason)
    rows = await api.core.db.read(lambda conn: conn.execute(select(*columns).order_by(audit_log.c.id)).all())
    return [tuple(row) for row in rows]  # type: ignore[misc]


async def test_an_alert_is_taken_up_by_one_and_everybody_sees_by_whom(api: Api, admin: httpx.AsyncClient) -> None:
    number = await opened(api)
    taken = await admin.post(f"{API}/alerts/{number}/ack", json={"reason": "on it"})
    assert taken.json()["acknowledgedBy"] == ADMIN
    (listed,) = (await admin.get(f"{API}/alerts")).json()["alerts"]
    assert (listed["acknowledgedBy"], listed["acknowledgedReason"]) == (ADMIN, "on it")
    assert listed["nextStep"] == "bmn queues"
    other = api.as_user("77777777-7777-4777-8777-777777777777", "admin")
    assert (await other.post(f"{API}/alerts/{number}/ack")).status_code == 409
    assert (await admin.post(f"{API}/alerts/9999/ack")).status_code == 404
    assert (await admin.post(f"{API}/alerts/{2**40}/ack")).status_code == 404
    assert await audited(api) == [(ADMIN, "alert.ack", str(number), "on it")]


async def test_a_kind_is_muted_for_a_while_and_told_again(api: Api, admin: httpx.AsyncClient) -> None:
    await opened(api)
    body = {"kind": "waiting", "seconds": 7200, "reason": "known"}
    (mute,) = (await admin.post(f"{API}/alerts/mute", json=body)).json()["mutes"]
    assert (mute["kind"], mute["mutedBy"], mute["reason"]) == ("waiting", ADMIN, "known")
    listed = (await admin.get(f"{API}/alerts")).json()
    assert listed["mutes"] == [mute]
    assert [alert["mutedUntil"] for alert in listed["alerts"]] == [mute["until"]]
    assert (await admin.post(f"{API}/alerts/unmute", json={"kind": "waiting"})).json() == {"mutes": []}
    assert (await admin.post(f"{API}/alerts/unmute", json={"kind": "waiting"})).status_code == 404
    unknown = await admin.post(f"{API}/alerts/mute", json={**body, "kind": "waitin"})
    assert (unknown.status_code, "waiting" in unknown.text) == (404, True)
    for seconds in (0, -1, 31 * 86_400, "soon"):
        assert (await admin.post(f"{API}/alerts/mute", json={**body, "seconds": seconds})).status_code == 400
    assert [act[1] for act in await audited(api)] == ["alert.mute", "alert.unmute"]


async def test_what_is_going_on_and_the_account_of_one(api: Api, admin: httpx.AsyncClient) -> None:
    assert (await admin.get(f"{API}/incidents")).json() == {"alerts": [], "causes": []}
    number = await opened(api, "dead-letters", "bug")
    (alert,) = (await admin.get(f"{API}/incidents")).json()["alerts"]
    assert alert["nextStep"] == "bmn incident bug"
    for name in ("bug", str(number)):
        found = (await admin.get(f"{API}/incidents/{name}", params={"since": 3600})).json()
        assert (found["cause"], found["jobs"], found["users"]) == ("bug", 0, [])
    assert (await admin.get(f"{API}/incidents/bugs")).status_code == 404
    assert (await admin.get(f"{API}/incidents/bug", params={"since": 0})).status_code == 400
