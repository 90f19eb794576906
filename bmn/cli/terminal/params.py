"""Values of options that the API would refuse, refused before anything is made of the others."""

from collections.abc import Callable
from typing import Any

import click

Callback = Callable[[click.Context, click.Parameter, Any], Any]


def checked(schema: str) -> Callback:
    """A callback for texts that have to be of one of the API's types, by its name in `bmn.schemas.base`."""

    def check(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
        for text in value if isinstance(value, tuple) else (value,):
            if (wrong := _wrong(schema, text.strip())) is not None:
                raise click.BadParameter(wrong, ctx, param)
        return value

    return check


def _wrong(schema: str, text: str) -> str | None:
    """What is wrong with a text, in words; None where it is well."""
    from pydantic import TypeAdapter, ValidationError

    from bmn.schemas import base

    checker: Any = TypeAdapter(getattr(base, schema))
    try:
        checker.validate_python(text)
    except ValidationError as error:
        problem = error.errors()[0]
        limits = problem.get("ctx", {})
        if problem["type"] == "string_too_short":
            return "it is empty"
        if problem["type"] == "string_too_long":
            return f"it is longer than {limits['max_length']} characters"
        return str(limits.get("error", problem["msg"]))
    return None


BRAND_NAME = checked("Name")
COLOR = checked("Color")
