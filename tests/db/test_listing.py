"""Lists cost what they show: totals are counted so far, words are looked for page by page, ids begin as they are."""

import pytest
from sqlalchemy import Connection, delete, update

from bench.rows import Size, fill
from bmn.db import dead_letters
from bmn.db.dead_letters import DeadFilter
from bmn.db.engine import Database
from bmn.db.lists import groups, listing
from bmn.db.lists.listing import JobFilter, Listed
from bmn.db.tables import jobs, metadata

_SIZE = Size(ended=90, waiting=10, users=3)


async def _pages(db: Database, chosen: JobFilter, limit: int = 7) -> list[Listed]:
    found: list[Listed] = []
    cursor = None
    while True:
        page = await db.read(lambda conn, at=cursor: listing.list_jobs(conn, chosen, limit=limit, cursor=at))  # type: ignore[misc]
        found.append(page)
        cursor = page.cursor
        if cursor is None:
            return found


async def test_every_job_stands_on_one_page(db: Database) -> None:
    await db.write(lambda conn: fill(conn, _SIZE))
    found = [job.id for page in await _pages(db, JobFilter()) for job in page.jobs]
    assert len(found) == len(set(found)) == 100


async def test_a_total_is_counted_so_far_and_says_that_there_are_more(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await db.write(lambda conn: fill(conn, _SIZE))
    monkeypatch.setattr(listing, "COUNTED", 50)
    page = await db.read(lambda conn: listing.list_jobs(conn, JobFilter()))
    assert (page.total, page.is_exact) == (50, False)
    few = await db.read(lambda conn: listing.list_jobs(conn, JobFilter(states=("failed",))))
    assert few.is_exact and few.total == len(few.jobs) == 4
    monkeypatch.setattr(dead_letters, "COUNTED", 0)
    letters = Size(ended=1900, waiting=0, users=3)
    assert (
        await db.write(lambda conn: (_emptied(conn), fill(conn, letters), dead_letters.count(conn, DeadFilter()))[-1])
        == 1
    )


def _emptied(conn: Connection) -> None:
    for table in reversed(metadata.sorted_tables):
        conn.execute(delete(table))


async def test_groups_count_a_bounded_number_of_jobs_and_say_since_when(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await db.write(lambda conn: fill(conn, _SIZE))
    whole = await db.read(lambda conn: groups.group_jobs(conn, JobFilter(), "user"))
    assert (sum(group.jobs for group in whole.groups), whole.searched_to) == (100, None)
    monkeypatch.setattr(groups, "COUNTED", 15)
    part = await db.read(lambda conn: groups.group_jobs(conn, JobFilter(), "user"))
    assert sum(group.jobs for group in part.groups) == 15
    assert part.searched_to == await db.read(
        lambda conn: listing.list_jobs(conn, JobFilter(), limit=15).jobs[-1].created_at
    )


async def test_words_are_found_wherever_they_stand_although_a_page_reads_a_part(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await db.write(lambda conn: fill(conn, _SIZE))
    monkeypatch.setattr(listing, "_LOOKED_AT", 15)
    marked = update(jobs).where(jobs.c.state == "failed").values(error="The KILN was cold, 100%_sure.")
    await db.write(lambda conn: conn.execute(marked).rowcount)
    for words in ("the kiln", "100%_sure"):
        pages = await _pages(db, JobFilter(text=words), limit=2)
        assert [job.state for page in pages for job in page.jobs] == ["failed"] * 4
        assert not pages[0].is_exact and pages[-1].searched_to is None
        assert any(page.searched_to and not page.jobs for page in pages), "an empty page goes on"
    assert not any(page.jobs for page in await _pages(db, JobFilter(text="100%sure")))


@pytest.mark.parametrize("sign", ["_", "%", "\\", "'"])
async def test_an_id_begins_with_the_characters_that_were_given(db: Database, sign: str) -> None:
    await db.write(lambda conn: fill(conn, _SIZE))
    [first] = (await db.read(lambda conn: listing.list_jobs(conn, JobFilter(), limit=1))).jobs
    found = await db.read(lambda conn: listing.list_jobs(conn, JobFilter(id_prefixes=("none-", first.id[:-1]))))
    assert [job.id for job in found.jobs] == [first.id]
    assert not (await db.read(lambda conn: listing.list_jobs(conn, JobFilter(id_prefixes=(sign,))))).jobs
