"""The operators' pages: what each shows to whom, and that what is pressed is written down with its reason."""

import html
import re
from typing import Any
from urllib.parse import urlsplit

import httpx

from bmn.db import call_store
from bmn.db.accounts import audit_store
from bmn.db.accounts.audit_store import AuditFilter
from bmn.db.batches import bulk_store
from bmn.db.operators import queue_store
from bmn.db.operators.alert_store import Trouble, listed, mutes, open_alert
from bmn.db.records import NewCall
from bmn.db.sums import lines
from bmn.db.tables import job_logs
from bmn.errors import Cause
from bmn.schemas.base import Role
from bmn.schemas.documents import Costs
from bmn.server.operators.admin_desk import in_relation
from tests.kit.api import Api, sign_in
from tests.kit.jobs import add_asset, add_unit, claim, complete, everything, fail
from tests.kit.people import ADMIN, ANA, BEN

CANARY, STAFF = "canary-of-ana", "canary-of-staff"
LOOK = "reveal=true&reason=ticket+7"


async def with_role(api: Api, role: Role, user_id: str = BEN) -> httpx.AsyncClient:
    """A browser that a key of this role has signed in."""
    client = api.with_token((await api.key(role, user_id)).text)
    browser = api.anonymous()
    browser.headers["Sec-Fetch-Site"] = "same-origin"
    await browser.get((await client.post("/api/v1/session", json={"path": "/admin"})).json()["url"])
    return browser


async def dead(api: Api, number: int = 1) -> list[str]:
    """Jobs of somebody that failed for good; what they asked for and what the provider said hold the canary."""
    ana = api.as_user(ANA, email=f"{CANARY}@example.org")
    brand = await api.brand(ana, f"Brand {CANARY}")
    made = []
    for _ in range(number):
        job_id = await api.logos(ana, brand, count=1, brandVision=f"Words {CANARY}")
        job = await claim(api.core, job_id)
        await add_unit(api.core, job_id, "logo-0", state="failed", error=f"cannot read {CANARY}", provider="bfl")
        call = NewCall(
            job_id=job_id, unit="logo-0", attempt=1, user_id=ANA, queue=job.queue, provider="bfl", operation="submit",
            model="flux-2-pro", units=1.0, usd=0.0, sandboxed=True, ms=120, outcome="provider_garbage", status=500,
            request_id="req-4711",
        )  # fmt: skip
        line = {
            "job_id": job_id,
            "attempt": 1,
            "level": "error",
            "message": "refused",
            "fields": {"said": f"no, {CANARY}"},
        }
        await api.core.db.write(lambda conn, call=call: call_store.add(conn, call))  # type: ignore[misc]
        await api.core.db.write(lambda conn, line=line: conn.execute(job_logs.insert().values(line)).rowcount)  # type: ignore[misc]
        await fail(api.core, job, Cause.PROVIDER_GARBAGE, f"cannot read {CANARY}")
        made.append(job_id)
    return made


def looks(job_id: str, bulk_id: str) -> dict[str, str]:
    """Every page that viewers see, and a word that each must show."""
    return {
        "/admin": "Logos",
        "/admin?span=day": "Last day",
        "/admin?span=week": "Last week",
        "/admin/jobs": job_id[-36:][:8],
        "/admin/jobs?state=failed&cause=provider_garbage&since=3600&by=hour": job_id[-36:][:8],
        f"/admin/jobs?user={ANA}&by=user": job_id[-36:][:8],
        "/admin/jobs?by=queue&queue=&cause=&since=": job_id[-36:][:8],
        f"/admin/jobs/{job_id}": "req-4711",
        "/admin/dlq": "provider_garbage",
        "/admin/dlq?cause=provider_garbage": job_id,
        "/admin/bulk": bulk_id,
        f"/admin/bulk/{bulk_id}": job_id[-36:][:8],
    }


async def begun(admin: httpx.AsyncClient, **fields: Any) -> str:
    answer = await admin.post("/admin/bulk", data={"reason": STAFF, **fields})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"]).rpartition("/")[2]


async def test_operators_see_every_list_and_nothing_personal_unless_they_say_why(api: Api) -> None:
    (job_id,) = await dead(api)
    trouble = Trouble("queue-paused", "logo-generation", f"It says {STAFF}", "error")
    await api.core.db.write(lambda conn: open_alert(conn, trouble))
    await api.core.db.write(
        lambda conn: queue_store.set_paused(conn, "logo-generation", by=BEN, reason=f"{STAFF} asked for it")
    )
    await api.core.db.write(lines.look)
    admin, viewer = await with_role(api, Role.ADMIN), await with_role(api, Role.VIEWER)
    bulk_id = await begun(admin, action="retry", ids=job_id)
    shown_to_admins = revealed = 0
    for path, word in looks(job_id, bulk_id).items():
        answer = await viewer.get(path)
        assert answer.status_code == 200, (path, answer.text)
        assert word in answer.text, path
        assert CANARY not in answer.text and STAFF not in answer.text, path
        assert 'method="post"' not in answer.text.replace('action="/signout" method="post"', ""), path
        told = await admin.get(path)
        assert told.status_code == 200, (path, told.text)
        assert word in told.text, path
        assert CANARY not in told.text, path
        shown_to_admins += told.text.count(STAFF)
        revealed += (await admin.get(path + ("&" if "?" in path else "?") + LOOK)).text.count(CANARY)
    assert shown_to_admins > 3
    assert revealed > 10
    for path in (
        f"/admin/users/{ANA}",
        "/admin/audit",
        f"/admin/jobs?text={CANARY}",
        f"/admin/jobs?user={CANARY}@x.org",
    ):
        refused = await viewer.get(path)
        assert (refused.status_code, CANARY in refused.text) == (403, False), path
    for path in (
        f"/admin/users/{ANA}",
        "/admin/audit",
        f"/admin/jobs?user={ANA}&minCost=0",
    ):
        answer = await admin.get(path)
        assert answer.status_code == 200 and CANARY not in answer.text, path
    asks = await admin.get(f"/admin/jobs?text={CANARY}&state=failed")
    assert (asks.status_code, "say why" in asks.text, job_id in asks.text) == (403, True, False)
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', asks.text))
    found = await admin.get("/admin/jobs", params={**fields, "reason": "ticket 7"})
    assert found.status_code == 200 and job_id in found.text
    (many,) = re.findall(r'href="(/admin/bulk/new\?action=retry[^"]*)"', found.text)
    assert (await admin.get(html.unescape(many))).status_code == 200
    assert (await admin.get(f"/admin/bulk/new?action=retry&text={CANARY}")).status_code == 403


async def test_a_button_with_a_reason_shows_it_and_the_audit_log_says_so(api: Api) -> None:
    (job_id,) = await dead(api)
    operator = await with_role(api, Role.OPERATOR)
    page = (await operator.get(f"/admin/jobs/{job_id}")).text
    assert "Reveal" in page and f'action="/admin/jobs/{job_id}" method="get"' in page
    assert (await operator.get(f"/admin/jobs/{job_id}?reveal=true&reason=")).status_code == 400
    shown = (await operator.get(f"/admin/jobs/{job_id}?{LOOK}")).text
    assert f"no, {CANARY}" in shown and "<q>ticket 7</q>" in shown and f'href="/admin/jobs/{job_id}">Hide it' in shown
    listed_jobs = (await operator.get(f"/admin/jobs?state=failed&{LOOK}")).text
    assert CANARY in listed_jobs and 'href="/admin/jobs?state=failed">Hide it' in listed_jobs
    log = (await operator.get("/admin/audit?action=reveal")).text
    assert "ticket 7" in log and f"/admin/jobs/{job_id}" in log and "asked for: state=failed" in log
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert (await operator.get(f"/admin/jobs/{job_id}?{LOOK}", headers=foreign)).status_code == 403


async def test_an_operator_finds_what_died_and_brings_all_of_it_back(api: Api) -> None:
    made = await dead(api, 3)
    operator = await with_role(api, Role.OPERATOR)
    found = (await operator.get("/admin/jobs?state=failed&since=3600")).text
    assert "provider_garbage" in found and all(job_id in found for job_id in made)
    one = (await operator.get(f"/admin/jobs/{made[0]}")).text
    assert "req-4711" in one and "Replay all of its kind" in one
    asked = await operator.get("/admin/bulk/new?action=replay&cause=provider_garbage")
    assert "Replay 3 jobs?" in asked.text and "Credits reserved" in asked.text
    bulk_id = await begun(operator, action="replay", cause="provider_garbage", stopAt="0.5")
    action = await api.core.db.read(lambda conn: bulk_store.get(conn, bulk_id))
    assert action is not None and (action.total, action.reason, action.stop_at) == (3, STAFF, 0.5)
    assert bulk_id == await begun(operator, action="replay", cause="provider_garbage", stopAt="0.5"), "joined"
    for change, state in (("pause", "paused"), ("resume", "running"), ("abort", "aborted")):
        await operator.post(f"/admin/bulk/{bulk_id}/{change}", data={"reason": "to see"})
        assert state in (await operator.get(f"/admin/bulk/{bulk_id}")).text
    assert await acts(api, "bulk.abort") == ["to see"]


async def acts(api: Api, action: str) -> list[str | None]:
    """The reasons that stand in the audit log."""
    found = await api.core.db.read(lambda conn: audit_store.listed(conn, AuditFilter(action=action)))
    assert all(entry.address for entry in found)
    return [entry.reason for entry in found]


async def changed_by_people(api: Api) -> dict[str, Any]:
    """What nobody but people changes here."""
    tables = ("audit_log", "queue_settings", "alert_mutes", "credit_ledger", "bulk_actions", "bulk_items")
    found = await api.core.db.read(everything)
    return {name: found[name] for name in tables}


async def presses(api: Api, job_id: str, waiting: str) -> dict[str, dict[str, Any]]:
    """Everything there is to press, with what it sends beside its reason."""
    await api.core.db.write(lambda conn: open_alert(conn, Trouble("waiting", "logo-generation", "old")))
    (alert,) = [one for one in await api.core.db.read(listed) if one.kind == "waiting"]
    return {
        "/admin/queue/logo-generation/pause": {},
        "/admin/queue/logo-generation/resume": {},
        f"/admin/alerts/{alert.id}/ack": {},
        "/admin/alerts/mute": {"kind": "waiting", "seconds": "3600"},
        "/admin/alerts/unmute": {"kind": "waiting"},
        f"/admin/jobs/{job_id}/retry": {},
        f"/admin/jobs/{waiting}/cancel": {},
        f"/admin/users/{ANA}/grant": {"amount": "7"},
        "/admin/bulk": {"action": "cancel", "all": "true"},
    }


async def test_each_act_is_written_down_and_none_without_a_reason(api: Api) -> None:
    (job_id,) = await dead(api)
    ana = api.as_user(ANA)
    waiting = await api.logos(ana, await api.brand(ana, "Second"), count=1)
    await api.logos(ana, await api.brand(ana, "Third"), count=1)
    admin = await with_role(api, Role.ADMIN)
    forms = await presses(api, job_id, waiting)
    before = await changed_by_people(api)
    for path, fields in forms.items():
        for reason in ({}, {"reason": "   "}):
            assert (await admin.post(path, data={**fields, **reason})).status_code == 400, path
    assert await changed_by_people(api) == before
    names = ("queue.pause", "queue.resume", "alert.ack", "alert.mute", "alert.unmute", "job.replay", "job.cancel",
             "credits.grant", "bulk")  # fmt: skip
    for (path, fields), name in zip(forms.items(), names, strict=True):
        answer = await admin.post(path, data={**fields, "reason": f"because of {name}"})
        assert answer.status_code == 303, (path, answer.text)
        assert urlsplit(answer.headers["location"]).path.startswith("/admin")
        assert f"because of {name}" in await acts(api, name), path
    assert await api.core.db.read(mutes) == []
    assert f"because of {names[0]}" in (await admin.get("/admin/audit?action=queue")).text


async def test_another_site_presses_nothing_and_no_role_more_than_it_may(api: Api) -> None:
    (job_id,) = await dead(api)
    ana = api.as_user(ANA)
    waiting = await api.logos(ana, await api.brand(ana, "Second"), count=1)
    forms = await presses(api, job_id, waiting)
    admin, viewer, operator = [await with_role(api, role) for role in (Role.ADMIN, Role.VIEWER, Role.OPERATOR)]
    del admin.headers["Sec-Fetch-Site"]
    before = await changed_by_people(api)
    for path, fields in forms.items():
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://127.0.0.1:1"}, {}):
            foreign = await admin.post(path, data={**fields, "reason": "theirs"}, headers=headers)
            assert foreign.status_code == 403, (path, headers)
        assert (await viewer.post(path, data={**fields, "reason": "mine"})).status_code == 403, path
    assert (await operator.post(f"/admin/users/{ANA}/grant", data={"amount": "7", "reason": "x"})).status_code == 403
    purge = {"action": "purge", "cause": "provider_garbage", "reason": "x"}
    assert (await operator.post("/admin/bulk", data=purge)).status_code == 403
    assert await changed_by_people(api) == before


async def test_strangers_are_asked_to_sign_in_and_users_are_refused(api: Api) -> None:
    user = await sign_in(api, ANA)
    for path in (
        "/admin",
        "/admin/jobs",
        "/admin/dlq",
        "/admin/bulk",
        "/admin/audit",
        "/admin/events",
        f"/admin/users/{ANA}",
    ):
        assert (await api.anonymous().get(path)).status_code == 401, path
        assert (await user.get(path)).status_code == 403, path
    admin = await sign_in(api, ADMIN, "admin", path="/admin")
    for path in ("/admin/jobs/logo-generation-none", f"/admin/users/{BEN}x", "/admin/bulk/bulk-none", "/admin/nothing"):
        assert (await admin.get(path)).status_code == 404, path
    await api.brand(api.as_user(BEN, email="Ben@example.org"))
    assert "/admin/users?name=ben%40example.org" in (await admin.get("/admin/jobs?user=ben@example.org")).text
    by_mail = await admin.get("/admin/users?name=ben%40example.org")
    assert (by_mail.status_code, by_mail.headers.get("location")) == (303, f"/admin/users/{BEN}"), by_mail.text
    assert (await admin.get("/admin/users?name=nobody@example.org")).status_code == 404
    for path in (
        "/admin/jobs?since=-1",
        "/admin/jobs?state=odd",
        "/admin/jobs?cursor=x",
        "/admin?span=year",
        "/admin/bulk/new",
    ):
        assert (await admin.get(path)).status_code == 400, path
    refused = await admin.get("/admin/bulk/new?action=cancel&prefix=7f3a")
    assert refused.status_code == 400, "a view that cannot be acted on is not taken for everything"


async def test_a_view_is_its_address_and_pages_go_on(api: Api) -> None:
    ana = api.as_user(ANA)
    brand = await api.brand(ana)
    await api.as_user(ADMIN, "admin").post("/api/v1/admin/credits", json={"amount": 50, "userId": ANA})
    made = [await api.logos(ana, brand, count=1) for _ in range(45)]
    done = await claim(api.core, made[0])
    await add_asset(api.core, brand, made[0], data=b"png")
    await complete(api.core, done)
    operator = await with_role(api, Role.OPERATOR)
    first = (await operator.get("/admin/jobs?state=queued&state=active")).text
    assert "44 jobs" in first and 'value="queued" checked' in first and 'value="failed" checked' not in first
    link = next(part.partition('"')[0] for part in first.split('href="') if "cursor=" in part.partition('"')[0])
    assert "state=queued" in link
    rest = (await operator.get(link.replace("&amp;", "&"))).text
    assert rest.count('class="job-row') == 4
    assert 'alt="Logo 1' in (await operator.get(f"/admin/jobs?state=completed&{LOOK}")).text


async def test_a_page_is_told_when_something_moves(api: Api) -> None:
    viewer = await with_role(api, Role.VIEWER)
    ana = api.as_user(ANA)
    brand = await api.brand(ana)
    async with viewer.stream("GET", "/admin/events") as stream:
        told = stream.aiter_lines()
        assert (await anext(told)).startswith(":")
        await api.logos(ana, brand, count=1)
        async for line in told:
            if line == "event: moved":
                break
        assert (await anext(told)) == "data: {}", "that something moved, and nothing of what"


def test_what_providers_cost_stands_beside_what_users_were_charged() -> None:
    def line(total: float, sandboxed: float, credits: int, expected: float = 0.0) -> str:
        found = Costs(
            by="kind",
            rows=[],
            total_usd=total,
            sandboxed_usd=sandboxed,
            usd_estimated=expected,
            credits_charged=credits,
        )
        return in_relation(found)

    assert line(0.32, 0.0, 16, 0.4) == "for 16 credits charged to users: $0.02 each; $0.40 was expected"
    assert line(0.3, 0.1, 20) == (
        "for 20 credits charged to users: $0.02 each; $0.10 of it the sandbox's, which nobody pays"
    )
    assert line(0.0, 0.03, 1) == (
        "for 1 credit charged to users: $0.03 each; all of it the sandbox's, which nobody pays"
    )
    assert line(0.5, 0.0, 0) == "for 0 credits charged to users"
    assert line(0.0, 0.0, 0) == ""


async def test_the_first_page_has_one_line_about_money(api: Api) -> None:
    admin = await with_role(api, Role.ADMIN)
    call = NewCall(
        job_id="j", unit="logo-0", attempt=1, user_id=ANA, queue="logo-generation", provider="bfl", operation="submit",
        model="flux-2-pro", units=1.0, usd=0.25, sandboxed=False, ms=120, outcome="ok", status=200, request_id="r",
    )  # fmt: skip
    await api.core.db.write(lambda conn: call_store.add(conn, call))
    shown = html.unescape((await admin.get("/admin")).text)
    assert "Providers' price, last hour" in shown and "$0.25<small>for 0 credits charged to users" in shown
    assert "$0.25" not in shown.partition("data-plot=")[2].partition("</figure>")[0], "no second sum beside it"
