"""Who gets a job, in what order, and who has it."""

import asyncio
from collections import Counter
from functools import partial

import pytest
from sqlalchemy import text, update

from bmn.db import claims, transitions
from bmn.db.engine import Connection, Database
from bmn.db.operators import queue_store
from bmn.db.tables import jobs
from tests.kit.rows import claim, insert


async def test_the_order_is_priority_then_turn_then_age(db: Database) -> None:
    late = await db.write(lambda conn: insert(conn, priority=5))
    ana = [await db.write(lambda conn: insert(conn, user_id="ana")) for _ in range(3)]
    ben = await db.write(lambda conn: insert(conn, user_id="ben"))
    urgent = await db.write(lambda conn: insert(conn, priority=0))
    rows = await db.write(lambda conn: claim(conn, limit=10))
    assert [row.id for row in rows] == [urgent, ana[0], ben, ana[1], ana[2], late]


@pytest.mark.full
async def test_ten_thousand_jobs_of_one_user_do_not_hold_up_another(db: Database) -> None:
    number = 10_000 if db.is_sqlite else 1_000
    for start in range(0, number, 500):
        await asyncio.gather(*(db.write(lambda conn: insert(conn, user_id="ana")) for _ in range(start, start + 500)))
    await db.write(lambda conn: claim(conn, limit=7))
    ben = await db.write(lambda conn: insert(conn, user_id="ben"))
    # PostgreSQL's two writer threads may give one turn to two jobs, so the next round of four slots has it.
    rows = await db.write(lambda conn: claim(conn, limit=4))
    assert ben in [row.id for row in rows]


async def test_two_users_take_turns(db: Database) -> None:
    for user in ("ana", "ben"):
        for _ in range(20):
            await db.write(lambda conn, user=user: insert(conn, user_id=user))
    rows = await db.write(lambda conn: claim(conn, limit=20))
    assert Counter(row.user_id for row in rows) == {"ana": 10, "ben": 10}


async def test_a_job_is_claimed_by_one_of_many(db: Database) -> None:
    ids = {await db.write(lambda conn: insert(conn)) for _ in range(40)}
    other = Database(db.url)
    await other.start()
    taken = await asyncio.gather(
        *(
            source.write(lambda conn, n=n: claim(conn, limit=3, owner=f"w{n}"))
            for n, source in enumerate([db, other] * 10)
        )
    )
    await other.close()
    found = [row.id for rows in taken for row in rows]
    left = await db.write(lambda conn: claim(conn, limit=100))
    assert len(found) == len(set(found))
    assert ids == set(found) | {row.id for row in left}


async def test_what_is_not_due_is_not_claimed(db: Database) -> None:
    await db.write(lambda conn: insert(conn, delay=60))
    asked = await db.write(lambda conn: insert(conn))
    await db.write(lambda conn: conn.execute(update(jobs).where(jobs.c.id == asked).values(cancel_requested_at=1.0)))
    assert await db.write(claim) == []


async def test_a_claim_counts_the_attempt_and_raises_the_fence(db: Database) -> None:
    await db.write(insert)
    (first,) = await db.write(claim)
    await db.write(lambda conn: transitions.lose(conn, first))
    (second,) = await db.write(claim)
    assert (first.attempt, first.fence) == (1, 1)
    assert (second.attempt, second.fence, second.losses) == (1, 2, 1)


async def test_a_paused_queue_gives_nothing(db: Database) -> None:
    await db.write(insert)
    await db.write(lambda conn: queue_store.set_paused(conn, "logo-generation", by="ana", reason="maintenance"))
    assert await db.write(claim) == []
    await db.write(lambda conn: queue_store.set_running(conn, "logo-generation", by="ana"))
    assert len(await db.write(claim)) == 1


async def test_what_somebody_has_paused_goes_on_when_somebody_says_so(db: Database) -> None:
    queue = "logo-generation"
    own = partial(queue_store.set_paused, by="system", reason="down", cause="provider_overloaded", probe_in=-1)
    await db.write(lambda conn: own(conn, queue))
    await db.write(lambda conn: queue_store.set_paused(conn, queue, by="ana", reason="maintenance"))
    assert await db.write(lambda conn: own(conn, queue)) is False
    await db.write(lambda conn: queue_store.end_own_pause(conn, queue))
    found = await db.read(lambda conn: queue_store.get_pause(conn, queue))
    assert found is not None and (found.paused_by, found.reason) == ("ana", "maintenance")
    assert await db.write(claim) == []


async def test_a_queue_that_paused_itself_gives_one_job_to_find_out(db: Database) -> None:
    for _ in range(5):
        await db.write(insert)

    def pause(conn: Connection) -> None:
        queue_store.set_paused(
            conn, "logo-generation", by="system", reason="no key", cause="provider_auth", probe_in=-1
        )

    await db.write(pause)
    taken = await asyncio.gather(*(db.write(lambda conn: claim(conn, limit=4)) for _ in range(4)))
    rows = [row for rows in taken for row in rows]
    assert [row.probe for row in rows] == [True]


async def test_renewing_keeps_only_what_the_worker_runs(db: Database) -> None:
    ids = [await db.write(insert) for _ in range(3)]
    rows = await db.write(lambda conn: claim(conn, limit=3, lease=-1))
    running = [row.id for row in rows[:2]]
    held = await db.write(lambda conn: claims.renew(conn, "worker-1", running, 10))
    assert sorted(renewed.job_id for renewed in held) == sorted(running)
    late = await db.read(lambda conn: claims.expired(conn, stale_after={}))
    assert [row.id for row in late] == [rows[2].id]
    assert set(ids) == {row.id for row in rows}


async def test_a_lease_that_another_worker_has_is_not_renewed(db: Database) -> None:
    job_id = await db.write(insert)
    (first,) = await db.write(lambda conn: claim(conn, owner="one"))
    await db.write(lambda conn: transitions.lose(conn, first))
    await db.write(lambda conn: claim(conn, owner="two"))
    assert await db.write(lambda conn: claims.renew(conn, "one", [job_id], 10)) == []


async def test_the_leases_of_a_dead_process_end_at_once(db: Database) -> None:
    await db.write(insert)
    await db.write(lambda conn: claim(conn, owner="logo-generation.my_host.123.abcdef"))
    for host, pid, family in (
        ("my_host", 12, "abc"),
        ("my_host", 123, "def"),
        ("my-host", 123, "abc"),
        ("%", 123, "abc"),
    ):
        assert await db.write(lambda conn, who=(host, pid, family): claims.end_leases_on(conn, *who)) == 0
    assert await db.write(lambda conn: claims.end_leases_on(conn, "my_host", 123, "abc")) == 1
    assert len(await db.read(lambda conn: claims.expired(conn, stale_after={}))) == 1


async def test_a_job_at_twice_its_timeout_is_stale(db: Database) -> None:
    job_id = await db.write(insert)
    await db.write(lambda conn: claim(conn, lease=100))
    late = update(jobs).where(jobs.c.id == job_id).values(attempt_started_at=jobs.c.attempt_started_at - 300)
    await db.write(lambda conn: conn.execute(late))
    assert await db.read(lambda conn: claims.expired(conn, stale_after={"logo-generation": 400})) == []
    (row,) = await db.read(lambda conn: claims.expired(conn, stale_after={"logo-generation": 240}))
    assert row.id == job_id


async def test_what_a_running_job_writes_again_and_again_is_in_no_index(db: Database) -> None:
    """And pages have room: so a renewal, or word of progress, writes one row and no index."""
    if db.is_sqlite:
        indexes = await db.read(lambda conn: _answers(conn, "SELECT sql FROM sqlite_master WHERE tbl_name = 'jobs'"))
        indexes = [each for each in indexes if each.startswith("CREATE INDEX")]
    else:
        indexes = await db.read(lambda conn: _answers(conn, "SELECT indexdef FROM pg_indexes WHERE tablename = 'jobs'"))
        [options] = await db.read(
            lambda conn: _answers(conn, "SELECT reloptions::text FROM pg_class WHERE relname = 'jobs'")
        )
        assert "fillfactor=70" in options
    assert len(indexes) > 10
    often = ("lease_until", "attempt_started_at", "progress", "stage", "message", "last_seq", "cost_usd")
    assert [each for each in indexes for column in often if column in each] == []


def _answers(conn: Connection, question: str) -> list[str]:
    return [str(answer) for answer in conn.execute(text(question)).scalars()]
