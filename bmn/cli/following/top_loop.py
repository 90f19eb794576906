"""`bmn top` at work: asks the server every few seconds, and does what keys say."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from bmn.cli.following.top_view import PANES, Known, lines
from bmn.cli.terminal.record_format import short_id
from bmn.cli.terminal.screen import Screen
from bmn.client import Client
from bmn.client.calls.fields import Fields
from bmn.errors import BmnError, NoServer, TryLater
from bmn.format import count, duration
from bmn.identity.rights import Right, roles_with

_DRAIN_SECONDS = 120.0
_REASON = "from bmn top"

Act = Callable[[], Awaitable[str]]
"""Does something and says in a sentence what came of it."""


class Top:
    """One running screen. every: seconds between two questions to the server."""

    def __init__(self, client: Client, screen: Screen, known: Known, *, role: str, every: float) -> None:
        self._client = client
        self._screen = screen
        self.known = known
        self._role = role
        self._every = every
        self._act: Act | None = None
        self._doing: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Until somebody quits. Raises BmnError where the first answer is a refusal."""
        self._draw()
        await self._ask()
        asking = asyncio.create_task(self._ask_again())
        try:
            while True:
                self._draw()
                key = await self._screen.keys.get()
                if key == "q":
                    return
                await self._press(key)
        finally:
            asking.cancel()

    def _draw(self) -> None:
        self._screen.draw(lines(self.known, *self._screen.size))

    async def _ask(self) -> None:
        found = await self._client.overview()
        self.known = replace(self.known, overview=found, seen_at=time.time())
        if self.known.place == "jobs":
            await self._list_jobs()

    async def _ask_again(self) -> None:
        """A server that is away leaves the last picture standing, and says how old it is."""
        away = False
        while True:
            await asyncio.sleep(self._every)
            try:
                await self._ask()
            except (NoServer, TryLater) as error:
                away, old = True, duration(time.time() - self.known.seen_at)
                self._say(f"{error.message} What is shown is {old} old; trying again.")
            except BmnError as error:
                self._say(error.message)
            else:
                if away:
                    away = False
                    self._say("the server answers again")
            self._draw()

    def _say(self, note: str) -> None:
        self.known = replace(self.known, note=note)

    # --- keys -------------------------------------------------------------------------------------------------------

    async def _press(self, key: str) -> None:
        if self._act is not None and key != "resize":
            await self._answer(key)
            return
        keys: dict[str, Callable[[], Awaitable[None]]] = {
            "resize": self._resize,
            "tab": lambda: self._turn(1),
            "back-tab": lambda: self._turn(-1),
            "up": lambda: self._move(-1),
            "down": lambda: self._move(1),
            "enter": self._look,
            "escape": self._back,
            "?": self._help,
            "p": self._pause,
            "d": self._drain,
            "r": self._replay,
        }
        if key in keys:
            self._say("")
            try:
                await keys[key]()
            except BmnError as error:
                self._say(error.message)

    async def _answer(self, key: str) -> None:
        act, self._act = self._act, None
        question = self.known.question
        self.known = replace(self.known, question="")
        if act is None or key not in ("y", "Y"):
            self._say("not done")
            return
        self._say(f"{question.rstrip('?')} …")
        self._doing = asyncio.create_task(self._do(act))  # beside the keys: a slow answer holds up nothing

    async def _do(self, act: Act) -> None:
        try:
            self._say(await act())
            await self._ask()
        except BmnError as error:
            self._say(error.message)
        self._draw()

    def _ask_first(self, question: str, act: Act) -> None:
        """What changes something is done after a `y`, by those who may."""
        if self._role not in roles_with(Right.OPERATE):
            self._say(f"A {self._role} only looks: this takes the role operator or admin.")
            return
        self._act = act
        self.known = replace(self.known, question=question)

    async def _resize(self) -> None:
        self._screen.forget()

    async def _turn(self, by: int) -> None:
        if self.known.place in PANES:
            filled = [place for place in PANES if self.known.count(place) or place == self.known.place]
            place = filled[(filled.index(self.known.place) + by) % len(filled)]
            self.known = replace(self.known, place=place)

    async def _move(self, by: int) -> None:
        self.known = self.known.moved(by)

    async def _help(self) -> None:
        self.known = replace(self.known, place="help")

    async def _back(self) -> None:
        place = "jobs" if self.known.place == "job" and self.known.jobs else "queues"
        self.known = replace(self.known, place=place)

    async def _look(self) -> None:
        known, found = self.known, self.known.overview
        if found is None or (known.place in ("queues", "workers", "alerts", "jobs") and not known.count(known.place)):
            return
        if known.place == "queues":
            await self._open_jobs(found.queues[known.row()].name)
        elif known.place == "workers":
            await self._open_jobs(found.workers[known.row()].queue.split(",")[0])
        elif known.place == "jobs":
            await self._open_job(known.jobs[known.row()].job_id)
        elif known.place == "alerts":
            alert = found.alerts[known.row()]
            self._say(f"{alert.message}  {alert.next_step}")

    async def _open_jobs(self, queue: str) -> None:
        self.known = replace(self.known, jobs_of=queue)
        await self._list_jobs()
        self.known = replace(self.known, place="jobs", chosen={**self.known.chosen, "jobs": 0})

    async def _list_jobs(self) -> None:
        room = max(10, self._screen.size[1])
        page = await self._client.jobs(limit=min(100, room), queue=self.known.jobs_of, all=True)
        self.known = replace(self.known, jobs=tuple(page.jobs))

    async def _open_job(self, job_id: str) -> None:
        why, job = await self._client.why(job_id), await self._client.job(job_id)
        units = [
            f"  {unit.unit}  {unit.state}  {unit.provider or ''}  {unit.error or ''}".rstrip() for unit in job.units
        ]
        parts = [
            f"{job.job_id}  {job.state}",
            why.headline,
            why.cause_text,
            why.money,
            why.kept,
            why.advice.text,
            "",
            *units,
        ]
        self.known = replace(self.known, place="job", text=tuple(parts))

    # --- acts -------------------------------------------------------------------------------------------------------

    async def _pause(self) -> None:
        if self.known.place != "queues" or self.known.overview is None:
            self._say("Choose a queue to pause or resume.")
            return
        row = self.known.overview.queues[self.known.row()]

        async def act() -> str:
            if row.paused:
                await self._client.resume(row.name, _REASON)
                return f"{row.name} takes jobs again"
            await self._client.pause(row.name, _REASON)
            return f"{row.name} is paused"

        self._ask_first(f"{'Resume' if row.paused else 'Pause'} {row.name}?", act)

    async def _drain(self) -> None:
        if self.known.place != "workers" or self.known.overview is None or not self.known.count("workers"):
            self._say("Choose a worker to drain: tab leads to them.")
            return
        worker = self.known.overview.workers[self.known.row()]

        async def act() -> str:
            told = await self._client.drain(worker.name, seconds=_DRAIN_SECONDS, reason=_REASON)
            return f"{count(len(told), 'worker')} asked to finish within {duration(_DRAIN_SECONDS)} and to end"

        self._ask_first(f"Drain {worker.queue} on {worker.host} ({worker.pid})?", act)

    async def _replay(self) -> None:
        known, found = self.known, self.known.overview
        if found is None:
            return
        if known.place in ("jobs", "job") and known.jobs:
            job = known.jobs[known.row("jobs")]

            async def act() -> str:
                return (await self._client.retry(job.job_id, reason=_REASON)).message

            self._ask_first(f"Retry {short_id(job.job_id)}?", act)
        elif known.place == "queues":
            queue = found.queues[known.row()].name
            self._replay_all(f"of {queue}", {} if queue == "dead-letter" else {"queue": [queue]})
        elif known.place == "alerts" and found.alerts[known.row()].kind == "dead-letters":
            cause = found.alerts[known.row()].subject
            self._replay_all(f"of cause {cause}", {"cause": cause})
        else:
            self._say("Choose a queue, an alert of dead letters, or a job to replay.")

    def _replay_all(self, which: str, chosen: Fields) -> None:
        body = {"action": "replay", "reason": _REASON, **(chosen or {"all": True})}

        async def act() -> str:
            begun = await self._client.start_bulk(body, operators=True)
            return f"{count(begun.total, 'dead letter')} {which} being replayed: bmn bulk watch last --everyone"

        self._ask_first(f"Replay the dead letters {which}?", act)
