"""A brand keeps its look: where something else is asked for, its owner says whether that is the brand's from now on."""

from collections.abc import Mapping

from bmn.cli.order import BrandTarget
from bmn.cli.terminal.console import console
from bmn.client import Client
from bmn.schemas.documents import JobRecord
from bmn.schemas.look import differing, told

Choice = str | None
"""`keep` or `change`, as the API takes it; None where nothing is said."""


async def chosen(
    client: Client, brand: BrandTarget, asked: Mapping[str, object], flag: Choice, *, dry_run: bool
) -> Choice:
    """What becomes of the brand where the options ask for another look than it has; None where they do not.

    asked: by the names of the record. flag: what the command line says, which is not asked again. Elsewhere than on a
    terminal the brand keeps its look, which is said.
    """
    if flag or not brand.id or not any(asked.values()) or dry_run:
        return flag
    record = await client.brand(brand.id)
    other = differing(record, asked)
    if not other:
        return None
    difference = told(record, other)
    if not console.interactive:
        console.tell(f"{record.name} keeps its look; these are {difference}. --change makes that its own.")
        return "keep"
    console.tell(f"These would be {difference}.")
    return _answer(f"Should {record.name} keep its look, or change to this from now on?")


async def settle(client: Client, brand: BrandTarget, jobs: list[JobRecord]) -> None:
    """Asks about the look that a step of the wizard proposes; elsewhere than on a terminal it is only said."""
    for job in jobs:
        proposal, proposed = (job.result or {}).get("proposal"), (job.result or {}).get("proposed")
        if not proposal or not isinstance(proposed, dict):
            continue
        console.tell(f"The step suggests {proposal}.")
        if not console.interactive:
            console.tell(f"{brand.name} keeps its look. --change lets the step change it.")
        elif _answer(f"Should {brand.name} keep its look, or change to this?") == "change":
            await client.change_brand(brand.id, **proposed)
            console.say(f"{brand.name} has its new look")


def _answer(question: str) -> Choice:
    """`keep` or `change`; an empty line, or anything else, keeps."""
    return "change" if console.ask(f"{question} [KEEP/change] ").lower() in ("c", "change") else "keep"
