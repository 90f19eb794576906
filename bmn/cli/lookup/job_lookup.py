"""The job that a person's few letters mean."""

import asyncio
import re

from bmn.cli.terminal.record_format import is_whole_id, short_id
from bmn.client import Client
from bmn.client.calls.fields import Whose
from bmn.errors import NotFound, UsageProblem, suggest
from bmn.schemas.generators import KIND_OF
from bmn.schemas.payloads import JobState

_LAST = re.compile(r"last(?::([a-z]+))?")


async def find_job(client: Client, reference: str, *, wait: float = 0, of_whom: Whose | None = None) -> str:
    """The id of the job that is meant: a whole id, 4 or more characters of its uuid, `last` or `last:failed`.

    wait: seconds that `last` waits for a first job to appear. of_whom: None for the caller's.
    Raises NotFound with the candidates, UsageProblem for a state that jobs do not have.
    """
    reference = reference.strip()
    if is_whole_id(reference):
        return reference
    if match := _LAST.fullmatch(reference):
        if match[1] and match[1] not in [*JobState]:
            raise UsageProblem(f"There is no state {match[1]!r}.", hint=suggest(match[1], "States", JobState))
        return await _last(client, match[1], wait, of_whom or {})
    if len(re.sub(r"^[a-z]+(-[a-z]+)*-(?=[0-9a-f])", "", reference)) < 4:
        raise UsageProblem(f"{reference!r} is too short for a job.", hint="Give 4 characters of its id, or `last`.")
    found = (await client.jobs(prefix=reference, limit=5, **of_whom or {})).jobs
    if len(found) == 1:
        return found[0].job_id
    if not found:
        raise NotFound(f"No job {reference!r}.", hint="`bmn jobs list` shows the newest.")
    candidates = ", ".join(f"{short_id(job.job_id)} ({job.queue_name}, {job.state})" for job in found)
    raise NotFound(f"{reference!r} could be several jobs.", hint=f"Give more characters: {candidates}")


async def _last(client: Client, state: str | None, wait: float, of_whom: Whose) -> str:
    while True:
        # What happens behind the scenes, such as a thumbnail or a mail, is not what anybody calls their last job.
        found = (await client.jobs(queue=[*KIND_OF], state=state, limit=1, **of_whom)).jobs
        if found:
            return found[0].job_id
        if wait <= 0:
            if state:
                raise NotFound(f"There is no {state} job.", hint="`bmn jobs list` shows what there is.")
            raise NotFound("There is no job yet.", hint='Make one: bmn generate logos --brand "Acme Coffee"')
        await asyncio.sleep(min(0.25, wait))
        wait -= 0.25
