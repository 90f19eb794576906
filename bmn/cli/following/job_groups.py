"""`--group-by`: jobs by what they have in common, with counts, money and a small bar."""

from typing import Literal

from bmn.cli.lookup.selection import Filter, as_query
from bmn.cli.terminal.cells import Column
from bmn.cli.terminal.console import console
from bmn.cli.terminal.timespan import moment
from bmn.format import against
from bmn.schemas.documents import JobGroup, JobGroups

GroupBy = Literal["cause", "queue", "user", "hour"]

_BAR = 20
_NEXT = {"cause": "--cause CAUSE", "queue": "--queue QUEUE", "user": "--user ID", "hour": "--since 1h"}


async def fetch_groups(chosen: Filter, by: GroupBy) -> JobGroups:
    """Asks the server how many jobs of a filter have what in common."""
    async with chosen.client() as client:
        return await client.job_groups(by=by, reveal=chosen.reveal, **await as_query(client, chosen))


def print_groups(found: JobGroups, *, of_others: bool) -> None:
    """One line a group, as wide as its share."""
    if console.json:
        console.document(found)
        return
    if not found.groups:
        console.say("No jobs match.")
        console.next_step("bmn jobs list")
        return
    columns = (
        Column(found.by.upper(), flexible=True, least=12),
        Column("JOBS", right=True),
        Column("CREDITS", right=True, drop=2),
        Column("COST", right=True, drop=1),
        Column("", drop=3),
    )
    most = max(group.jobs for group in found.groups)
    table = [
        (
            _key(found.by, group.key),
            str(group.jobs),
            _credits(group),
            against(group.usd, group.usd_estimated),
            _bar(group.jobs / most),
        )
        for group in found.groups
    ]
    console.table(columns, table)
    spent, expected = (sum(getattr(row, name) for row in found.groups) for name in ("usd", "usd_estimated"))
    console.answer(f"{sum(group.jobs for group in found.groups)} jobs, {against(spent, expected)}")
    if found.searched_to:
        console.say(f"Only the newest 10,000 are counted, those since {found.searched_to}.")
    whose = "" if found.by == "user" or not of_others else " --everyone"
    console.next_step(f"bmn jobs list{whose} {_NEXT[found.by]}")


def _credits(group: JobGroup) -> str:
    """`3 of 4`: charged of what was set aside; alone where it is the same."""
    charged, reserved = group.credits, group.credits_reserved
    return str(charged) if charged == reserved else f"{charged} of {reserved}"


def _key(by: str, key: str) -> str:
    if by != "hour" or console.width is None:
        return key
    return moment(key).astimezone().strftime("%a %d %b %H:%M")


def _bar(share: float) -> str:
    return "▇" * max(1, round(share * _BAR))
