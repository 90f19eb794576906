"""A running stack for a night: two servers, three supervisors of workers, a sandbox, PostgreSQL and Redis."""

import json
import math
import os
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
from typing import Any, LiteralString
from uuid import uuid4

import httpx
import psycopg

from bmn.broker.embedded import EmbeddedRedis
from bmn.identity.development import development_secret, mint_development_token
from bmn.identity.home_secrets import LINKS, home_secret
from bmn.lifeline import lifeline
from bmn.schemas.documents import Alerts, Incident
from bmn.settings import Settings
from tests.kit.postgres import running_postgres
from tests.kit.processes import free_port

PATIENCE = 240.0
"""Seconds that anything is waited for."""

_SUPPORT = "support@brandmenow.com"
_NIGHT = 12 * 3600.0
_STARTING = 30  # seconds more, as the command itself takes some to ask
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
    """The running stack. api: of its first server. operator: the token of somebody who may act on everything.

    workers: its supervisors' processes. users: signed in, each with a brand, named in their headers.
    """

    settings: Settings
    environment: dict[str, str]
    api: str
    sandbox: str
    database: str
    redis: str
    receiver: AlertReceiver
    operator: str
    workers: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    users: list[httpx.Client] = field(default_factory=list)

    def bmn(self, *args: str) -> str:
        """What a command of an operator prints. Raises SystemExit with its words where it fails."""
        environment = {**self.environment, "BMN_TOKEN": self.operator, "BMN_API_URL": self.api}
        command = [sys.executable, "-m", "bmn", *args]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"bmn {' '.join(args)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def incident(self, name: str, since: float) -> Incident:
        """The account of a cause or an alert, of what happened from a moment on."""
        span = f"{math.ceil(time.time() - since) + _STARTING}s"
        return Incident.model_validate_json(self.bmn("incident", name, "--since", span, "--json"))

    def alert_id(self, kind: str) -> str:
        """The newest of a kind. Raises SystemExit where there is none."""
        listed = Alerts.model_validate_json(self.bmn("alerts", "--all", "--kind", kind, "--json")).alerts
        if not listed:
            raise SystemExit(f"there is no alert of the kind {kind}")
        return str(listed[0].id)

    def fault(self, **rule: Any) -> None:
        """Has the provider answer so from now on."""
        httpx.post(f"{self.sandbox}/_sandbox/faults", json={"provider": "bfl", **rule}).raise_for_status()

    def mend(self) -> None:
        """Has the provider work again."""
        httpx.delete(f"{self.sandbox}/_sandbox/faults").raise_for_status()

    def mails(self) -> list[str]:
        """Every mail that the operators' mailbox has, as its JSON, oldest first."""
        found = httpx.get(f"{self.sandbox}/_sandbox/mails", params={"to": _SUPPORT}, timeout=10).json()
        return [json.dumps(mail) for mail in found]

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

    def ask(self, query: LiteralString, ids: list[str]) -> list[str]:
        """The first column of what a query finds of some jobs."""
        with psycopg.connect(self.database) as conn:
            return [str(row[0]) for row in conn.execute(query, (ids,)).fetchall()]

    def states(self, ids: list[str]) -> list[str]:
        """The states of some jobs."""
        return self.ask("SELECT state FROM jobs WHERE id = ANY(%s)", ids)

    def start_worker(self, *queues: str) -> None:
        """A supervisor of workers, in a process group of its own, so that it can be lost whole."""
        command = lifeline([sys.executable, "-m", "bmn", "worker", *queues])
        log = (self.settings.bmn_home / f"worker-{len(self.workers)}.log").open("ab")
        self.workers.append(subprocess.Popen(command, env=self.environment, stderr=log, stdout=log))


@contextmanager
def running_fleet() -> Iterator[Fleet]:
    """The stack, with the first jobs of four users delivered."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bmn-night-")))
        postgres = stack.enter_context(running_postgres(folder / "postgres")).replace("+psycopg", "")
        with psycopg.connect(f"{postgres}/postgres", autocommit=True) as conn:
            conn.execute("CREATE DATABASE night")
        server = EmbeddedRedis(folder / "redis")
        server.start()
        stack.callback(server.stop)
        homes = _two_homes(folder)
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
        addresses = _start_servers(stack, homes, ports, environment)
        wait_until(lambda: _answers(f"{sandbox}/_sandbox/faults"), "the sandbox answers")
        settings = Settings(bmn_home=homes[0])
        operator = mint_development_token(settings, str(uuid4()), "night@example.org", "admin", _NIGHT)
        fleet = Fleet(settings, environment, addresses[0], sandbox, f"{postgres}/night", server.url, receiver, operator)
        stack.callback(lambda: [_end(process) for process in fleet.workers])
        for queues in (["logo-generation"], ["logo-generation"], ["email-send", "crm-sync", "image-upload", "cleanup"]):
            fleet.start_worker(*queues)
        fleet.users += [_signed_in(settings, addresses[number % 2]) for number in range(4)]
        warm = fleet.submit(4)
        wait_until(lambda: fleet.states(warm) == ["completed"] * 4, "the first jobs arrive")
        yield fleet


def _two_homes(folder: Path) -> list[Path]:
    """Of two hosts, with the secrets and the objects that they share."""
    homes = [folder / "one", folder / "two"]
    for home in homes:
        home.mkdir(mode=0o700)
    settings = Settings(bmn_home=homes[0])
    development_secret(settings)
    home_secret(settings, LINKS)
    for file in homes[0].glob("*secret"):
        (homes[1] / file.name).write_bytes(file.read_bytes())
        (homes[1] / file.name).chmod(0o600)
    (homes[0] / "objects").mkdir()
    (homes[1] / "objects").symlink_to(homes[0] / "objects")
    return homes


def _start_servers(stack: ExitStack, homes: list[Path], ports: list[int], environment: dict[str, str]) -> list[str]:
    """The sandbox and two servers; the servers' addresses, when both answer."""
    commands = [
        (homes[0], ["sandbox", "run", "--port", str(ports[2]), "--speed", "0.05"]),
        *((home, ["serve", "--no-workers", "--port", str(port)]) for home, port in zip(homes, ports, strict=False)),
    ]
    subprocess.run([sys.executable, "-m", "bmn", "db", "upgrade"], env=environment, check=True, capture_output=True)
    for number, (home, command) in enumerate(commands):
        log = (home.parent / f"process-{number}.log").open("ab")
        started = lifeline([sys.executable, "-m", "bmn", *command])
        process = subprocess.Popen(started, env={**environment, "BMN_HOME": str(home)}, stdout=log, stderr=log)
        stack.callback(_end, process)
    addresses = [f"http://127.0.0.1:{port}" for port in ports[:2]]
    for address in addresses:
        wait_until(lambda at=address: _answers(f"{at}/health/live"), f"{address} answers")  # type: ignore[misc]
    return addresses


def _signed_in(settings: Settings, address: str) -> httpx.Client:
    user_id = str(uuid4())
    token = mint_development_token(settings, user_id, f"{user_id[:8]}@example.org", "user", _NIGHT)
    client = httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=60)
    client.headers["X-Brand"] = client.post("/api/v1/brands", json={"name": "Acme"}).json()["id"]
    return client


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


def wait_until(condition: Callable[[], object], what: str) -> float:
    """Seconds until it holds. Raises SystemExit, with what did not happen, when the patience is over."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > PATIENCE:
            raise SystemExit(f"did not happen within {PATIENCE:.0f} s: {what}")
        time.sleep(0.1)
    return time.monotonic() - began
