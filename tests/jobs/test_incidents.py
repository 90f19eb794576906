"""The account of an incident: whom it hurt, what is healed, what mends the rest, who was made whole and who not."""

import time
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update

from bmn.db import job_store, transitions
from bmn.db.operators import alert_store, incidents, queue_store
from bmn.db.operators.alert_store import Trouble
from bmn.db.operators.incidents import Account
from bmn.db.sums import activity
from bmn.db.tables import job_activity, job_logs
from bmn.db.tables import jobs as job_table
from bmn.errors import Cause, NotFound
from bmn.jobs.escalation import escalate, lose
from bmn.jobs.replay import retry
from bmn.schemas.results import MailResult
from bmn.server.answers import incident_views
from tests.kit.engine import Engine
from tests.kit.people import ANA, BEN

RESULT = MailResult(mail_id="m")


async def account(engine: Engine, name: str, since: float = incidents.DAY) -> Account:
    found: Account = await engine.read(lambda conn: incidents.account(conn, name, since=since))
    return found


async def claimed(engine: Engine, job_id: str) -> Any:
    """The job as its executor holds it."""
    (row,) = [row for row in await engine.claim(limit=10) if row.id == job_id]
    return row


async def end(engine: Engine, user_id: str, cause: Cause | None) -> str:
    """A logo of a user that fails of a cause, or arrives."""
    accepted = await engine.submit(user_id)
    row = await claimed(engine, accepted.job_id)
    if cause:
        await engine.write(lambda conn: escalate(conn, engine.core, transitions.fail(conn, row, cause, "broken")))
    else:
        await engine.write(lambda conn: transitions.complete(conn, row, "done", RESULT))
    return accepted.job_id


async def test_an_account_says_who_was_made_whole_and_who_not(engine: Engine) -> None:
    await engine.user(ANA)
    await engine.user(BEN)
    dead = await end(engine, ANA, Cause.PROVIDER_OVERLOADED)
    await end(engine, BEN, Cause.PROVIDER_OVERLOADED)
    await end(engine, BEN, Cause.STORAGE_FAILED)
    await engine.write(lambda conn: conn.execute(update(job_table).values(cost_usd=0.25)))
    found = await account(engine, "provider_overloaded")
    assert [(user.user_id, user.jobs, user.failed, user.refunded, user.whole) for user in found.users] == [
        (user, 1, 1, 1, False) for user in sorted((ANA, BEN))
    ]
    assert (found.usd_lost, found.open_letters, found.exact) == (0.5, 2, True)
    shown = incident_views.incident(found)
    assert shown.remedy == "bmn jobs dlq replay --cause provider_overloaded"
    assert "has been refunded" in shown.words

    again = await retry(engine.core, dead, by="admin")
    held = await account(engine, "provider_overloaded")
    (ana,) = [user for user in held.users if user.user_id == ANA]
    assert (ana.jobs, ana.waiting, held.credits_waiting) == (1, 1, 1)
    row = await claimed(engine, again.job_id)
    await engine.write(lambda conn: transitions.complete(conn, row, "done", RESULT))
    healed = await account(engine, "provider_overloaded")
    by_user = {user.user_id: user for user in healed.users}
    assert (by_user[ANA].healed, by_user[ANA].whole, by_user[BEN].whole) == (1, True, False)
    assert healed.users[0].user_id == BEN  # whoever waits for something comes first
    assert incident_views.incident(healed).users_whole == 1


async def test_jobs_that_healed_by_themselves_are_in_it(engine: Engine) -> None:
    await engine.user(ANA)
    accepted = await engine.submit(ANA)
    row = await claimed(engine, accepted.job_id)

    def fail_once(conn: Any) -> None:
        cause = Cause.PROVIDER_TIMEOUT
        transitions.retry(conn, row, delay=0, cause=cause, error="late", retries_left=2)
        job_store.add_log(conn, row.id, row.attempt, "warning", "late", {"cause": cause, "then": "retry"})

    await engine.write(fail_once)
    assert (await account(engine, "provider_timeout")).count("waiting") == 1
    row = await claimed(engine, accepted.job_id)
    await engine.write(lambda conn: transitions.complete(conn, row, "done", RESULT))
    found = await account(engine, "provider_timeout")
    assert (found.count("jobs"), found.count("healed"), found.users[0].whole) == (1, 1, True)
    shown = incident_views.incident(found)
    assert shown.remedy is None
    assert "Everything has been finished since." in shown.words
    assert found.first_seen == pytest.approx(time.time(), abs=600)
    await engine.write(lambda conn: conn.execute(update(job_logs).values(at=job_logs.c.at - 7200)))
    assert (await account(engine, "provider_timeout", since=3600)).users == ()


async def test_a_worker_that_was_lost_is_found_after_its_jobs_have_ended(engine: Engine) -> None:
    await engine.user(ANA)
    accepted = await engine.submit(ANA)
    row = await claimed(engine, accepted.job_id)
    await engine.write(lambda conn: lose(conn, engine.core, row))
    row = await claimed(engine, accepted.job_id)
    await engine.write(lambda conn: transitions.complete(conn, row, "done", RESULT))
    assert (await account(engine, "worker_lost")).count("healed") == 1


@pytest.mark.parametrize(
    ("cause", "remedy"),
    [
        (Cause.PROVIDER_AUTH, "bmn queues resume logo-generation"),
        (Cause.PROVIDER_OVERLOADED, "bmn queues --watch"),
    ],
)
async def test_a_queue_that_stands_still_is_resumed_first_unless_it_goes_on_by_itself(
    engine: Engine, cause: Cause, remedy: str
) -> None:
    await engine.user(ANA)
    await engine.submit(ANA)
    pause = {"by": "system", "reason": "refused", "cause": cause, "probe_in": 60.0}
    await engine.write(lambda conn: queue_store.set_paused(conn, "logo-generation", **pause))
    await engine.write(lambda conn: alert_store.open_alert(conn, Trouble("queue-paused", "logo-generation", "refused")))
    (alert,) = await engine.read(lambda conn: alert_store.listed(conn))
    found = await account(engine, str(alert.id))
    assert (found.cause, found.alert, found.held, found.paused) == (
        cause,
        alert,
        1,
        ("logo-generation",),
    )
    assert incident_views.incident(found).remedy == remedy


async def test_a_job_that_has_met_the_cause_is_not_among_those_behind_it(engine: Engine) -> None:
    await engine.user(ANA)
    met = await engine.submit(ANA)
    row = await claimed(engine, met.job_id)
    cause = Cause.PROVIDER_AUTH
    await engine.write(lambda conn: transitions.wait(conn, row, delay=0, cause=cause, message="refused"))
    await engine.submit(ANA)
    await engine.write(
        lambda conn: queue_store.set_paused(conn, "logo-generation", by="system", reason="refused", cause=cause)
    )
    found = await account(engine, cause)
    assert (found.count("waiting"), found.held, found.credits_waiting) == (1, 1, 1)


async def test_an_alert_without_a_cause_has_its_own_remedy(engine: Engine) -> None:
    await engine.write(lambda conn: alert_store.open_alert(conn, Trouble("redis-memory", "redis", "it is full")))
    (alert,) = await engine.read(lambda conn: alert_store.listed(conn))
    shown = incident_views.incident(await account(engine, str(alert.id)))
    assert (shown.cause, shown.remedy, shown.jobs) == (None, "bmn doctor", 0)


async def test_what_is_neither_a_cause_nor_an_alert_is_refused(engine: Engine) -> None:
    for name in ("provider_ath", "99", "9" * 20):
        with pytest.raises(NotFound):
            await account(engine, name)


async def _ended(
    engine: Engine, *, hours: float, number: int, state: str = "completed", cause: str = "", queue: str = "q"
) -> None:
    """So many jobs in the sums, that long ago."""
    at = time.time() - hours * 3600
    rows = [
        {"span": span, "bucket": at // span * span, "queue": queue, "state": state, "cause": cause, "jobs": number}
        for span in (60, 3600)
    ]
    await engine.write(
        lambda conn: conn.execute(insert(job_activity), [{**row, "usd": 0, "seconds": 0} for row in rows])
    )


async def test_causes_above_their_usual_share(engine: Engine) -> None:
    await engine.write(activity.roll_up)
    await _ended(engine, hours=30, number=900)
    await _ended(engine, hours=30, number=100, state="failed", cause="moderated")
    assert await engine.read(incidents.surges) == []
    await _ended(engine, hours=0.2, number=80)
    await _ended(engine, hours=0.2, number=10, state="failed", cause="moderated")
    await _ended(engine, hours=0.2, number=8, state="failed", cause="storage_failed")
    await _ended(engine, hours=0.2, number=2, state="failed", cause="bug")
    await _ended(engine, hours=0.2, number=400, queue="mails")  # what ends elsewhere dilutes no share
    (surge,) = await engine.read(incidents.surges)
    assert (surge.cause, surge.queues, surge.jobs, surge.share, surge.usual) == (
        "storage_failed",
        ("q",),
        8,
        0.08,
        0.0,
    )


async def test_an_account_is_read_by_indexes(engine: Engine) -> None:
    def plans(conn: Any) -> str:
        said: list[str] = []
        if conn.dialect.name == "sqlite":
            query = "SELECT job_id FROM job_logs WHERE job_logs.level = 'warning' AND job_logs.at >= 1 ORDER BY at DESC"
            said += [row[-1] for row in conn.execute(text(f"EXPLAIN QUERY PLAN {query}"))]
        else:
            conn.execute(text("SET LOCAL enable_seqscan = off"))
            query = "SELECT job_id FROM job_logs WHERE job_logs.level = 'warning' AND job_logs.at >= 1 ORDER BY at DESC"
            said += [row[0] for row in conn.execute(text(f"EXPLAIN {query}"))]
        return "\n".join(said)

    assert "job_logs_warnings" in await engine.read(plans)
    assert await engine.read(lambda conn: conn.execute(select(job_table.c.id)).all()) == []
