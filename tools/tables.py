"""The table of generators in `docs/api.md`, out of their schemas: `python -m tools.tables` writes it anew."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bmn.schemas.base import Model
from bmn.schemas.terms import SubmissionBody
from bmn.work.generators import GENERATORS

TARGET = Path(__file__).parents[1] / "docs" / "api.md"
_SHARED = frozenset(
    str(field.alias) for field in SubmissionBody.model_fields.values()
)  # these have a table of their own
_PLACE = re.compile(r"(<!-- generators -->\n).*?(<!-- /generators -->\n)", re.DOTALL)

Schema = Mapping[str, Any]


def generators() -> str:
    """One row a generator: its route, its body, its queue, its price."""
    rows = ["| POST | body (`?` may be left out) | queue | credits |", "| --- | --- | --- | --- |"]
    for queue, generator in GENERATORS.items():
        kind = generator.kind
        price = f"{generator.queue.credits} a {kind.noun}"
        rows.append(f"| `/{kind.name}` | {fields(kind.body)} | `{queue}` | {price} |")
    return "".join(f"{row}\n" for row in rows)


def fields(body: type[Model]) -> str:
    """The fields of a body, those that are required first."""
    schema = body.model_json_schema(by_alias=True)
    required = set(schema.get("required", ()))
    own = {name: kind for name, kind in schema["properties"].items() if name not in _SHARED}
    named = sorted(own.items(), key=lambda entry: entry[0] not in required)
    return ", ".join(_field(schema, name, kind, name in required) for name, kind in named)


def _field(root: Schema, name: str, schema: Schema, required: bool) -> str:
    default = schema.get("default")
    known = f"({default})" if isinstance(default, str | int) and not isinstance(default, bool) else ""
    described = " ".join(filter(None, (_values(root, schema), known)))
    return f"`{name}{'' if required else '?'}`" + (f" {described}" if described else "")


def _values(root: Schema, schema: Schema) -> str:
    """What a field may hold, where its name does not say it."""
    if "anyOf" in schema:
        return _values(root, next(each for each in schema["anyOf"] if each.get("type") != "null"))
    if "enum" in schema:
        return " / ".join(schema["enum"])
    if schema.get("type") == "array":
        item = schema["items"]
        many = f"{schema['minItems']} to {schema['maxItems']}"
        return f"{many} of `{_members(root, item)}`" if "$ref" in item else many
    if schema.get("type") == "object":
        return "free-form"
    return f"{schema['minimum']} to {schema['maximum']}" if "minimum" in schema else ""


def _members(root: Schema, item: Schema) -> str:
    model = root["$defs"][item["$ref"].rpartition("/")[2]]
    names = (name if name in model["required"] else f"{name}?" for name in model["properties"])
    return f"{{{', '.join(names)}}}"


if __name__ == "__main__":
    TARGET.write_text(_PLACE.sub(lambda found: f"{found[1]}{generators()}{found[2]}", TARGET.read_text()))
