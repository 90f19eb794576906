"""Money that stops: at a share of a budget there is a warning, at its end a queue pauses and a user is refused, in words.

Both go on by themselves: the windows slide, an hour for a queue and a day for a user.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bmn.db.accounts import credit_store
from bmn.db.engine import Connection
from bmn.db.health import clock
from bmn.db.operators import queue_store
from bmn.db.operators.alert_store import Trouble
from bmn.db.records import NewJob
from bmn.db.sums import budget_sums
from bmn.errors import BudgetReached
from bmn.jobs.core import Core
from bmn.logs import get_logger
from bmn.settings.budget_setting import USER, Budget

log = get_logger(__name__)

BUDGET = "budget"
"""The kind of the alerts, and who pauses a queue: nobody else ends such a pause by itself."""

_WARN_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class _Use:
    """Of one user's budget of a day. taken: spent, or under way. wanted: by what is about to be submitted."""

    budget: Budget
    taken: float
    spent: float
    wanted: float
    frees_at: float | None

    @property
    def is_over(self) -> bool:
        """What costs no dollars that are known of is refused when they are spent, too."""
        if self.budget.unit == "usd" and self.taken >= self.budget.amount:
            return True
        return self.wanted > 0 and self.taken + self.wanted > self.budget.amount


def admit(conn: Connection, core: Core, user_id: str, planned: Sequence[NewJob]) -> None:
    """Lets a user's jobs into their budget of a day. One transaction of a user after the other, whichever process has it.

    Raises BudgetReached, with when it goes on.
    """
    if not any(budget.of == USER for budget in core.settings.bmn_budgets):
        return
    credit_store.hold_account(conn, user_id)
    check(conn, core, user_id, *_wanted(planned))


def check(conn: Connection, core: Core, user_id: str, charge: int, usd: float) -> None:
    """Whether a user's budget of a day has room for this, as far as is known now. charge: credits. usd: at the providers.

    Raises BudgetReached, with when it goes on.
    """
    for use in _uses(conn, core, user_id, charge, usd):
        if use.is_over:
            raise _refusal(use, use.frees_at or clock.now(conn))


def nearly_spent(conn: Connection, core: Core, user_id: str, planned: Sequence[NewJob]) -> str | None:
    """What a user is told whose jobs come near their budget of a day; None far from it."""
    said = []
    for use in _uses(conn, core, user_id, *_wanted(planned)):
        if (reached := use.taken + use.wanted) >= _WARN_SHARE * use.budget.amount:
            said.append(f"{_figure(reached, use.budget)} of today's budget of {use.budget.text} are spent.")
    return " ".join(said) or None


@dataclass(frozen=True, slots=True)
class Outlay:
    """What is about to be set aside for a user, and what providers are expected to charge for it."""

    credits: int = 0
    usd: float = 0.0


def passed_by(conn: Connection, core: Core, wanted: Mapping[str, Outlay]) -> int:
    """How many users an operator's act takes past their budget of a day. It is not refused for that, and counts in it."""
    over: set[str] = set()
    for budget in (each for each in core.settings.bmn_budgets if each.of == USER):
        taken = budget_sums.of_users(conn, wanted.keys(), budget.unit)
        for user_id, more in wanted.items():
            amount = more.usd if budget.unit == "usd" else more.credits
            if amount > 0 and taken.get(user_id, 0.0) + amount > budget.amount:
                over.add(user_id)
    return len(over)


def _wanted(planned: Sequence[NewJob]) -> tuple[int, float]:
    return sum(job.credits for job in planned), sum(job.usd for job in planned)


def _uses(conn: Connection, core: Core, user_id: str, charge: int, usd: float) -> Iterable[_Use]:
    for budget in (each for each in core.settings.bmn_budgets if each.of == USER):
        spent = budget_sums.of_user(conn, user_id, budget.unit)
        taken, wanted = spent.amount, float(charge)  # of credits jobs under way are in it
        if budget.unit == "usd":
            taken += budget_sums.under_way(conn, user_id)
            wanted = usd
        yield _Use(budget, taken, spent.amount, wanted, spent.frees_at)


def _refusal(use: _Use, frees_at: float) -> BudgetReached:
    going = f", {_figure(use.taken - use.spent, use.budget)} are under way" if use.taken > use.spent else ""
    needs = f", and this needs {_figure(use.wanted, use.budget)}" if use.wanted else ""
    moment = f"{datetime.fromtimestamp(frees_at, UTC):%Y-%m-%d %H:%M} UTC"
    return BudgetReached(
        f"The budget of a day is {use.budget.text}; {_figure(use.spent, use.budget)} are spent{going}{needs}.",
        hint=f"It frees again from {moment} on. Nothing was stored or charged.",
        frees_at=math.ceil(frees_at),
    )


async def watch(core: Core) -> None:
    """Pauses queues that have spent their hour's budget, and resumes those that lie below it again."""
    if not await core.db.read(lambda conn: bool(core.settings.bmn_budgets) or bool(_paused_by_budget(conn))):
        return
    changed = await core.db.read(lambda conn: _due(conn, core.settings.bmn_budgets))
    for queue, reason in changed:
        await core.db.write(lambda conn, q=queue, why=reason: _apply(conn, q, why))  # type: ignore[misc]
        log.warning("budget", queue=queue, reason=reason or "below it again: takes jobs")


def warnings(conn: Connection, budgets: Iterable[Budget]) -> Iterable[Trouble]:
    """Queues near the end of their budget, or beyond it."""
    for budget in (each for each in budgets if each.of != USER):
        spent = budget_sums.of_queue(conn, budget.of, budget.unit).amount
        if spent >= _WARN_SHARE * budget.amount:
            over = spent >= budget.amount
            told = "it is paused until the hour lets it go on" if over else "at its end the queue pauses"
            message = f"{budget.of} has spent {_figure(spent, budget)} of its {budget.text} an hour; {told}."
            yield Trouble(BUDGET, budget.of, message, "error" if over else "warn", "reached" if over else "near")


def _due(conn: Connection, budgets: Iterable[Budget]) -> list[tuple[str, str | None]]:
    """Which queues are to be paused, and why; without a reason: to be resumed."""
    over = {budget.of: reason for budget in budgets if budget.of != USER and (reason := _reason(conn, budget))}
    paused = _paused_by_budget(conn)
    standing = {name for name, each in queue_store.settings(conn).items() if each.paused}
    stop = [(queue, reason) for queue, reason in over.items() if queue not in standing]
    return [*stop, *((queue, None) for queue in sorted(paused - over.keys()))]


def _reason(conn: Connection, budget: Budget) -> str | None:
    spent = budget_sums.of_queue(conn, budget.of, budget.unit)
    if spent.amount < budget.amount:
        return None
    until = f" It goes on by itself from {_clock(spent.frees_at)} UTC on." if spent.frees_at else ""
    return f"Budget reached: {_figure(spent.amount, budget)} of {budget.text} within an hour.{until}"


def _paused_by_budget(conn: Connection) -> set[str]:
    return {name for name, each in queue_store.settings(conn).items() if each.paused and each.paused_by == BUDGET}


def _apply(conn: Connection, queue: str, reason: str | None) -> None:
    pause = queue_store.get_pause(conn, queue)
    if reason and pause is None:
        queue_store.set_paused(conn, queue, by=BUDGET, reason=reason)
    elif reason is None and pause is not None and pause.paused_by == BUDGET:
        queue_store.set_running(conn, queue, by=BUDGET, reason="below its budget again")


def _figure(amount: float, budget: Budget) -> str:
    return f"${amount:.2f}" if budget.unit == "usd" else f"{amount:.0f}"


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M")
