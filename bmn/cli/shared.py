"""The options that every generator takes: for which brand, what becomes of the files, when it is to be done."""

import functools
import inspect
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from bmn.cli.base import UsageError
from bmn.cli.order import Options
from bmn.cli.terminal.params import Bell, Exec, ahead, brand_name, later, span

# What becomes a field of the request, by the name of its option.
_TERMS = {
    "at": "runAt",
    "in_": "runIn",
    "start_within": "startWithin",
    "finish_within": "finishWithin",
    "priority": "priority",
    "replaces": "replaces",
}


def _shared(
    brand: Annotated[
        str,
        typer.Option("--brand", parser=brand_name, metavar="NAME", help="Name or id; logos and wizard make a new one."),
    ],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", file_okay=False, metavar="DIR", help="Write the files there.")
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Print the job id and return.")] = False,
    dry_run: Annotated[
        bool, typer.Option("-n", "--dry-run", help="Show prompts, credits, cost and time; submit nothing.")
    ] = False,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout",
            parser=span,
            metavar="SPAN",
            help="Stop watching after this long (5m); the job goes on. Exit 124.",
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 9 where only a part was delivered.")] = False,
    idempotency_key: Annotated[
        str | None,
        typer.Option("--idempotency-key", metavar="KEY", help="The same key and options make one job, for 24 h."),
    ] = None,
    images: Annotated[
        str | None, typer.Option("--images", metavar="HOW", help="auto, kitty, iterm, sixel, blocks or none.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", parser=later, metavar="TIME", help="Begin then: 18:30, or 2026-11-30T09:00Z.")
    ] = None,
    in_: Annotated[float | None, typer.Option("--in", parser=ahead, metavar="SPAN", help="Begin in 10m, 2h.")] = None,
    start_within: Annotated[
        float | None,
        typer.Option("--start-within", parser=ahead, metavar="SPAN", help="Cancel and refund it if not begun by then."),
    ] = None,
    finish_within: Annotated[
        float | None,
        typer.Option("--finish-within", parser=ahead, metavar="SPAN", help="Cancel it if not done by then."),
    ] = None,
    priority: Annotated[
        int | None, typer.Option("--priority", min=0, max=100, metavar="N", help="A higher number is served later.")
    ] = None,
    replaces: Annotated[
        bool, typer.Option("--replaces", help="Cancel what still waits of this kind for the brand.")
    ] = False,
    bell: Bell = False,
    command: Exec = None,
) -> None:
    """Declares them; `with_shared` hands what they come to over as Options."""


_DECLARED = tuple(inspect.signature(_shared).parameters.values())


_BRANDS = tuple(each.replace(default=None) if each.name == "brand" else each for each in _DECLARED)


def with_brands(command: Callable[..., int]) -> Callable[..., int]:
    """The same for a command that may take its brands from a file: `--brand`, or its own `source`, has to be given."""

    @functools.wraps(command)
    def run(*, options: Options, source: Path | None = None, **given: Any) -> int:
        if not options.brand and source is None:
            raise UsageError("Name a brand with --brand, or a file of them with --from.")
        return command(options=options, source=source, **given)

    run.__signature__ = inspect.signature(command, eval_str=True)  # type: ignore[attr-defined]
    return with_shared(run, _BRANDS)


def with_shared(command: Callable[..., int], declared: tuple[inspect.Parameter, ...] = _DECLARED) -> Callable[..., int]:
    """The command with the shared options in place of its `options`; what another command leaves out has its default."""

    @functools.wraps(command)
    def run(**given: Any) -> int:
        return command(options=_options({each.name: given.pop(each.name, each.default) for each in declared}), **given)

    signature = inspect.signature(command, eval_str=True)
    own = [each for each in signature.parameters.values() if each.name != "options"]
    brand, *rest = declared  # the brand, what this command makes, and then what all of them take
    parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (brand, *own, *rest)]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters} | {"return": int}
    return run


def _options(given: dict[str, Any]) -> Options:
    """Raises UsageError where they contradict each other."""
    if given["detach"] and given["out"]:
        raise UsageError("--detach returns before there are files: leave --out away, or watch the job.")
    if given["detach"] and (given["bell"] or given["command"]):
        raise UsageError("--detach returns before the end: leave --bell and --exec away, or watch the job.")
    if given["at"] is not None and given["in_"] is not None:
        raise UsageError("--at and --in both say when it begins: give one of them.")
    terms = {field: given.pop(name) for name, field in _TERMS.items()}
    terms = {field: value for field, value in terms.items() if value is not None and value is not False}
    given["brand"] = given["brand"] or ""
    key = given.pop("idempotency_key") or uuid.uuid4().hex
    return Options(**given, idempotency_key=key, terms=terms)
