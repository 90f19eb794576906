"""What has to be true after another release has taken an installation over."""

from collections.abc import Mapping
from typing import Any

import httpx
from sqlalchemy import MetaData, Table, create_engine, select

from bmn.schemas.base import when
from tests.kit import checker
from tests.kit.processes import PATIENCE
from tests.upgrade.fill import BRAND, PAUSED, REASON, Filled
from tests.upgrade.release import Release

Row = dict[str, Any]
Snapshot = dict[str, dict[tuple[Any, ...], Row]]
"""Every row of every table, by its primary key."""

# What may change in a row that the new release finds; everything else stays as it was, to the last column.
_ALIVE: Mapping[str, frozenset[str]] = {
    "brand_assets": frozenset({"thumbnail_url", "metadata"}),  # by the thumbnail that was still to come
    "generation_credits": frozenset({"credits_remaining", "credits_used", "credits_reserved"}),
    "brands": frozenset({"status", "details", "updated_at"}),
    "agent_sessions": frozenset({"messages", "turns", "cost_usd", "state", "updated_at"}),  # it goes on
    "dead_letters": frozenset({"state", "replays", "replay_job_id", "resolved_by", "resolved_at"}),  # one is replayed
    "queue_settings": frozenset({"paused", "reason", "paused_by", "paused_at"}),  # one is resumed
}
_ENDED = frozenset({"completed", "partial", "failed", "cancelled"})
_LOOKS = 3
_NOT_RECORDS = frozenset({"alembic_version"})


def snapshot(url: str) -> Snapshot:
    """The tables as they are, whatever release made them."""
    engine = create_engine(url)
    try:
        tables = MetaData()
        tables.reflect(engine)
        with engine.connect() as conn:
            return {
                name: {
                    tuple(row[key] for key in _key(table)): dict(row) for row in conn.execute(select(table)).mappings()
                }
                for name, table in tables.tables.items()
                if name not in _NOT_RECORDS
            }
    finally:
        engine.dispose()


def _key(table: Table) -> list[str]:
    """Of a table in parts each part has a primary key, and the whole has none."""
    return table.primary_key.columns.keys() or ["id"]


def differences(before: Snapshot, after: Snapshot) -> list[str]:
    """What of the old rows is not there any more, or is another one. Columns that were added are none."""
    problems = []
    for table, rows in before.items():
        for key, row in rows.items():
            found = after[table].get(key)
            if found is None:
                problems.append(f"{table} {key}: gone")
            elif changed := _changed(table, row, found, before):
                problems.append(f"{table} {key}: {changed}")
    return problems


def _changed(table: str, row: Row, found: Row, before: Snapshot) -> dict[str, tuple[Any, Any]]:
    if table in ("jobs", "job_units") and not _has_ended(table, row, before):
        return {}
    may_change = _ALIVE.get(table, frozenset())
    return {
        name: (value, found[name])
        for name, value in row.items()
        if name in found and name not in may_change and found[name] != _as_written_now(value)
    }


def _as_written_now(value: Any) -> Any:
    """What was stored, with the times of assets as this release has them: its migration rewrites them."""
    if isinstance(value, list):
        return [_as_written_now(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: when(item) if key == "created_at" and isinstance(item, float) else _as_written_now(item)
        for key, item in value.items()
    }


def _has_ended(table: str, row: Row, before: Snapshot) -> bool:
    job = row if table == "jobs" else before["jobs"][(row["job_id"],)]
    return job["state"] in _ENDED


def check_sessions(new: Release, filled: Filled) -> list[str]:
    """What the old release handed out is honoured: tokens, cookies, links, keys."""
    problems = []
    with new.api(filled.token) as api:
        if (status := api.get("/api/v1/jobs").status_code) != 200:
            problems.append(f"the token of the old release is answered with {status}")
        again = api.post(
            "/api/v1/generation/logos", json=filled.submission["body"], headers={"Idempotency-Key": filled.key}
        )
        if again.json().get("jobId") != filled.jobs["under a key"]:
            problems.append(f"the idempotency key made another job: {again.status_code} {again.text}")
    with httpx.Client(base_url=new.url, trust_env=False, timeout=PATIENCE) as anybody:
        for what, path, cookies in (
            ("browser's session", "/" if filled.cookies else "", filled.cookies),
            ("shared link", filled.shared, {}),
            ("signed picture", filled.picture, {}),
        ):
            if path and (status := anybody.get(path, cookies=cookies).status_code) != 200:
                problems.append(f"the {what} of the old release is answered with {status}")
    return problems


def finish(new: Release, filled: Filled) -> list[str]:
    """Lets the new release do what the old one left, and says what it did not do. `new` is serving, all queues."""
    problems = []
    queue = next(entry for entry in new.run("queues", "list")["queues"] if entry["name"] == PAUSED)
    if (queue["paused"], queue["reason"]) != (True, REASON):
        problems.append(f"{PAUSED} was paused by hand, of {REASON!r}, and is now {queue}")
    new.run("queues", "resume", PAUSED)
    for what in ("waiting for a worker", "waiting in a paused queue", "retrying", "running"):
        if what in filled.jobs:
            ended = new.wait_for(filled.jobs[what], *_ENDED)
            if ended["state"] != "completed":
                problems.append(f"the job that was {what} is {ended['state']}: {ended.get('error')}")
    child = new.wait_for(_brought_back(new, filled.jobs["dead"]), *_ENDED)
    if child["state"] != "completed" or child.get("parentId") != filled.jobs["dead"]:
        problems.append(f"the dead letter came back as {child['state']} of {child.get('parentId')}")
    resumed = new.submit("wizard", "brand-identity", "--brand", BRAND, "--resume", filled.session)
    if (state := new.wait_for(resumed, *_ENDED)["state"]) != "completed":
        problems.append(f"the wizard's session went on and is {state}")
    new.wait_until_quiet()
    return problems


def _brought_back(new: Release, dead: str) -> str:
    """Replays a dead letter; the id of the one job that came of it."""
    try:
        new.run("jobs", "retry", dead)
    except RuntimeError:  # it was asked again where its answer was late, and refused as done already
        if not new.job(dead)["replays"]:
            raise
    [child] = new.job(dead)["replays"]
    return str(child)


def check_books(new: Release, url: str) -> list[str]:
    """The invariants of docs/reliability.md. `new` is serving, and quiet but for what it begins by itself: a mail."""
    for _ in range(_LOOKS):
        bill = new.run("sandbox", "ledger")
        report = checker.check(checker.read_books(url, bill=bill, objects=new.home / "objects"))
        if not report.problems:
            break
        new.wait_until_quiet()
    return report.problems
