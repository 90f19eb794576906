"""The processes of `bmn serve` and `bmn worker`: which they are, how each begins, in which order they end."""

import gc
import importlib
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from bmn import logs
from bmn.broker.embedded import EmbeddedRedis
from bmn.errors import Misconfigured
from bmn.lifeline import DRAINED
from bmn.local.sandbox_door import run_sandbox
from bmn.local.supervisor import Child, Start, Supervisor
from bmn.numbers import is_whole
from bmn.settings import Settings
from bmn.settings.running import ProcessPlace

# Ends first to last. The API stays until the workers have ended, so that clients see their jobs end or move on.
WORKERS, API, SANDBOX, REDIS = range(1, 5)

_API_GRACE = 15.0
_SANDBOX_GRACE = 3.0
_REDIS_GRACE = 15.0
_WORKER_SPARE = 5.0  # beyond the grace that the worker itself keeps

# What the children have in common. Imported once, before the first fork; a vendor's SDK with the first job that needs it.
_COMMON = ("bmn.server.app", "bmn.jobs.process", "bmn.work.wiring", "PIL.Image")
_SOCKETS = (
    "engineio",
    "socketio",
)  # whose clients and managers, which nothing here uses, bring 7 MB of other libraries
_WORKER_COMMON = ("bmn.jobs.process", "bmn.work.wiring", "PIL.Image")


@dataclass(slots=True)
class Stack:
    """settings: with the addresses filled in. redis: None where one is configured. api, sandbox: listening sockets.

    figures: a folder where several API processes put their figures for each other.
    """

    settings: Settings
    supervisor: Supervisor
    redis: EmbeddedRedis | None = None
    api: socket.socket | None = None
    sandbox: socket.socket | None = None
    figures: Path | None = None
    _workers: dict[str, tuple[str, ...]] = field(default_factory=dict)  # a process's name -> its queues
    _grace: float | None = None
    _slots: int | None = None

    def __post_init__(self) -> None:
        self.supervisor.hooks.told = self._told

    def start_redis(self) -> None:
        """Starts the embedded server; `wait_for_redis` before anything needs it."""
        if self.redis:
            embedded = self.redis
            embedded.prepare()

            def target(start: Start) -> None:
                self._release(redis_too=False)
                start.ready()
                command = embedded.command()
                os.execv(command[0], command)

            self.supervisor.start(Child("redis", target, stop_order=REDIS, grace=_REDIS_GRACE))

    def wait_for_redis(self) -> None:
        """Returns when the embedded server answers."""
        if self.redis:
            self.redis.wait_ready(alive=lambda: self.supervisor.alive("redis"))

    def take_redis(self) -> None:
        """Marks the Redis as this deployment's; one that is away now is marked by the first process that reaches it.

        Raises Misconfigured where it works for another one or will never do, TryLater without a database.
        """
        import redis

        from bmn.broker.connection import connect_sync
        from bmn.broker.ownership import Owner, take
        from bmn.broker.trial import try_all
        from bmn.db.health.deployment import read_identity
        from bmn.jobs.core import describe

        mine = Owner(read_identity(self.settings.database_address), describe(self.settings))
        with connect_sync(self.settings.redis_address) as client, suppress(redis.RedisError, OSError):
            if never := next((refusal for refusal in try_all(client) if refusal.is_fatal), None):
                raise Misconfigured(never.message, hint=never.remedy)
            take(client, mine, alone=self.redis is not None)

    def start_sandbox(self, speed: float) -> None:
        """Starts the stand-in for the providers."""
        if self.sandbox:
            listener = self.sandbox
            self._start("sandbox", lambda start: run_sandbox(self.settings, listener, speed, start.ready), SANDBOX)

    def start_api(self, processes: int = 1) -> None:
        """Starts the server: so many processes that take connections from one listening socket."""
        if self.api is None:
            return
        listener = self.api
        if processes > 1:
            self.figures = Path(tempfile.mkdtemp(prefix="bmn-api-"))
        for number in range(1, processes + 1):
            place = ProcessPlace(number, processes, self.figures)
            name = "api" if processes == 1 else f"api {number}"
            self._start(name, partial(_run_api, self.settings, listener, place), API)

    def start_workers(
        self, queues: Sequence[str], *, slots: int | None = None, burst: bool = False, grace: float | None = None
    ) -> None:
        """Starts a process that takes the jobs of these queues."""
        self._slots, self._grace = slots, grace
        self._start_worker(f"worker {','.join(queues)}", queues, burst=burst)

    def scale(self, queue: str, count: int) -> None:
        """Keeps so many processes that serve a queue: more of it alone, or fewer, those that serve others as well last.

        What `bmn serve` or `bmn worker` was started with stays: a process of several queues is never ended for one.
        """
        serving = [name for name, queues in self._workers.items() if queue in queues and self.supervisor.keeps(name)]
        alone = [name for name in serving if self._workers[name] == (queue,)]
        for name in alone[::-1][: max(0, len(serving) - count)]:
            self.supervisor.retire(name)
        for _ in range(count - len(serving)):
            self._start_worker(self._free_name(queue), [queue])

    def _free_name(self, queue: str) -> str:
        number = 2
        while f"worker {queue} {number}" in self._workers:
            number += 1
        return f"worker {queue} {number}"

    def _told(self, line: str) -> None:
        match line.split():
            case ["scale", queue, count] if is_whole(count):
                self.scale(queue, int(count))

    def _start_worker(self, name: str, queues: Sequence[str], *, burst: bool = False) -> None:
        slots, grace = self._slots, self._grace
        limit = self.settings.bmn_grace_seconds if grace is None else grace

        def work(start: Start) -> None:
            from bmn.jobs import process
            from bmn.work.wiring import open_core

            process.run(
                open_core,
                self.settings,
                queues,
                slots=slots,
                replaces=start.replaces,
                burst=burst,
                ready=start.ready,
                grace=limit,
                on_scale=lambda queue, count: start.tell(f"scale {queue} {count}"),
            )

        self._workers[name] = tuple(queues)
        self._start(name, work, WORKERS, restart=not burst, grace=limit + _WORKER_SPARE, final=DRAINED)

    def close(self) -> None:
        """Gives back what outlives the children."""
        for listener in (self.api, self.sandbox):
            if listener:
                listener.close()
        if self.figures:
            shutil.rmtree(self.figures, ignore_errors=True)
        if self.redis:
            self.redis.release()

    def _start(
        self,
        name: str,
        work: Callable[[Start], None],
        order: int,
        *,
        restart: bool = True,
        grace: float | None = None,
        final: int | None = None,
    ) -> None:
        own = {API: self.api, SANDBOX: self.sandbox}.get(order)

        def target(start: Start) -> None:
            self._release(keep=own)
            os.environ.update(child_environment(self.settings))
            logs.configure(self.settings.bmn_log_level, self.settings.bmn_log_format, process=name)
            work(start)

        limit = grace if grace is not None else {API: _API_GRACE, SANDBOX: _SANDBOX_GRACE}[order]
        self.supervisor.start(Child(name, target, restart=restart, stop_order=order, grace=limit, final=final))

    def _release(self, *, keep: socket.socket | None = None, redis_too: bool = True) -> None:
        """In a child: lets go of what belongs to others, or it would be held open when they have closed it."""
        for listener in (self.api, self.sandbox):
            if listener and listener is not keep:
                listener.close()
        if self.redis and redis_too:
            self.redis.disown()


def preload(*, server: bool) -> None:
    """Imports what the children share, and keeps the collector from touching it, so that its memory stays shared."""
    with _left_out("aiohttp", "requests", "valkey"):
        for module in _SOCKETS if server else ():
            importlib.import_module(module)
    for module in _COMMON if server else _WORKER_COMMON:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()


@contextmanager
def _left_out(*names: str) -> Iterator[None]:
    """Libraries that others take along where they are installed look absent to what is imported inside."""
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # None is how Python notes it
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


def with_addresses(
    settings: Settings, *, port: int | None = None, redis_url: str = "", sandbox_url: str = ""
) -> Settings:
    """The settings as the children get them: every address explicit."""
    changes = {
        "port": port,
        "redis_url": SecretStr(redis_url) if redis_url else None,
        "bmn_sandbox_url": sandbox_url or None,
    }
    copied = settings.model_copy(update={name: value for name, value in changes.items() if value is not None})
    copied.__dict__.pop("running", None)  # what was known of another stack
    return copied


def child_environment(settings: Settings) -> dict[str, str]:
    """The addresses as variables, for programs that a child starts and that read their settings themselves."""
    variables = {
        "BMN_HOME": str(settings.bmn_home),
        "PORT": str(settings.port),
        "BMN_HOST": settings.bmn_host,
        "REDIS_URL": settings.redis_address,
        "BMN_SANDBOX_URL": settings.bmn_sandbox_url,
    }
    return {name: value for name, value in variables.items() if value}


def queues_named(names: Sequence[str]) -> list[str]:
    """Checks names of queues; `all`, or none, means all. Raises NotFound with what there is."""
    from bmn.work.queue_names import QUEUE_NAMES, known_queue

    if not names or "all" in names:
        return list(QUEUE_NAMES)
    return list(dict.fromkeys(known_queue(name) for name in names))


def shared_out(names: Sequence[str]) -> list[list[str]]:
    """Queues, those together whose jobs one process takes."""
    from bmn.jobs.queue import by_process
    from bmn.work.registry import get_queue

    return by_process(map(get_queue, names))


def _run_api(settings: Settings, listener: socket.socket, place: ProcessPlace, start: Start) -> None:
    from bmn.server.app import run

    run(settings, listener, place, start.ready)
