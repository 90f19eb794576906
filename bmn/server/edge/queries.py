"""The query of a request: a name in it that its route does not know is refused, as a field of a body is.

Ignored, a mistyped filter would be none: a list of failed jobs would be one of all jobs. So would a filter that is given
twice, of which one value would win; and a number has one form, as in JSON.
"""

from collections.abc import Iterator
from types import NoneType
from typing import get_args, get_origin

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from bmn.errors import UsageProblem, suggest
from bmn.numbers import number, whole
from bmn.server.edge.asgi import headers_of, query_of, route_of

_API = "/api/"  # pages are led to by links of others, which add names of their own


_ONE_VALUE = frozenset({b"authorization", b"idempotency-key", b"last-event-id", b"x-on-behalf-of"})


def check_headers(request: Request) -> None:
    """Raises UsageProblem for a second value of a header that says who asks, or for what."""
    names = [name for name, _ in headers_of(request.scope) if name in _ONE_VALUE]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1).decode()
        raise UsageProblem(f"The header {twice.title()} is given twice, and takes one value.")


def check_query(request: Request) -> None:
    """Raises UsageProblem for a name that the request's route does not know, a second value, and a number that is none."""
    route = route_of(request.scope)
    if not query_of(request.scope) or not isinstance(route, APIRoute) or not route.path.startswith(_API):
        return
    if _names_nothing(route.dependant, request):
        return  # 404, whatever else is wrong with it
    known = dict(_types(route.dependant))
    for name, text in request.query_params.multi_items():
        if name not in known:
            names = sorted(known)
            hint = suggest(name, "parameters", names) if names else "This address takes none."
            raise UsageProblem(f"There is no parameter {name[:100]!r} here.", hint=hint)
        _check_value(request, name, text, known[name])


def _check_value(request: Request, name: str, text: str, kinds: set[object]) -> None:
    if list not in kinds and len(request.query_params.getlist(name)) > 1:
        raise UsageProblem(f"{name} is given twice, and takes one value.")
    read = number if float in kinds else whole if int in kinds else None
    try:
        if read and list not in kinds:
            read(text)
    except ValueError as why:
        raise UsageProblem(f"{name} cannot be {text[:50]!r}: {why}.") from None


def _types(dependant: Dependant) -> Iterator[tuple[str, set[object]]]:
    """The parameters of a route, and what each may be."""
    for field in dependant.query_params:
        yield field.alias, set(kinds_in(field.field_info.annotation))
    for each in dependant.dependencies:
        yield from _types(each)


def kinds_in(annotation: object) -> Iterator[object]:
    """The types in an annotation: `int` of `int | None`, `list` of a list, whatever that is of."""
    origin = get_origin(annotation)
    if origin is list or annotation is NoneType:
        yield origin
    elif found := get_args(annotation):
        for each in found:
            yield from kinds_in(each)
    else:
        yield annotation


def _names_nothing(dependant: Dependant, request: Request) -> bool:
    fields = ((field, request.path_params.get(field.alias)) for field in dependant.path_params)
    return any(field.validate(value, {}, loc=("path", field.alias))[1] for field, value in fields)
