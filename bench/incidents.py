"""Six incidents on a running stack: `python -m bench.incidents`, with `--write` into the table of docs/operations.md.

Two servers and three workers' supervisors share a PostgreSQL and a Redis. The sandbox plays the provider, with a key, so
that it is asked as a real one is. Each incident is made, and timed until its alert has reached a webhook receiver and the
operators' mailbox; then it is told what `bmn incident` says, the command is run, and it is counted who was made whole.
"""

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import redis

from bmn.broker.embedded import EmbeddedRedis
from bmn.identity.development import development_secret, mint_development_token
from bmn.identity.home_secrets import LINKS, home_secret
from bmn.lifeline import lifeline
from bmn.settings import Settings
from tests.kit.postgres import running_postgres
from tests.kit.processes import free_port

_DOCS = Path(__file__).parents[1] / "docs" / "operations.md"
_BEGIN, _END = "<!-- bench.incidents -->", "<!-- /bench.incidents -->"
_HEAD = (
    "| incident | alert | webhook | mailbox | what `bmn incident` says | the command | healed after | made whole |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
)
_SUPPORT = "support@brandmenow.com"
_PATIENCE = 240.0
_SETTINGS = {
    "BMN_REQUESTS_PER_MINUTE": "0",
    "BMN_GENERATIONS_PER_MINUTE": "0",
    "BMN_LOG_LEVEL": "warning",
    "BFL_API_KEY": "a-key-of-the-bench",
}


class AlertReceiver:
    """Takes the alerts that are posted, each with when it came."""

    def __init__(self) -> None:
        self.taken: list[tuple[float, dict[str, Any]]] = []
        taken = self.taken

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                taken.append((time.time(), json.loads(body)))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"json://127.0.0.1:{self._server.server_port}/alerts"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()


@dataclass(slots=True)
class Fleet:
    """The running stack. workers: its supervisors' processes."""

    settings: Settings
    environment: dict[str, str]
    api: str
    sandbox: str
    database: str
    redis: str
    receiver: AlertReceiver
    workers: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    users: list[httpx.Client] = field(default_factory=list)

    def bmn(self, *args: str) -> "subprocess.CompletedProcess[str]":
        token = mint_development_token(self.settings, "an-operator", None, "admin")
        command = [sys.executable, "-m", "bmn", *args]
        environment = {**self.environment, "BMN_TOKEN": token, "BMN_API_URL": self.api}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def incident(self, name: str, since: float) -> dict[str, Any]:
        """The account of a cause or an alert, of what happened from a moment on."""
        done = self.bmn("incident", name, "--since", f"{max(1, round(time.time() - since))}s", "--json")
        return dict(json.loads(done.stdout)) if done.returncode == 0 else {}

    def fault(self, **rule: Any) -> None:
        httpx.post(f"{self.sandbox}/_sandbox/faults", json={"provider": "bfl", **rule}).raise_for_status()

    def mend(self) -> None:
        httpx.delete(f"{self.sandbox}/_sandbox/faults").raise_for_status()

    def submit(self, count: int) -> list[str]:
        """So many logo jobs, by all users in turn; ids of those that were accepted."""
        accepted = []
        for number in range(count):
            user = self.users[number % len(self.users)]
            body = {"brandId": user.headers["X-Brand"], "count": 1}
            answer = user.post("/api/v1/generation/logos", json=body)
            if answer.status_code == httpx.codes.ACCEPTED:
                accepted.append(str(answer.json()["jobId"]))
        return accepted

    def states(self, ids: list[str]) -> list[str]:
        with psycopg.connect(self.database) as conn:
            rows = conn.execute("SELECT state FROM jobs WHERE id = ANY(%s)", (ids,)).fetchall()
        return [str(row[0]) for row in rows]

    def start_worker(self, *queues: str) -> None:
        """A supervisor of workers, in a process group of its own, so that it can be lost whole."""
        command = lifeline([sys.executable, "-m", "bmn", "worker", *queues])
        log = (self.settings.bmn_home / f"worker-{len(self.workers)}.log").open("ab")
        self.workers.append(subprocess.Popen(command, env=self.environment, stderr=log, stdout=log))


@dataclass(frozen=True, slots=True)
class Told:
    """When an alert came, in seconds after the incident; None where it did not."""

    kind: str
    hook: float | None
    mail: float | None


@dataclass(frozen=True, slots=True)
class Incident:
    """cause: by which `bmn incident` is asked; empty: by the alert. make: returns the jobs concerned. mend: what an
    operator does outside of bmn, in words and in deed. command: run after it, where the account names none.
    """

    name: str
    kinds: tuple[str, ...]
    cause: str
    make: Callable[[Fleet], list[str]]
    mend: Callable[[Fleet], None]
    outside: str = ""
    command: str = ""


@contextmanager
def running_fleet() -> Iterator[Fleet]:
    """Two servers, three supervisors of workers, a sandbox, PostgreSQL and Redis."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bmn-night-")))
        postgres = stack.enter_context(running_postgres(folder / "postgres")).replace("+psycopg", "")
        with psycopg.connect(f"{postgres}/postgres", autocommit=True) as conn:
            conn.execute("CREATE DATABASE night")
        server = EmbeddedRedis(folder / "redis")
        server.start()
        stack.callback(server.stop)
        homes = [folder / "one", folder / "two"]
        for home in homes:
            home.mkdir(mode=0o700)
        settings = Settings(bmn_home=homes[0])
        development_secret(settings)
        home_secret(settings, LINKS)
        for file in homes[0].glob("*secret"):  # what several hosts share
            (homes[1] / file.name).write_bytes(file.read_bytes())
            (homes[1] / file.name).chmod(0o600)
        (homes[0] / "objects").mkdir()
        (homes[1] / "objects").symlink_to(homes[0] / "objects")
        receiver, ports = AlertReceiver(), [free_port() for _ in range(3)]
        sandbox = f"http://127.0.0.1:{ports[2]}"
        environment = {
            **os.environ,
            **_SETTINGS,
            "BMN_HOME": str(homes[0]),
            "DATABASE_URL": f"{postgres}/night",
            "REDIS_URL": server.url,
            "BMN_SANDBOX_URL": sandbox,
            "BFL_BASE_URL": sandbox,
            "BMN_ALERT_URLS": receiver.address,
        }
        commands = [
            (homes[0], ["sandbox", "run", "--port", str(ports[2]), "--speed", "0.05"]),
            *((home, ["serve", "--no-workers", "--port", str(port)]) for home, port in zip(homes, ports, strict=False)),
        ]
        subprocess.run([sys.executable, "-m", "bmn", "db", "upgrade"], env=environment, check=True, capture_output=True)
        for number, (home, command) in enumerate(commands):
            log = (folder / f"process-{number}.log").open("ab")
            process = subprocess.Popen(
                lifeline([sys.executable, "-m", "bmn", *command]),
                env={**environment, "BMN_HOME": str(home)},
                stdout=log,
                stderr=log,
            )
            stack.callback(_end, process)
        addresses = [f"http://127.0.0.1:{port}" for port in ports[:2]]
        for address in addresses:
            _wait(lambda at=address: _answers(f"{at}/health/live"), f"{address} answers")  # type: ignore[misc]
        _wait(lambda: _answers(f"{sandbox}/_sandbox/faults"), "the sandbox answers")
        fleet = Fleet(settings, environment, addresses[0], sandbox, f"{postgres}/night", server.url, receiver)
        for queues in (["logo-generation"], ["logo-generation"], ["email-send", "image-upload", "cleanup"]):
            fleet.start_worker(*queues)
        stack.callback(lambda: [_end(process) for process in fleet.workers])
        for number in range(4):
            user_id = str(uuid4())
            token = mint_development_token(settings, user_id, f"{user_id[:8]}@example.org", "user")
            client = httpx.Client(
                base_url=addresses[number % 2], headers={"Authorization": f"Bearer {token}"}, timeout=60
            )
            brand = client.post("/api/v1/brands", json={"name": "Acme"}).json()["id"]
            client.headers["X-Brand"] = brand
            fleet.users.append(client)
        warm = fleet.submit(4)
        _wait(lambda: fleet.states(warm) == ["completed"] * 4, "the first jobs arrive")
        yield fleet


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=2).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _wait(condition: Callable[[], object], what: str, seconds: float = _PATIENCE) -> float:
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise SystemExit(f"did not happen within {seconds:.0f} s: {what}")
        time.sleep(0.1)
    return time.monotonic() - began


# --- the six -----------------------------------------------------------------------------------------------------------


def _refused(status: int) -> Callable[[Fleet], list[str]]:
    def make(fleet: Fleet) -> list[str]:
        fleet.fault(op="submit", status=status)
        return fleet.submit(8)

    return make


def _full(fleet: Fleet) -> list[str]:
    with redis.Redis.from_url(fleet.redis) as client:
        client.config_set("maxmemory", int(client.info("memory")["used_memory"] * 1.01))
    time.sleep(2)
    return fleet.submit(8)


def _make_room(fleet: Fleet) -> None:
    with redis.Redis.from_url(fleet.redis) as client:
        client.config_set("maxmemory", 256 * 1024 * 1024)


def _lose_host(fleet: Fleet) -> list[str]:
    """Kills a supervisor and all of its workers while they run jobs, as when the power goes."""
    fleet.fault(op="poll", pending=True)
    ids = fleet.submit(8)
    _wait(lambda: "active" in fleet.states(ids), "a job runs")
    fleet.workers[0].kill()  # its workers never outlive it
    fleet.workers[0].wait()
    fleet.mend()
    return ids


def _poison(fleet: Fleet) -> list[str]:
    """Jobs whose payload fits no schema any more, as after a release that has changed it without care."""
    fleet.bmn("queues", "pause", "logo-generation", "--reason", "bench")
    ids = fleet.submit(8)
    with psycopg.connect(fleet.database) as conn:
        change = 'UPDATE jobs SET payload = payload || \'{"count": "many"}\' WHERE id = ANY(%s)'
        conn.execute(change, (ids[:4],))
    fleet.bmn("queues", "resume", "logo-generation")
    return ids


INCIDENTS = (
    Incident(
        "key revoked", ("queue-paused",), "provider_auth", _refused(401), Fleet.mend, "a new key, workers restarted"
    ),
    Incident("account empty", ("queue-paused",), "provider_credit", _refused(402), Fleet.mend, "the account topped up"),
    Incident("provider down", ("queue-paused",), "provider_overloaded", _refused(503), Fleet.mend, "it comes back"),
    Incident("Redis full", ("redis-refuses", "redis-memory"), "", _full, _make_room, "`maxmemory` raised"),
    Incident("a host lost", ("host-lost",), "worker_lost", _lose_host, lambda _: None),
    Incident(
        "a poison payload",
        ("dead-letters",),
        "schema_changed",
        _poison,
        lambda _: None,
        command="bmn jobs retry --everyone --cause schema_changed --set count=1 --yes",
    ),
)


def run_one(fleet: Fleet, incident: Incident) -> str:
    """Makes it, waits for its alert, mends it; a row of the table."""
    began = time.time()
    ids = incident.make(fleet)
    told = _told(fleet, incident, began)
    name = incident.cause or _alert_id(fleet, told.kind)
    account = fleet.incident(name, began)
    incident.mend(fleet)
    mended = time.time()
    command = incident.command or str(account.get("remedy") or "")
    if command and "--watch" not in command and command.split()[1] not in ("doctor", "workers"):
        fleet.bmn(*shlex.split(command)[1:])
    healed = _healed(fleet, ids, mended)
    after = fleet.incident(name, began)
    whole = (
        f"{after.get('usersWhole', 0)} of {after.get('usersHurt', 0)} users"
        if after.get("usersHurt")
        else "nobody hurt"
    )
    says = f"{account.get('jobs', 0)} jobs: {account.get('waiting', 0)} waiting, {account.get('failed', 0)} failed"
    says += (
        f", {account.get('held', 0)} behind them; {account.get('usersHurt', 0)} users" if account.get("jobs") else ""
    )
    shown = f"`{command}`" if command else "none: it heals by itself"
    doing = f"{incident.outside}; {shown}" if incident.outside else shown
    row = (incident.name, f"`{told.kind}`", _span(told.hook), _span(told.mail), says, doing, _span(healed), whole)
    return f"| {' | '.join(row)} |"


def _told(fleet: Fleet, incident: Incident, began: float) -> Told:
    """Waits until the alert has reached both, or the patience is over."""
    end = time.monotonic() + _PATIENCE
    hook: tuple[float, str] | None = None
    mail: float | None = None
    while time.monotonic() < end and (hook is None or mail is None):
        for at, body in list(fleet.receiver.taken):
            if hook is None and at >= began and body["state"] == "open" and body["kind"] in incident.kinds:
                hook = (at - began, str(body["kind"]))
        if mail is None and any(kind in text for text in _mails(fleet, began) for kind in incident.kinds):
            mail = time.time() - began
        time.sleep(0.1)
    return Told(hook[1] if hook else incident.kinds[0], hook[0] if hook else None, mail)


_seen_mails: set[str] = set()


def _mails(fleet: Fleet, _began: float) -> list[str]:
    """Subjects and texts of the mails to the operators that are new in this incident."""
    found = httpx.get(f"{fleet.sandbox}/_sandbox/mails", params={"to": _SUPPORT}, timeout=10).json()
    new = [mail for mail in found if str(mail["id"]) not in _seen_mails]
    return [json.dumps(mail) for mail in new]


def _alert_id(fleet: Fleet, kind: str) -> str:
    done = fleet.bmn("alerts", "--all", "--json")
    found = [alert for alert in json.loads(done.stdout or "{}").get("alerts", []) if alert["kind"] == kind]
    return str(found[0]["id"]) if found else kind


def _healed(fleet: Fleet, ids: list[str], since: float) -> float | None:
    """Seconds until every job, or the newest that replays it, has been delivered."""
    query = """WITH RECURSIVE line AS (
        SELECT id, id AS root, created_at FROM jobs WHERE id = ANY(%s)
        UNION ALL SELECT jobs.id, line.root, jobs.created_at FROM jobs JOIN line ON jobs.parent_id = line.id)
        SELECT count(DISTINCT line.root) FROM line JOIN jobs ON jobs.id = line.id WHERE jobs.state = 'completed'"""

    def delivered() -> bool:
        with psycopg.connect(fleet.database) as conn:
            row = conn.execute(query, (ids,)).fetchone()
        return row is not None and row[0] == len(ids)

    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if delivered():
            return time.time() - since
        time.sleep(0.2)
    return None


def _span(seconds: float | None) -> str:
    return "not within 4 min" if seconds is None else f"{seconds:.1f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="one incident, by a word of its name")
    parser.add_argument("--write", action="store_true", help="into docs/operations.md")
    options = parser.parse_args()
    rows = []
    with running_fleet() as fleet:
        for incident in INCIDENTS:
            if options.only and options.only not in incident.name:
                continue
            rows.append(run_one(fleet, incident))
            print(rows[-1], flush=True)
            found = httpx.get(f"{fleet.sandbox}/_sandbox/mails", params={"to": _SUPPORT}, timeout=10).json()
            _seen_mails.update(str(mail["id"]) for mail in found)
    if options.write:
        text = _DOCS.read_text()
        before, _, rest = text.partition(_BEGIN)
        _, _, after = rest.partition(_END)
        _DOCS.write_text(f"{before}{_BEGIN}\n{_HEAD}{chr(10).join(rows)}\n{_END}{after}")


if __name__ == "__main__":
    main()
