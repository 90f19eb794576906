"""Alerts: each opens once, every receiver hears of it once, and once more when it is over."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from bmn.db import alerts as rows
from bmn.db import queues, transitions
from bmn.db.tables import alert_tellings, dead_letters
from bmn.db.tables import alerts as table
from bmn.errors import Cause
from bmn.jobs import alerts
from bmn.jobs.core import Core
from bmn.jobs.sweeper import Sweeper
from bmn.server.metrics import Metrics, read_figures
from bmn.settings.alert_urls import Sink, read_sinks
from tests.kit.engine import Engine
from tests.kit.processes import eventually


@dataclass(slots=True)
class AlertReceiver:
    """A real HTTP server that keeps what it is sent and answers with `status`."""

    address: str = ""
    status: int = 200
    heard: list[str] = field(default_factory=list)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        body = json.loads(await reader.readexactly(length))
        if self.status == 200:
            self.heard.append(f"{body['kind']} {body['subject']} {body['state']}")
        writer.write(f"HTTP/1.1 {self.status} So\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()


@asynccontextmanager
async def listening() -> AsyncIterator[AlertReceiver]:
    receiver = AlertReceiver()
    server = await asyncio.start_server(receiver.take, "127.0.0.1", 0)
    receiver.address = f"json://127.0.0.1:{server.sockets[0].getsockname()[1]}/alerts"
    async with server:
        yield receiver


def told_at(core: Core, *receivers: AlertReceiver) -> Core:
    urls = SecretStr(",".join(receiver.address for receiver in receivers))
    return replace(core, settings=core.settings.model_copy(update={"bmn_alert_urls": urls}))


async def pause(engine: Engine, by: str = "system") -> None:
    await engine.write(lambda conn: queues.set_paused(conn, "logo-generation", by=by, reason="the key was refused"))


async def go_by(engine: Engine) -> None:
    """As if nobody had seen an open alert for an hour."""
    await engine.write(lambda conn: conn.execute(update(table).values(seen_at=table.c.seen_at - 3600)))


async def test_each_receiver_hears_once_and_once_more_when_it_is_over(engine: Engine) -> None:
    async with listening() as one, listening() as two:
        core = told_at(engine.core, one, two)
        await pause(engine)
        for _ in range(3):
            await asyncio.gather(*(alerts.look(core) for _ in range(3)))
            await asyncio.gather(*(alerts.tell(core) for _ in range(3)))
        assert one.heard == two.heard == ["queue-paused logo-generation open"]
        await engine.write(lambda conn: queues.set_running(conn, "logo-generation", by="somebody"))
        await alerts.look(core)
        assert await engine.read(rows.count_open) == {"queue-paused": 1}  # what flaps stays one
        await go_by(engine)
        for _ in range(2):
            await alerts.look(core)
            await alerts.tell(core)
        assert one.heard == two.heard == ["queue-paused logo-generation open", "queue-paused logo-generation resolved"]
        assert await engine.read(rows.count_open) == {}


async def test_a_receiver_that_was_away_hears_later_and_the_others_once(engine: Engine) -> None:
    async with listening() as away, listening() as there:
        core = told_at(engine.core, away, there)
        away.status = 503
        await pause(engine)
        await alerts.look(core)
        await alerts.tell(core)
        assert (len(away.heard), len(there.heard)) == (0, 1)
        away.status = 200
        await alerts.tell(core)
        assert len(away.heard) == 0  # the minute of the first try
        await engine.write(
            lambda conn: conn.execute(update(alert_tellings).values(claimed_at=alert_tellings.c.claimed_at - 61))
        )  # as if its teller had died a minute ago
        await alerts.tell(core)
        assert (len(away.heard), len(there.heard)) == (1, 1)


async def test_a_queue_that_somebody_paused_is_no_alert(engine: Engine) -> None:
    await pause(engine, by="an-admin")
    await alerts.look(engine.core)
    assert await engine.read(rows.count_open) == {}


async def test_dead_letters_are_an_alert_a_cause_until_nobody_has_to_mend_them(engine: Engine) -> None:
    for cause in (Cause.BUG, Cause.BUG, Cause.PROVIDER_OVERLOADED):
        await engine.do()
        (row,) = await engine.claim("crm-sync")
        await engine.write(lambda conn, it=row, why=cause: transitions.fail(conn, it, why, "broken"))
    await alerts.look(engine.core)
    said = await engine.read(lambda conn: set(conn.execute(select(table.c.message)).scalars()))
    assert {text.split(";")[0] for text in said} == {
        f"2 open dead letters of cause {Cause.BUG}",
        f"1 open dead letter of cause {Cause.PROVIDER_OVERLOADED}",
    }
    await engine.write(lambda conn: conn.execute(update(dead_letters).values(state="purged")))
    await go_by(engine)
    await alerts.look(engine.core)
    assert await engine.read(rows.count_open) == {}


async def test_a_trouble_that_comes_back_is_a_new_alert(engine: Engine) -> None:
    await pause(engine)
    await alerts.look(engine.core)
    await engine.write(lambda conn: queues.set_running(conn, "logo-generation", by="somebody"))
    await go_by(engine)
    await alerts.look(engine.core)
    await pause(engine)
    await alerts.look(engine.core)
    assert await engine.read(lambda conn: len(conn.execute(select(table.c.id)).all())) == 2
    assert await engine.read(rows.count_open) == {"queue-paused": 1}


async def test_prometheus_is_shown_what_is_open_and_what_is_paused(engine: Engine) -> None:
    async def page() -> str:
        metrics.show(await engine.read(read_figures))
        return metrics.render().decode()

    metrics = Metrics()
    await pause(engine)
    await alerts.look(engine.core)
    shown = await page()
    assert 'bmn_alerts_open{kind="queue-paused"} 1.0' in shown
    assert 'bmn_queue_paused{queue="logo-generation"} 1.0' in shown
    await engine.write(lambda conn: queues.set_running(conn, "logo-generation", by="somebody"))
    await go_by(engine)
    await alerts.look(engine.core)
    shown = await page()
    assert "bmn_alerts_open{" not in shown
    assert 'bmn_queue_paused{queue="logo-generation"} 0.0' in shown


async def test_the_sweeper_tells_by_itself(engine: Engine) -> None:
    async with listening() as receiver:
        sweeping = asyncio.create_task(Sweeper(told_at(engine.core, receiver)).run())
        await pause(engine)

        async def heard() -> bool:
            return bool(receiver.heard)

        await eventually(heard)
        sweeping.cancel()
        await asyncio.gather(sweeping, return_exceptions=True)
    assert receiver.heard == ["queue-paused logo-generation open"]


@pytest.mark.parametrize(
    ("text", "form", "url", "key"),
    [
        ("json://127.0.0.1:9000/x", "json", "http://127.0.0.1:9000/x", ""),
        ("jsons://hooks.example.com/x", "json", "https://hooks.example.com/x", ""),
        ("slack://T1/B2/c3", "slack", "https://hooks.slack.com/services/T1/B2/c3", ""),
        ("slack://bot@T1/B2/c3", "slack", "https://hooks.slack.com/services/T1/B2/c3", ""),
        ("https://hooks.slack.com/services/T1/B2/c3", "slack", "https://hooks.slack.com/services/T1/B2/c3", ""),
        ("discord://12/to-ken", "discord", "https://discord.com/api/webhooks/12/to-ken", ""),
        ("pagerduty://routing@account", "pagerduty", "https://events.pagerduty.com/v2/enqueue", "routing"),
    ],
)
def test_the_forms_of_addresses(text: str, form: str, url: str, key: str) -> None:
    (sink,) = read_sinks(text)
    assert (sink.form, sink.url, sink.key) == (form, url, key)
    assert repr(sink) == f"Sink(form='{form}')"


@pytest.mark.parametrize("odd", ["teams://s3cr3t", "https://example.com/s3cr3t", "slack://s3cr3t", "json://", "s3cr3t"])
def test_an_odd_address_is_refused_without_being_quoted(odd: str) -> None:
    with pytest.raises(ValueError, match="number 2") as refused:
        read_sinks(f"json://localhost/x, {odd}")
    assert "s3cr3t" not in str(refused.value)


@pytest.mark.parametrize("over", [None, 900.0])
def test_what_the_services_are_sent(over: float | None) -> None:
    alert = rows.Alert(7, "waiting", "logo", "warn", "<!channel> & more", 60.0, over)
    said: dict[str, str] = {
        form: json.dumps(body(alert, Sink(form, "", "key"))) for form, body in alerts.BODIES.items()
    }
    assert all(("Resolved after 14 m" in text) == (over is not None) for text in said.values())
    assert "<!channel>" not in said["slack"]
    assert '"parse": []' in said["discord"]
    assert '"dedup_key": "bmn-7"' in said["pagerduty"]
    assert ('"resolve"' if over else '"trigger"') in said["pagerduty"]
