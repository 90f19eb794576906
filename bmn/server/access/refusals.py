"""The errors that routes may answer with, for their description in `/openapi.json`."""

from bmn.schemas.documents import Problem

_MEANINGS = {
    400: "The request is not valid",
    401: "Not signed in",
    402: "Not enough credits",
    403: "Not allowed",
    404: "Not found, or not the caller's",
    409: "The state of things forbids it",
    413: "The body is too large",
    429: "Too many requests; try again after `Retry-After` seconds",
    503: "A dependency is away; try again after `Retry-After` seconds",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, object]]:
    """Each of these statuses with its document, for the `responses` of a route or a router."""
    return {status: {"model": Problem, "description": _MEANINGS[status]} for status in statuses}


ANY_CALLER = refusals(400, 401, 403, 429, 503)
"""What every route that asks who is calling may refuse."""
