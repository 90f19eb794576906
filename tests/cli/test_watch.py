"""Watching through every kind of break: nothing is missed, nothing comes twice, and the end is always told."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from bmn.client import Client, Event, follow
from bmn.client.patience import Patience, backoff
from bmn.client.watch import parse
from bmn.errors import NoServer, NotFound
from bmn.settings import Settings
from tests.cli.proxy import HttpProxy, proxy_before
from tests.kit.processes import PATIENCE, wait_until
from tests.kit.stack import Stack, User, start


@pytest.fixture
def proxy(stack: Stack) -> Iterator[HttpProxy]:
    with proxy_before(stack.api_url) as running:
        yield running


def _client(user: User, proxy: HttpProxy) -> Client:
    settings = Settings(bmn_home=user.stack.home, bmn_token=user.env["BMN_TOKEN"])  # type: ignore[arg-type]
    return Client(settings, api_url=f"http://127.0.0.1:{proxy.port}")


def _detached(user: User, count: int = 4) -> str:
    done = user.bmn("generate", "logos", "--brand", "Acme", "--count", str(count), "--detach")
    assert done.code == 0, done.err
    return done.out.strip()


def _recorded(user: User, job_id: str) -> list[int]:
    return [entry["seq"] for entry in user.json("jobs", "show", job_id)["timeline"]]


async def test_a_stream_that_breaks_again_and_again_misses_and_repeats_nothing(user: User, proxy: HttpProxy) -> None:
    user.stack.fault(provider="bfl", op="poll", latency=0.1)
    job_id = _detached(user)
    seen: list[Event] = []
    async with _client(user, proxy) as client:
        async for event in follow(client, job_id):
            seen.append(event)
            if len(seen) % 3 == 0:
                await asyncio.to_thread(proxy.cut)
    assert proxy.accepted > 2
    assert seen[-1].name == "job:complete"
    assert [event.seq for event in seen] == _recorded(user, job_id)


async def test_a_watch_can_begin_in_the_middle(user: User, proxy: HttpProxy) -> None:
    job_id = _detached(user, 1)
    async with _client(user, proxy) as client:
        everything = [event.seq async for event in follow(client, job_id)]
        rest = [event.seq async for event in follow(client, job_id, after=everything[2])]
    assert rest == everything[3:]


async def test_a_watch_of_an_ended_job_that_has_told_all_ends(user: User, proxy: HttpProxy) -> None:
    job_id = _detached(user, 1)
    async with _client(user, proxy) as client:
        seen = [event async for event in follow(client, job_id)]
        assert [event async for event in follow(client, job_id, after=seen[-1].seq)] == []


async def test_polling_takes_over_where_streams_do_not_get_through(user: User, proxy: HttpProxy) -> None:
    proxy.hold_streams = True
    job_id = _detached(user, 1)
    notices: list[str] = []
    async with _client(user, proxy) as client:
        seen = [event async for event in follow(client, job_id, on_notice=notices.append)]
    assert any("asking every 2 s" in notice for notice in notices)
    assert [event.seq for event in seen] == _recorded(user, job_id)


async def test_a_server_that_stays_away_ends_the_watch(user: User, proxy: HttpProxy) -> None:
    user.stack.fault(provider="bfl", op="poll", pending=True)
    job_id = _detached(user, 1)
    async with _client(user, proxy) as client:
        with pytest.raises(NoServer, match="went away"):
            async for _event in follow(client, job_id, patience=0.5):
                proxy.refusing = True
                await asyncio.to_thread(proxy.cut)
    assert user.bmn("jobs", "cancel", job_id).code == 0


async def test_a_quiet_job_is_not_a_server_that_is_away(user: User, proxy: HttpProxy) -> None:
    """The job says nothing for longer than anybody's patience with a lost server; then the line breaks once."""
    user.stack.fault(provider="bfl", op="submit", latency=20)
    job_id = _detached(user, 1)
    notices: list[str] = []
    seen: list[Event] = []

    async def watch(client: Client) -> None:
        async for event in follow(client, job_id, patience=1.0, on_notice=notices.append):
            seen.append(event)

    async with _client(user, proxy) as client:
        watching = asyncio.create_task(watch(client))
        await asyncio.to_thread(wait_until, lambda: proxy.alive >= 1, what="the stream is quiet")
        before = proxy.accepted
        await asyncio.to_thread(proxy.cut)
        await asyncio.to_thread(wait_until, lambda: proxy.accepted > before, what="it connects again")
        user.stack.mend()
        await asyncio.wait_for(watching, PATIENCE)
    assert seen[-1].name == "job:complete"
    assert [event.seq for event in seen] == _recorded(user, job_id)
    assert notices == ["connection lost, reconnecting; the job goes on"]


async def test_a_mute_stream_is_polled_and_that_is_said_once(user: User, proxy: HttpProxy) -> None:
    proxy.mute_streams = True
    user.stack.fault(provider="bfl", op="poll", latency=0.1)
    job_id = _detached(user)
    notices: list[str] = []
    async with _client(user, proxy) as client:
        watching = follow(client, job_id, patience=1.0, silence=0.5, on_notice=notices.append)
        seen = [event.seq async for event in watching]
    assert notices == ["live events do not get through; asking every 2 s instead"]
    assert seen == _recorded(user, job_id)


_FOLLOW = """
import asyncio, sys
from bmn.client import Client, follow
from bmn.settings import Settings

async def main() -> None:
    async with Client(Settings(), api_url=sys.argv[1]) as client:
        async for event in follow(client, sys.argv[2], silence=3600):
            print(event.name, flush=True)

asyncio.run(main())
"""


def test_a_machine_that_slept_connects_anew(user: User, proxy: HttpProxy) -> None:
    """Its connection has died without a word; no timeout would find that out within the hour."""
    user.stack.fault(provider="bfl", op="poll", pending=True)
    job_id = _detached(user, 1)
    command = [sys.executable, "-c", _FOLLOW, f"http://127.0.0.1:{proxy.port}", job_id]
    with subprocess.Popen(command, env=user.env, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout and watching.stdout.readline().startswith("job:")
        os.kill(watching.pid, signal.SIGSTOP)
        slept = time.monotonic()
        proxy.silent = True
        wait_until(lambda: time.monotonic() - slept > 11, what="it slept")
        before = proxy.accepted
        os.kill(watching.pid, signal.SIGCONT)
        wait_until(lambda: proxy.accepted > before, what="it connects again")
        proxy.silent = False
        proxy.cut()
        user.stack.mend()
        assert watching.stdout.read().splitlines()[-1] == "job:complete"


def test_a_wait_counts_as_a_quarter_of_the_patience_at_most() -> None:
    patience = Patience(0.004)
    for _ in range(4):
        assert not patience.lost()
        time.sleep(0.01)
    assert patience.lost()
    patience.found()
    assert not patience.lost()


async def test_logs_are_followed_through_a_break(user: User, proxy: HttpProxy) -> None:
    user.stack.fault(provider="bfl", op="submit", status=503)
    job_id = _detached(user, 1)
    with user.on_terminal(
        "jobs", "logs", job_id, "--follow", "--api-url", f"http://127.0.0.1:{proxy.port}"
    ) as terminal:
        terminal.wait_for("warning")
        proxy.refusing = True
        proxy.cut()
        terminal.wait_for("connection lost, reconnecting")
        proxy.refusing = False
        user.stack.mend()
        assert terminal.end() == 0, terminal.text


async def test_a_foreign_job_is_not_there(user: User, proxy: HttpProxy) -> None:
    job_id = _detached(User(user.stack), 1)
    async with _client(user, proxy) as client:
        with pytest.raises(NotFound):
            async for _event in follow(client, job_id):
                pass


async def test_requests_are_repeated_after_a_lost_connection(user: User, proxy: HttpProxy) -> None:
    """The first answer is cut off; the repetition with the same key makes no second brand's job."""
    async with _client(user, proxy) as client:
        brand = await client.create_brand("Twice")
        await asyncio.to_thread(proxy.cut)
        body = {"brandId": brand.id, "count": 1}
        first = await client.generate("logos", body, idempotency_key="again-123")
        await asyncio.to_thread(proxy.cut)
        second = await client.generate("logos", body, idempotency_key="again-123")
    assert first == second


@pytest.mark.full
def test_a_watch_survives_a_restart_of_its_server(user: User) -> None:
    """The workers are another process; the address that the watch talks to goes away and comes back."""
    home = user.stack.home
    first = start(home, "--no-workers", "--port", "0")
    try:
        user.stack.fault(provider="bfl", op="poll", pending=True)
        _detached(user)
        with user.on_terminal("jobs", "watch", "last", "--api-url", first.api_url) as terminal:
            terminal.wait_for("━")
            assert first.stop() == 0
            terminal.wait_for("connection lost, reconnecting")
            second = start(home, "--no-workers", "--port", first.api_url.rsplit(":", 1)[1])
            try:
                user.stack.mend()
                assert terminal.end() == 0, terminal.text
            finally:
                second.stop()
            assert "✓ completed  4 logos" in terminal.text
    finally:
        first.process.kill()


def test_several_jobs_are_watched_side_by_side(user: User) -> None:
    job_ids = [_detached(user, 1) for _ in range(3)]
    with user.on_terminal("jobs", "watch", *job_ids) as terminal:
        assert terminal.end() == 0
        assert re.findall(r"✓ completed  (\d) logos for Acme", terminal.text) == ["3"]  # what went well is one sum


def test_watch_with_json_is_a_line_per_event(user: User) -> None:
    job_id = _detached(user, 1)
    done = user.bmn("jobs", "watch", job_id, "--json")
    assert done.code == 0
    events = [json.loads(line) for line in done.out.splitlines()]
    assert [event["seq"] for event in events] == _recorded(user, job_id)
    assert {event["jobId"] for event in events} == {job_id}
    assert events[-1]["event"] == "job:complete"


def test_watching_last_waits_for_a_first_job(user: User) -> None:
    with user.on_terminal("jobs", "watch", "last") as terminal:
        _detached(user, 1)
        assert terminal.end() == 0


def test_logs_are_followed_to_the_end(user: User) -> None:
    user.stack.fault(provider="bfl", moderate=1)
    job_id = _detached(user, 2)
    done = user.bmn("jobs", "logs", job_id, "--follow", "--json")
    assert done.code == 0
    assert "declined" in json.loads(done.out.splitlines()[-1])["message"]


async def test_server_sent_events_are_parsed_with_comments_and_several_data_lines() -> None:
    text = ': hello\n\nevent: job:progress\nid: 3\ndata: {"a":\ndata: 1}\n\nid: 4\n\ndata: {"b": 2}\n\n'

    async def lines() -> AsyncIterator[str]:
        for line in text.split("\n")[:-1]:
            yield line

    assert [event async for event in parse(lines())] == [("job:progress", 3, {"a": 1}), ("message", 0, {"b": 2})]


async def test_an_event_that_is_nested_without_end_breaks_the_stream_and_not_the_command() -> None:
    """The server may not be ours, or what stands before it; the watch asks again, as after any other nonsense."""

    async def lines() -> AsyncIterator[str]:
        for line in ("event: job:progress", "data: " + "[" * 200_000, ""):
            yield line

    with pytest.raises(ValueError, match="nested"):
        [event async for event in parse(lines())]


def test_backoff_grows_has_jitter_and_a_cap() -> None:
    assert all(0.1 <= backoff(0) <= 0.2 for _ in range(50))
    assert all(backoff(20) <= 10 for _ in range(50))
    assert len({backoff(3) for _ in range(20)}) > 10


def test_a_command_runs_after_the_end_with_the_job_and_its_failure_is_told(user: User) -> None:
    made = ("generate", "logos", "--brand", "Acme", "--count", "1", "--quiet")
    done = user.bmn(*made, "--bell", "--exec", 'echo "$BMN_JOB_STATE $BMN_BRAND"; cat')
    assert done.code == 0, done.err
    assert "\a" not in done.out + done.err, "nobody sits there to hear it"
    lines = done.out.splitlines()
    at = lines.index("completed Acme")
    record = json.loads(lines[at + 1])
    assert (record["state"], len(record["assets"])) == ("completed", 1)
    watched = user.bmn("jobs", "watch", record["jobId"], "--exec", "exit 7")
    assert watched.code == 1
    assert "the command of --exec failed" in watched.err and "exit code 7" in watched.err
    document = user.bmn("--json", "generate", *made[1:], "--exec", "echo heard")
    assert json.loads(document.out) and "heard" in document.err
    user.stack.fault(provider="bfl", moderate=1)
    refused = user.bmn(*made, "--exec", 'echo "$BMN_JOB_STATE"; exit 3')
    assert refused.code not in (0, 1, 3) and "failed" in refused.out, "the job's own end speaks"
    assert user.bmn(*made, "--detach", "--exec", "true").code == 2
