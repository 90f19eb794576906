"""`bmn credits`: what is left, where it went, and more of it."""

from dataclasses import dataclass
from typing import Annotated

import typer

from bmn.cli.base import examples, group, run
from bmn.cli.lookup.server_lookup import open_client
from bmn.cli.terminal.cells import Column
from bmn.cli.terminal.console import console
from bmn.cli.terminal.params import Reason
from bmn.cli.terminal.record_format import short_id
from bmn.cli.terminal.timespan import listed
from bmn.schemas.documents import Credits, Granted, LedgerEntry

_UUID = 36
"""How many characters of a job's id follow the queue's name and a dash."""


_PAGE = 200
_MOVEMENTS = 100


def _alone(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        _show(_MOVEMENTS)


app = group(
    "What generating costs you; a logo is 1 credit.",
    "bmn credits show",
    'bmn credits grant 50 --reason "thanks"',
    alone=_alone,
)


@app.command(cls=examples("bmn credits show", "bmn credits show --limit 5000 --json"))
def show(
    limit: Annotated[
        int, typer.Option(min=1, max=100_000, metavar="N", help="How many movements at most, newest first.")
    ] = _MOVEMENTS,
) -> None:
    """The balance, and where credits went: a line a job. With --json a movement each."""
    _show(limit)


def _show(limit: int) -> None:
    balance = run(_read(limit))
    if console.json:
        console.document(balance)
    else:
        _print(balance)
    if balance.next_cursor:
        console.hint(f"These are the newest {limit:,} movements; --limit shows more.")
    if not console.json:
        console.next_step("bmn credits grant 50" if balance.credits_remaining < 4 else "bmn costs")


async def _read(limit: int) -> Credits:
    """The balance with so many movements, asked for page by page."""
    async with open_client() as client:
        found = await client.credits(limit=min(limit, _PAGE))
        ledger, cursor = list(found.ledger), found.next_cursor
        while cursor and len(ledger) < limit:
            page = await client.credits(limit=min(limit - len(ledger), _PAGE), cursor=cursor)
            ledger += page.ledger
            cursor = page.next_cursor
    return found.model_copy(update={"ledger": ledger, "next_cursor": cursor})


def _print(balance: Credits) -> None:
    console.answer(
        f"{balance.credits_remaining} credits left, {balance.credits_used} used, "
        f"{balance.credits_reserved} reserved for running jobs"
    )
    human = console.width is not None
    rows = [
        (
            listed(line.at),
            line.what,
            f"{line.amount:+d}" if line.amount else "0",
            (short_id(line.job_id) if human else line.job_id) if line.job_id else "",
            line.reason,
        )
        for line in _lines(balance.ledger)
    ]
    if rows:
        columns = (
            Column("WHEN"),
            Column("WHAT"),
            Column("CREDITS", right=True),
            Column("JOB"),
            Column("REASON", flexible=True, drop=1),
        )
        console.answer()
        console.table(columns, rows)


@dataclass(frozen=True, slots=True)
class _LedgerLine:
    """One job, or one movement without a job. amount: what it changed in all. at: its newest movement."""

    at: str
    what: str
    amount: int
    job_id: str | None
    reason: str


def _lines(ledger: list[LedgerEntry]) -> list[_LedgerLine]:
    """Newest first, as the ledger is; a job stands where its newest movement does."""
    of_jobs: dict[str, list[LedgerEntry]] = {}
    for entry in ledger:
        if entry.job_id:
            of_jobs.setdefault(entry.job_id, []).append(entry)
    lines = []
    for entry in ledger:
        if not entry.job_id:
            lines.append(_LedgerLine(entry.at, entry.kind, entry.amount, None, entry.reason or ""))
        elif found := of_jobs.pop(entry.job_id, None):
            lines.append(_of_job(entry.job_id, found))
    return lines


def _of_job(job_id: str, entries: list[LedgerEntry]) -> _LedgerLine:
    """A settlement spends what was reserved before, and moves nothing; the page may end between the two."""
    charged = _sum(entries, "settle")
    back = _sum(entries, "refund")
    reserved = max(-_sum(entries, "reserve"), charged + back)
    held = reserved - charged - back
    parts = [(reserved, "reserved"), (charged, "charged"), (back, "back"), (held, "held while it runs")]
    reason = ", ".join(f"{amount} {word}" for amount, word in parts if amount)
    return _LedgerLine(entries[0].at, job_id[: -len("-") - _UUID], back - reserved, job_id, reason)


def _sum(entries: list[LedgerEntry], kind: str) -> int:
    return sum(entry.amount for entry in entries if entry.kind == kind)


@app.command(cls=examples("bmn credits grant 50", "bmn credits grant 50 --user 6f1c… --reason refund"))
def grant(
    amount: Annotated[int, typer.Argument(min=1, max=100_000)],
    user: Annotated[str | None, typer.Option(metavar="ID", help="Whose; yours by default.")] = None,
    reason: Reason = None,
) -> None:
    """Gives credits; admins only."""

    async def act() -> Granted:
        async with open_client(role="admin") as client:
            return await client.grant(amount, user_id=user, reason=reason)

    answer = run(act())
    if console.json:
        console.document(answer)
    else:
        console.answer(f"{amount} credits given; {answer.credits_remaining} left")
    console.next_step("bmn credits show")
