"""Writes web/src/wire.d.ts: what goes over HTTP and Socket.IO as TypeScript types, out of the same models the server uses.

`python -m tools.typescript` writes the file; a test fails where it is not up to date.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from bmn.schemas import events
from bmn.server.app import create_app
from bmn.settings import load_settings

Schema = Mapping[str, Any]

TARGET = Path(__file__).parents[1] / "web" / "src" / "wire.d.ts"

_HEAD = """\
/**
 * What goes over the wire, both ways. Written by `make web` out of the server's own models: change those instead.
 */
"""
_PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
_EVENTS = {
    "JobEvents": events.JOB_EVENTS,
    "DashboardEvents": events.DASHBOARD_EVENTS,
    "AdminEvents": events.ADMIN_EVENTS,
}
_ANSWERS: tuple[type[BaseModel], ...] = (
    events.Done,
    events.JobJoined,
    events.JobStatus,
    events.CancelAnswer,
    events.StatsAnswer,
    events.RetryAnswer,
    events.Refusal,
)


def declarations() -> str:
    """The whole file."""
    document = _openapi()
    schemas = _merged(document["components"]["schemas"], _event_schemas())
    parts = [_interface(name, schemas[name]) for name in sorted(schemas)]
    for name, models in _EVENTS.items():
        parts.append(_map(name, {event: model.__name__ for event, model in models.items()}))
    parts.append(_map("Answers", _answers(document)))
    return "\n".join([_HEAD, *parts])


def _openapi() -> Schema:
    with TemporaryDirectory() as home:
        return create_app(load_settings(bmn_home=Path(home))).api.openapi()


def _event_schemas() -> Schema:
    models = [model for named in _EVENTS.values() for model in named.values()]
    _, found = models_json_schema(
        [(model, "serialization") for model in (*models, *_ANSWERS)], ref_template="#/components/schemas/{model}"
    )
    return dict(found["$defs"])


def _merged(first: Schema, second: Schema) -> dict[str, Schema]:
    """Raises ValueError where one name means two things."""
    if twice := [name for name in first.keys() & second.keys() if first[name] != second[name]]:
        raise ValueError(f"two models are called {', '.join(twice)}")
    return {**first, **second}


def _answers(document: Schema) -> dict[str, str]:
    """Per route, what it answers where it does what it was asked."""
    found = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            good = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
            body = good.get("content", {}).get("application/json")
            if body is not None:
                found[f"{method.upper()} {path}"] = _type(body["schema"])
    return found


def _interface(name: str, schema: Schema) -> str:
    if "properties" not in schema:
        return f"export type {name} = {_type(schema)};\n"
    required = set(schema.get("required", ()))
    fields = [
        f"  {_key(field)}{'' if field in required else '?'}: {_type(kind)};"
        for field, kind in schema["properties"].items()
    ]
    return "\n".join([f"export interface {name} {{", *fields, "}\n"])


def _map(name: str, entries: Mapping[str, str]) -> str:
    fields = [f"  {_key(entry)}: {kind};" for entry, kind in entries.items()]
    return "\n".join([f"export interface {name} {{", *fields, "}\n"])


def _key(name: str) -> str:
    return name if name.isidentifier() else json.dumps(name)


def _type(schema: Schema) -> str:
    """A JSON schema as a type expression; what a schema leaves open is `any`."""
    if reference := schema.get("$ref"):
        return str(reference).rpartition("/")[2]
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    if several := schema.get("anyOf") or schema.get("oneOf"):
        return " | ".join(dict.fromkeys(_type(one) for one in several))
    kind = schema.get("type")
    if kind == "array":
        item = _type(schema.get("items", {}))
        return f"({item})[]" if " | " in item else f"{item}[]"
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"Record<string, {_type(values) if isinstance(values, dict) else 'any'}>"
    return _PLAIN.get(str(kind), "any")


if __name__ == "__main__":
    TARGET.write_text(declarations())
