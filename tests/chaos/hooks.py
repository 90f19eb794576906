"""Many webhooks and deadlines while those who deliver them are killed, with the invariants checked at the end.

python -m tests.chaos.hooks --jobs 600 --deadlines 200 --kills 40

Jobs end in every way, some are cancelled with messages still on their way, others never begin and miss their deadline.
Each end is told, or listed as not delivered with its reason; each message that was taken more than once had the same id;
nothing is sent after a cancel but what was under way when it came.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from bmn import logs
from bmn.db import claims, transitions
from bmn.db.engine import Connection
from bmn.db.migrations import migrate
from bmn.db.records import DeliveryState, Hook
from bmn.db.tables import jobs, webhook_deliveries
from bmn.jobs.queue import Terms
from bmn.jobs.submission import submit
from bmn.schemas.webhook_payloads import DELIVERY_QUEUE, SUBSCRIBED
from bmn.signing import Signer
from bmn.work.registry import get_queue
from tests.chaos.deployment import LOGOS, Deployment
from tests.chaos.nursery import Child, Nursery
from tests.kit.jobs import complete
from tests.kit.people import ANA
from tests.kit.receiver import HookReceiver

_POINTS = ("claimed", "webhook_sent", "settling")
_WORKERS = 3
_AT_ONCE = 25  # jobs that are claimed in one go
_LATE_AFTER = 2.0  # seconds until a job that never begins misses its deadline
_END_SECONDS = 600.0


@dataclass(frozen=True)
class HooksAsked:
    jobs: int
    deadlines: int
    kills: int
    seed: int


@dataclass(frozen=True)
class Told:
    """A delivery as its log has it."""

    id: str
    job_id: str
    event: str
    state: str
    error: str | None


class TimedReceiver(HookReceiver):
    """first: when each `webhook-id` was first taken, in seconds since 1970."""

    def __init__(self) -> None:
        super().__init__()
        self.first: dict[str, float] = {}

    def _take(self, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str]]:
        self.first.setdefault(headers["webhook-id"], time.time())
        return super()._take(headers, body)


class Campaign:
    """One run. ends: the last word about each job, as it has to arrive."""

    def __init__(self, stack: Deployment, receiver: TimedReceiver, asked: HooksAsked) -> None:
        self.stack, self.receiver, self.asked = stack, receiver, asked
        self.random = random.Random(asked.seed)
        self.ends: dict[str, str] = {}
        self.late: list[str] = []
        self.killed = 0

    async def run(self) -> list[str]:
        """Returns what does not hold."""
        began = time.monotonic()
        await asyncio.gather(self._work(), self._kill())
        await self.stack.until(self._settled, _END_SECONDS)
        return await self._report(time.monotonic() - began)

    async def _submit(self, number: int, start_within: float | None = None) -> list[str]:
        fields = {"brandName": "Acme", "logoStyle": "modern", "colorPalette": ["#112233"], "brandVision": "plain"}
        order = {"userId": ANA, "brandId": self.stack.brand, "count": 1, **fields}
        payloads = [get_queue(LOGOS).payload.model_validate(order) for _ in range(number)]
        terms = Terms(webhook=Hook(self.receiver.url, SUBSCRIBED), start_within=start_within)
        return [each.job_id for each in await submit(self.stack.core, ANA, LOGOS, payloads, terms=terms)]

    async def _work(self) -> None:
        core = self.stack.core
        for _ in range(0, self.asked.jobs, _AT_ONCE):
            await self._submit(_AT_ONCE)
            for job in await core.db.write(lambda conn: claims.claim(conn, LOGOS, _AT_ONCE, "storm", 60.0)):
                if self.random.random() < 0.7:
                    await complete(core, job)
                    self.ends[job.id] = "job.completed"
                else:
                    await core.db.write(lambda conn, job=job: transitions.cancel(conn, job))  # type: ignore[misc]
                    self.ends[job.id] = "job.cancelled"
            await asyncio.sleep(0.3)
        for _ in range(0, self.asked.deadlines, _AT_ONCE):
            self.late += await self._submit(_AT_ONCE, _LATE_AFTER)
        self.ends |= dict.fromkeys(self.late, "job.cancelled")

    async def _kill(self) -> None:
        """Some die at a line of ours, the others anywhere; a new one comes for each."""
        workers: list[Child] = [self.stack.worker(DELIVERY_QUEUE) for _ in range(_WORKERS)]
        while self.killed < self.asked.kills:
            await asyncio.sleep(self.random.uniform(0.2, 1.0))
            if self.killed % 2:
                victim = self.stack.worker_at(self.random.choice(_POINTS), queue=DELIVERY_QUEUE)
                for _ in range(50):
                    if victim.code is not None:
                        break
                    await asyncio.sleep(0.1)
            else:
                victim = workers.pop(self.random.randrange(_WORKERS))
                workers.append(self.stack.worker(DELIVERY_QUEUE))
            await asyncio.to_thread(victim.kill)
            self.killed += 1

    async def _log(self) -> list[Told]:
        table = webhook_deliveries.c
        query = select(table.id, table.job_id, table.event, table.state, table.error)

        def read(conn: Connection) -> list[Told]:
            return [Told(*row) for row in conn.execute(query)]

        return await self.stack.core.db.read(read)

    async def _settled(self) -> bool:
        log = await self._log()
        told = {each.job_id for each in log if each.event == self.ends.get(each.job_id)}
        return told == self.ends.keys() and all(each.state != DeliveryState.PENDING for each in log)

    async def _report(self, seconds: float) -> list[str]:
        log = {each.id: each for each in await self._log()}
        taken, times = self.receiver.taken, self.receiver.times
        arrived = {each.id for each in log.values() if each.state == DeliveryState.DELIVERED}
        never = arrived - times.keys()
        problems = [f"{len(never)} were said to be delivered and never came"] * bool(never)
        problems += ["something came that is in no log"] * bool(times.keys() - log.keys())
        heard = Counter(
            each.job_id for each in log.values() if each.id in times and each.event == self.ends[each.job_id]
        )
        listed = {each.job_id for each in log.values() if each.state == DeliveryState.FAILED and each.error}
        lost, doubled = self.ends.keys() - heard.keys() - listed, [job for job, number in heard.items() if number > 1]
        problems += [f"{len(lost)} ends were lost: {sorted(lost)[:3]}"] * bool(lost)
        problems += [f"{len(doubled)} ends were told under two ids: {doubled[:3]}"] * bool(doubled)
        after, under_way = await self._after_cancel(), self.stack.settings.bmn_webhook_seconds
        problems += ["something was sent after a cancel"] * any(seconds > under_way for seconds in after)
        missed, lateness = await self._deadlines()
        problems += [f"{missed} deadlines were not kept"] * bool(missed)
        states = Counter(each.state for each in log.values())
        again = Counter(times.values())
        print(
            f"{len(self.ends)} jobs, {len(log)} webhooks {dict(states)}, {self.killed} workers killed, {seconds:.0f} s"
        )
        overtaken = f", by at most {after[-1]:.2f} s" if after else ""
        print(f"{len(after)} messages were under way when a cancel came{overtaken}")
        print(f"taken {len(taken)} times; each id so often: {dict(sorted(again.items()))}")
        if lateness:
            middle = lateness[len(lateness) // 2]
            print(f"{len(lateness)} deadlines, ended after them by p50 {middle:.1f} s, max {lateness[-1]:.1f} s")
        for words, number in Counter(each.error for each in log.values() if each.state == DeliveryState.FAILED).items():
            print(f"not delivered, and listed as such: {number}: {words}")
        return problems

    async def _after_cancel(self) -> list[float]:
        """By how many seconds what else was heard of cancelled jobs came after the cancel: it was under way by then."""
        query = select(jobs.c.id, jobs.c.completed_at).where(jobs.c.state == "cancelled")
        ended = {
            row.id: row.completed_at for row in await self.stack.core.db.read(lambda conn: list(conn.execute(query)))
        }
        heard = dict(self.receiver.taken)
        others = {name: heard[name]["data"]["jobId"] for name in heard if heard[name]["type"] != "job.cancelled"}
        late = [self.receiver.first[name] - ended[job_id] for name, job_id in others.items() if job_id in ended]
        return sorted(seconds for seconds in late if seconds > 0)

    async def _deadlines(self) -> tuple[int, list[float]]:
        """How many were not cancelled for theirs, and by how many seconds the others ended later."""
        query = select(jobs.c.state, jobs.c.cause, jobs.c.completed_at, jobs.c.start_by).where(jobs.c.id.in_(self.late))
        rows = await self.stack.core.db.read(lambda conn: list(conn.execute(query)))
        kept = [row for row in rows if (row.state, row.cause) == ("cancelled", "deadline")]
        return len(self.late) - len(kept), sorted(row.completed_at - row.start_by for row in kept)


async def storm(asked: HooksAsked, nursery: Nursery, folder: Path, url: str) -> list[str]:
    """One run in a folder of its own; returns what does not hold."""
    receiver = TimedReceiver()
    receiver.start()
    stack = Deployment(nursery, folder, url)
    try:
        await stack.open(balance=10 * (asked.jobs + asked.deadlines))
        receiver.secrets.append(Signer(stack.settings, stack.core.storage).webhook_secret(ANA))
        return await Campaign(stack, receiver, asked).run()
    finally:
        await stack.close()
        receiver.stop()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.hooks", description=__doc__)
    parser.add_argument("--jobs", type=int, default=600)
    parser.add_argument("--deadlines", type=int, default=200)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    asked = HooksAsked(**vars(parser.parse_args()))
    os.environ.update(BMN_ENV="development", NO_PROXY="127.0.0.1,localhost", BMN_LOG_LEVEL="error")
    logs.configure("error", process="hooks")
    nursery = Nursery()
    try:
        with tempfile.TemporaryDirectory(prefix="bmn-hooks-") as name:
            url = f"sqlite:///{name}/hooks.sqlite3"
            migrate(url)
            problems = asyncio.run(storm(asked, nursery, Path(name), url))
    finally:
        nursery.close()
    print("\n".join(problems) or "none lost, none told under two ids, none sent after a cancel")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
