"""Commands and groups with our manners: examples first, "did you mean", common options, modules loaded late."""

import difflib
import importlib
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import click

from bmn.cli.terminal.console import console

T = TypeVar("T")

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def _note(_context: click.Context, param: click.Parameter, value: Any) -> None:
    if value and param.name:
        setattr(console, param.name, value)


def _common_options() -> list[click.Option]:
    def option(*names: str, **attributes: Any) -> click.Option:
        return click.Option(list(names), hidden=True, expose_value=False, is_eager=True, callback=_note, **attributes)

    return [
        option("--json", is_flag=True),
        option("-q", "--quiet", is_flag=True),
        option("--debug", is_flag=True),
        option("--plain", is_flag=True),
        option("--no-input", is_flag=True),
        option("--no-color", is_flag=True),
        option("--api-url", metavar="URL"),
    ]


def with_common_options(command: click.Command) -> click.Command:
    """Gives a command, and what is below it, the options that all commands share."""
    taken = {name for param in command.params for name in param.opts}
    for option in _common_options():
        option.opts = [name for name in option.opts if name not in taken]
        if option.opts:
            command.params.append(option)
    command.context_settings = {**CONTEXT, **command.context_settings}
    if isinstance(command, click.Group):
        for child in command.commands.values():
            with_common_options(child)
    return command


class _Examples:
    """Examples stand right below the first sentence, because they are what people look for."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **attributes: Any) -> None:
        self.examples = examples
        super().__init__(*args, **attributes)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_help_text(ctx, formatter)  # type: ignore[misc]
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}{example}\n")

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)  # type: ignore[misc]
        formatter.write_paragraph()
        formatter.write_text("Everywhere: --json --quiet --plain --no-color --debug ... (bmn help options)")


class Command(_Examples, click.Command):
    pass


class Group(_Examples, click.Group):
    """A group whose commands are `Command`s and that guesses what a mistyped one meant."""

    command_class = Command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = click.utils.make_str(args[0])
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            near = difflib.get_close_matches(name, self.list_commands(ctx), n=2, cutoff=0.5)
            hint = f"Did you mean {' or '.join(f'`{ctx.command_path} {match}`' for match in near)}?" if near else ""
            raise click.UsageError(f"No such command: {ctx.command_path} {name}. {hint}".rstrip(), ctx)
        return super().resolve_command(ctx, args)


Group.group_class = Group


class LazyGroup(Group):
    """A group that imports a command's module when the command is run, so that help answers at once.

    sections: title -> {name: ("module:attribute", one line of help)}.
    """

    def __init__(self, *args: Any, sections: dict[str, dict[str, tuple[str, str]]], **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.sections = sections
        self.table = {name: entry for section in sections.values() for name, entry in section.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.table:
            return None
        if cmd_name not in self.commands:
            module, attribute = self.table[cmd_name][0].split(":")
            self.commands[cmd_name] = with_common_options(getattr(importlib.import_module(module), attribute))
        return self.commands[cmd_name]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, self.table))
        for title, section in self.sections.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), text) for name, (_, text) in section.items()])


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a command's coroutine. Ctrl-C cancels it and comes out as KeyboardInterrupt."""
    import asyncio

    return asyncio.run(work)
