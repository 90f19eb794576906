"""What a cancel of named jobs would still charge, said before it is done."""

import typer

from bmn.cli.terminal.console import console
from bmn.cli.terminal.format import short_id
from bmn.client import Client
from bmn.format import count
from bmn.schemas.documents import JobRecord
from bmn.schemas.payloads import TERMINAL_STATES

_NOT_ORDERED = ("planned", "failed")


async def warn_of_charges(client: Client, job_ids: list[str], *, yes: bool) -> None:
    """Says of each job what of it is ordered already, and asks on a terminal where anything is. Raises Abort for a no."""
    told = [text for job_id in job_ids if (text := ordered_in_words(await client.job(job_id)))]
    for text in told:
        console.say(text)
    if told and not yes and console.interactive and not console.confirm("Cancel what is left?"):
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
