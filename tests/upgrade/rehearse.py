"""The upgrade, rehearsed with a checkout of the release before: `python -m tests.upgrade.rehearse --old CHECKOUT`.

The old release is filled and stopped, orderly or by a power cut, with a Socket.IO client connected; this one starts on the
same home, database, Redis and port. What is lost or changed is printed, and makes the exit code 1. docs/operations.md has
the steps of an upgrade; these are they.
"""

import argparse
import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from psycopg import connect

from bmn.broker.embedded import EmbeddedRedis
from tests.kit.driver import Client, Driver, why_not
from tests.kit.postgres import running_postgres
from tests.kit.processes import free_port
from tests.kit.terminal import BMN
from tests.upgrade import takeover
from tests.upgrade.fill import BRAND, Filled, fill_with_ended, fill_with_unfinished, serving_for_unfinished
from tests.upgrade.release import Release

_RECOVERY_SECONDS = "900"  # a busy machine starts the new release late; a client of people has two minutes
_HEARD_SECONDS = 60


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


async def rehearse(old_bmn: Path, folder: Path, *, database: str, redis: str, power_cut: bool) -> list[str]:
    """What is wrong afterwards. database, redis: addresses; empty: the home's own."""
    home = folder / "home"
    home.mkdir()
    env = {"BMN_RECOVERY_SECONDS": _RECOVERY_SECONDS, "DATABASE_URL": database, "REDIS_URL": redis}
    port, set_ones = free_port(), {name: value for name, value in env.items() if value}
    old, new = Release(old_bmn, home, port, set_ones), Release(Path(BMN), home, port, set_ones)
    url = database.replace("postgresql://", "postgresql+psycopg://") or f"sqlite:///{home / 'bmn.sqlite3'}"
    if database:
        old.run("db", "upgrade")
    filled = await asyncio.to_thread(fill_with_ended, old)
    _say(f"the old release has ended {len(filled.jobs)} jobs")
    async with _listening(old) as client:
        await asyncio.to_thread(_leave_unfinished, old, new, filled, client, power_cut)
        before = await asyncio.to_thread(takeover.snapshot, url)
        states = {job["id"]: job["state"] for job in before["jobs"].values()}
        _say("left: " + ", ".join(f"{what} ({states[job_id]})" for what, job_id in filled.jobs.items()))
        problems = await asyncio.to_thread(_take_over, new, filled, url, before)
        return problems + await _heard(client, filled, url, recovers=bool(redis) or not power_cut)


def _leave_unfinished(old: Release, new: Release, filled: Filled, client: "_Listener", power_cut: bool) -> None:
    with serving_for_unfinished(old) as server:
        client.join(old.url, filled.token, str(old.job(filled.jobs["completed"])["brandId"]))
        fill_with_unfinished(old, filled)
        if old.env.get("DATABASE_URL"):
            new.run("db", "upgrade")  # the old release goes on meanwhile: migrations only add
            filled.jobs["waiting for a worker, ordered on the new tables"] = old.submit("video", "--brand", BRAND)
        if power_cut:
            server.kill()
        else:
            server.stop()


def _take_over(new: Release, filled: Filled, url: str, before: takeover.Snapshot) -> list[str]:
    with new.serving(BMN_SANDBOX_SPEED="0.2"):
        _say("the new release is ready")
        problems = takeover.check_sessions(new, filled) + takeover.finish(new, filled)
        problems += takeover.check_books(new, url)
    return problems + takeover.differences(before, takeover.snapshot(url))


class _Listener:
    """The official JavaScript client in the room of the brand, driven from another thread."""

    def __init__(self, driver: Driver, loop: asyncio.AbstractEventLoop) -> None:
        self.client, self.loop = Client(driver, "browser"), loop

    def join(self, url: str, token: str, brand_id: str) -> None:
        async def join() -> None:
            options = {"auth": {"token": token}, "transports": ["websocket"], "reconnectionDelayMax": 1000}
            self.client.driver.command("connect", self.client.name, url=f"{url}/wizard", options=options)
            await self.client.connected()
            await self.client.ask("brand:join", {"brandId": brand_id}, seconds=_HEARD_SECONDS)

        asyncio.run_coroutine_threadsafe(join(), self.loop).result()


@contextlib.asynccontextmanager
async def _listening(_old: Release) -> AsyncIterator[_Listener]:
    driver = Driver()
    await driver.start()
    try:
        yield _Listener(driver, asyncio.get_running_loop())
    finally:
        await driver.stop()


async def _heard(listener: _Listener, filled: Filled, url: str, *, recovers: bool) -> list[str]:
    """Every event of the jobs that the client saw begin: once, in order, to the end."""
    client, problems = listener.client, []
    connects = client.of("connect")
    if recovers and not (len(connects) > 1 and connects[-1]["recovered"]):
        problems.append(f"the client did not recover its session: {connects}")
    if not recovers:
        return problems  # Redis has lost its last second with the power; such a client asks for what it missed
    jobs = takeover.snapshot(url)["jobs"]
    for what in ("running", "retrying", "waiting for a worker", "waiting in a paused queue"):
        job_id = filled.jobs[what]
        expected = list(range(1, jobs[(job_id,)]["last_seq"] + 1))
        with contextlib.suppress(AssertionError):
            await client.got(job_id, expected, _HEARD_SECONDS)
        if client.seqs(job_id) != expected:
            problems.append(f"the client heard {client.seqs(job_id)} of the job that was {what}; there are {expected}")
    return problems


# --- the command ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _parts(kind: str, folder: Path) -> Iterator[dict[str, Any]]:
    """SQLite with the home's own Redis, as on a laptop; or PostgreSQL and a Redis of their own, as in production."""
    if kind == "sqlite":
        yield {"database": "", "redis": ""}
        return
    server = EmbeddedRedis(folder / "redis")
    with running_postgres(folder) as address:
        with connect(f"{address.replace('+psycopg', '')}/postgres", autocommit=True) as admin:
            admin.execute("CREATE DATABASE bmn")
        server.start()
        try:
            yield {"database": f"{address.replace('+psycopg', '')}/bmn", "redis": server.url}
        finally:
            server.stop()


def command_of(checkout: Path) -> Path:
    """The `bmn` of a checkout, whose own Makefile installs it."""
    env = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH", "MAKEFLAGS")}
    subprocess.run(["make", "-s", ".venv/.run"], cwd=checkout, env=env, check=True)
    return checkout / ".venv" / "bin" / "bmn"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.upgrade.rehearse", description=__doc__)
    parser.add_argument("--old", type=Path, required=True, help="a checkout of the release before")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--end", choices=("stop", "power-cut", "both"), default="both")
    chosen = parser.parse_args()
    if reason := why_not():
        sys.exit(f"The connected client is the JavaScript one: {reason}")
    old_bmn = command_of(chosen.old.resolve())
    databases = ("sqlite", "postgresql") if chosen.database == "both" else (chosen.database,)
    ends = ("stop", "power-cut") if chosen.end == "both" else (chosen.end,)
    problems: list[str] = []
    for kind in databases:
        for end in ends:
            _say(f"{kind}, {end}")
            with tempfile.TemporaryDirectory(prefix="bmn-upgrade-") as name, _parts(kind, Path(name)) as parts:
                found = asyncio.run(rehearse(old_bmn, Path(name), **parts, power_cut=end == "power-cut"))
            for line in found or ["nothing is lost"]:
                _say(f"  {line}")
            problems += found
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
