"""The query of a request: a name in it that its route does not know is refused, as a field of a body is.

Ignored, a mistyped filter would be none: a list of failed jobs would be one of all jobs.
"""

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from bmn.errors import UsageProblem, suggest
from bmn.server.edge.asgi import query_of, route_of

_API = "/api/"  # pages are led to by links of others, which add names of their own


def check_query(request: Request) -> None:
    """Raises UsageProblem for a name that the request's route does not know."""
    route = route_of(request.scope)
    if not query_of(request.scope) or not isinstance(route, APIRoute) or not route.path.startswith(_API):
        return
    if _names_nothing(route.dependant, request):
        return  # 404, whatever else is wrong with it
    known = sorted(_names(route.dependant))
    for name in request.query_params:
        if name not in known:
            hint = suggest(name, "parameters", known) if known else "This address takes none."
            raise UsageProblem(f"There is no parameter {name[:100]!r} here.", hint=hint)


def _names(dependant: Dependant) -> set[str]:
    own = {field.alias for field in dependant.query_params}
    return own.union(*(_names(each) for each in dependant.dependencies))


def _names_nothing(dependant: Dependant, request: Request) -> bool:
    fields = ((field, request.path_params.get(field.alias)) for field in dependant.path_params)
    return any(field.validate(value, {}, loc=("path", field.alias))[1] for field, value in fields)
