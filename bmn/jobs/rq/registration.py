"""RQ door two: what RQ and its dashboard see of a worker, and the commands that RQ carries to it."""

from collections.abc import Callable, Mapping
from typing import Any

import psutil
import redis
from redis.client import Pipeline
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker

from bmn import __version__
from bmn.broker.redis_keys import WORKER_SECONDS
from bmn.jobs.command import WorkerCommand, read_command


class RqRegistration(BaseWorker):
    """Calls of this block, so they run in a thread."""

    def __init__(self, queue: str, name: str, connection: "redis.Redis", on_command: Callable[[WorkerCommand], None]):
        super().__init__([queue], name=name, connection=connection, worker_ttl=30, serializer=JSONSerializer)
        self._on_command = on_command
        self.draining = False

    def handle_payload(self, message: Any) -> None:
        """A command from RQ's channel. Only the ones that mean something here are passed on; nothing is imported."""
        if command := read_command(message.get("data")):
            self._on_command(command)

    def _pubsub_exception_handler(self, exc: Exception, pubsub: Any, pubsub_thread: Any) -> None:
        """A refusal is no outage: whoever looks at how Redis is says it, and the next beat tries again."""
        if isinstance(exc, redis.ResponseError):
            pubsub_thread.stop()
            return
        super()._pubsub_exception_handler(exc, pubsub, pubsub_thread)

    def begin(self) -> None:
        """Lists this worker for RQ and its dashboard."""
        self.register_birth()
        self.subscribe()
        self.set_state("idle")
        self._tell_more(self.connection)

    def _say(self, pipe: "Pipeline", busy: bool) -> None:
        pipe.exists(self.key)
        self.heartbeat(pipeline=pipe)
        self.set_state("busy" if busy else "idle", pipeline=pipe)
        self._tell_more(pipe)

    def _after_beat(self, known: bool) -> None:
        if not known:  # Redis was emptied, or was away for longer than the registration lives
            self.connection.delete(self.key)
            self.register_birth()
        if self.pubsub_thread is None or not self.pubsub_thread.is_alive():
            self.subscribe()

    def _tell_more(self, connection: "redis.Redis") -> None:
        """What RQ does not tell of a worker. `version` is RQ's own.

        lives: how long its registration lasts from now on. What is left of that says when it was last heard of, by Redis'
        clock alone: those of two hosts may differ by more than a worker is silent before it counts as lost.
        """
        memory = psutil.Process().memory_info().rss
        connection.hset(self.key, mapping={"memory": memory, "release": __version__, "draining": int(self.draining)})
        connection.hset(self.key, "lives", str(WORKER_SECONDS))
        connection.expire(self.key, WORKER_SECONDS)

    def end(self) -> None:
        """Takes this worker off the list."""
        self.register_death()
        self.unsubscribe()


def beat(busy: Mapping[RqRegistration, bool]) -> None:
    """Says that the workers of a process are alive, all in one round trip; which of them are busy."""
    if not busy:
        return
    with next(iter(busy)).connection.pipeline(transaction=False) as pipe:
        places = []
        for registration, has_jobs in busy.items():
            places.append(len(pipe))
            registration._say(pipe, has_jobs)
        answers = pipe.execute()
    for registration, place in zip(busy, places, strict=True):
        registration._after_beat(bool(answers[place]))
