"""Credits: reserved at submit, settled per delivered unit, the rest refunded. Each step is one conditional statement."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Integer, bindparam, func, insert, select, update

from bmn.db.accounts import audit_store
from bmn.db.prepared import Prepared
from bmn.db.records import LedgerRow
from bmn.db.tables import credit_ledger, generation_credits
from bmn.db.upsert import insert_once
from bmn.errors import InsufficientCredits, NotFound, UsageProblem


@dataclass(frozen=True, slots=True)
class CreditsRow:
    """remaining: can be spent. reserved: held by jobs that run. used: spent so far."""

    user_id: str
    remaining: int
    reserved: int
    used: int


def ensure_user(conn: Connection, user_id: str, email: str | None, start: int) -> bool:
    """Opens the account of a new user with its first credits; True if it was new."""
    row = {"user_id": user_id, "email": email, "credits_remaining": start}
    opened = (
        insert_once(conn, generation_credits)
        .values(row)
        .on_conflict_do_nothing()
        .returning(generation_credits.c.user_id)
    )
    if conn.execute(opened).first() is None:
        return False
    _note(conn, user_id, "start", start)
    return True


def find_user(conn: Connection, name: str) -> str:
    """The id of the user whom an id or a mail address names, in whatever case the address is written.

    Raises NotFound for an address that no account has, UsageProblem where several have it. An id is taken as it is.
    """
    if "@" not in name:
        return name
    table = generation_credits.c
    query = select(table.user_id).where(func.lower(table.email) == name.lower()).order_by(table.user_id).limit(3)
    found = list(conn.execute(query).scalars())
    if not found:
        raise NotFound(
            f"No user has the address {name}.", hint="Name them by their id; `bmn costs --by user` lists ids."
        )
    if len(found) > 1:
        raise UsageProblem(f"Several users have the address {name}.", hint=f"Name one by id: {', '.join(found)}.")
    return str(found[0])


_mine = generation_credits.c.user_id == bindparam("of_user")
_amount = bindparam("amount", type_=Integer)
_change = update(generation_credits).where(_mine).returning(*generation_credits.c)
# Built once: building a statement costs more than the database needs to run it.
_RESERVE = Prepared(
    _change.where(generation_credits.c.credits_remaining >= _amount).values(
        credits_remaining=generation_credits.c.credits_remaining - _amount,
        credits_reserved=generation_credits.c.credits_reserved + _amount,
    )
)
_SETTLE = Prepared(
    _change.values(
        credits_reserved=generation_credits.c.credits_reserved - _amount,
        credits_used=generation_credits.c.credits_used + _amount,
    )
)
_REFUND = Prepared(
    _change.values(
        credits_remaining=generation_credits.c.credits_remaining + _amount,
        credits_reserved=generation_credits.c.credits_reserved - _amount,
    )
)
_GIVE_BACK = Prepared(
    _change.values(
        credits_remaining=generation_credits.c.credits_remaining + _amount,
        credits_used=generation_credits.c.credits_used - _amount,
    )
)
_ENTRY = Prepared(insert(credit_ledger))


def _note(conn: Connection, user_id: str, kind: str, amount: int, **more: Any) -> None:
    _ENTRY.run(conn, {"user_id": user_id, "kind": kind, "amount": amount, **more})


def balance(conn: Connection, user_id: str) -> CreditsRow:
    """Raises NotFound for a user who was never seen."""
    table = generation_credits.c
    row = conn.execute(select(generation_credits).where(table.user_id == user_id)).first()
    if row is None:
        raise NotFound("This user has no credit account yet.", hint="It is opened at the first request.")
    return _balance(row)


def _balance(row: Any) -> CreditsRow:
    return CreditsRow(row.user_id, row.credits_remaining, row.credits_reserved, row.credits_used)


def hold_account(conn: Connection, user_id: str) -> None:
    """Until this transaction ends nobody else reserves anything for this user, so that what is counted now stays true."""
    table = generation_credits.c
    conn.execute(select(table.user_id).where(table.user_id == user_id).with_for_update())


def reserve(conn: Connection, user_id: str, amount: int) -> CreditsRow | None:
    """Takes credits off the balance for jobs of this transaction. Raises InsufficientCredits; None where nothing is due."""
    if amount == 0:
        return None
    table = generation_credits.c
    row = _RESERVE.first(conn, {"of_user": user_id, "amount": amount})
    if row is None:
        available = conn.execute(select(table.credits_remaining).where(table.user_id == user_id)).scalar()
        raise InsufficientCredits(amount, available or 0)
    return _balance(row)


def note_reservation(conn: Connection, user_id: str, job_id: str, amount: int) -> None:
    """Writes into the ledger what a job has set aside."""
    if amount:
        _note(conn, user_id, "reserve", -amount, job_id=job_id)


def settle(conn: Connection, user_id: str, job_id: str, unit: str, amount: int) -> CreditsRow | None:
    """Spends reserved credits for one delivered unit."""
    if amount == 0:
        return None
    row = _SETTLE.one(conn, {"of_user": user_id, "amount": amount})
    _note(conn, user_id, "settle", amount, job_id=job_id, unit=unit)
    return _balance(row)


def refund(conn: Connection, user_id: str, job_id: str, amount: int) -> CreditsRow | None:
    """Gives the rest of a reservation back when its job ends."""
    if amount == 0:
        return None
    row = _REFUND.one(conn, {"of_user": user_id, "amount": amount})
    _note(conn, user_id, "refund", amount, job_id=job_id)
    return _balance(row)


def refund_unit(conn: Connection, user_id: str, job_id: str, unit: str, amount: int) -> CreditsRow | None:
    """Gives back what was spent for a unit that was charged when it was ordered, and then could not be delivered."""
    if amount == 0:
        return None
    row = _GIVE_BACK.one(conn, {"of_user": user_id, "amount": amount})
    _note(conn, user_id, "refund", amount, job_id=job_id, unit=unit)
    return _balance(row)


def address_of(conn: Connection, user_id: str) -> str | None:
    """The mail address of a user's account, where it has one."""
    address: str | None = conn.execute(
        select(generation_credits.c.email).where(generation_credits.c.user_id == user_id)
    ).scalar()
    return address


def is_known(conn: Connection, user_id: str) -> bool:
    """Whether a user was ever seen."""
    query = select(generation_credits.c.user_id).where(generation_credits.c.user_id == user_id)
    return conn.execute(query).first() is not None


def grant(conn: Connection, user_id: str, amount: int, actor: str, reason: str | None) -> CreditsRow:
    """Adds credits, with a row in the ledger and one in the audit log. Raises NotFound for an unknown user."""
    before = balance(conn, user_id)
    table = generation_credits.c
    statement = update(generation_credits).where(table.user_id == user_id)
    statement = statement.values(credits_remaining=table.credits_remaining + amount)
    row = conn.execute(statement.returning(*generation_credits.c)).one()
    _note(conn, user_id, "grant", amount, unit=str(uuid4()), actor=actor, reason=reason)
    audit_store.note(
        conn,
        actor,
        "credits.grant",
        user_id,
        reason=reason,
        before={"remaining": before.remaining},
        after={"remaining": row.credits_remaining},
    )
    return _balance(row)


def ledger(conn: Connection, user_id: str, *, limit: int = 100, before: int | None = None) -> list[LedgerRow]:
    """A user's movements, newest first. before: only those with a smaller id."""
    query = select(credit_ledger).where(credit_ledger.c.user_id == user_id)
    if before is not None:
        query = query.where(credit_ledger.c.id < before)
    query = query.order_by(credit_ledger.c.id.desc()).limit(limit)
    return [LedgerRow.from_row(row) for row in conn.execute(query)]
