"""The query of a request: a name in it that its route does not know is refused, as a field of a body is.

Ignored, a mistyped filter would be none: a list of failed jobs would be one of all jobs.
"""

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from bmn.errors import UsageProblem, suggest

_API = "/api/"  # pages are led to by links of others, which add names of their own


def check_query(request: Request) -> None:
    """Raises UsageProblem for a name that the request's route does not know."""
    route = request.scope.get("route")
    if not request.scope["query_string"] or not isinstance(route, APIRoute) or not route.path.startswith(_API):
        return
    known = sorted(_names(route.dependant))
    for name in request.query_params:
        if name not in known:
            hint = suggest(name, "parameters", known) if known else "This address takes none."
            raise UsageProblem(f"There is no parameter {name[:100]!r} here.", hint=hint)


def _names(dependant: Dependant) -> set[str]:
    own = {field.alias for field in dependant.query_params}
    return own.union(*(_names(each) for each in dependant.dependencies))
