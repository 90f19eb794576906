"""`bmn db archive` and `bmn db restore`, on rows of a home of one's own."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import update

from bench.rows import Size, fill
from bmn.db.engine import make_engine
from bmn.db.migrations import migrate
from bmn.db.tables import activity_mark, dead_letters, jobs
from tests.kit.terminal import check_snapshot, forked, seen_at

_DAY = 86_400.0
_DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b")


@pytest.fixture
def env(home: Path) -> dict[str, str]:
    """A home with thirty jobs that ended two months ago, and three that wait."""
    address = f"sqlite:///{home / 'bmn.sqlite3'}"
    migrate(address)
    engine = make_engine(address, writer=True)
    with engine.begin() as conn:
        fill(conn, Size(ended=30, waiting=3, users=2, span=_DAY))
        conn.execute(update(jobs).values(completed_at=jobs.c.completed_at - 60 * _DAY))
        conn.execute(update(dead_letters).values(state="purged"))
        conn.execute(activity_mark.insert().values(id=1, upto=4e9))
    engine.dispose()
    return {"BMN_HOME": str(home), "BMN_ARCHIVE_DAYS": "400"}


def _jobs_in(path: Path) -> dict[str, str]:
    """Ids of ended jobs with their users."""
    with closing(sqlite3.connect(path)) as database:
        return dict(database.execute("SELECT id, user_id FROM jobs WHERE completed_at IS NOT NULL"))


def test_the_archive_is_filled_listed_and_read_again(env: dict[str, str], home: Path, tmp_path: Path) -> None:
    rows = home / "bmn.sqlite3"
    before = _jobs_in(rows)
    looked = json.loads(forked("db", "archive", "--dry-run", "--json", env=env).out)
    assert {book["book"]: (book["files"], book["due"]) for book in looked["books"]}["jobs"] == (0, 30)
    assert _jobs_in(rows) == before
    done = forked("db", "archive", env=env)
    assert (done.code, "archived and deleted: 30 of jobs" in done.out) == (0, True), done.err
    assert _jobs_in(rows) == {}

    other = tmp_path / "old.sqlite3"
    whole = forked("db", "restore", "--since", "90d", "--into", str(other), env=env)
    assert (whole.code, "restored 30 of jobs" in whole.out) == (0, True), whole.err
    assert _jobs_in(other) == before
    assert _jobs_in(rows) == {}

    job = min(before)
    one = json.loads(forked("db", "restore", job, "--json", env=env).out)
    assert (one["found"], one["restored"]) == (1, {"jobs": 1})
    assert list(_jobs_in(rows)) == [job]
    assert "Nothing was due" in forked("db", "archive", env=env).out  # it is held for a week
    assert "They were all there" in forked("db", "restore", job, env=env).out


def test_a_user_is_forgotten(env: dict[str, str], home: Path) -> None:
    before = _jobs_in(home / "bmn.sqlite3")
    assert forked("db", "archive", env=env).code == 0
    asked = forked("db", "archive", "--forget", "user-1", env=env)
    assert asked.code == 2
    theirs = sum(user == "user-1" for user in before.values())
    report = json.loads(forked("db", "archive", "--forget", "user-1", "--yes", "--json", env=env).out)
    assert report["forgotten"] == theirs > 0
    forked("db", "restore", "--since", "90d", env=env)
    assert set(_jobs_in(home / "bmn.sqlite3").values()) == {"user-2"}


def test_what_cannot_be_done_is_refused_in_words(env: dict[str, str]) -> None:
    off = forked("db", "archive", env={**env, "BMN_ARCHIVE_DAYS": "0"})
    assert (off.code, "BMN_ARCHIVE_DAYS" in off.err) == (2, True)
    assert forked("db", "restore", env=env).code == 2
    assert forked("db", "archive", "--forget", "user-1", "--dry-run", env=env).code == 2
    unknown = forked("db", "restore", "logo-generation-none", env=env)
    assert (unknown.code, "no such rows" in unknown.err) == (3, True)


def test_a_damaged_file_is_named(env: dict[str, str], home: Path) -> None:
    assert forked("db", "archive", env=env).code == 0
    [file] = (home / "archive").rglob("*.zst")
    file.write_bytes(b"torn")
    done = forked("db", "restore", "--since", "90d", env=env)
    assert done.code != 0
    assert file.name in done.err


def test_an_archive_that_anybody_could_read_is_refused_before_anything_starts(env: dict[str, str]) -> None:
    store = {"STORAGE_BACKEND": "s3", "S3_ENDPOINT": "http://127.0.0.1:9", "S3_ACCESS_KEY_ID": "i"}
    public = {**env, **store, "S3_SECRET_ACCESS_KEY": "s", "PUBLIC_BASE_URL": "https://assets.example.org"}
    done = forked("serve", "--no-workers", env=public)
    assert (done.code, "BMN_ARCHIVE_BUCKET" in done.err) == (2, True), done.err
    found = {check["name"]: check for check in json.loads(forked("doctor", "--json", env=public).out)["checks"]}
    assert (found["Archive"]["state"], "BMN_ARCHIVE_BUCKET" in found["Archive"]["remedy"]) == ("failed", True)


def test_doctor_writes_to_the_archive_and_reads_it(env: dict[str, str], home: Path) -> None:
    checks = json.loads(forked("doctor", "--json", env=env).out)["checks"]
    assert [check["state"] for check in checks if check["name"] == "Archive"] == ["ok"]
    assert list((home / "archive").rglob("*.zst")) == []


@pytest.mark.full
@pytest.mark.parametrize("place", ["80", "140", "pipe"])
def test_screens_of_the_archive(env: dict[str, str], place: str) -> None:
    """Filled, and read again."""
    for name, command in (("archive", ("archive",)), ("restore", ("restore", "--since", "90d"))):
        if place == "pipe":
            done = forked("db", *command, env=env)
            code, text = done.code, f"{done.out}--- stderr\n{done.err}"
        else:
            code, text = seen_at(int(place), "db", *command, env=env, fork=True)
        shown = f"$ bmn db {' '.join(command)}  [exit {code}]\n{_DATE.sub('<day>', text)}"
        check_snapshot(f"db-{name}-good-{place}", shown)
