"""GET /api/v1/jobs over 10,000 jobs on SQLite, with filters and text search: `python -m bench.listing`.

The records are written straight into the database, ended in every way there is, over the last week; then a real server
is asked, one question at a time and by four clients at once.
"""

import argparse
import asyncio
import random
import time
from collections.abc import Sequence
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import insert

from bench.figures import percentile
from bench.http import Connection, load, request
from bench.stack import BenchServer, running_stack
from bmn.db.engine import Connection as Records
from bmn.db.engine import Database
from bmn.db.tables import brands, jobs
from bmn.errors import Cause
from bmn.schemas.payloads import JobState
from bmn.settings import DEV_USER_ID
from bmn.work.registry import get_queue

_WEEK = 7 * 86_400
_BRANDS = [str(uuid5(NAMESPACE_URL, f"brand/{number}")) for number in range(50)]
_STATES = (JobState.COMPLETED,) * 12 + (JobState.FAILED,) * 4 + (JobState.PARTIAL, JobState.CANCELLED, JobState.QUEUED)
_QUEUES = ("logo-generation",) * 4 + ("mockup-generation", "video-generation", "brand-wizard", "image-upload")
_WORDS = ("coffee", "harbour", "violet", "granite", "orchard", "lantern", "meadow", "copper", "raven", "tide")
_QUESTIONS: dict[str, dict[str, str]] = {
    "the newest page": {},
    "queue and state": {"queue": "logo-generation", "state": "failed"},
    "cause, since a day": {"cause": "provider_overloaded", "since": "86400"},
    "one brand": {"brand": _BRANDS[7]},
    "text, many found": {"text": "harbour"},
    "text, none found": {"text": "no such word"},
    "queue, state and text": {"queue": "logo-generation", "state": "completed", "text": "raven lantern"},
    "by the id's beginning": {"prefix": "7f3a"},
}


def _write_records(conn: Records, count: int) -> None:
    dice = random.Random(count)
    now = time.time()
    conn.execute(
        insert(brands),
        [{"id": brand, "user_id": DEV_USER_ID, "name": f"Brand {n}"} for n, brand in enumerate(_BRANDS)],
    )
    rows = [_record(dice, now) for _ in range(count)]
    for start in range(0, count, 500):
        conn.execute(insert(jobs), rows[start : start + 500])


def _record(dice: random.Random, now: float) -> dict[str, object]:
    state, queue = dice.choice(_STATES), dice.choice(_QUEUES)
    at = now - dice.uniform(0, _WEEK)
    failed = state in (JobState.FAILED, JobState.PARTIAL)
    vision = " ".join(dice.choices(_WORDS, k=40))
    return {
        "id": get_queue(queue).new_id(),
        "queue": queue,
        "user_id": DEV_USER_ID,
        "brand_id": dice.choice(_BRANDS),
        "payload": {"brandName": "Bench", "brandVision": vision, "colorPalette": ["#112233"], "count": 4},
        "state": state,
        "max_attempts": 3,
        "priority": 1,
        "run_at": at,
        "queued_at": at,
        "created_at": at,
        "started_at": at + 1,
        "completed_at": None if state is JobState.QUEUED else at + 20,
        "cause": dice.choice(list(Cause)) if failed else None,
        "error": "Black Forest Labs is not well (HTTP 503)." if failed else None,
        "message": "4 logos generated",
    }


async def _fill(stack: BenchServer, count: int) -> None:
    database = Database(f"sqlite:///{stack.home / 'bmn.sqlite3'}")
    await database.start()
    await database.write(lambda conn: _write_records(conn, count))
    await database.close()


async def _found(stack: BenchServer, message: bytes) -> int:
    connection = await Connection.open(stack.url)
    _, body = await connection.ask(message)
    connection.close()
    return int(body.rsplit(b'"total":', 1)[1].rstrip(b"}"))


async def _measure(stack: BenchServer, count: int, requests: int) -> list[float]:
    await _fill(stack, count)
    everything: list[float] = []
    for name, query in _QUESTIONS.items():
        message = request("GET", f"/api/v1/jobs?{urlencode({**query, 'limit': 20})}", token=stack.token)
        found = await _found(stack, message)
        alone, _ = await load(stack.url, lambda _, message=message: message, clients=1, requests=requests, expect=200)
        four, _ = await load(stack.url, lambda _, message=message: message, clients=4, requests=requests, expect=200)
        print(f"{name:<24} {found:6,} found   {_figures(alone)}   four clients {_figures(four)}", flush=True)
        everything += alone
    return everything


def _figures(seconds: Sequence[float]) -> str:
    p50, p95 = (1000 * percentile(seconds, share) for share in (0.5, 0.95))
    return f"p50 {p50:6.1f} ms  p95 {p95:6.1f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=100)
    options = parser.parse_args()
    with running_stack("--no-workers") as stack:
        everything = asyncio.run(_measure(stack, options.jobs, options.requests))
    print(f"{'all questions':<24} {options.jobs:6,} jobs    {_figures(everything)}")


if __name__ == "__main__":
    main()
