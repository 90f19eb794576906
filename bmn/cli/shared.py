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
from bmn.cli.terminal.params import WATCH, WHEN, Bell, Exec, Images, Out, Strict, ahead, brand_name, later, span


def _shared(
    brand: Annotated[
        str,
        typer.Option("--brand", parser=brand_name, metavar="NAME", help="Name or id."),
    ],
    out: Out = None,
    dry_run: Annotated[
        bool, typer.Option("-n", "--dry-run", help="Show prompts, credits, cost and time; submit nothing.")
    ] = False,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", parser=later, metavar="TIME", help="Begin then: 18:30, or 2026-11-30T09:00Z.", rich_help_panel=WHEN
        ),
    ] = None,
    in_: Annotated[
        float | None, typer.Option("--in", parser=ahead, metavar="SPAN", help="Begin in 10m, 2h.", rich_help_panel=WHEN)
    ] = None,
    start_within: Annotated[
        float | None,
        typer.Option(
            "--start-within",
            parser=ahead,
            metavar="SPAN",
            help="Cancel and refund it if not begun by then.",
            rich_help_panel=WHEN,
        ),
    ] = None,
    finish_within: Annotated[
        float | None,
        typer.Option(
            "--finish-within", parser=ahead, metavar="SPAN", help="Cancel it if not done by then.", rich_help_panel=WHEN
        ),
    ] = None,
    priority: Annotated[
        int | None,
        typer.Option(
            "--priority",
            min=0,
            max=100,
            metavar="N",
            help="0 to 100, lower is served first. Users go from the queue's usual one (1 or 2) up, and wait longer.",
            rich_help_panel=WHEN,
        ),
    ] = None,
    replaces: Annotated[
        bool,
        typer.Option("--replaces", help="Cancel what still waits of this kind for the brand.", rich_help_panel=WHEN),
    ] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Print the job id and return.", rich_help_panel=WATCH)
    ] = False,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout",
            parser=span,
            metavar="SPAN",
            help="Stop watching after this long (5m); the job goes on. Exit 124.",
            rich_help_panel=WATCH,
        ),
    ] = None,
    strict: Strict = False,
    idempotency_key: Annotated[
        str | None,
        typer.Option(
            "--idempotency-key",
            metavar="KEY",
            help="The same key and options make one job, for 24 h.",
            rich_help_panel=WATCH,
        ),
    ] = None,
    images: Images = None,
    bell: Bell = False,
    command: Exec = None,
) -> None:
    """Declares them; `with_shared` hands what they come to over as Options."""


_DECLARED = tuple(inspect.signature(_shared).parameters.values())


_MADE = typer.Option("--brand", parser=brand_name, metavar="NAME", help="Name or id; a new one is made.")
_BRANDS = tuple(
    each.replace(default=None, annotation=Annotated[str, _MADE]) if each.name == "brand" else each for each in _DECLARED
)


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
        shared = {each.name: given.pop(each.name, each.default) for each in declared}
        return command(options=_options(**shared), **given)

    signature = inspect.signature(command, eval_str=True)
    own = [each for each in signature.parameters.values() if each.name != "options"]
    brand, *rest = declared  # the brand, what this command makes, and then what all of them take
    parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (brand, *own, *rest)]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters} | {"return": int}
    return run


def check_end(*, detach: bool, out: Path | None, afterwards: bool) -> None:
    """Raises UsageError where what is to happen at the end is asked of a command that does not wait for it."""
    if detach and out:
        raise UsageError("--detach returns before there are files: leave out --out, or watch the job.")
    if detach and afterwards:
        raise UsageError("--detach returns before the end: leave out --bell and --exec, or watch the job.")


def _options(
    *,
    brand: str | None,
    out: Path | None,
    detach: bool,
    dry_run: bool,
    timeout: float | None,
    strict: bool,
    idempotency_key: str | None,
    images: str | None,
    at: str | None,
    in_: float | None,
    start_within: float | None,
    finish_within: float | None,
    priority: int | None,
    replaces: bool,
    bell: bool,
    command: str | None,
) -> Options:
    """Raises UsageError where they contradict each other."""
    check_end(detach=detach, out=out, afterwards=bool(bell or command))
    if at is not None and in_ is not None:
        raise UsageError("--at and --in both say when it begins: give one of them.")
    terms = {
        "runAt": at,
        "runIn": in_,
        "startWithin": start_within,
        "finishWithin": finish_within,
        "priority": priority,
        "replaces": replaces or None,
    }
    return Options(
        brand=brand or "",
        out=out,
        detach=detach,
        dry_run=dry_run,
        timeout=timeout,
        strict=strict,
        idempotency_key=idempotency_key or uuid.uuid4().hex,
        images=images,
        terms={field: value for field, value in terms.items() if value is not None},
        bell=bell,
        command=command,
    )
