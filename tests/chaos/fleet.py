"""Two hosts with an API and three with workers, upgraded one by one under load, one cut off: `python -m tests.chaos.fleet`.

Each host has a home and its own way to Redis and PostgreSQL. While jobs are submitted, to either API and again by their keys
where one does not answer, the database is upgraded and the hosts are replaced one after the other: by this release, which
follows the one of `--old` where a checkout of that is given. Then a host with workers is cut off.
In the end: every accepted job ended once, no picture was paid twice but for answers that the cut took, the provider never
had more orders at once than the limit, and the invariants hold.
"""

import argparse
import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg

from bench import pages
from bmn import logs
from tests.chaos import losses
from tests.chaos.deployment import Deployment
from tests.chaos.hosts import Host, make_host, replace
from tests.chaos.nursery import Nursery
from tests.kit import checker
from tests.kit.postgres import running_postgres
from tests.kit.terminal import BMN
from tests.kit.tokens import Project
from tests.upgrade.rehearse import command_of

_QUEUES = ("logo-generation", "image-upload", "cleanup")
_SECRET = "a-secret-of-the-fleet-that-is-long-enough"
_END_SECONDS = 1800.0
_PACE = {"BMN_LEASE_SECONDS": "12", "BMN_RENEW_SECONDS": "2", "BMN_SWEEP_SECONDS": "0.5"}


@dataclass(frozen=True, slots=True)
class FleetAsked:
    """limit: BFL_MAX_CONCURRENT. cut: seconds. rate: submissions a second. old: the release that is there first."""

    jobs: int
    limit: int
    cut: float
    rate: float
    old: Path


@dataclass(slots=True)
class Seen:
    """What happened on the way. put_off: submissions that had to be sent again. away: seconds, by host that was replaced."""

    put_off: int = 0
    away: dict[str, float] = field(default_factory=dict)
    ended_while_cut: int = 0


class Customer:
    """Submits as a careful client does: one key a job, sent again to the next host until there is an answer."""

    def __init__(self, stack: Deployment, apis: list[Host], seen: Seen, token: str) -> None:
        self.stack, self.apis, self.seen = stack, apis, seen
        self.headers = {"Authorization": f"Bearer {token}"}
        self.body = {"brandId": stack.brand, "brandName": "Acme", "logoStyle": "bold", "count": 1}

    async def submit_all(self, number: int, rate: float) -> None:
        async with (
            httpx.AsyncClient(headers=self.headers, timeout=20, trust_env=False) as client,
            asyncio.TaskGroup() as submissions,
        ):
            for each in range(number):
                submissions.create_task(self._submit(client, each))
                await asyncio.sleep(1 / rate)

    async def _submit(self, client: httpx.AsyncClient, number: int) -> None:
        attempt = number
        while True:
            host = self.apis[attempt % len(self.apis)]
            try:
                answer = await client.post(
                    f"{host.url}/api/v1/generation/logos",
                    json=self.body,
                    headers={"Idempotency-Key": f"fleet-{number}"},
                )
                if answer.status_code < 500:
                    self.stack.accepted.append(answer.raise_for_status().json()["jobId"])
                    return
            except httpx.TransportError:
                pass
            self.seen.put_off += 1
            attempt += 1
            await asyncio.sleep(0.5)


async def _roll(hosts: list[Host], seen: Seen) -> None:
    """The steps of docs/operations.md: the database first, then one host after the other."""
    await asyncio.to_thread(_upgrade_database, Path(BMN), hosts[0])
    for host in hosts:
        seen.away[host.name] = await asyncio.to_thread(replace, host, Path(BMN))


def _upgrade_database(bmn: Path, host: Host) -> None:
    subprocess.run([bmn, "db", "upgrade"], env={**host.env}, check=True, capture_output=True)


async def _all_accepted(stack: Deployment, asked: FleetAsked) -> bool:
    return len(stack.accepted) >= asked.jobs


async def _cut_off(stack: Deployment, host: Host, seconds: float, seen: Seen) -> None:
    host.cut_off()
    await losses.count(stack, *host.pids())
    before = await stack.count_ended()
    await asyncio.sleep(seconds)
    seen.ended_while_cut = await stack.count_ended() - before
    host.reconnect()


@asynccontextmanager
async def _fleet(
    nursery: Nursery, folder: Path, url: str, asked: FleetAsked, project: Project
) -> AsyncIterator[tuple[Deployment, list[Host]]]:
    env = {
        **_PACE,
        **{name.upper(): value for name, value in project.settings().items()},
        "BMN_SIGNING_SECRET": _SECRET,
        "BFL_MAX_CONCURRENT": str(asked.limit),
        "BMN_CREDITS_NEW_USER": "0",
    }
    async with AsyncExitStack() as at_end:
        stack = Deployment(nursery, folder, url, speed=0.5, **env)
        at_end.push_async_callback(stack.close)
        hosts = [make_host(stack, f"api-{number}", asked.old, api=True) for number in (1, 2)]
        hosts += [make_host(stack, f"worker-{number}", asked.old, *_QUEUES) for number in (1, 2, 3)]
        for host in hosts:
            at_end.callback(host.close)
        await asyncio.to_thread(_upgrade_database, asked.old, hosts[0])
        await stack.open(balance=10 * asked.jobs)
        await asyncio.gather(*(asyncio.to_thread(host.start) for host in hosts))
        yield stack, hosts


async def run(nursery: Nursery, folder: Path, url: str, asked: FleetAsked) -> tuple[list[str], list[str]]:
    """The lines of the report, and what does not hold."""
    seen = Seen()
    project = Project()
    with project.serving():
        token = project.token(algorithm="HS256", exp=int(time.time()) + 86_400)
    async with _fleet(nursery, folder, url, asked, project) as (stack, hosts), asyncio.TaskGroup() as submitting:
        apis, workers = hosts[:2], hosts[2:]
        submitting.create_task(Customer(stack, apis, seen, token).submit_all(asked.jobs, asked.rate))
        await stack.until(stack.count_ended)
        await _roll(hosts, seen)
        await _cut_off(stack, workers[1], asked.cut, seen)
        await stack.until(lambda: _all_accepted(stack, asked), _END_SECONDS)
        states = Counter(await stack.ended(seconds=_END_SECONDS))
        await stack.until(stack.view_is_right)
        for host in hosts:
            await asyncio.to_thread(host.stop)
        report = await stack.check(served=_QUEUES)
        at_once = _most_at_once(folder / "sandbox" / "sandbox.sqlite3")
        pictures = sum(row["unit"] == "image" for row in stack.bill())
    problems = [f"{at_once} orders at once at the provider, where {asked.limit} are allowed"] * (at_once > asked.limit)
    problems += ["every job had ended before the cut: give more --jobs"] * (not seen.ended_while_cut)
    problems += [f"states {dict(states)}"] * (states["completed"] != asked.jobs)
    problems += [f"{len(set(stack.accepted))} different jobs"] * (len(set(stack.accepted)) != asked.jobs)
    return _lines(asked, seen, states, pictures, report, stack.losses, at_once), problems


def _most_at_once(sandbox: Path) -> int:
    """How many orders the provider had under way at the busiest moment, by its own books."""
    with sqlite3.connect(f"file:{sandbox}?mode=ro", uri=True) as books:
        tasks = [json.loads(value) for (value,) in books.execute("SELECT value FROM documents WHERE kind = 'bfl.task'")]
    changes = sorted([(task["created"], 1) for task in tasks] + [(task["ends"], -1) for task in tasks])
    most = now = 0
    for _at, change in changes:
        now += change
        most = max(most, now)
    return most


def _lines(
    asked: FleetAsked, seen: Seen, states: Counter[str], pictures: int, report: checker.Report, lost: int, at_once: int
) -> list[str]:
    away = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in seen.away.items())
    return [
        "| jobs | ended | pictures billed | twice, of lost answers | at once, of allowed | sent again | ended in the cut |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        f"| {asked.jobs:,} | {dict(states)} | {pictures:,} | {report.ambiguous} of {lost} | {at_once} of {asked.limit} |"
        f" {seen.put_off} | {seen.ended_while_cut} in {asked.cut:g} s |",
        "",
        f"Not there while it was replaced: {away}.",
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.fleet", description=__doc__)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--limit", type=int, default=6, help="BFL_MAX_CONCURRENT")
    parser.add_argument("--cut", type=float, default=20.0, help="seconds for which a host is cut off")
    parser.add_argument("--rate", type=float, default=3.0, help="submissions a second")
    parser.add_argument("--old", type=Path, help="a checkout of the release before; else this one")
    parser.add_argument("--write", action="store_true", help="into docs/reliability.md")
    chosen = parser.parse_args()
    os.environ.update(BMN_ENV="development", NO_PROXY="127.0.0.1,localhost", BMN_LOG_LEVEL="info")
    logs.configure("error", process="fleet")
    began = pages.Began()
    old = command_of(chosen.old.resolve()) if chosen.old else Path(BMN)
    asked = FleetAsked(chosen.jobs, chosen.limit, chosen.cut, chosen.rate, old)
    nursery = Nursery()
    try:
        with tempfile.TemporaryDirectory(prefix="bmn-fleet-") as name, running_postgres(Path(name) / "pg") as server:
            with psycopg.connect(f"{server.replace('+psycopg', '')}/postgres", autocommit=True) as admin:
                admin.execute("CREATE DATABASE fleet")
            lines, problems = asyncio.run(run(nursery, Path(name), f"{server}/fleet", asked))
    finally:
        nursery.close()
    lines.append("; ".join(problems) or "Nothing is lost, nothing came twice.")
    print("\n".join(lines))
    if chosen.write:
        began.write(pages.DOCS / "reliability.md", "tests.chaos.fleet", lines)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
