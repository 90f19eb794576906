"""What a talking command begins with: a client, and the job or brand that a person's few letters mean."""

import asyncio
import difflib
import re
from collections.abc import Mapping
from uuid import UUID

from bmn.cli.terminal.console import console
from bmn.cli.terminal.format import GENERATORS, is_whole_id, short_id, state_text
from bmn.client import Client
from bmn.errors import NotFound, UsageProblem
from bmn.schemas.documents import Brand, Job
from bmn.settings import Settings, load_settings

_BRANDS_LOOKED_AT = 200
_LAST = re.compile(r"last(?::([a-z]+))?")


def open_client(*, role: str = "user", settings: Settings | None = None, api_url: str | None = None) -> Client:
    return Client(
        settings or load_settings(), api_url=api_url or console.api_url or None, role=role, on_notice=console.say
    )


async def find_job(client: Client, reference: str, *, wait: float = 0) -> str:
    """The id of the job that is meant: a whole id, 4 or more characters of its uuid, `last` or `last:failed`.

    wait: seconds that `last` waits for a first job to appear. Raises NotFound with the candidates.
    """
    reference = reference.strip()
    if is_whole_id(reference):
        return reference
    if match := _LAST.fullmatch(reference):
        return await _last(client, match[1], wait)
    if len(re.sub(r"^[a-z]+(-[a-z]+)*-(?=[0-9a-f])", "", reference)) < 4:
        raise UsageProblem(f"{reference!r} is too short for a job.", hint="Give 4 characters of its id, or `last`.")
    found = (await client.jobs(prefix=reference, limit=5)).jobs
    if len(found) == 1:
        return found[0].job_id
    if not found:
        raise NotFound(f"No job {reference!r}.", hint="`bmn jobs list` shows the newest.")
    candidates = ", ".join(f"{short_id(job.job_id)} ({job.queue_name}, {job.state})" for job in found)
    raise NotFound(f"{reference!r} could be several jobs.", hint=f"Give more characters: {candidates}")


async def _last(client: Client, state: str | None, wait: float) -> str:
    while True:
        # What happens behind the scenes, such as a thumbnail or a mail, is not what anybody calls their last job.
        found = (await client.jobs(queue=GENERATORS, state=state, limit=1)).jobs
        if found:
            return found[0].job_id
        if wait <= 0:
            if state:
                raise NotFound(f"There is no {state} job.", hint="`bmn jobs list` shows what there is.")
            raise NotFound("There is no job yet.", hint='Make one: bmn generate logos --brand "Acme Coffee"')
        await asyncio.sleep(min(0.25, wait))
        wait -= 0.25


async def find_brand(client: Client, reference: str, *, create: Mapping[str, object] | None = None) -> Brand:
    """The brand of a name or an id. create: what to make one of when the name is new; None raises NotFound then."""
    reference = reference.strip().removeprefix("@")
    if is_brand_id(reference):
        return await client.brand(str(UUID(reference)))
    if exact := await brands_named(client, reference):
        return exact[0]
    if create is not None:
        made = await client.create_brand(reference, **create)
        console.say(f"made the brand {made.name!r}")
        return made
    hint = "`bmn brands list` shows yours; `bmn brands create NAME` makes one."
    if near := await _names_like(client, reference):
        hint = f"Did you mean {' or '.join(map(repr, near))}? {hint}"
    raise NotFound(f"No brand {reference!r}.", hint=hint)


def is_brand_id(reference: str) -> bool:
    try:
        return bool(UUID(reference))
    except ValueError:
        return False


async def brands_named(client: Client, name: str) -> list[Brand]:
    """The caller's brands of this name, in any case; none for a blank one, which the API refuses."""
    if not name.strip():
        return []
    found = (await client.brands(name=name.strip())).brands
    return [brand for brand in found if brand.name.casefold() == name.strip().casefold()]


async def _names_like(client: Client, reference: str) -> list[str]:
    """The caller's brands that a mistyped or shortened name may have meant; of many only the newest are looked at."""
    brands = (await client.brands(limit=_BRANDS_LOOKED_AT)).brands
    names = {brand.name.casefold(): brand.name for brand in brands}
    wanted = reference.casefold()
    begun = [name for name in names if name.startswith(wanted)]
    return [names[name] for name in (begun or difflib.get_close_matches(wanted, names, n=2, cutoff=0.6))[:2]]


def describe(job: Job) -> str:
    """A job in a few words: `✓ completed  logo-generation 7f3a1b22`."""
    return f"{state_text(job.state)}  {job.queue_name} {short_id(job.job_id)}"
