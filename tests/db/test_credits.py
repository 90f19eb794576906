"""Credits under a race: never below zero, never spent twice."""

import asyncio

from bmn.db.accounts import credit_store
from bmn.db.engine import Connection, Database
from bmn.errors import InsufficientCredits
from tests.kit.people import ANA
from tests.kit.rows import account


async def test_fifty_reservations_against_a_balance_for_two(db: Database) -> None:
    await db.write(lambda conn: account(conn, 8))
    other = Database(db.url)
    await other.start()
    outcomes = await asyncio.gather(
        *(source.write(lambda conn: credit_store.reserve(conn, ANA, 4)) for source in [db, other] * 25),
        return_exceptions=True,
    )
    await other.close()
    refused = [outcome for outcome in outcomes if isinstance(outcome, InsufficientCredits)]
    balance = await db.read(lambda conn: credit_store.balance(conn, ANA))
    assert len(refused) == 48
    assert {(error.required, error.available) for error in refused} == {(4, 0)}
    assert (balance.remaining, balance.reserved) == (0, 8)


async def test_an_account_is_opened_once(db: Database) -> None:
    opened = await asyncio.gather(
        *(db.write(lambda conn: credit_store.ensure_user(conn, ANA, None, 20)) for _ in range(20))
    )
    assert sorted(opened) == [False] * 19 + [True]
    assert (await db.read(lambda conn: credit_store.balance(conn, ANA))).remaining == 20


async def test_a_refund_races_a_settle_and_the_account_adds_up(db: Database) -> None:
    await db.write(lambda conn: account(conn, 100))

    def one(conn: Connection, number: int) -> None:
        job = f"job-{number}"
        credit_store.reserve(conn, ANA, 2)
        credit_store.note_reservation(conn, ANA, job, 2)
        credit_store.settle(conn, ANA, job, "logo-0", 1)
        credit_store.refund(conn, ANA, job, 1)

    await asyncio.gather(*(db.write(lambda conn, n=n: one(conn, n)) for n in range(40)))
    balance = await db.read(lambda conn: credit_store.balance(conn, ANA))
    assert (balance.remaining, balance.reserved, balance.used) == (60, 0, 40)
