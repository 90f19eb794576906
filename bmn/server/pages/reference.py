"""/docs: the API in plain HTML, from its own OpenAPI document. Nothing is fetched from anywhere."""

from dataclasses import dataclass
from functools import lru_cache

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse, Response

from bmn.server.pages.access import PageRoute
from bmn.server.pages.fixed import Fixed
from bmn.server.pages.openapi import OpenApi, Operation, Schema
from bmn.server.pages.rendering import rendered
from bmn.settings import Settings

router = APIRouter(include_in_schema=False, route_class=PageRoute)

Field = tuple[str, str, str, bool]
"""Name, place, type in words, whether it is required."""


@dataclass(frozen=True, slots=True)
class Described:
    """A route as the page shows it. answer: names and types of what it answers where it does as asked."""

    method: str
    path: str
    description: str
    fields: list[Field]
    answer: list[tuple[str, str]]
    statuses: list[str]


@router.get("/docs")
async def reference(request: Request) -> Response:
    """The page itself."""
    return await _page(request.app).answer(request)


@router.get("/openapi.json")
async def document(request: Request) -> Response:
    """What it is made of, for programs."""
    return await _document(request.app).answer(request)


@lru_cache(maxsize=1)
def _page(app: FastAPI) -> Fixed:
    settings: Settings = app.state.resources.settings
    return Fixed(lambda: rendered(settings, "reference.html", title=app.title, groups=_groups(app)))


@lru_cache(maxsize=1)
def _document(app: FastAPI) -> Fixed:
    return Fixed(lambda: JSONResponse(app.openapi()))


def _groups(app: FastAPI) -> dict[str, list[Described]]:
    """All routes by their first tag."""
    document = OpenApi.model_validate(app.openapi())
    groups: dict[str, list[Described]] = {}
    for path, methods in document.paths.items():
        for method, operation in methods.items():
            groups.setdefault(operation.tags[0], []).append(_described(document, method.upper(), path, operation))
    return groups


def _described(document: OpenApi, method: str, path: str, operation: Operation) -> Described:
    fields = [
        (given.name, given.place, _type(document, given.schema_), given.required) for given in operation.parameters
    ]
    for content in operation.body.content.values():
        body = document.resolved(content.schema_)
        fields += [
            (name, "body", _type(document, schema), name in body.required) for name, schema in body.properties.items()
        ]
    return Described(
        method, path, operation.description, fields, _answer(document, operation), list(operation.responses)
    )


def _answer(document: OpenApi, operation: Operation) -> list[tuple[str, str]]:
    """The fields of what a route answers where it does as asked, each with its type; none of what is no JSON."""
    good = next(answer for status, answer in operation.responses.items() if status.startswith("2"))
    body = good.content.get("application/json")
    found = document.resolved(body.schema_).properties if body else {}
    return [(name, _type(document, schema)) for name, schema in found.items()]


def _type(document: OpenApi, schema: Schema) -> str:
    """A type in a few words: `integer 1..8`, `text, at most 200`, `one of bold, modern`."""
    meant = document.resolved(schema)
    if meant.enum is not None:
        return "one of " + ", ".join(map(str, meant.enum))
    if meant.items is not None:
        return f"list of {_type(document, meant.items)}"
    words = "text" if meant.type == "string" else meant.type
    if meant.maximum is not None:
        words += f" {meant.minimum or 0:g}..{meant.maximum:g}"
    elif meant.max_length is not None:
        words += f", at most {meant.max_length}"
    if schema.default is not None:
        words += f" ({str(schema.default).lower()})"
    return words
