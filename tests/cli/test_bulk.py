"""Bulk actions as operators see them: two hundred jobs of twenty users, a server that dies in the middle, two who ask."""

import json
import os
import re
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, func, select

from bmn.db import claims, dead_letters, transitions
from bmn.db.accounts import credit_store
from bmn.db.engine import make_engine
from bmn.db.library import brand_store
from bmn.db.records import LetterState
from bmn.db.tables import bulk_actions
from bmn.db.tables import jobs as job_table
from bmn.errors import Cause
from tests.kit import checker, warm
from tests.kit.processes import PATIENCE, wait_until
from tests.kit.rows import QUEUE, insert
from tests.kit.stack import Stack, User, start
from tests.kit.terminal import environment

pytestmark = pytest.mark.full

_USERS, _EACH = 20, 10
# The logos that are brought back wait: nobody here works on their queue, and no picture has to be drawn.
_SERVE = ("--queues", "crm-sync", "--port", "0")


def _payload(user_id: str, brand_id: str) -> dict[str, Any]:
    return {
        "userId": user_id,
        "brandId": brand_id,
        "brandName": "Acme",
        "logoStyle": "modern",
        "colorPalette": ["#112233"],
        "brandVision": "plain",
        "count": 1,
    }


def _fill(conn: Connection) -> None:
    """Failed jobs of users, each of whom has credits to bring them back; one has none, and one letter is given up."""
    users = [str(uuid4()) for _ in range(_USERS)]
    for user_id in users:
        credit_store.ensure_user(conn, user_id, f"{user_id[:8]}@example.org", 2 * _EACH)
        brand = brand_store.create(conn, user_id, {"name": "Acme"})
        for _ in range(_EACH):
            payload = _payload(user_id, brand.id)
            insert(conn, user_id=user_id, brand_id=brand.id, credits=1, unit_credits=1, payload=payload)
    for held in claims.claim(conn, QUEUE, _USERS * _EACH, "tests", 10):
        transitions.fail(conn, held, Cause.PROVIDER_TIMEOUT, "slow")
    later = {"delay": 86_400.0, "credits": 2 * _EACH, "unit_credits": 2 * _EACH}
    insert(conn, user_id=users[0], payload=_payload(users[0], str(uuid4())), **later)
    given_up = conn.execute(select(job_table.c.id).where(job_table.c.user_id == users[1]).limit(1)).scalar_one()
    dead_letters.take(conn, given_up, state=LetterState.PURGED, by="somebody")


def _on(home: Path, fn: Callable[[Connection], Any]) -> Any:
    engine = make_engine(f"sqlite:///{home / 'bmn.sqlite3'}", writer=True)
    with engine.begin() as conn:
        found = fn(conn)
    engine.dispose()
    return found


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    home = tmp_path / "home"
    home.mkdir()
    running = start(home, *_SERVE)
    yield running
    if running.process.poll() is None:
        running.stop()


@dataclass(frozen=True, slots=True)
class Typed:
    """One that runs, and where it writes."""

    process: warm.Forked
    out: Path
    err: Path


def _begin(person: User, folder: Path, *args: str) -> Typed:
    out, err = (folder / f"{person.user_id}.{name}" for name in ("out", "err"))
    with out.open("w") as first, err.open("w") as second, Path(os.devnull).open() as none:
        streams = (none.fileno(), first.fileno(), second.fileno())
        return Typed(warm.fork(args, environment(person.env), streams), out, err)


def test_each_job_is_brought_back_once_though_the_server_dies_and_two_people_ask(stack: Stack, tmp_path: Path) -> None:
    _on(stack.home, _fill)
    people = [User(stack, "admin"), User(stack, "admin")]
    command = ("jobs", "retry", "--everyone", "--state", "failed", "--rate", "20/s", "--yes")
    asking = [_begin(person, tmp_path, *command) for person in people]
    admin = people[0]

    def newest() -> dict[str, Any]:
        return dict(admin.json("bulk", "list", "--everyone")["bulk"][0])

    def done() -> int:
        """Asked of the rows: by the time that a command has told it, all may have been done."""
        return int(_on(stack.home, lambda conn: conn.execute(select(func.max(bulk_actions.c.done))).scalar_one() or 0))

    wait_until(lambda: any("joining" in asked.err.read_text() for asked in asking), what="the second one joins")
    wait_until(lambda: done() >= 40)
    stack.process.send_signal(signal.SIGKILL)
    stack.process.wait(PATIENCE)
    assert done() < _USERS * _EACH - _EACH - 1, "the server has died too late to show anything"
    again = start(stack.home, "--queues", "crm-sync", "--port", stack.api_url.rpartition(":")[2])
    try:
        codes = [asked.process.wait(PATIENCE) for asked in asking]
        said = [(asked.out.read_text(), asked.err.read_text()) for asked in asking]
        assert codes == [9, 9], said
        after = newest()
        _check(people, said, after)
        assert admin.json("bulk", "list", "--everyone")["bulk"] == [after]
        third = admin.bmn(*command)
        assert (third.code, len(re.findall("refused:", third.out))) == (5, _EACH + 1)
    finally:
        again.stop()
    url = f"sqlite:///{stack.home / 'bmn.sqlite3'}"
    assert checker.check(checker.read_books(url), served=[]).problems == []
    rows = _on(stack.home, lambda conn: conn.execute(select(job_table.c.parent_id)).scalars().all())
    brought_back = Counter(row for row in rows if row is not None)
    assert len(brought_back) == _USERS * _EACH - _EACH - 1
    assert set(brought_back.values()) == {1}


def _check(
    people: list[User],
    said: list[tuple[str, str]],
    after: dict[str, Any],
) -> None:
    total, refused = _USERS * _EACH, _EACH + 1
    assert (after["state"], after["total"], after["done"], after["refused"]) == (
        "done",
        total,
        total - refused,
        refused,
    )
    assert after["askedBy"] in {person.user_id for person in people}
    for out, err in said:
        assert (
            len(
                re.findall(r"^[0-9a-f]{8}  refused: Insufficient credits: it takes 1, and its user has 0\.$", out, re.M)
            )
            == _EACH
        )
        assert len(re.findall(r"refused: This dead letter was purged by somebody\.", out)) == 1
        assert f"{total - refused} jobs retried, {refused} refused" in err
    assert sum("joining" in err for _, err in said) == 1


def test_one_begun_beside_is_found_paused_resumed_and_aborted(stack: Stack) -> None:
    _on(stack.home, _fill)
    admin = User(stack, "admin")
    begun = admin.bmn("jobs", "dlq", "replay", "--all", "--rate", "1/h", "--yes", "--detach")
    assert begun.code == 0
    assert begun.err.rstrip().endswith("--everyone")
    bulk_id = begun.out.strip()
    paused = admin.bmn("bulk", "pause", "last", "--everyone", "--reason", "weak")
    assert "paused" in paused.out
    assert admin.json("bulk", "resume", bulk_id[5:11], "--everyone")["state"] == "running"
    assert admin.bmn("bulk", "list").out == ""
    assert admin.bmn("bulk", "abort", bulk_id, "--everyone").code == 0
    watched = admin.bmn("bulk", "watch", "last", "--everyone")
    assert (watched.code, "not started: it was aborted" in watched.err) == (8, True)
    assert admin.bmn("bulk", "watch", "ffff", "--everyone").code == 3
    purged = admin.json("jobs", "dlq", "purge", "--all", "--yes")
    assert purged["count"] >= _USERS * _EACH - 3
    assert json.loads(admin.bmn("jobs", "dlq", "list", "--json").out)["deadLetters"] == []


def test_of_several_named_jobs_one_that_is_refused_holds_up_no_other(stack: Stack) -> None:
    _on(stack.home, _fill)
    ids = _on(stack.home, lambda conn: conn.execute(select(job_table.c.id, job_table.c.user_id).limit(_EACH + 3)).all())
    rich = [row.id for row in ids if row.user_id != ids[0].user_id][:2]
    done = User(stack, "admin").bmn("jobs", "retry", ids[0].id, *rich)
    assert done.code == 9
    assert len(re.findall("refused: ", done.out)) >= 1
    assert len(re.findall("Started again as", done.out)) >= 1
