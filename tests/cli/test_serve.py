"""`bmn serve` and `bmn worker` as processes: ready, alone in their home, replaced when killed, gone when stopped."""

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import redis
from rq.command import send_shutdown_command

from tests.kit.processes import PATIENCE, gone, wait_until
from tests.kit.stack import Stack, User, start
from tests.kit.terminal import BMN, environment, forked, on_terminal

Serve = Callable[..., Stack]


@pytest.fixture
def serve(home: Path) -> Iterator[Serve]:
    """Starts `bmn serve` in this test's own home, on any port, and ends what is left of it."""
    started: list[Stack] = []

    def run(*arguments: str, fork: bool = True, **env: str) -> Stack:
        started.append(start(home, *(arguments or ("--no-workers",)), *_any_port(arguments), env=env, fork=fork))
        return started[-1]

    yield run
    for stack in started:
        stack.process.kill()
        stack.process.wait()


def _any_port(arguments: tuple[str, ...]) -> tuple[str, ...]:
    return () if "--port" in arguments else ("--port", "0")


def children(stack: Stack) -> dict[str, int]:
    """Title -> process id of everything below a running `bmn serve`."""
    found: dict[str, int] = {}
    for child in psutil.Process(stack.process.pid).children(recursive=True):
        command = []
        with contextlib.suppress(psutil.Error):  # it has just ended
            command = child.cmdline()
        if command and command[0]:
            found["valkey" if "valkey-server" in command[0] else command[0].strip()] = child.pid
    return found


def log_of(stack: Stack) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (stack.home / "serve.log").read_text().splitlines() if line.startswith("{")]


def submit(stack: Stack, count: int = 1) -> str:
    """One logo job of a new user; answers with its id."""
    done = forked(
        "generate", "logos", "--brand", "Acme", "--count", str(count), "--detach", "--json", env=User(stack).env
    )
    assert done.code == 0, done.err
    return str(json.loads(done.out)["jobId"])


def job(stack: Stack, job_id: str) -> dict[str, Any]:
    token = User(stack, "admin").env["BMN_TOKEN"]
    answer = httpx.get(f"{stack.api_url}/api/v1/jobs/{job_id}", headers={"Authorization": f"Bearer {token}"})
    answer.raise_for_status()
    return dict(answer.json())


def test_it_says_where_everything_is_and_others_find_it(serve: Serve) -> None:
    stack = serve("--queues", "image-upload")
    state = json.loads((stack.home / "serve.json").read_text())
    assert (state["api_url"], state["sandbox_url"]) == (stack.api_url, stack.sandbox_url)
    assert state["pid"] == stack.process.pid
    assert stat.S_IMODE((stack.home / "serve.json").stat().st_mode) == 0o600
    assert httpx.get(f"{stack.api_url}/health/live").status_code == 200
    assert set(children(stack)) == {"bmn api", "bmn sandbox", "bmn worker image-upload", "valkey"}


def test_a_person_sees_one_block_of_addresses(home: Path) -> None:
    process = subprocess.Popen(
        [BMN, "serve", "--port", "0", "--no-workers"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment({"BMN_HOME": str(home)}),
    )
    try:
        assert process.stdout
        block = [process.stdout.readline() for _ in range(10)]
        process.terminate()
        assert process.wait(PATIENCE) == 0
        assert process.stdout.read() == ""
    finally:
        process.kill()
        process.wait()
    assert block[0].startswith("bmn serve ─ everything is local, no keys needed")
    words = [line.split() for line in block[1:]]
    named = ["API", "Gallery", "Queues", "Mailbox", "Sandbox", "Workers", "Data", "Token", "Next"]
    assert [line[0] for line in words] == named


def test_workers_are_scaled_and_drained_from_afar(serve: Serve) -> None:
    """A supervisor keeps more and fewer; a drained one is not started again, and what it had goes on elsewhere."""
    stack = serve("--queues", "logo-generation,image-upload")
    admin, ana = User(stack, "admin"), User(stack)
    assert admin.json("workers", "scale", "logo-generation=3")["supervisors"].popitem()[1] == 3
    assert admin.json("workers", "scale", "logo-generation=1")["supervisors"].popitem()[1] == 1
    wait_until(lambda: [title for title in children(stack) if "logo" in title] == ["bmn worker logo-generation"])

    stack.fault(provider="bfl", op="poll", pending=True)
    ana.json("brands", "create", "Acme")
    assert ana.bmn("generate", "logos", "--brand", "Acme", "--count", "1", "--detach").code == 0
    job = ana.json("jobs", "show", "last")["jobId"]
    wait_until(lambda: ana.json("jobs", "show", job)["state"] == "active")
    done = admin.json("workers", "drain", "logo-generation", "--within", "1s", "--reason", "new disk")
    assert (done["drained"], done["left"], done["jobs"]) == (1, [], {job: "handed on"})
    wait_until(lambda: not [title for title in children(stack) if "logo" in title])
    assert {act["action"]: act["reason"] for act in admin.json("audit")["entries"]}["worker.drain"] == "new disk"
    stack.mend()
    assert admin.bmn("workers", "scale", "logo-generation=1").code == 0
    assert ana.bmn("jobs", "watch", job).code == 0

    refused = [
        (("workers", "drain", "nobody"), 3),
        (("workers", "drain", "all", "--host", "elsewhere"), 3),
        (("workers", "scale", "logos=2"), 3),
        (("workers", "scale", "logo-generation=0"), 2),
        (("workers", "scale", "logo-generation"), 2),
    ]
    assert [admin.bmn(*command).code for command, _ in refused] == [code for _, code in refused]
    assert ana.bmn("workers", "drain", "all").code in (3, 4)


def test_queues_of_one_process_are_workers_of_their_own(serve: Serve) -> None:
    stack = serve("--queues", "crm-sync,email-send,cleanup,logo-generation")
    together = "bmn worker crm-sync,email-send,cleanup"
    first = children(stack)
    assert {title for title in first if "worker" in title} == {together, "bmn worker logo-generation"}

    def workers() -> dict[str, dict[str, Any]]:
        found = json.loads(forked("workers", "--json", env=User(stack, "admin").env).out)["workers"]
        return {worker["queue"]: worker for worker in found if worker["state"] != "lost"}

    pids = {queue: worker["pid"] for queue, worker in workers().items()}
    assert pids == {
        **dict.fromkeys(("crm-sync", "email-send", "cleanup"), first[together]),
        "logo-generation": first["bmn worker logo-generation"],
    }
    assert len({worker["name"] for worker in workers().values()}) == 4

    # One that is told to end by RQ takes its companions along, and all three come back.
    with redis.Redis.from_url(json.loads((stack.home / "serve.json").read_text())["redis_url"]) as connection:
        send_shutdown_command(connection, workers()["email-send"]["name"])
    wait_until(lambda: children(stack).get(together) not in (None, first[together]))
    again = children(stack)[together]
    wait_until(lambda: [w["pid"] for w in workers().values()].count(again) == 3)
    assert children(stack)["bmn worker logo-generation"] == first["bmn worker logo-generation"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_is_orderly_and_leaves_nothing_behind(serve: Serve, number: signal.Signals) -> None:
    stack = serve("--queues", "image-upload", fork=False)
    below = children(stack)
    stack.process.send_signal(number)
    assert stack.process.wait(PATIENCE) == 0
    assert all(gone(pid) for pid in below.values())
    assert not (stack.home / "serve.json").exists()
    told = [line["event"] for line in log_of(stack) if line["event"].endswith(" closed") and line["process"] == "serve"]
    assert told == ["workers closed", "queues closed", "sockets closed", "sandbox closed", "Redis closed"]


def test_killed_it_leaves_nothing_running_and_the_next_one_starts(serve: Serve) -> None:
    stack = serve("--queues", "image-upload")
    below = children(stack)
    stack.process.kill()
    wait_until(lambda: all(gone(pid) for pid in below.values()))
    again = serve("--queues", "image-upload")
    assert httpx.get(f"{again.api_url}/health/live").status_code == 200


def test_a_second_one_in_the_same_home_is_told_who_runs_there(serve: Serve) -> None:
    stack = serve()
    done = forked("serve", "--port", "0", env=stack.env)
    assert done.code == 5
    assert f"(process {stack.process.pid}) already runs in {stack.home}" in done.err
    assert stack.api_url in done.err
    assert httpx.get(f"{stack.api_url}/health/live").status_code == 200


def test_a_port_that_is_taken_is_told_and_nothing_starts(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = forked("serve", "--port", str(port), env={"BMN_HOME": str(home)})
    assert done.code == 5
    assert f"Port {port} on 127.0.0.1 is taken" in done.err
    assert "--port" in done.err
    assert not (home / "redis").exists()


def test_another_server_may_join_and_leave_the_first_alone(serve: Serve) -> None:
    first = serve()
    second = serve("--no-workers")
    assert second.api_url != first.api_url
    assert set(children(second)) == {"bmn api"}
    assert second.stop() == 0
    assert json.loads((first.home / "serve.json").read_text())["api_url"] == first.api_url
    assert httpx.get(f"{first.api_url}/health").status_code == 200


@pytest.mark.parametrize("title", ["bmn api", "bmn sandbox", "bmn worker image-upload", "valkey"])
def test_every_process_that_is_killed_is_replaced(serve: Serve, title: str) -> None:
    stack = serve("--queues", "image-upload")
    victim = children(stack)[title]
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: children(stack).get(title, victim) != victim, what=f"a new {title}")
    wait_until(lambda: _healthy(stack), what="health after the restart")


def _healthy(stack: Stack) -> bool:
    try:
        return httpx.get(f"{stack.api_url}/health", timeout=3).status_code == 200
    except httpx.HTTPError:
        return False


def test_a_job_survives_the_death_of_its_worker_and_is_billed_once(serve: Serve) -> None:
    stack = serve("--queues", "logo-generation", "--sandbox-speed", "1")
    job_id = submit(stack, count=2)
    wait_until(lambda: job(stack, job_id)["state"] == "active")
    wait_until(lambda: len(httpx.get(f"{stack.sandbox_url}/_sandbox/ledger").json()) == 2)
    os.kill(children(stack)["bmn worker logo-generation"], signal.SIGKILL)
    wait_until(lambda: job(stack, job_id)["state"] == "completed")
    assert len(httpx.get(f"{stack.sandbox_url}/_sandbox/ledger").json()) == 2


def test_jobs_wait_for_a_worker_of_another_terminal(serve: Serve) -> None:
    stack = serve()
    job_id = submit(stack)
    assert job(stack, job_id)["state"] == "queued"
    done = forked("worker", "logo-generation", "--burst", env={**stack.env, "BMN_LOG_FORMAT": "json"})
    assert done.code == 0, done.err
    assert job(stack, job_id)["state"] == "completed"


def test_a_worker_outside_stops_in_order_too(serve: Serve) -> None:
    stack = serve()
    process = subprocess.Popen(
        [BMN, "worker", "image-upload", "cleanup", "logo-generation"],
        stderr=subprocess.PIPE,
        text=True,
        env=environment({**stack.env, "BMN_LOG_FORMAT": "json"}),
    )
    assert process.stderr
    said = ""
    while "workers ready" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    below = [child.pid for child in psutil.Process(process.pid).children()]
    assert len(below) == 2  # one for the two queues of errands, one for the logos
    process.terminate()
    _, rest = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "workers closed" in rest
    assert all(gone(pid) for pid in below)


def test_a_worker_without_a_redis_says_what_to_start(home: Path) -> None:
    done = forked("worker", "all", env={"BMN_HOME": str(home)})
    assert done.code == 69
    assert "bmn serve --no-workers" in done.err


def test_an_unknown_queue_is_told_with_those_there_are(home: Path) -> None:
    for command in (("worker", "logos"), ("serve", "--queues", "logos")):
        done = forked(*command, env={"BMN_HOME": str(home)})
        assert done.code == 3
        assert "logo-generation" in done.err


def test_production_and_no_sandbox_refuse_to_start_without_keys(home: Path) -> None:
    refused = forked("serve", "--no-sandbox", env={"BMN_HOME": str(home)})
    assert refused.code == 2
    assert "No key for bfl" in refused.err
    production = forked("serve", env={"BMN_HOME": str(home), "BMN_ENV": "production"})
    assert production.code == 2
    assert "DATABASE_URL" in production.err


def test_a_configured_redis_is_used_and_none_is_embedded(serve: Serve, redis_url: str) -> None:
    stack = serve(REDIS_URL=redis_url)
    assert "valkey" not in children(stack)
    assert httpx.get(f"{stack.api_url}/health").json()["checks"]["redis"]["ok"] is True
    assert stack.stop() == 0
    assert "Redis closed" in {line["event"] for line in log_of(stack)}


def test_a_reset_asks_first_and_then_removes_the_data_but_not_the_secret(serve: Serve, home: Path) -> None:
    serve().stop()
    secret = (home / "dev-secret").read_text() if (home / "dev-secret").exists() else None
    (home / "objects" / "old.png").write_bytes(b"x")
    refused = forked("serve", "--reset", env={"BMN_HOME": str(home)})
    assert refused.code == 2
    assert "bmn.sqlite3" in refused.err
    assert (home / "objects" / "old.png").exists()
    serve("--reset", "--yes", "--no-workers")
    assert not (home / "objects" / "old.png").exists()
    if secret:
        assert (home / "dev-secret").read_text() == secret


def test_a_database_that_waits_for_its_upgrade_is_told(home: Path, postgres_server: str) -> None:
    done = forked("serve", "--port", "0", env={"BMN_HOME": str(home), "DATABASE_URL": f"{postgres_server}/postgres"})
    assert done.code == 2
    assert "bmn db upgrade" in done.err


def test_a_child_that_cannot_start_ends_the_start_with_its_reason(home: Path) -> None:
    (home / "sandbox").write_text("a file where a folder should be")
    done = forked("serve", "--port", "0", "--no-workers", env={"BMN_HOME": str(home), "BMN_LOG_FORMAT": "json"})
    assert done.code == 1
    assert "sandbox" in done.err
    assert not (home / "serve.json").exists()


@pytest.mark.parametrize("verbose", [False, True])
def test_a_terminal_shows_where_everything_is_and_a_line_a_job(home: Path, verbose: bool) -> None:
    """Asked for more, or read by a program, it is the whole log."""
    env = {"BMN_HOME": str(home)}
    flags = ["--port", "0", "--sandbox-speed", "0", *(["--verbose"] if verbose else [])]
    with on_terminal("serve", *flags, columns=160, env=env, fork=True) as terminal:
        terminal.wait_for("Next  ")
        done = forked("generate", "logos", "--brand", "Acme", "--count", "1", "--json", env=env)
        assert done.code == 0, done.err
        job_id = json.loads(done.out)["jobId"]
        terminal.wait_for(lambda text: "job completed" in text and job_id in text)
        assert ("worker ready" in terminal.text, "/api/v1/generation/logos" in terminal.text) == (verbose, verbose)
        below = terminal.text.partition("Next  ")[2].splitlines()[1:]
        assert verbose or all("job completed" in line for line in below), below
        terminal.press_ctrl_c()
        assert terminal.end() == 0
