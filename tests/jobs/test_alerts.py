"""Alerts: what is found, opens once, is over once, and what happens to one that somebody has taken up or muted."""

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, text, update

from bmn.broker.embedded import EmbeddedRedis
from bmn.broker.health import RedisHealth
from bmn.broker.redis_keys import RQ_PREFIX
from bmn.db import transitions
from bmn.db.operators import alert_store, queue_store
from bmn.db.operators.alert_store import Trouble
from bmn.db.tables import alert_mutes, audit_log, db_now, dead_letters, escalations, provider_calls
from bmn.db.tables import alerts as table
from bmn.db.tables import jobs as job_table
from bmn.errors import Cause, Conflict, NotFound
from bmn.jobs import alert_finders
from bmn.jobs.core import Core, this_host
from bmn.jobs.escalation import escalate
from bmn.jobs.sinks import ops_mailbox
from bmn.server.state.metrics import Metrics, read_figures
from bmn.settings import load_settings
from bmn.settings.running import ProcessPlace
from bmn.work.wiring import open_core
from tests.kit.engine import FAST, Engine
from tests.kit.handlers import QUEUE
from tests.kit.processes import eventually


async def pause(engine: Engine, by: str = "system") -> None:
    await engine.write(
        lambda conn: queue_store.set_paused(conn, "logo-generation", by=by, reason="the key was refused")
    )


async def go_by(engine: Engine) -> None:
    """As if nobody had seen an open alert for an hour."""
    await engine.write(lambda conn: conn.execute(update(table).values(seen_at=table.c.seen_at - 3600)))


async def found(engine: Engine, core: Core | None = None) -> dict[tuple[str, str], str]:
    """What is open after a look: kind and subject to message."""
    await alert_finders.look(core or engine.core)
    listed = await engine.read(lambda conn: alert_store.listed(conn))
    return {(alert.kind, alert.subject): alert.message for alert in listed}


# --- what is found -------------------------------------------------------------------------------------------------------


async def test_a_queue_that_somebody_paused_is_no_alert(engine: Engine) -> None:
    await pause(engine, by="an-admin")
    assert await found(engine) == {}


async def test_what_flaps_stays_one_and_what_comes_back_is_a_new_one(engine: Engine) -> None:
    await pause(engine)
    await alert_finders.look(engine.core)
    await engine.write(lambda conn: queue_store.set_running(conn, "logo-generation", by="somebody"))
    await alert_finders.look(engine.core)
    assert await engine.read(alert_store.count_open) == {"queue-paused": 1}
    await go_by(engine)
    await alert_finders.look(engine.core)
    assert await engine.read(alert_store.count_open) == {}
    await pause(engine)
    await alert_finders.look(engine.core)
    assert await engine.read(lambda conn: len(conn.execute(select(table.c.id)).all())) == 2
    assert await engine.read(alert_store.count_open) == {"queue-paused": 1}


async def test_dead_letters_are_an_alert_a_cause_until_nobody_has_to_mend_them(engine: Engine) -> None:
    for cause in (Cause.BUG, Cause.BUG, Cause.PROVIDER_OVERLOADED):
        await engine.do()
        (row,) = await engine.claim("crm-sync")
        await engine.write(lambda conn, it=row, why=cause: transitions.fail(conn, it, why, "broken"))
    said = await found(engine)
    assert {words.split(";")[0] for words in said.values()} == {
        f"2 open dead letters of cause {Cause.BUG}",
        f"1 open dead letter of cause {Cause.PROVIDER_OVERLOADED}",
    }
    await engine.write(lambda conn: conn.execute(update(dead_letters).values(state="purged")))
    await go_by(engine)
    assert await found(engine) == {}


async def test_a_dead_letter_opens_its_alert_at_once_and_its_own_mail_is_the_only_one(engine: Engine) -> None:
    await engine.do()
    (row,) = await engine.claim("crm-sync")
    fail = lambda conn: escalate(conn, engine.core, transitions.fail(conn, row, Cause.BUG, "broken"))  # noqa: E731
    await engine.write(fail)
    assert await engine.read(alert_store.count_open) == {"dead-letters": 1}
    mailbox = ops_mailbox(engine.core.settings)
    assert await engine.read(lambda conn: alert_store.untold(conn, mailbox.id)) == []
    assert len(await engine.read(lambda conn: alert_store.untold(conn, "another"))) == 1
    assert [job.queue for job in await engine.all_jobs()].count("email-send") == 1


async def test_rows_that_are_kept_a_day_too_long_are_an_alert(engine: Engine) -> None:
    def keep(conn: Connection, days: float) -> None:
        old = {"key": f"of {days}", "created_at": db_now() - days * 86_400}
        conn.execute(insert(escalations).values(**old))

    await engine.write(lambda conn: keep(conn, 30.9))
    assert await found(engine) == {}
    await engine.write(lambda conn: keep(conn, 31.1))
    assert set(await found(engine)) == {("retention", "escalations")}


async def _aged(engine: Engine, seconds: float) -> None:
    await engine.write(lambda conn: conn.execute(update(job_table).values(run_at=job_table.c.run_at - seconds)))


async def test_jobs_that_wait_for_long_are_one_and_so_is_a_queue_that_nobody_serves(engine: Engine) -> None:
    await engine.do()
    assert await found(engine) == {}
    await _aged(engine, 90)
    assert set(await found(engine)) == {("no-worker", QUEUE)}
    await _aged(engine, 900)
    assert set(await found(engine)) == {("no-worker", QUEUE), ("waiting", QUEUE)}
    async with engine.worker():
        await eventually(lambda: _is_open(engine, "no-worker", False))


async def _is_open(engine: Engine, kind: str, wanted: bool) -> bool:
    await go_by(engine)
    await alert_finders.look(engine.core)
    return (kind in await engine.read(alert_store.count_open)) is wanted


async def test_spend_over_the_limit_of_an_hour_is_one(engine: Engine) -> None:
    call: dict[str, Any] = {"provider": "bfl", "operation": "submit", "usd": 11.0, "outcome": "ok"}
    await engine.write(lambda conn: conn.execute(provider_calls.insert().values(**call)))
    assert list(await found(engine)) == [("cost-spike", "hour")]


async def test_a_database_that_is_behind_this_release_is_one(engine: Engine) -> None:
    await engine.write(lambda conn: conn.execute(text("UPDATE alembic_version SET version_num = '0013'")))
    said = await found(engine)
    assert list(said) == [("migration-due", "database")]
    assert "migrations behind" in said["migration-due", "database"]
    await engine.write(lambda conn: conn.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    await go_by(engine)
    assert await found(engine) == {}  # an old process beside a newer release


async def test_a_process_that_refuses_to_start_says_so_to_those_that_run(engine: Engine) -> None:
    alert_store.open_at(engine.settings.database_address, alert_finders.migration_due(2))
    assert await engine.read(alert_store.count_open) == {"migration-due": 1}
    alert_store.open_at("sqlite:////nowhere/at/all.sqlite3", alert_finders.migration_due(2))  # nobody to tell


async def test_production_without_a_signing_key_of_all_hosts_is_one(engine: Engine) -> None:
    def with_settings(**changes: Any) -> Core:
        return replace(engine.core, settings=load_settings(**{**engine.settings.model_dump(), **changes}))

    assert await found(engine, with_settings()) == {}
    secret = {"bmn_signing_secret": "s" * 40, "bmn_env": "production"}
    assert await found(engine, with_settings(**secret)) == {}
    assert list(await found(engine, with_settings(bmn_env="production"))) == [("signing-key", "BMN_SIGNING_SECRET")]


async def test_a_lost_host_is_one_but_not_while_nobody_could_say_that_they_live(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"logo-generation.elsewhere.7.{'0' * 14}"
    began = (datetime.now(UTC) - timedelta(seconds=60)).isoformat()
    known = {"birth": began, "last_heartbeat": began, "hostname": "elsewhere", "pid": 7, "queues": "logo-generation"}
    key = f"{RQ_PREFIX}worker:{name}"
    await engine.core.redis.hset(key, mapping=known)
    await engine.core.redis.sadd(f"{RQ_PREFIX}workers", key)
    try:
        assert await found(engine) == {}, "Redis has not been well for long enough to be believed"
        monkeypatch.setattr(alert_finders, "SILENCE", 0.0)
        assert list(await found(engine)) == [("host-lost", "elsewhere")]
    finally:
        await engine.core.redis.delete(key)
        await engine.core.redis.srem(f"{RQ_PREFIX}workers", key)


@pytest.fixture
def own_redis(tmp_path: Path) -> Any:
    server = EmbeddedRedis(tmp_path / "redis")
    server.start()
    yield server
    server.stop()


async def test_a_redis_that_is_away_is_one_and_one_that_is_full_another(
    engine: Engine, own_redis: EmbeddedRedis
) -> None:
    settings = load_settings(
        bmn_home=engine.settings.bmn_home,
        redis_url=own_redis.url,
        database_url=engine.settings.database_address,
        **{**FAST, "bmn_redis_down_seconds": 0},
    )
    core = await open_core(settings, "test")
    try:
        assert await found(engine, core) == {}
        await core.redis.config_set("maxmemory", "1")
        just_started = replace(core, health=RedisHealth(core.redis))  # tries everything at once, not within a minute
        await just_started.health.probe()
        kinds = {kind for kind, _ in await found(engine, just_started)}
        assert kinds == {"redis-memory", "redis-refuses"}
        await core.redis.config_set("maxmemory", "0")
        process = (await core.redis.info("server"))["process_id"]
        os.kill(process, signal.SIGSTOP)
        try:
            await eventually(lambda: _looked(engine, core, "redis-away"))
        finally:
            os.kill(process, signal.SIGCONT)
        said = await engine.read(lambda conn: alert_store.listed(conn, kind="redis-away"))
        assert [(alert.subject, alert.severity) for alert in said] == [(this_host(), "error")]
        await core.health.probe()
        await go_by(engine)
        assert "redis-away" not in {kind for kind, _ in await found(engine, core)}
    finally:
        await core.close()


async def _looked(engine: Engine, core: Core, kind: str) -> bool:
    await alert_finders.look(core)
    return kind in await engine.read(alert_store.count_open)


async def test_every_kind_has_its_next_step(engine: Engine) -> None:
    for kind in alert_finders.NEXT_STEPS:
        assert alert_finders.next_step(kind, "x").startswith("bmn ")


async def test_prometheus_is_shown_what_is_open_and_what_is_paused(engine: Engine) -> None:
    async def page() -> str:
        metrics.show(await engine.read(read_figures))
        return metrics.render().decode()

    metrics = Metrics(ProcessPlace())
    await pause(engine)
    await alert_finders.look(engine.core)
    shown = await page()
    assert 'bmn_alerts_open{kind="queue-paused"} 1.0' in shown
    assert 'bmn_queue_paused{queue="logo-generation"} 1.0' in shown
    await engine.write(lambda conn: queue_store.set_running(conn, "logo-generation", by="somebody"))
    await go_by(engine)
    await alert_finders.look(engine.core)
    shown = await page()
    assert "bmn_alerts_open{" not in shown
    assert 'bmn_queue_paused{queue="logo-generation"} 0.0' in shown


# --- taken up, and muted -------------------------------------------------------------------------------------------------


async def _opened(engine: Engine, kind: str = "waiting") -> alert_store.Alert:
    await engine.write(lambda conn: alert_store.open_alert(conn, Trouble(kind, "x", "wrong")))
    (alert,) = await engine.read(lambda conn: alert_store.listed(conn, kind=kind))
    return alert  # type: ignore[no-any-return]


async def test_one_person_takes_an_alert_up(engine: Engine) -> None:
    alert = await _opened(engine)
    take: Callable[[str], Any] = lambda who: engine.write(  # noqa: E731
        lambda conn: alert_store.acknowledge(conn, alert.id, by=who, reason="on it")
    )
    taken = await take("ana")
    assert (taken.acked_by, taken.ack_reason, taken.acked_at is not None) == ("ana", "on it", True)
    assert (await take("ana")).acked_at == taken.acked_at  # again is no act
    with pytest.raises(Conflict, match="ana"):
        await take("ben")
    await engine.write(lambda conn: alert_store.settle(conn, [], quiet=-1))
    with pytest.raises(Conflict, match="is over"):
        await engine.write(lambda conn: alert_store.acknowledge(conn, alert.id, by="ben", reason=None))
    with pytest.raises(NotFound):
        await engine.write(lambda conn: alert_store.acknowledge(conn, 99, by="ben", reason=None))
    acts = await engine.read(lambda conn: conn.execute(select(audit_log.c.actor, audit_log.c.action)).all())
    assert [tuple(act) for act in acts] == [("ana", "alert.ack")]


async def _mute_over(engine: Engine) -> None:
    await engine.write(lambda conn: conn.execute(update(alert_mutes).values(until=alert_mutes.c.until - 7200)))


async def test_what_lasts_longer_than_the_mute_is_told_then_and_the_rest_never(engine: Engine) -> None:
    def untold() -> Any:
        return engine.read(lambda conn: [alert.subject for alert in alert_store.untold(conn, "sink")])

    await engine.write(lambda conn: alert_store.mute(conn, "waiting", seconds=7200, by="ana", reason="known"))
    await engine.write(lambda conn: alert_store.open_alert(conn, Trouble("waiting", "short", "wrong")))
    await engine.write(lambda conn: alert_store.settle(conn, [], quiet=-1))
    await engine.write(lambda conn: alert_store.open_alert(conn, Trouble("waiting", "long", "wrong")))
    await engine.write(lambda conn: alert_store.open_alert(conn, Trouble("no-worker", "other", "wrong")))
    assert await untold() == ["other"]
    (alert,) = await engine.read(lambda conn: alert_store.listed(conn, kind="waiting"))
    assert alert.muted_until is not None
    assert [mute.kind for mute in await engine.read(alert_store.mutes)] == ["waiting"]
    await _mute_over(engine)
    assert await untold() == ["long", "other"]
    assert await engine.read(alert_store.mutes) == []


async def test_a_mute_is_lifted_once(engine: Engine) -> None:
    await engine.write(lambda conn: alert_store.mute(conn, "waiting", seconds=60, by="ana", reason=None))
    await engine.write(lambda conn: alert_store.unmute(conn, "waiting", by="ben", reason="mended"))
    assert await engine.read(alert_store.mutes) == []
    with pytest.raises(NotFound):
        await engine.write(lambda conn: alert_store.unmute(conn, "waiting", by="ben", reason=None))
    acts = await engine.read(lambda conn: conn.execute(select(audit_log.c.actor, audit_log.c.action)).all())
    assert [tuple(act) for act in acts] == [("ana", "alert.mute"), ("ben", "alert.unmute")]


async def test_looking_at_once_opens_one(engine: Engine) -> None:
    await pause(engine)
    await asyncio.gather(*(alert_finders.look(engine.core) for _ in range(5)))
    assert len(await engine.read(lambda conn: alert_store.listed(conn))) == 1
