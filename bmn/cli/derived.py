"""A generator's command out of its request: each field an option, with its type, its limits and its description."""

import inspect
import json
from collections.abc import Callable, Iterator
from types import GenericAlias, NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import typer
from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

from bmn.cli.order import Body, BrandTarget, Builder
from bmn.schemas.kind import GeneratorBody, Kind
from bmn.schemas.terms import TERMS

if TYPE_CHECKING:
    from bmn.client import Client

_SHARED = TERMS | {"brand_id"}  # every generator takes these
_METAVARS = {int: "N", float: "N", str: "TEXT"}


def with_fields(command: Callable[..., int], kind: Kind) -> Callable[..., int]:
    """The command with an option for each field of the generator's body, in place of its `**fields`."""
    signature = inspect.signature(command, eval_str=True)
    shared = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
    own = [*_options(kind.body)]
    command.__signature__ = signature.replace(parameters=[*shared, *own])  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in (*shared, *own)} | {"return": int}
    command.__doc__ = kind.text
    return command


def builder(fields: Body) -> Builder:
    """Makes the request's body of the options' values; what was not given is left to the server."""

    async def build(_client: "Client", brand: BrandTarget) -> Body:
        return {"brandId": brand.id, **{name: value for name, value in fields.items() if value not in (None, [], ())}}

    return build


def example(kind: Kind) -> str:
    """A command line for the help: with what has to be given."""
    required = (name for name, field in _fields(kind.body) if field.is_required())
    return " ".join(
        [f'bmn generate {kind.command} --brand "Acme Coffee"', *(f"{_flag(name)} ..." for name in required)]
    )


def aliased(body: type[GeneratorBody], fields: Body) -> Body:
    """Options by the names that they have on the wire."""
    return {str(body.model_fields[name].alias): value for name, value in fields.items()}


def _fields(body: type[GeneratorBody]) -> Iterator[tuple[str, FieldInfo]]:
    return ((name, field) for name, field in body.model_fields.items() if name not in _SHARED)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _options(body: type[GeneratorBody]) -> Iterator[inspect.Parameter]:
    for name, field in _fields(body):
        kind = _plain(field.annotation)
        limits = (
            {type(mark): mark for mark in field.metadata if isinstance(mark, Ge | Le)} if kind in (int, float) else {}
        )
        option = typer.Option(
            _flag(name),
            help=field.description,
            metavar=_METAVARS.get(kind, "TEXT" if get_origin(kind) is list else None) if kind else "JSON",
            min=getattr(limits.get(Ge), "ge", None),
            max=getattr(limits.get(Le), "le", None),
            parser=None if kind else json.loads,
        )
        required, simple = field.is_required(), isinstance(field.default, str | int | float)
        yield inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if required else field.default if simple else None,
            annotation=Annotated[kind or str, option]
            if required or simple
            else Annotated[(kind or str) | None, option],
        )


def _plain(annotation: Any) -> Any:
    """What the command line reads: a word, a number, a flag, one of a few words, or several of them; None for the rest."""
    origin, parts = get_origin(annotation), [part for part in get_args(annotation) if part is not NoneType]
    if origin is Annotated or (origin in (Union, UnionType) and len(parts) == 1):
        return _plain(parts[0])
    if origin is list and (item := _plain(parts[0])):
        return GenericAlias(list, (item,))
    return annotation if origin is Literal or annotation in (str, int, float, bool) else None
