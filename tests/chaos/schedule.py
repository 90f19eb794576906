"""One seed of the soak: who is there, what is asked of them, and what goes wrong when."""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy import select

from bmn.db.engine import Connection
from bmn.db.tables import jobs
from bmn.errors import BmnError
from bmn.identity.development import mint_development_token
from tests.chaos import losses
from tests.chaos.deployment import LOGOS, SERVED, Deployment
from tests.chaos.nursery import Child
from tests.kit import handlers
from tests.kit.people import ANA
from tests.kit.processes import PATIENCE

SECONDS = 5.0  # in which the work is submitted and the faults happen
LEASE = {"BMN_LEASE_SECONDS": "6", "BMN_RENEW_SECONDS": "1", "BMN_SWEEP_SECONDS": "0.3", "BMN_GRACE_SECONDS": "15"}
END_SECONDS = 150.0


@dataclass
class Figures:
    """Seconds, over all schedules."""

    taken_over: list[float] = field(default_factory=list)
    taken_over_with_a_word: list[float] = field(default_factory=list)
    after_redis: list[float] = field(default_factory=list)

    def add(self, other: "Figures") -> None:
        self.taken_over += other.taken_over
        self.taken_over_with_a_word += other.taken_over_with_a_word
        self.after_redis += other.after_redis


@dataclass
class Outcome:
    seed: int
    line: str
    problems: list[str]


class Schedule:
    """One seed: who is there, what is asked of them, and what goes wrong when."""

    def __init__(self, seed: int, stack: Deployment, figures: Figures) -> None:
        self.seed, self.stack, self.figures = seed, stack, figures
        self.random = random.Random(seed)
        self.faults: Counter[str] = Counter()
        self.workers: dict[str, list[Child]] = {LOGOS: [], handlers.QUEUE: []}
        self.apis: list[Child] = []
        self.watching: list[asyncio.Task[None]] = []

    async def run(self) -> Outcome:
        began = time.monotonic()
        stack, rng = self.stack, self.random
        for queue, number in ((LOGOS, rng.randint(1, 2)), (handlers.QUEUE, 1)):
            self.workers[queue] = [stack.worker(queue, slots=rng.randint(2, 6)) for _ in range(number)]
        self.apis = [stack.api()]
        plan = [(rng.uniform(0, SECONDS), self._work) for _ in range(rng.randint(10, 18))]
        plan += [(rng.uniform(0.2, SECONDS), fault) for fault in rng.choices(_FAULTS, k=rng.randint(2, 4))]
        tasks = [asyncio.create_task(self._at(when, what)) for when, what in plan]
        problems = []
        try:
            await asyncio.gather(*tasks)
            stack.clear_faults()
            await stack.ended(seconds=END_SECONDS)
            await asyncio.gather(*self.watching)
            report = await stack.check(served=SERVED)
        except (AssertionError, TimeoutError) as wrong:
            problems = [str(wrong) or repr(wrong)]
            report = None
        seconds = time.monotonic() - began
        line = f"seed {self.seed} {'sqlite' if stack.is_sqlite else 'postgresql'}: "
        line += f"{len(stack.accepted)} jobs, {dict(self.faults)}, "
        if report:
            states = {state: number for state, number in report.states.items() if state != "queued"}
            line += f"{states}, billed {report.billed}, ambiguous {report.ambiguous} of {stack.losses}, "
        return Outcome(self.seed, f"{line}{seconds:.0f} s, {'FAILED' if problems else 'ok'}", problems)

    async def _at(self, when: float, what: Any) -> None:
        await asyncio.sleep(when)
        await (what(self) if what in _FAULTS else what())

    # --- work ------------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        choice = self.random.random()
        count, key, times = self.random.randint(1, 4), f"key-{self.random.random()}", self.random.randint(1, 3)
        while True:
            with contextlib.suppress(BmnError, httpx.HTTPError, OSError):
                if choice < 0.35:
                    return await self._post(count, key)
                if choice < 0.7:
                    await self.stack.logos(count, key=key)
                elif choice < 0.85:
                    await self.stack.do("fail", cause="provider_overloaded", times=times)
                else:
                    await self.stack.do("progress", steps=5, pause=0.05)
                return None
            await asyncio.sleep(0.3)

    async def _post(self, count: int, key: str) -> None:
        """As a careful client does: the same key until there is an answer."""
        token = mint_development_token(self.stack.settings, ANA)
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        body = {"brandId": self.stack.brand, "brandName": "Acme", "logoStyle": "bold", "count": count}
        url = f"http://127.0.0.1:{self.apis[-1].port}/api/v1/generation/logos"
        async with httpx.AsyncClient(headers=headers, timeout=PATIENCE, trust_env=False) as client:
            answer = await client.post(url, json=body)
        answer.raise_for_status()
        self.stack.accepted.append(answer.json()["jobId"])

    # --- faults ----------------------------------------------------------------------------------------------------

    def _pick(self) -> tuple[str, Child]:
        queue = self.random.choice(list(self.workers))
        return queue, self.random.choice(self.workers[queue])

    async def kill_worker(self) -> None:
        queue, victim = self._pick()
        supervised = self.random.random() < 0.5
        await losses.kill(self.stack, victim)
        self._watch(await losses.ask(self.stack, lambda conn: losses.held(conn, victim)), supervised)
        replacement = self.stack.worker(queue, wait=False, replaces=victim.pid if supervised else None)
        self.workers[queue] = [w for w in self.workers[queue] if w is not victim] + [replacement]

    async def stop_worker(self) -> None:
        queue, victim = self._pick()
        self.workers[queue].append(self.stack.worker(queue, wait=False))
        self.workers[queue].remove(victim)
        await asyncio.to_thread(victim.wait_ready)
        code = await asyncio.to_thread(victim.stop, 40)
        assert code in (0, -signal.SIGKILL), f"{victim.name} ended with {code}: {victim.tail()}"
        await losses.count(self.stack, victim.pid)

    async def freeze_worker(self) -> None:
        queue, victim = self._pick()
        self.workers[queue].append(self.stack.worker(queue, wait=False))
        victim.signal(signal.SIGSTOP)
        await asyncio.sleep(0.1)
        await losses.count(self.stack, victim.pid)
        await asyncio.sleep(self.random.uniform(1, 9))
        victim.signal(signal.SIGCONT)

    async def kill_api(self) -> None:
        self.apis[-1].kill()
        self.apis.append(await asyncio.to_thread(self.stack.api))

    async def kill_redis(self) -> None:
        if self.stack.redis.pid is None:
            return
        os.kill(self.stack.redis.pid, signal.SIGKILL)
        self.stack.redis.stop()
        await asyncio.sleep(self.random.uniform(0.1, 3))
        self.stack.start_redis()
        self.watching.append(asyncio.create_task(self._after_redis()))

    async def empty_redis(self) -> None:
        with contextlib.suppress(Exception), self.stack.redis_client() as client:
            client.flushall()

    async def break_provider(self) -> None:
        rule = self.random.choice(
            [{"op": "submit", "status": 503, "times": 2}, {"op": "poll", "status": 500, "times": 2}, {"moderate": 1}]
        )
        self.stack.fault(**rule)

    async def lose_answer(self) -> None:
        self.stack.losses += 1
        self.stack.fault(op="submit", dropResponse=True, times=1)

    # --- what is measured ------------------------------------------------------------------------------------------

    def _watch(self, held: dict[str, int], supervised: bool) -> None:
        began = time.monotonic()
        kept = self.figures.taken_over_with_a_word if supervised else self.figures.taken_over

        async def follow(job_id: str, fence: int) -> None:
            while time.monotonic() - began < END_SECONDS:
                row = await losses.ask(self.stack, lambda conn: _fence(conn, job_id))
                if row != fence:
                    kept.append(time.monotonic() - began)
                    return
                await asyncio.sleep(0.05)

        self.watching += [asyncio.create_task(follow(*entry)) for entry in held.items()]

    async def _after_redis(self) -> None:
        began = time.monotonic()
        while True:
            with contextlib.suppress(BmnError):
                job_id = await self.stack.do()
                break
            await asyncio.sleep(0.05)
        while time.monotonic() - began < END_SECONDS:
            if (await losses.ask(self.stack, lambda conn: _fence(conn, job_id))) > 0:
                self.figures.after_redis.append(time.monotonic() - began)
                return
            await asyncio.sleep(0.05)


def _counted(method: Any) -> Any:
    async def fault(schedule: Schedule) -> None:
        schedule.faults[method.__name__] += 1
        await method(schedule)

    return fault


# As often as each is named.
_FAULTS = [
    _counted(method)
    for method in (
        Schedule.kill_worker,
        Schedule.kill_worker,
        Schedule.kill_worker,
        Schedule.stop_worker,
        Schedule.freeze_worker,
        Schedule.kill_api,
        Schedule.kill_redis,
        Schedule.kill_redis,
        Schedule.empty_redis,
        Schedule.break_provider,
        Schedule.lose_answer,
    )
]


def _fence(conn: Connection, job_id: str) -> int:
    return int(conn.execute(select(jobs.c.fence).where(jobs.c.id == job_id)).scalar_one())
