"""Makes values that a tool's JSON schema accepts: known ones where they fit, the smallest valid ones elsewhere."""

import re
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

# Tried in turn where a text must match a pattern, a format or a length.
_TEXTS = ("example", "#1d3557", "0", "A", "example.com", "a-b", "2026-01-01", "00000000-0000-4000-8000-000000000000")
_FORMATS = {
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "email": "hello@example.com",
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
}
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


def arguments(schema: Schema, known: Mapping[str, Any]) -> dict[str, Any]:
    """An input for a tool: every required property, and the optional ones that are known.

    known: values by lower-case property name without separators; each is used where the schema accepts it.
    """
    return _object(schema, known, schema)


def plain_name(name: str) -> str:
    """`brandName`, `brand_name` and `brand-name` are one name."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _object(schema: Schema, known: Mapping[str, Any], root: Schema) -> dict[str, Any]:
    made: dict[str, Any] = {}
    required = schema.get("required", [])
    for name, given in schema.get("properties", {}).items():
        inner = _resolved(given, root)
        candidate = known.get(plain_name(name))
        if candidate is not None and fits(candidate, inner, root):
            made[name] = candidate
        elif name in required:
            made[name] = _smallest(inner, known, root)
    return made


def _resolved(schema: Schema, root: Schema) -> Schema:
    """Follows `$ref`, and takes the first alternative that is not null."""
    if "$ref" in schema:
        target: Any = root
        for step in str(schema["$ref"]).removeprefix("#/").split("/"):
            target = target[step]
        return _resolved(target, root)
    for combined in ("anyOf", "oneOf"):
        if combined in schema:
            options = [_resolved(option, root) for option in schema[combined]]
            return next((option for option in options if option.get("type") != "null"), options[0])
    if "allOf" in schema:
        merged: dict[str, Any] = {}
        for part in schema["allOf"]:
            merged.update(_resolved(part, root))
        return merged
    return schema


def _type(schema: Schema) -> str:
    named = schema.get("type")
    if isinstance(named, list):
        return str(next((one for one in named if one != "null"), named[0]))
    return str(named) if named else "object" if "properties" in schema else "string"


def _smallest(schema: Schema, known: Mapping[str, Any], root: Schema) -> Any:
    for fixed in ("const", "default"):
        if fixed in schema:
            return schema[fixed]
    if schema.get("enum"):
        return schema["enum"][0]
    match _type(schema):
        case "object":
            return _object(schema, known, root)
        case "array":
            item = _resolved(schema.get("items") or {}, root)
            return [_smallest(item, known, root) for _ in range(int(schema.get("minItems", 0)))]
        case "integer" | "number" as kind:
            return _number(schema, whole=kind == "integer")
        case "boolean":
            return False
        case "null":
            return None
    return _text(schema)


def _number(schema: Schema, *, whole: bool) -> int | float:
    if "exclusiveMinimum" in schema:
        low = schema["exclusiveMinimum"]
        return int(low) + 1 if whole else float(low) + 0.01
    low, high = schema.get("minimum"), schema.get("maximum")
    value = low if low is not None else min(1, high) if high is not None else 1
    step = schema.get("multipleOf")
    value = -(-value // step) * step if step else value
    return int(value) if whole else float(value)


def _text(schema: Schema) -> str:
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    fitting = next((text for text in _TEXTS if fits(text, schema, schema)), _TEXTS[0])
    short = fitting[: schema.get("maxLength", len(fitting))]
    return short.ljust(int(schema.get("minLength", 0)), "x")


def fits(value: Any, schema: Schema, root: Schema) -> bool:
    """Whether a schema accepts a value, by the keywords that tools use."""
    schema = _resolved(schema, root)
    if "const" in schema and value != schema["const"]:
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    kind = _type(schema)
    if not isinstance(value, _TYPES.get(kind, (object,))) or (isinstance(value, bool) and kind != "boolean"):
        return False
    if isinstance(value, str):
        return _text_fits(value, schema)
    if isinstance(value, list):
        within = schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
        return within and all(fits(item, schema.get("items") or {"type": _kind_of(item)}, root) for item in value)
    if isinstance(value, dict):
        return _members_fit(value, schema, root)
    if isinstance(value, int | float):
        return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))
    return True


def _text_fits(value: str, schema: Schema) -> bool:
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        return False
    if schema.get("format") in ("uri", "url") and not value.startswith(("http://", "https://")):
        return False
    if schema.get("format") == "uuid" and not re.fullmatch(r"[0-9a-fA-F-]{36}", value):
        return False
    return "pattern" not in schema or re.search(schema["pattern"], value) is not None


def _members_fit(value: dict[str, Any], schema: Schema, root: Schema) -> bool:
    properties = schema.get("properties", {})
    if any(name not in value for name in schema.get("required", [])):
        return False
    if schema.get("additionalProperties") is False and any(name not in properties for name in value):
        return False
    return all(fits(value[name], inner, root) for name, inner in properties.items() if name in value)


def _kind_of(value: Any) -> str:
    return next((name for name, kinds in _TYPES.items() if isinstance(value, kinds)), "string")
