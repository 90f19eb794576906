"""Which updates PostgreSQL makes in place: `python -m bench.hot`.

An update that changes no indexed column, on a page that has room, writes a row and nothing else (HOT); any other one writes
every index of its table. Counted by `pg_stat_user_tables`: first leases that are renewed among many ended and waiting jobs,
then everything that whole jobs do on a running stack.
"""

import argparse
import asyncio
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from bench.http import Connection as HttpConnection
from bench.http import request
from bench.plans import filled
from bench.rows import Size
from bench.stack import BenchServer, running_stack
from bmn.db import claims
from bmn.db.engine import make_engine
from tests.kit.postgres import running_postgres

_RUNNING, _ROUNDS = 200, 10
_COUNTED = "SELECT relname, n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE n_tup_upd > 0 ORDER BY 2 DESC"


def _said(conn: Connection) -> Iterator[str]:
    """By table: how many updates, and how many of them in place."""
    conn.execute(text("SELECT pg_stat_clear_snapshot()"))
    for table, made, in_place in conn.execute(text(_COUNTED)):
        yield f"  {table:24} {made:>8} updates {in_place:>8} in place {in_place / made:>5.0%}"


def _forget(engine: Engine) -> None:
    with engine.begin() as conn:
        conn.execute(text("SELECT pg_stat_reset()"))


def _renewals(server: str, size: Size) -> None:
    """Claims jobs, and renews their leases again and again, each time in a transaction of its own."""
    with filled(server, "hot", size) as conn:
        engine = conn.engine
        _forget(engine)
        with engine.begin() as each:
            taken = claims.claim(each, "logo-generation", _RUNNING, "worker", 10.0)
        print(f"{len(taken)} claims, {size.ended:,} jobs ended, {size.waiting:,} waiting:", *_settled(engine), sep="\n")
        _forget(engine)
        for _ in range(_ROUNDS):
            with engine.begin() as each:
                claims.renew(each, "worker", [job.id for job in taken], 10.0)
        print(f"their leases, renewed {_ROUNDS} times:", *_settled(engine), sep="\n")


def _settled(engine: Engine) -> list[str]:
    """The figures on a new connection, once the old ones have handed theirs in."""
    engine.dispose()
    with engine.begin() as conn:
        return list(_said(conn))


async def _jobs(stack: BenchServer, engine: Engine, number: int) -> None:
    connection = await HttpConnection.open(stack.url)
    _, body = await connection.ask(request("POST", "/api/v1/brands", token=stack.token, body=b'{"name":"Bench"}'))
    post = json.dumps({"brandId": json.loads(body)["id"], "count": 4}).encode()
    for _ in range(number):
        status, body = await connection.ask(request("POST", "/api/v1/generation/logos", token=stack.token, body=post))
        assert status == 202, body
    connection.close()
    unfinished = "SELECT count(*) FROM jobs WHERE completed_at IS NULL AND queue IN ('logo-generation', 'image-upload')"
    while _asked(engine, unfinished):  # noqa: ASYNC110
        await asyncio.sleep(0.2)


def _asked(engine: Engine, question: str) -> int:
    with engine.begin() as conn:
        return int(conn.execute(text(question)).scalar_one())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ended", type=int, default=100_000)
    parser.add_argument("--waiting", type=int, default=20_000)
    parser.add_argument("--jobs", type=int, default=100, help="of four pictures each")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_postgres(Path(folder)) as server:
        _renewals(server, Size(options.ended, options.waiting, 2000))
        engine = make_engine(f"{server}/hot", writer=True)
        _forget(engine)
        database = f"{server}/hot".replace("+psycopg", "")
        served = ("--queues", "logo-generation,image-upload", "--sandbox-speed", "1")
        with engine.begin() as conn:
            conn.execute(
                text("UPDATE jobs SET completed_at = created_at, state = 'cancelled' WHERE completed_at IS NULL")
            )
        engine.dispose()
        with running_stack(*served, DATABASE_URL=database) as stack:
            _forget(engine)
            asyncio.run(_jobs(stack, engine, options.jobs))
        print(f"{options.jobs} jobs of four pictures, from order to end:", *_settled(engine), sep="\n")
        engine.dispose()


if __name__ == "__main__":
    main()
