"""/docs: the API in plain HTML, from its own OpenAPI document. Nothing is fetched from anywhere."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bmn.server.pages.access import PageRoute
from bmn.server.pages.rendering import page

router = APIRouter(include_in_schema=False, route_class=PageRoute)

Schema = dict[str, Any]


@router.get("/docs")
async def reference(request: Request) -> Response:
    """The page itself."""
    document = request.app.openapi()
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            shown = _operation(document, method.upper(), path, operation)
            groups.setdefault(operation.get("tags", ["others"])[0], []).append(shown)
    return page(request, "reference.html", title=document["info"]["title"], groups=groups)


def _operation(document: Schema, method: str, path: str, operation: Schema) -> dict[str, Any]:
    fields = [
        (given["name"], given["in"], _type(document, given["schema"]), given.get("required", False))
        for given in operation.get("parameters", [])
    ]
    for content in operation.get("requestBody", {}).get("content", {}).values():
        body = _resolved(document, content["schema"])
        required = body.get("required", ())
        fields += [
            (name, "body", _type(document, schema), name in required)
            for name, schema in body.get("properties", {}).items()
        ]
    return {
        "method": method,
        "path": path,
        "summary": operation.get("summary", ""),
        "description": operation.get("description", ""),
        "fields": fields,
        "answer": _answer(document, operation),
        "statuses": list(operation["responses"]),
    }


def _answer(document: Schema, operation: Schema) -> list[tuple[str, str]]:
    """The fields of what a route answers where it does as asked, each with its type; none of what is no JSON."""
    good = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
    body = good.get("content", {}).get("application/json")
    found = _resolved(document, body["schema"]).get("properties", {}) if body else {}
    return [(name, _type(document, schema)) for name, schema in found.items()]


def _resolved(document: Schema, schema: Schema) -> Schema:
    """The schema that is meant: behind a reference, or the one that is not null."""
    while True:
        if name := schema.get("$ref"):
            schema = document["components"]["schemas"][name.rpartition("/")[2]]
        elif meant := [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]:
            schema = meant[0]
        else:
            return schema


def _type(document: Schema, schema: Schema) -> str:
    """A type in a few words: `integer 1..8`, `text, at most 200`, `one of bold, modern`."""
    meant = _resolved(document, schema)
    if "enum" in meant:
        return "one of " + ", ".join(map(str, meant["enum"]))
    if meant.get("type") == "array":
        return f"list of {_type(document, meant['items'])}"
    kind = str(meant.get("type", "anything"))
    words = "text" if kind == "string" else kind
    low, high = meant.get("minimum"), meant.get("maximum")
    if high is not None:
        words += f" {low or 0:g}..{high:g}"
    elif "maxLength" in meant:
        words += f", at most {meant['maxLength']}"
    if (default := schema.get("default")) is not None:
        words += f" ({str(default).lower()})"
    return words
