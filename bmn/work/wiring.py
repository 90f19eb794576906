"""Hands the queues to the engine."""

from bmn.jobs import budgets, core, stock_worker
from bmn.jobs.core import Chore, Core, Work
from bmn.settings import Settings
from bmn.work import cleanup, ends, estimates, follow_ups, journey, pruning
from bmn.work.kits import course
from bmn.work.registry import QUEUES
from bmn.work.webhooks import relay

WORK = Work(
    queues=QUEUES,
    module=__name__,
    follow_up=follow_ups.thumbnail_job,
    ops_mail=follow_ups.ops_mail,
    alert_mail=follow_ups.alert_mail,
    usd=estimates.usd_of,
    chores=(
        Chore(relay.relay, every=1),
        Chore(relay.tidy, every=60),
        Chore(course.carry_on, every=1),
        Chore(course.look_for_credits, every=10),
        Chore(course.look_for_budget, every=10),
        Chore(budgets.watch, every=2),
        Chore(cleanup.schedule, every=10),
        Chore(journey.remind_abandoned, every=60),
        Chore(ends.tell_of_ends, every=60),
        Chore(pruning.prune_a_little, every=60, beside=True),
    ),
)


def execute() -> None:
    """What RQ's own workers call; see `bmn.jobs.stock_worker`."""
    stock_worker.execute(open_core)


async def open_core(settings: Settings, role: str) -> Core:
    """Opens what the settings name. Raises Misconfigured without a Redis, TryLater without a database."""
    return await core.open_core(settings, role, WORK)
