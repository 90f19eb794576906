"""The group of jobs, such as a kit, that a person's few letters mean."""

from uuid import UUID

from bmn.client import Client
from bmn.errors import NotFound, UsageProblem
from bmn.schemas.documents import Kit

_LOOKED_AT = 200
_LEAST = 4


async def find_kit(client: Client, name: str, *, reveal: str | None = None) -> Kit:
    """A kit by its whole id, 4 or more characters of it, or `last`; of the newest two hundred. Raises NotFound.

    reveal: why another user's is looked at, which only its whole id names.
    """
    name = name.strip().lower()
    if _is_whole(name):
        return await client.kit(name, reveal=reveal)
    newest = (await client.kits(limit=1 if name == "last" else _LOOKED_AT)).kits
    fits = (
        newest[:1]
        if name == "last"
        else [kit for kit in newest if len(name) >= _LEAST and kit.group_id.startswith(name)]
    )
    if len(fits) != 1:
        which = "several kits" if fits else "no kit"
        raise NotFound(f"{name!r} names {which}.", hint="`bmn kits list` shows yours.")
    return fits[0]


async def find_group(client: Client, name: str) -> str:
    """The id of a group: its whole id, or a part of a kit's. Raises NotFound, UsageProblem for what is too short."""
    name = name.strip().lower()
    if _is_whole(name):
        return name
    if len(name) < _LEAST:
        raise UsageProblem(f"{name!r} is too short for a group.", hint="Give its id, or 4 characters of a kit's.")
    return (await find_kit(client, name)).group_id


async def jobs_of_group(client: Client, name: str) -> list[str]:
    """The jobs of a group so far, oldest first, without those that a retry has taken the place of. Raises NotFound."""
    found = (await client.jobs(groupId=await find_group(client, name), limit=_LOOKED_AT)).jobs
    replaced = {job.parent_id for job in found}
    if not found:
        raise NotFound(f"No jobs of a group {name!r}.", hint="`bmn kits list` and `bmn jobs list --json` name groups.")
    return [job.job_id for job in reversed(found) if job.job_id not in replaced]


def _is_whole(name: str) -> bool:
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False
