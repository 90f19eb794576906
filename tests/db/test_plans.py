"""No question of the product costs more as the tables grow: PostgreSQL's own count of the pages it looked at."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection

from bench.plans import Cost, cost_of, filled
from bench.questions import QUESTIONS
from bench.rows import Size
from tests.kit.parts import divide_long_ago
from tests.kit.postgres import running_postgres

pytestmark = pytest.mark.full

_FEW, _MANY = 4_000, 40_000
_ROOM = 40  # pages: another level of an index, a page that another row lies on
_SHARE = 1.5  # of what it was

# What reads a bounded number of rows that so few jobs do not reach; every user has forty jobs, however many there are.
_BOUNDED = {
    "everybody's text, none found": "reads the text of 5,000 jobs at most",
    "everybody's text, many found": "reads the text of 5,000 jobs at most",
    "everybody's newest": "counts to 10,000",
    "everybody's dear": "reads the newest 20,000",
    "everybody's failed, by cause": "counts the newest 10,000",
    "everybody's by user": "counts the newest 10,000",
    "everybody's by hour": "counts the newest 10,000",
    "dead letters": "counts to 10,000",
    "a retry of all failed, estimated": "reads a thousand of more than a thousand",
    "a replay of all dead, estimated": "reads a thousand of more than a thousand",
    "spent in an hour": "reads the calls of an hour",
    "an hour by the minute": "reads a row a minute, queue and way to end",
    "a week by the hour": "reads a row an hour, queue and way to end",
    "calls of forty jobs": "forty look-ups, each of which may go a level deeper and to a page of its own",
    "pictures of forty jobs": "forty look-ups, each of which may go a level deeper and to a page of its own",
    "states of forty jobs": "forty look-ups, each of which may go a level deeper and to a page of its own",
}


def _costs(server: str, ended: int, vary: Callable[[Connection], None] = lambda _: None) -> dict[str, Cost]:
    with filled(server, f"grown{ended}_{len(vary.__name__)}", Size(ended, 500, ended // 40), vary) as conn:
        return {name: cost_of(conn, question) for name, question in QUESTIONS.items()}


def _grown(few: dict[str, Cost], many: dict[str, Cost]) -> dict[str, tuple[int, int]]:
    return {
        name: (few[name].buffers, many[name].buffers)
        for name in QUESTIONS
        if many[name].buffers > few[name].buffers * _SHARE + _ROOM
    }


def test_ten_times_the_jobs_are_the_same_pages(tmp_path: Path) -> None:
    with running_postgres(tmp_path) as server:
        few, many = _costs(server, _FEW), _costs(server, _MANY)
    assert not set(_grown(few, many)) - set(_BOUNDED)


def test_years_of_months_are_the_same_pages(tmp_path: Path) -> None:
    """Beside a table that was divided just now, and has everything in its first part."""
    with running_postgres(tmp_path) as server:
        one, many = _costs(server, _FEW), _costs(server, _FEW, divide_long_ago)
    assert not _grown(one, many)
