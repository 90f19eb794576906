"""What a cancel charges all the same, said before it is done, and how to see what was paid for and is still to come."""

from collections.abc import Iterable

import typer

from bmn.cli.terminal.console import console
from bmn.cli.terminal.record_format import short_id
from bmn.client import Client
from bmn.format import count
from bmn.schemas.documents import JobRecord
from bmn.schemas.payloads import TERMINAL_STATES, JobState

_NOT_ORDERED = ("planned", "failed")
_SAVED = "saved"


async def warn_of_charges(client: Client, job_ids: list[str], *, yes: bool) -> None:
    """On a terminal, says of each job what of it is ordered already, and asks where anything is. Raises Abort for a no."""
    if yes or not console.interactive:
        return  # the answer has the figures, and they are final there
    told = [text for job_id in job_ids if (text := ordered_in_words(await client.job(job_id)))]
    for text in told:
        console.say(text)
    if told and not console.confirm("Cancel what is left?"):
        raise typer.Abort


def ordered_in_words(job: JobRecord) -> str:
    """What is charged all the same; empty where nothing is ordered, or it has ended."""
    ordered = [unit for unit in job.units if unit.state not in _NOT_ORDERED]
    if not ordered or job.state in TERMINAL_STATES:
        return ""
    price = job.credits_reserved / len(job.units)
    charged, back = round(price * len(ordered)), round(price * (len(job.units) - len(ordered)))
    money = f"{count(charged, 'credit')} charged, what they make is kept; {count(back, 'credit')} would come back"
    return f"{short_id(job.job_id)}: {len(ordered)} of {len(job.units)} ordered already: {money}."


def watch_collectors(collectors: Iterable[str | None]) -> tuple[str, ...]:
    """The command that shows what cancelled jobs had ordered as it arrives; none where nothing is to come."""
    names = [short_id(job_id) for job_id in collectors if job_id]
    return (f"bmn jobs watch {' '.join(names[:5])}",) if names else ()


def still_to_come(job: JobRecord) -> int:
    """How many of a cancelled job's pictures its collecting job has not fetched yet."""
    if job.state != JobState.CANCELLED or not job.collector_job_id:
        return 0
    return sum(1 for unit in job.units if unit.credits and unit.state != _SAVED)
