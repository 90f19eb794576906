"""How PostgreSQL answers the product's own questions as the tables grow: `python -m bench.plans --ended 10000 100000`.

Each question is asked through the function that the product asks it with; every statement that it sends is sent once
more with EXPLAIN (ANALYZE, BUFFERS). Buffers do not depend on how busy the machine is; milliseconds do.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event, text

from bench.questions import QUESTIONS
from bench.rows import Size, fill
from bmn.db.engine import make_engine
from bmn.db.migrations import migrate
from bmn.db.sums import activity, spending
from tests.kit.postgres import running_postgres


@dataclass(frozen=True, slots=True)
class Cost:
    """What one question costs the database. buffers: pages of 8 KB that were looked at."""

    ms: float
    buffers: int


def cost_of(conn: Connection, question: Callable[[Connection], object]) -> Cost:
    """Asks once to learn the statements, then explains each; whatever they changed is taken back."""
    with conn.begin_nested() as undone:
        sent = _statements(conn, question)
        undone.rollback()
    plans = []
    for statement, parameters in sent:
        with conn.begin_nested() as undone:
            explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}"
            [found] = conn.exec_driver_sql(explain, parameters).scalar_one()
            plans.append(found)
            undone.rollback()
    buffers = sum(plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"] for plan in plans)
    return Cost(sum(plan["Execution Time"] for plan in plans), buffers)


def _statements(conn: Connection, question: Callable[[Connection], object]) -> list[tuple[str, Any]]:
    sent: list[tuple[str, Any]] = []

    def note(_conn: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")):
            sent.append((statement, parameters))

    event.listen(conn, "before_cursor_execute", note)
    try:
        question(conn)
    finally:
        event.remove(conn, "before_cursor_execute", note)
    return sent


@contextmanager
def filled(
    server: str, name: str, size: Size, vary: Callable[[Connection], None] = lambda _: None
) -> Iterator[Connection]:
    """A database of this size on a running server. vary: changes what was written, before it is added up."""
    admin = make_engine(f"{server}/postgres", writer=True)
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    url = f"{server}/{name}"
    migrate(url)
    engine = make_engine(url, writer=True)
    try:
        with engine.begin() as conn:
            fill(conn, size)
            vary(conn)
        for roll_up in (activity.roll_up, spending.roll_up):
            while _done(engine, roll_up):
                pass
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.execute(text("VACUUM ANALYZE"))
        with engine.begin() as conn:
            yield conn
    finally:
        engine.dispose()


def _done(engine: Engine, work: Callable[[Connection], bool]) -> bool:
    with engine.begin() as conn:
        return work(conn)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ended", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--waiting", type=int, default=2000)
    parser.add_argument("--markdown", action="store_true", help="as a table of docs/performance.md")
    options = parser.parse_args()
    table: dict[str, list[Cost]] = {name: [] for name in QUESTIONS}
    with tempfile.TemporaryDirectory() as folder, running_postgres(Path(folder)) as server:
        for ended in options.ended:
            with filled(server, f"grown{ended}", Size(ended, options.waiting, 2000)) as conn:
                for name, question in QUESTIONS.items():
                    table[name].append(cost_of(conn, question))
    print("\n".join(_markdown(table, options.ended) if options.markdown else _lines(table, options.ended)))


def _lines(table: dict[str, list[Cost]], sizes: list[int]) -> Iterator[str]:
    yield f"{'question':34} " + " ".join(f"{ended:>22,}" for ended in sizes)
    for name, costs in table.items():
        yield f"{name:34} " + " ".join(f"{cost.ms:9.1f} ms {cost.buffers:7} b" for cost in costs)


def _markdown(table: dict[str, list[Cost]], sizes: list[int]) -> Iterator[str]:
    yield f"| question | ms at {' / '.join(f'{ended:,}' for ended in sizes)} | buffers |"
    yield "| --- | --- | --- |"
    for name, costs in table.items():
        times, pages = (" / ".join(parts) for parts in (map(_ms, costs), (f"{cost.buffers:,}" for cost in costs)))
        yield f"| {name} | {times} | {pages} |"


def _ms(cost: Cost) -> str:
    return f"{cost.ms:.1f}" if cost.ms < 10 else f"{cost.ms:.0f}"


if __name__ == "__main__":
    main()
