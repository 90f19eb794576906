"""The invariants of the engine, from what is written down: rows, events, the sandbox's bill, stored objects, Redis.

`check` is run after every fault test and every schedule of the soak. It knows nothing of what was done before, so it finds
what a test did not think of. Numbers (I1, I2, …) are those of docs/reliability.md.
"""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
from sqlalchemy import Connection, select

from bmn.db.engine import make_engine
from bmn.db.tables import (
    brand_assets,
    credit_ledger,
    dead_letters,
    generation_credits,
    job_events,
    job_units,
    jobs,
)
from bmn.errors import CAUSES, Cause
from bmn.schemas.payloads import TERMINAL_STATES
from bmn.work.registry import ALL_QUEUES, QUEUES

Row = dict[str, Any]
_TERMINAL_EVENT = {
    "completed": "job:complete",
    "partial": "job:complete",
    "failed": "job:failed",
    "cancelled": "job:cancelled",
}
_NEVER_RETRIED = ("cancelled", "moderated", "bad_input")


@dataclass
class Books:
    """Everything that is written down, read once. bill: the sandbox's ledger. objects: the folder of the object store."""

    jobs: dict[str, Row]
    units: dict[str, list[Row]]
    events: dict[str, list[Row]]
    assets: list[Row]
    balances: dict[str, Row]
    ledger: list[Row]
    letters: list[Row]
    bill: list[Row] = field(default_factory=list)
    objects: Path | None = None


@dataclass
class Report:
    problems: list[str] = field(default_factory=list)
    jobs: int = 0
    ambiguous: int = 0
    billed: int = 0
    states: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return "\n".join(self.problems) or f"{self.jobs} jobs, nothing wrong"


def read_books(url: str, *, bill: Iterable[Row] = (), objects: Path | None = None) -> Books:
    engine = make_engine(url)
    try:
        with engine.connect() as conn:
            return _read(conn, list(bill), objects)
    finally:
        engine.dispose()


def _read(conn: Connection, bill: list[Row], objects: Path | None) -> Books:
    def rows(table: Any, *order: Any) -> list[Row]:
        return [dict(row) for row in conn.execute(select(table).order_by(*order)).mappings()]

    units, events = defaultdict(list), defaultdict(list)
    for row in rows(job_units, job_units.c.unit):
        units[row["job_id"]].append(row)
    for row in rows(job_events, job_events.c.seq):
        events[row["job_id"]].append(row)
    return Books(
        jobs={row["id"]: row for row in rows(jobs, jobs.c.created_at)},
        units=units,
        events=events,
        assets=rows(brand_assets, brand_assets.c.id),
        balances={row["user_id"]: row for row in rows(generation_credits, generation_credits.c.user_id)},
        ledger=rows(credit_ledger, credit_ledger.c.id),
        letters=rows(dead_letters, dead_letters.c.id),
        bill=bill,
        objects=objects,
    )


def check(books: Books, *, accepted: Collection[str] = (), served: Collection[str] = tuple(QUEUES)) -> Report:
    """accepted: ids that somebody got a 202 for. served: queues that had workers, so that their jobs have to have ended."""
    report = Report(jobs=len(books.jobs), states=Counter(job["state"] for job in books.jobs.values()))
    report.ambiguous = sum(unit["ambiguous"] for units in books.units.values() for unit in units)
    report.billed = len(books.bill)
    wrong = report.problems
    wrong += [f"I1 {job_id}: accepted, and no row" for job_id in accepted if job_id not in books.jobs]
    for job in books.jobs.values():
        if job["queue"] in served:
            wrong += _ended(job)
        wrong += _told(job, books.events[job["id"]])
        wrong += _counted(job, books.units[job["id"]], books.events[job["id"]])
    wrong += _collected(books)
    wrong += _bill(books)
    wrong += _money(books)
    wrong += _pictures(books)
    wrong += _letters(books)
    wrong += _keys(books)
    return report


def _ended(job: Row) -> list[str]:
    if job["state"] in TERMINAL_STATES:
        return []
    return [
        f"I1 {job['id']}: still {job['state']} (attempt {job['attempt']}, losses {job['losses']}, {job['message']})"
    ]


def _told(job: Row, events: list[Row]) -> list[str]:
    """I5, I6: numbered without gap, the bar never falls, one terminal event, and it is the last."""
    name, wrong = job["id"], []
    seqs = [event["seq"] for event in events]
    if seqs != list(range(1, job["last_seq"] + 1)):
        wrong.append(f"I6 {name}: seqs {seqs}, last_seq {job['last_seq']}")
    bars = [event["payload"]["progress"] for event in events if event["payload"].get("progress") is not None]
    if bars != sorted(bars):
        wrong.append(f"I6 {name}: the bar falls: {bars}")
    ends = [event for event in events if _is_terminal(event)]
    if job["state"] in TERMINAL_STATES:
        if len(ends) != 1 or ends[0] is not events[-1]:
            wrong.append(f"I6 {name}: terminal events {[e['event'] for e in ends]}, last {events[-1]['event']}")
        elif ends[0]["event"] != _TERMINAL_EVENT[job["state"]]:
            wrong.append(f"I5 {name}: {job['state']}, but told {ends[0]['event']}")
    elif ends:
        wrong.append(f"I5 {name}: {job['state']} after {ends[0]['event']}")
    return wrong


def _is_terminal(event: Row) -> bool:
    return event["event"] in ("job:complete", "job:cancelled") or (
        event["event"] == "job:failed" and event["payload"]["retriesLeft"] == 0
    )


def _counted(job: Row, units: list[Row], events: list[Row]) -> list[str]:
    """I3, I9 of one job: attempts within their number, retries counted down, each delivered unit paid once."""
    name, wrong = job["id"], []
    if job["attempt"] > job["max_attempts"] or job["attempt"] < 0:
        wrong.append(f"I9 {name}: attempt {job['attempt']} of {job['max_attempts']}")
    told = [event["payload"] for event in events if event["event"] == "job:failed"]
    left = [payload["retriesLeft"] for payload in told]
    if left != sorted(set(left), reverse=True):
        wrong.append(f"I9 {name}: retriesLeft {left}")
    if any(payload["retriesLeft"] and payload.get("cause") in _NEVER_RETRIED for payload in told):
        wrong.append(f"I9 {name}: retried after {[payload.get('cause') for payload in told]}")
    charged = sum(unit["credits"] for unit in units)
    if job["credits_charged"] != charged:
        wrong.append(f"I3 {name}: charged {job['credits_charged']}, its units {charged}")
    if job["state"] != "cancelled":
        unpaid = [unit["unit"] for unit in units if unit["credits"] and unit["state"] != "saved"]
        wrong += [f"I3 {name}: {unit} is charged, and not delivered" for unit in unpaid]
    if job["state"] in TERMINAL_STATES and job["credits_reserved"] != charged + job["credits_refunded"]:
        wrong.append(f"I3 {name}: reserved {job['credits_reserved']}, {charged} + {job['credits_refunded']} back")
    if job["state"] == "completed" and job["queue"] == "logo-generation" and not job["collects_id"]:
        saved = sum(1 for unit in units if unit["state"] == "saved")
        if saved != job["payload"]["count"]:
            wrong.append(f"I1 {name}: completed with {saved} of {job['payload']['count']} logos")
    return wrong


def _collected(books: Books) -> list[str]:
    """I3 of cancelled jobs: what is charged without being there is being collected, and in the end it is there."""
    wrong = []
    collecting = {job["collects_id"]: job for job in books.jobs.values() if job["collects_id"]}
    for job in books.jobs.values():
        owed = [u for u in books.units[job["id"]] if u["credits"] and u["state"] != "saved"]
        collector = collecting.get(job["id"])
        if owed and (collector is None or collector["state"] in TERMINAL_STATES):
            wrong.append(f"I3 {job['id']}: charged for {[unit['unit'] for unit in owed]}, which nobody collects")
        if collector and any(unit["credits"] for unit in books.units[collector["id"]]):
            wrong.append(f"I3 {collector['id']}: charged again what it collects")
    return wrong


def _bill(books: Books) -> list[str]:
    """I2: what the provider was made to draw, against our units. Each unit's request has a seed, so a hash, of its own."""
    by_task = {unit["provider_task_id"]: unit for units in books.units.values() for unit in units}
    by_request: dict[str, list[Row]] = defaultdict(list)
    for row in books.bill:
        if row["unit"] == "image":
            by_request[row["requestHash"]].append(row)
    wrong = []
    lost = sum(unit["ambiguous"] for units in books.units.values() for unit in units)
    unknown = 0
    for rows in by_request.values():
        unit = next((by_task[row["taskId"]] for row in rows if row["taskId"] in by_task), None)
        if unit is None:
            unknown += len(rows)
        elif len(rows) > 1 + unit["ambiguous"]:
            name = f"{unit['job_id']}/{unit['unit']}"
            wrong.append(f"I2 {name}: billed {len(rows)} times, ambiguous {unit['ambiguous']}")
    open_orders = sum(unit["state"] == "submitting" for units in books.units.values() for unit in units)
    failed = sum(unit["state"] == "failed" for units in books.units.values() for unit in units)
    if unknown > lost + open_orders + failed:
        wrong.append(f"I2: {unknown} bills for no unit, {lost} lost answers, {open_orders} open, {failed} given up")
    return wrong


def _money(books: Books) -> list[str]:
    """I3: every account adds up, from its ledger and from its jobs."""
    wrong = []
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    once: Counter[tuple[str, ...]] = Counter()
    for entry in books.ledger:
        kind = "unit refund" if entry["kind"] == "refund" and entry["unit"] else entry["kind"]
        sums[entry["user_id"]][kind] += abs(entry["amount"])
        once[(entry["user_id"], entry["job_id"], entry["unit"], entry["kind"])] += 1
    wrong += [f"I3 {key}: in the ledger {number} times" for key, number in once.items() if number > 1]
    for user, row in books.balances.items():
        total = sums[user]
        given = total["start"] + total["grant"]
        expected = (
            given - total["reserve"] + total["refund"] + total["unit refund"],
            total["reserve"] - total["settle"] - total["refund"],
            total["settle"] - total["unit refund"],
        )
        found = (row["credits_remaining"], row["credits_reserved"], row["credits_used"])
        if found != expected or min(found) < 0:
            wrong.append(f"I3 {user}: remaining, reserved, used {found}, by the ledger {expected}")
        mine = [job for job in books.jobs.values() if job["user_id"] == user]
        held = sum(j["credits_reserved"] - j["credits_charged"] for j in mine if j["state"] not in TERMINAL_STATES)
        if held != row["credits_reserved"]:
            wrong.append(f"I3 {user}: {row['credits_reserved']} reserved, {held} held by jobs")
    return wrong


_PASSING = re.compile("/(thumbnail|previews)/")  # made again, or removed by the cleanup once they are old


def _pictures(books: Books) -> list[str]:
    """I7: every asset's object is there with its hash, and every object belongs to something."""
    wrong = [
        f"I7 {row['id']}: address {row['url'][:60]}"
        for row in books.assets
        if row["url"].startswith("data:") or "/files/" not in row["url"]
    ]
    if books.objects is None or not books.objects.exists():
        return wrong
    for row in books.assets:
        path = books.objects / row["storage_key"]
        if not path.is_file():
            wrong.append(f"I7 {row['id']}: no object {row['storage_key']}")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != row["sha256"]:
            wrong.append(f"I7 {row['id']}: other bytes than it was stored with")
    known = {row["storage_key"] for row in books.assets}
    known |= {unit["storage_key"] for units in books.units.values() for unit in units}
    for path in books.objects.rglob("*"):
        key = path.relative_to(books.objects).as_posix()
        if path.is_file() and key not in known and not _PASSING.search(key) and key != ".store":
            wrong.append(f"I7: object without a row: {key}")
    return wrong


def _letters(books: Books) -> list[str]:
    """I8: a dead letter for every failure that somebody can mend, and for no other."""
    found = Counter(letter["job_id"] for letter in books.letters)
    due = {
        job["id"]
        for job in books.jobs.values()
        if job["state"] == "failed" and CAUSES[Cause(job["cause"])].dead_letter and not job["collects_id"]
    }
    wrong = [f"I8 {job_id}: dead, and no letter" for job_id in due - found.keys()]
    wrong += [f"I8 {job_id}: a letter without a death" for job_id in found.keys() - due]
    wrong += [f"I8 {job_id}: {number} letters" for job_id, number in found.items() if number > 1]
    replays = Counter(letter["replay_job_id"] for letter in books.letters if letter["replay_job_id"])
    wrong += [f"I8 {job_id}: replay of two letters" for job_id, number in replays.items() if number > 1]
    children = Counter(job["parent_id"] for job in books.jobs.values() if job["parent_id"])
    wrong += [f"I5 {job_id}: brought back {number} times" for job_id, number in children.items() if number > 1]
    return wrong


def _keys(books: Books) -> list[str]:
    """I10: one submission per idempotency key."""
    groups: dict[tuple[str, str], set[str]] = defaultdict(set)
    for job in books.jobs.values():
        if job["idempotency_key"]:
            groups[job["user_id"], job["idempotency_key"]].add(job["group_id"] or job["id"])
    return [f"I10 {key}: {sorted(ids)}" for key, ids in groups.items() if len(ids) > 1]


def check_redis(url: str, books: Books) -> list[str]:
    """I13: nothing in Redis grows without bound, and what RQ shows is what the rows say."""
    wrong = []
    ended = {job["id"] for job in books.jobs.values() if job["state"] in TERMINAL_STATES}
    with redis.Redis.from_url(url, decode_responses=True) as client:
        for queue in QUEUES:
            stale = ended & set(client.lrange(f"rq:queue:{queue}", 0, -1))
            wrong += [f"I13 {job_id}: ended, and still in RQ's list" for job_id in stale]
            running = {entry.removesuffix(":run") for entry in client.zrange(f"rq:wip:{queue}", 0, -1)}
            wrong += [f"I13 {job_id}: ended, and still shown as started" for job_id in ended & running]
        for key in client.scan_iter(count=1000):
            if client.ttl(key) == -1 and not _may_stay(key):
                wrong.append(f"I13 {key}: lives for ever")
    return wrong


def _may_stay(key: str) -> bool:
    kinds = ("queue", "wip", "finished", "failed", "scheduled", "canceled", "worker")
    registries = tuple(f"rq:{kind}" for kind in kinds)
    return key in ("rq:queues", "bmn:stream") or key.startswith(registries) or key in ALL_QUEUES


def check_stream(url: str, books: Books) -> list[str]:
    """I6 on the way to the sockets: every event of every job is in the stream once, in order. Not after Redis lost data."""
    seqs: dict[str, list[int]] = defaultdict(list)
    with redis.Redis.from_url(url, decode_responses=True) as client:
        from bmn.events.stream import decode

        for _, fields in client.xrange("bmn:stream"):
            event = decode(fields["e"])
            if event.job_id and event.seq:
                seqs[event.job_id].append(event.seq)
    return [
        f"I6 {job['id']}: stream has {seqs[job['id']]}, rows have 1..{job['last_seq']}"
        for job in books.jobs.values()
        if seqs[job["id"]] != list(range(1, job["last_seq"] + 1))
    ]
