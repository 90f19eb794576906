"""The command line on Typer with our defaults: examples first, "did you mean", common options, modules loaded on demand.

What Typer keeps in private modules is imported here and in `bmn.cli.terminal.shell_completion`, nowhere else.
"""

import difflib
import functools
import importlib
import sys
from collections.abc import Callable, Coroutine, Iterable
from typing import Annotated, Any, ClassVar, TypeVar

import typer
from typer._click.core import Command as BaseCommand
from typer._click.core import Context
from typer._click.exceptions import BadParameter, NoSuchOption, UsageError
from typer._click.formatting import HelpFormatter
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from bmn.cli.terminal import exit_codes
from bmn.cli.terminal.console import console
from bmn.numbers import number, whole

__all__ = [
    "BaseCommand",
    "Command",
    "Context",
    "Group",
    "HelpFormatter",
    "LazyGroup",
    "NoSuchOption",
    "UsageError",
    "examples",
    "group",
    "is_described",
    "run",
    "single",
]

T = TypeVar("T")
Sections = dict[str, dict[str, tuple[str, str]]]

_CONTEXT: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


# --- what all commands have in common ---------------------------------------------------------------------------------


def _note(param: typer.CallbackParam, value: object) -> None:
    if value:
        setattr(console, param.name, value)


def _common(*names: str, metavar: str | None = None) -> Any:
    return typer.Option(*names, metavar=metavar, hidden=True, expose_value=False, is_eager=True, callback=_note)


def _common_options(
    json: Annotated[bool, _common("--json")] = False,
    quiet: Annotated[bool, _common("-q", "--quiet")] = False,
    debug: Annotated[bool, _common("--debug")] = False,
    plain: Annotated[bool, _common("--plain")] = False,
    no_input: Annotated[bool, _common("--no-input")] = False,
    no_color: Annotated[bool, _common("--no-color")] = False,
    api_url: Annotated[str | None, _common("--api-url", metavar="URL")] = None,
    profile: Annotated[str | None, _common("--profile", metavar="NAME")] = None,
) -> None:
    """The options that every command understands, in front of its name and behind it."""


@functools.cache
def _common_params() -> tuple[Any, ...]:
    declared = typer.Typer(add_completion=False)
    declared.command()(_common_options)
    return tuple(get_command(declared).params)


def _prepare(command: BaseCommand) -> None:
    """Gives a command the common options, and its parameters the names that help and errors call them."""
    for param in command.params:
        assert isinstance(param, TyperOption | TyperArgument)
        choices = param.type_descriptor.choices
        if param.metavar is None and choices:
            words = "|".join(map(str, choices))
            param.metavar = f"[{words}]" if isinstance(param, TyperOption) else f"{{{words}}}"
        elif param.metavar is None and isinstance(param, TyperArgument):
            param.metavar = param.name.upper()
        _read_numbers(param)
    command.params.extend(_common_params())
    command.context_settings = {**_CONTEXT, **command.context_settings}


_NUMBERS: dict[object, Callable[[str], object]] = {int: whole, float: number}


def _read_numbers(param: TyperOption | TyperArgument) -> None:
    """Makes a parameter take numbers in one form alone; one with a parser of its own reads them there."""
    read = _NUMBERS.get(param.type_descriptor.annotation)
    if read is None or param.type_descriptor.parameter_info.parser is not None:
        return
    process = param.process_value

    def checked(ctx: Context, value: Any) -> Any:
        try:
            if isinstance(value, str):
                read(value)
        except ValueError as why:
            raise BadParameter(f"{value!r} {str(why).removeprefix('it ')}.", ctx=ctx, param=param) from None
        return process(ctx, value)

    param.process_value = checked  # type: ignore[method-assign]


def is_described() -> bool:
    """Whether this Python has kept the docstrings, which help and the tools of agents are described by."""
    return sys.flags.optimize < 2


def _usage(command: BaseCommand) -> list[str]:
    pieces = [command.options_metavar or ""]
    for param in command.params:
        if isinstance(param, TyperArgument):
            name = param.display_name_raw if param.required else f"[{param.display_name_raw}]"
            pieces.append(name if param.nargs == 1 or "..." in name else f"{name}...")
    return pieces


def _write_help(command: BaseCommand, ctx: Context, formatter: HelpFormatter, examples: tuple[str, ...]) -> None:
    """Examples stand right below the first sentence, because they are what people look for."""
    command.format_usage(ctx, formatter)
    command.format_help_text(ctx, formatter)
    if examples:
        with formatter.section("Examples"):
            for example in examples:
                formatter.write(f"{'':{formatter.current_indent}}{example}\n")
    command.format_options(ctx, formatter)
    formatter.write_paragraph()
    if not is_described():
        formatter.write_text("Descriptions are missing: with PYTHONOPTIMIZE=2 or -OO Python drops them.")
    formatter.write_text("Everywhere: --json --quiet --plain --no-color --debug ... (bmn help options)")


_FEW = 12  # options that are one list


def _write_options(command: BaseCommand, ctx: Context, formatter: HelpFormatter) -> None:
    """In one list; where there are many, those of no panel first, and then each panel below its title."""
    options = [param for param in command.get_params(ctx) if isinstance(param, TyperOption)]
    rows = [(option, row) for option in options if (row := option.get_help_record(ctx))]
    panels: dict[str, list[tuple[str, str]]] = {"Options": []}
    for option, row in rows:
        panel = option.rich_help_panel if len(rows) > _FEW else None
        panels.setdefault(panel or "Options", []).append(row)
    for title, section in panels.items():
        if section:
            with formatter.section(title):
                formatter.write_dl(section)


_CHOOSE = {"queue", "state", "cause", "brand", "group", "user", "text", "kind"}


def _refuse_slips(command: BaseCommand, ctx: Context, args: list[str]) -> None:
    """What the parser would take without a word, and nobody means.

    An option whose value was forgotten would take the next option for it: a brand called `--dry-run`, and paid for. Of one
    that chooses and is given twice the last value would win: a cancel of other jobs than those that were named. Elsewhere
    the last one wins, so that a script can add to what it was given.
    """
    options = {
        name: param for param in command.get_params(ctx) if isinstance(param, TyperOption) for name in _names(param)
    }
    given: set[str | None] = set()
    words = iter(args)
    for word in words:
        if word == "--":
            return
        option = options.get(word.partition("=")[0])
        if option is None or option.is_flag or option.count:
            continue
        if option.name in given and option.name in _CHOOSE and not option.multiple:
            raise UsageError(f"{max(option.opts, key=len)} is given twice, and takes one value.", ctx)
        given.add(option.name)
        if word not in options:
            continue
        value = next(words, "")
        if value == "--" or value.partition("=")[0] in options:
            name = max(option.opts, key=len)
            raise UsageError(f"{name} needs a value, and {value} is an option; if it is the value: {name}={value}", ctx)


def _names(option: TyperOption) -> list[str]:
    return [*option.opts, *option.secondary_opts]


_CLEARLY = 0.1  # by so much of a word a choice is nearer than the next


class Command(TyperCommand):
    """A command. examples: command lines for its help."""

    examples: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        _prepare(self)

    def collect_usage_pieces(self, ctx: Context) -> list[str]:
        return _usage(self)

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        if not ctx.resilient_parsing:
            _refuse_slips(self, ctx, args)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:
        _write_help(self, ctx, formatter, self.examples)

    def format_options(self, ctx: Context, formatter: HelpFormatter) -> None:
        _write_options(self, ctx, formatter)


class Group(TyperGroup):
    """Commands below a word. Guesses what a mistyped one meant; alone it shows its help, which is a usage error."""

    examples: ClassVar[tuple[str, ...]] = ()

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        _prepare(self)

    def collect_usage_pieces(self, ctx: Context) -> list[str]:
        return [*_usage(self), self.subcommand_metavar]

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:
        _write_help(self, ctx, formatter, self.examples)

    def format_options(self, ctx: Context, formatter: HelpFormatter) -> None:
        _write_options(self, ctx, formatter)
        self.format_commands(ctx, formatter)

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        if not args and self.no_args_is_help and not ctx.resilient_parsing:
            typer.echo(ctx.get_help(), err=True)
            raise typer.Exit(exit_codes.USAGE)
        if not ctx.resilient_parsing:
            _refuse_slips(self, ctx, args)
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, BaseCommand | None, list[str]]:
        name = args[0]
        if self.get_command(ctx, name) is None and not (name.startswith("-") or ctx.resilient_parsing):
            near = nearest(name, self.list_commands(ctx), cutoff=0.5)
            hint = f"Did you mean {' or '.join(f'`{ctx.command_path} {match}`' for match in near)}?" if near else ""
            ctx.fail(f"No such command: {ctx.command_path} {name}. {hint}".rstrip())
        return super().resolve_command(ctx, args)


def nearest(word: str, choices: Iterable[str], *, cutoff: float = 0.6) -> list[str]:
    """The two choices that come closest to a mistyped word; the first alone where it is clearly nearer."""
    near = difflib.get_close_matches(word, [*choices], n=2, cutoff=cutoff)
    shares = [difflib.SequenceMatcher(None, each, word).ratio() for each in near]
    return near[:1] if len(near) > 1 and shares[0] - shares[1] > _CLEARLY else near


class LazyGroup(Group):
    """A group that imports a command's module when the command is run, so that help answers at once.

    sections: title -> {name: (module, one line of help)}. The command is the module's `app`.
    listing: those that list what they are named after; a `list` behind them, as others have it, means the same.
    """

    sections: ClassVar[Sections] = {}
    listing: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.table = {name: entry for section in self.sections.values() for name, entry in section.items()}

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, BaseCommand | None, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        if name in self.listing and rest[:1] == ["list"]:
            rest = rest[1:]
        return name, command, rest

    def list_commands(self, ctx: Context) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: Context, cmd_name: str) -> BaseCommand | None:
        if cmd_name in self.table and cmd_name not in self.commands:
            self.commands[cmd_name] = get_command(importlib.import_module(self.table[cmd_name][0]).app)
        return self.commands.get(cmd_name)

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        width = max(map(len, self.table))
        for title, section in self.sections.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), text) for name, (_, text) in section.items()])


# --- how a module declares its commands -------------------------------------------------------------------------------


def examples(*lines: str) -> type[Command]:
    """The class of a command with these examples: `@app.command(cls=examples("bmn jobs list"))`."""

    class WithExamples(Command):
        examples = lines

    return WithExamples


def single() -> typer.Typer:
    """The `app` of a module that is one command."""
    return typer.Typer(add_completion=False, rich_markup_mode=None)


def group(text: str, *lines: str, alone: Callable[..., Any] | None = None) -> typer.Typer:
    """The `app` of a module with several commands.

    text: its help. lines: examples. alone: what runs in front of its commands, and where none is named; without it the
    help is shown then.
    """

    class GroupWithExamples(Group):
        examples = lines

    return typer.Typer(
        cls=GroupWithExamples,
        help=text,
        callback=alone or _nothing,
        no_args_is_help=alone is None,
        invoke_without_command=alone is not None,
        subcommand_metavar="COMMAND [ARGS]..." if alone is None else "[COMMAND] [ARGS]...",
        add_completion=False,
        rich_markup_mode=None,
    )


def _nothing() -> None:
    pass


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a command's coroutine. Ctrl-C, SIGTERM and SIGHUP cancel it and come out as KeyboardInterrupt."""
    import asyncio
    import signal

    async def main() -> T:
        task = asyncio.current_task()
        assert task is not None
        told: list[int] = []

        def stop(number: int) -> None:
            told.append(number)
            task.cancel()

        for each in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(each) is not signal.SIG_IGN:  # nohup
                asyncio.get_running_loop().add_signal_handler(each, stop, each)
        try:
            return await work
        except asyncio.CancelledError:
            if told:
                raise KeyboardInterrupt from None
            raise

    return asyncio.run(main())
