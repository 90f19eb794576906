"""The webhook endpoint that a person's few letters mean."""

from bmn.client import Client
from bmn.errors import NotFound, UsageProblem

_SHORTEST = 4


async def find_endpoint(client: Client, reference: str) -> str:
    """The id of the endpoint that is meant: a whole id, 4 or more of its first characters, or its whole address.

    Raises NotFound with what there is.
    """
    wanted = reference.strip()
    if len(wanted) < _SHORTEST:
        raise UsageProblem(f"{reference!r} is too short for an endpoint.", hint="Give 4 characters of its id.")
    known = await client.webhook_endpoints()
    found = [each for each in known if each.id.startswith(wanted.lower()) or each.url == wanted]
    if len(found) == 1:
        return found[0].id
    if not found:
        raise NotFound(f"No webhook endpoint {reference!r}.", hint="`bmn webhooks list` shows yours.")
    candidates = ", ".join(f"{each.id} ({each.url})" for each in found)
    raise NotFound(f"{reference!r} could be several endpoints.", hint=f"Give more characters: {candidates}")
