"""A database as it is after many jobs, written by the database itself: seconds for a hundred thousand jobs.

Each job has a unit, three events, an asset, three lines of the ledger and two provider calls, as a logo job of one
picture has. Every nineteenth has failed, every fiftieth of those is a dead letter. The newest ended just now.
"""

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, text

_QUEUES = "'logo-generation','mockup-generation','bundle-composition','video-generation','image-upload'"

# How the two databases count and spell a JSON object.
_POSTGRESQL = {
    "numbers": "generate_series(1, {count}) AS n(i)",
    "pick": "(ARRAY[{values}])[1 + i % {number}]",
    "now": "extract(epoch FROM now())::double precision",
    "json": "'{text}'::jsonb",
}
_SQLITE = {
    "numbers": "(WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {count}) SELECT i FROM c) AS n",
    "pick": "json_extract(json_array({values}), '$[' || (i % {number}) || ']')",
    "now": "((julianday('now') - 2440587.5) * 86400.0)",
    "json": "'{text}'",
}


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is. span: seconds over which the ended jobs are spread."""

    ended: int
    waiting: int
    users: int
    span: float = 30 * 86_400.0


def fill(conn: Connection, size: Size) -> None:
    """Writes it all and lets the database look at what it has got."""
    kind = conn.dialect.name
    words = _POSTGRESQL if kind == "postgresql" else _SQLITE
    if kind == "sqlite":
        conn.connection.driver_connection.create_function("md5", 1, _md5, deterministic=True)  # type: ignore[union-attr]
    for statement in (*_people(words, size), *_ended(words, size), *_waiting(words, size)):
        conn.execute(text(statement))
    conn.execute(text("ANALYZE"))


def _md5(value: str) -> str:
    return hashlib.md5(value.encode(), usedforsecurity=False).hexdigest()


def _uuid(salt: str) -> str:
    parts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    return " || '-' || ".join(f"substr(md5('{salt}' || i), {start}, {length})" for start, length in parts)


def _people(words: dict[str, str], size: Size) -> tuple[str, ...]:
    users = words["numbers"].format(count=size.users)
    user, brand, now = "'user-' || i", "'brand-' || i", words["now"]
    details = words["json"].format(text="{}")
    return (
        f"INSERT INTO brands (id, user_id, name, status, details, created_at, updated_at)"
        f" SELECT {brand}, {user}, 'Brand ' || i, 'draft', {details}, {now}, {now} FROM {users}",
        f"INSERT INTO generation_credits (user_id, credits_remaining, credits_used, credits_reserved, created_at)"
        f" SELECT {user}, 1000, 0, 0, {now} FROM {users}",
    )


def _ended(words: dict[str, str], size: Size) -> tuple[str, ...]:
    numbers, now = words["numbers"].format(count=size.ended), words["now"]
    queue = words["pick"].format(values=_QUEUES, number=5)
    job = f"{queue} || '-' || {_uuid('job')}"
    user, brand = f"'user-' || (1 + i % {size.users})", f"'brand-' || (1 + i % {size.users})"
    at = f"({now} - {size.span} * ({size.ended} - i) / {size.ended})"
    failed, dead = "i % 19 = 0", "i % 950 = 0"
    state = f"CASE WHEN {failed} THEN 'failed' ELSE 'completed' END"
    cause = f"CASE WHEN {failed} THEN 'provider_overloaded' END"
    payload = words["json"].format(
        text='{"brandName": "Harbor and Violet", "brandVision": "Calm things for every day"}'
    )
    empty = words["json"].format(text="{}")
    asset = _uuid("asset")
    return (
        "INSERT INTO jobs (id, queue, user_id, brand_id, payload, payload_version, state, attempt, max_attempts, losses,"
        " fence, priority, turn, run_at, progress, stage, message, cause, error, last_seq, credits_reserved,"
        " credits_charged, credits_refunded, cost_usd, created_at, queued_at, started_at, attempt_started_at, completed_at)"
        f" SELECT {job}, {queue}, {user}, {brand}, {payload}, 1, {state}, 1, 3, 0, 1, 1, 0, {at}, 100, {state}, 'Done',"
        f" {cause}, NULL, 3, 1, 1, 0, 0.03, {at}, {at}, {at} + 1, {at} + 1, {at} + 9 FROM {numbers}",
        "INSERT INTO job_units (job_id, unit, state, provider, storage_key, sha256, asset_id, ambiguous, credits, cost_usd,"
        f" data, updated_at) SELECT {job}, 'logo-0', 'saved', 'bfl', {brand} || '/logo/' || i, 'x', {asset}, 0, 1, 0.03,"
        f" {empty}, {at} FROM {numbers}",
        *(
            f"INSERT INTO job_events (job_id, seq, event, payload, at)"
            f" SELECT {job}, {seq}, 'job:progress', {payload}, {at} FROM {numbers}"
            for seq in (1, 2, 3)
        ),
        "INSERT INTO brand_assets (id, brand_id, job_id, asset_type, url, storage_key, sha256, mime_type, size_bytes,"
        f" metadata, is_selected, created_at) SELECT {asset}, {brand}, {job}, 'logo', 'http://localhost/' || i,"
        f" {brand} || '/logo/' || i, 'x', 'image/png', 1000, {empty}, 0, {at} FROM {numbers}",
        *(
            "INSERT INTO credit_ledger (user_id, job_id, unit, kind, amount, created_at)"
            f" SELECT {user}, {job}, '', '{kind}', 1, {at} FROM {numbers}"
            for kind in ("reserve", "settle", "refund")
        ),
        *(
            "INSERT INTO provider_calls (job_id, unit, attempt, user_id, queue, provider, operation, units, usd, sandboxed,"
            f" ms, outcome, at) SELECT {job}, 'logo-0', 1, {user}, {queue}, 'bfl', '{operation}', 1, 0.03, 0, 900,"
            f" CASE WHEN {failed} THEN 'provider_overloaded' ELSE 'ok' END, {at} FROM {numbers}"
            for operation in ("submit", "wait")
        ),
        "INSERT INTO dead_letters (id, job_id, queue, user_id, cause, error, attempts, replays, state, created_at)"
        f" SELECT 'dead-' || {job}, {job}, {queue}, {user}, 'provider_overloaded', 'It was busy.', 3, 0, 'open', {at}"
        f" FROM {numbers} WHERE {dead}",
    )


def _waiting(words: dict[str, str], size: Size) -> tuple[str, ...]:
    numbers, now = words["numbers"].format(count=size.waiting), words["now"]
    job = f"'logo-generation-' || {_uuid('waiting')}"
    user, brand = f"'user-' || (1 + i % {size.users})", f"'brand-' || (1 + i % {size.users})"
    payload = words["json"].format(text='{"brandName": "Harbor and Violet"}')
    return (
        "INSERT INTO jobs (id, queue, user_id, brand_id, payload, payload_version, state, attempt, max_attempts, losses,"
        " fence, priority, turn, run_at, progress, last_seq, credits_reserved, credits_charged, credits_refunded, cost_usd,"
        f" created_at, queued_at) SELECT {job}, 'logo-generation', {user}, {brand}, {payload}, 1, 'queued', 0, 3, 0, 0, 1,"
        f" i / {size.users}, {now} - 5, 0, 1, 1, 0, 0, 0, {now} - 5, {now} - 5 FROM {numbers}",
    )
