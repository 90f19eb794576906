"""Who is told of an alert, over the wire: once when it opens, once when it is over, and later where a receiver is away."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from bmn import outgoing
from bmn.db.operators import alert_store, queue_store
from bmn.db.operators.alert_store import Trouble
from bmn.db.tables import alert_tellings, alerts
from bmn.errors import Cause
from bmn.jobs.alert_finders import paused
from bmn.jobs.alert_loop import AlertLoop
from bmn.jobs.core import Core
from bmn.jobs.sinks import all_sinks, ops_mailbox, tell
from bmn.settings import load_settings
from bmn.settings.alert_urls import read_sinks
from bmn.settings.authorities import authorities
from tests.kit.engine import Engine
from tests.kit.hooks import Hooks, hooks
from tests.kit.processes import eventually
from tests.kit.sandbox import RunningSandbox

_HOSTS = ("hooks.slack.com", "discord.com", "events.pagerduty.com", "hooks.example.com")
_URLS = "slack://T1/B2/c3, discord://12/to-ken, pagerduty://routing, jsons://hooks.example.com/ops"
_TROUBLE = Trouble("waiting", "logo-generation", "<!channel> & @everyone: it waits", "error")


@pytest.fixture
async def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hooks]:
    """Stands for every service, since the environment's proxy leads there and its certificate is trusted."""
    async with hooks(tmp_path, *_HOSTS) as made:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "hooks.pem"))
        monkeypatch.setenv("HTTPS_PROXY", made.url)
        _forget_authorities()
        yield made
    _forget_authorities()


def _forget_authorities() -> None:
    for known in (outgoing.tls, authorities):
        known.cache_clear()


def telling(core: Core, urls: str) -> Core:
    return replace(core, settings=core.settings.model_copy(update={"bmn_alert_urls": SecretStr(urls)}))


async def begin(engine: Engine, trouble: Trouble = _TROUBLE) -> None:
    await engine.write(lambda conn: alert_store.open_alert(conn, trouble))


async def end(engine: Engine, seconds: float = 840) -> None:
    """It is over, after so long."""
    await engine.write(lambda conn: alert_store.settle(conn, [], quiet=-1))
    await engine.write(lambda conn: conn.execute(update(alerts).values(opened_at=alerts.c.resolved_at - seconds)))


async def go_by(engine: Engine, seconds: float) -> None:
    """As if the last attempts had been so long ago."""
    earlier = alert_tellings.c.claimed_at - seconds
    await engine.write(lambda conn: conn.execute(update(alert_tellings).values(claimed_at=earlier)))


async def test_each_service_gets_what_its_reference_says_once_and_once_more_at_the_end(
    engine: Engine, receiver: Hooks
) -> None:
    core = telling(engine.core, f"{_URLS}, json://127.0.0.1:{receiver.port}/plain")
    await begin(engine)
    for _ in range(2):
        await asyncio.gather(*(tell(core) for _ in range(3)))
    await end(engine)
    for _ in range(2):
        await asyncio.gather(*(tell(core) for _ in range(3)))
    by_host: dict[str, list[Any]] = {}
    for hook in receiver.taken:
        by_host.setdefault(f"{hook.host.partition(':')[0]}{hook.path}", []).append(hook.body)
    assert {place: len(bodies) for place, bodies in by_host.items()} == {
        "hooks.slack.com/services/T1/B2/c3": 2,
        "discord.com/api/webhooks/12/to-ken": 2,
        "events.pagerduty.com/v2/enqueue": 2,
        "hooks.example.com/ops": 2,
        "127.0.0.1/plain": 2,
    }
    for begun, over in by_host.values():
        assert "Resolved after" not in json.dumps(begun)
        assert "Resolved after 14 m" in json.dumps(over)
    slack, discord = by_host["hooks.slack.com/services/T1/B2/c3"], by_host["discord.com/api/webhooks/12/to-ken"]
    assert all("&lt;!channel&gt; &amp;" in body["text"] for body in slack)
    assert all(body["allowed_mentions"] == {"parse": []} for body in discord)
    trigger, resolve = by_host["events.pagerduty.com/v2/enqueue"]
    assert (trigger["event_action"], resolve["event_action"]) == ("trigger", "resolve")
    assert trigger["dedup_key"] == resolve["dedup_key"] != ""
    assert trigger["routing_key"] == "routing"
    assert set(trigger["payload"]) >= {"summary", "source", "severity"}
    assert trigger["payload"]["severity"] == "critical"
    assert by_host["hooks.example.com/ops"] == by_host["127.0.0.1/plain"]
    plain = by_host["127.0.0.1/plain"]
    assert [(body["type"], body["state"], body["nextStep"]) for body in plain] == [
        ("failure", "open", "bmn queues"),
        ("success", "resolved", "bmn queues"),
    ]


async def test_another_cause_behind_an_open_alert_is_told_once_and_whoever_had_it_has_to_take_it_up_again(
    engine: Engine, receiver: Hooks
) -> None:
    core = telling(engine.core, f"json://127.0.0.1:{receiver.port}/x")
    refused, empty, down = (
        paused("logo-generation", cause, cause)
        for cause in (Cause.PROVIDER_AUTH, Cause.PROVIDER_CREDIT, Cause.PROVIDER_OVERLOADED)
    )
    had = []
    for trouble in (refused, refused, empty, empty, down, paused("logo-generation", "slow", Cause.PROVIDER_TIMEOUT)):
        await begin(engine, trouble)
        await asyncio.gather(*(tell(core) for _ in range(2)))
        (alert,) = await engine.read(lambda conn: alert_store.listed(conn))
        had.append(alert.acked_by is not None)
        await engine.write(lambda conn, it=alert: alert_store.acknowledge(conn, it.id, by="an-operator", reason="mine"))  # type: ignore[misc]
    assert had == [False, True, False, True, False, True]
    await end(engine)
    await tell(core)
    bodies = [hook.body for hook in receiver.taken]
    assert [(body["state"], body["id"], body["changedAt"] is None) for body in bodies] == [
        ("open", alert.id, True),
        ("open", alert.id, False),
        ("open", alert.id, False),
        ("resolved", alert.id, False),
    ]
    assert [body["message"].partition("Queue")[0] for body in bodies] == [
        "",
        "Changed: ",
        "Changed: ",
        "Resolved after 14 m: ",
    ]
    mails = [job for job in await engine.all_jobs() if job.queue == "email-send"]
    assert len(mails) == len(bodies)


async def _attempts(engine: Engine) -> int:
    mailbox = ops_mailbox(engine.core.settings).id
    query = select(alert_tellings.c.attempts).where(alert_tellings.c.sink != mailbox)
    return int(await engine.read(lambda conn: conn.execute(query).scalar_one()))


async def test_a_receiver_that_is_away_is_tried_less_and_less_and_keeps_nobody_else_waiting(
    engine: Engine, receiver: Hooks, tmp_path: Path
) -> None:
    async with hooks(tmp_path / "away") as away:
        away.head = "HTTP/1.1 503 Away"
        core = telling(engine.core, f"json://127.0.0.1:{away.port}/x")
        await begin(engine)
        for tried, pause in enumerate((60, 120, 240, 480, 960, 1920, 3600, 3600), 1):
            await tell(core)
            await go_by(engine, pause - 5)
            await tell(core)
            assert (away.tried, await _attempts(engine)) == (tried, tried)
            await go_by(engine, 10)
        both = telling(engine.core, f"json://127.0.0.1:{away.port}/x, json://127.0.0.1:{receiver.port}/y")
        await tell(both)
        assert [hook.path for hook in receiver.taken] == ["/y"]
        away.head = "HTTP/1.1 200 OK"
        await end(engine)
        await tell(both)
        assert [hook.body["state"] for hook in away.taken] == ["resolved"]
        assert away.tried == 10
    await go_by(engine, 86_400 * 2)
    before = engine.core.settings
    gone = telling(engine.core, f"json://127.0.0.1:{away.port}/x")
    await engine.write(lambda conn: conn.execute(update(alerts).values(resolved_at=alerts.c.resolved_at - 86_500)))
    sink = read_sinks(gone.settings.bmn_alert_urls.get_secret_value())[0]
    assert await engine.read(lambda conn: alert_store.untold(conn, sink.id)) == []  # news of yesterday
    assert before.bmn_alert_urls.get_secret_value() == ""


async def test_a_receiver_that_hangs_keeps_nobody_from_looking(engine: Engine, receiver: Hooks) -> None:
    receiver.hangs = True
    core = telling(engine.core, f"json://127.0.0.1:{receiver.port}/x")
    await begin(engine)
    loop = asyncio.create_task(AlertLoop(core).run())
    try:
        await eventually(_async(lambda: receiver.tried == 1))
        await engine.write(lambda conn: queue_store.set_paused(conn, "crm-sync", by="system", reason="refused"))

        async def opened() -> bool:
            return "queue-paused" in await engine.read(alert_store.count_open)

        await eventually(opened)
        assert receiver.tried == 1
    finally:
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)


async def test_no_redirect_is_followed(engine: Engine, receiver: Hooks, tmp_path: Path) -> None:
    async with hooks(tmp_path / "private") as private:
        for status in (301, 302, 303, 307, 308):
            receiver.head = f"HTTP/1.1 {status} Elsewhere\r\nlocation: {private.url}/latest/meta-data"
            await tell(telling(engine.core, "jsons://hooks.example.com/x"))
            await begin(engine, replace(_TROUBLE, subject=str(status)))
            await tell(telling(engine.core, "jsons://hooks.example.com/x"))
        assert private.tried == 0
    assert receiver.tried == 5
    assert receiver.taken == []


async def test_one_that_is_muted_is_told_to_nobody(engine: Engine, receiver: Hooks) -> None:
    core = telling(engine.core, f"json://127.0.0.1:{receiver.port}/x")
    await engine.write(lambda conn: alert_store.mute(conn, "waiting", seconds=60, by="ana", reason=None))
    await begin(engine)
    await tell(core)
    assert (receiver.tried, await engine.all_jobs()) == (0, [])
    await engine.write(lambda conn: alert_store.unmute(conn, "waiting", by="ana", reason=None))
    await tell(core)
    assert receiver.tried == 1
    assert [job.queue for job in await engine.all_jobs()] == ["email-send"]


async def test_a_queue_that_pauses_itself_reaches_the_mailbox_and_so_does_its_end(
    engine: Engine, sandbox: RunningSandbox
) -> None:
    settings = engine.settings.model_copy(update={"bmn_sandbox_url": sandbox.url})
    await engine.write(lambda conn: queue_store.set_paused(conn, "crm-sync", by="system", reason="the key was refused"))

    def mails() -> list[str]:
        return [mail["subject"] for mail in sandbox.mails()]

    async with engine.worker("email-send", settings=settings):
        await eventually(_async(lambda: mails() == ["[bmn] queue-paused crm-sync: open"]))
        await engine.write(lambda conn: queue_store.set_running(conn, "crm-sync", by="somebody"))
        await eventually(_async(lambda: len(mails()) == 2))
    begun, over = sandbox.mails()
    assert over["subject"] == "[bmn] queue-paused crm-sync: resolved"
    assert "the key was refused" in begun["text"]
    assert "bmn queues resume crm-sync" in begun["text"]
    assert "Resolved after" in over["text"]
    assert begun["to"] == over["to"] == [settings.support_email]


def _async(check: Callable[[], bool]) -> Callable[[], Any]:
    async def run() -> bool:
        return await asyncio.to_thread(check)

    return run


def test_the_mailbox_and_sentry_need_no_address_of_their_own(home: Path) -> None:
    def forms(**given: str) -> list[str]:
        return [sink.form for sink in all_sinks(load_settings(bmn_home=home, **given))]

    assert forms() == ["mail"]
    assert forms(sentry_dsn="https://k@sentry.example/1") == ["mail", "sentry"]
    assert forms(bmn_alert_urls="mailto://ops@example.org") == ["mail", "mail"]
    assert forms(bmn_alert_urls="mailto://ops@example.org", support_email="ops@example.org") == ["mail"]


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
        ("mailto://ops@example.org", "mail", "ops@example.org", ""),
        ("mailto:ops@example.org", "mail", "ops@example.org", ""),
    ],
)
def test_the_forms_of_addresses(text: str, form: str, url: str, key: str) -> None:
    (sink,) = read_sinks(text)
    assert (sink.form, sink.url, sink.key) == (form, url, key)
    assert repr(sink) == f"Sink(form='{form}')"


@pytest.mark.parametrize(
    "odd",
    ["teams://s3cr3t", "https://example.com/s3cr3t", "slack://s3cr3t", "json://", "s3cr3t", "mailto://a:s3cr3t@b.com"],
)
def test_an_odd_address_is_refused_without_being_quoted(odd: str) -> None:
    with pytest.raises(ValueError, match="number 2") as refused:
        read_sinks(f"json://localhost/x, {odd}")
    assert "s3cr3t" not in str(refused.value)


async def test_a_receiver_that_is_gone_is_told_nothing_more_and_the_others_hear_of_it(
    engine: Engine, receiver: Hooks, tmp_path: Path
) -> None:
    async with hooks(tmp_path / "gone") as gone:
        gone.head = "HTTP/1.1 410 Gone"
        place = f"json://127.0.0.1:{gone.port}/x"
        both = telling(engine.core, f"{place}, json://127.0.0.1:{receiver.port}/y")
        await begin(engine)
        await tell(both)
        for _ in range(3):
            await go_by(engine, 7200)
            await tell(both)
        await begin(engine, Trouble("waiting", "film-generation", "it waits as well"))
        await end(engine)
        await tell(both)
        assert gone.tried == 1
        told = {(hook.body["kind"], hook.body["subject"]) for hook in receiver.taken}
        (subject,) = {subject for kind, subject in told if kind == "receiver-gone"}
        assert subject.startswith("json-") and str(gone.port) not in str(receiver.taken)

        await tell(telling(engine.core, f"json://127.0.0.1:{receiver.port}/y"))  # it is taken out
        gone.head = "HTTP/1.1 200 OK"
        await begin(engine)
        await tell(both)
    assert "open" in [hook.body["state"] for hook in gone.taken]


async def test_only_how_a_receiver_s_answer_begins_is_waited_for(
    engine: Engine, receiver: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body without an end, and a head that drips, hold up neither the next alert nor the other receivers."""

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1]
        writer.write(b"HTTP/1.1 200 OK\r\n")
        writer.write(b"Content-Length: 999999999\r\n\r\n" if path == b"/body" else b"")
        try:
            while True:
                writer.write(b"a: b\r\n")
                await writer.drain()
                await asyncio.sleep(0.05)
        except ConnectionError:
            writer.close()

    monkeypatch.setattr("bmn.jobs.sinks._TIMEOUT", 0.5)
    server = await asyncio.start_server(endless, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    slow = f"json://127.0.0.1:{port}/body, json://127.0.0.1:{port}/head"
    await begin(engine)
    async with asyncio.timeout(10), server:
        await tell(telling(engine.core, f"{slow}, json://127.0.0.1:{receiver.port}/y"))
    assert [hook.path for hook in receiver.taken] == ["/y"]
    query = select(alert_tellings.c.told_at.is_not(None))
    assert sorted(await engine.read(lambda conn: list(conn.execute(query).scalars()))) == [False, True, True, True]
