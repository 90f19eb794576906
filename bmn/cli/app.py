"""`bmn`: the tree of commands, and the one place where an error becomes three lines and an exit code."""

import difflib
import os
import re
import sys
from collections.abc import Sequence

import click

from bmn import __version__
from bmn.cli.base import CONTEXT, LazyGroup, with_common_options
from bmn.cli.terminal import exit_codes
from bmn.cli.terminal.console import console
from bmn.errors import BmnError

SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "Make": {
        "generate": (
            "bmn.cli.commands.generate:generate",
            "logos, mockups, bundles, videos, wizard steps; watched live",
        ),
        "logos": ("bmn.cli.commands.logos:logos", "look at, pick, save and refine what was made"),
        "brands": ("bmn.cli.commands.brands:brands", "the brands that pictures are made for"),
        "credits": ("bmn.cli.commands.credits:credits_group", "what you have left; grant more"),
        "open": ("bmn.cli.commands.open:open_page", "look at the pictures in the browser"),
    },
    "Watch": {
        "jobs": ("bmn.cli.commands.jobs:jobs", "list, show, watch, why, logs, cancel, retry, dead letters"),
        "queues": ("bmn.cli.commands.queues:queues", "what waits and runs; pause and resume"),
        "workers": ("bmn.cli.commands.workers:workers", "who is working on what"),
        "costs": ("bmn.cli.commands.costs:costs", "money by kind, provider or user"),
        "admin": ("bmn.cli.commands.open:admin", "a signed-in admin page"),
    },
    "Run": {
        "serve": ("bmn.cli.commands.serve:serve", "everything on this machine: API, workers, queue, sandbox"),
        "worker": ("bmn.cli.commands.worker:worker", "workers for the named queues"),
        "sandbox": ("bmn.cli.commands.sandbox:sandbox", "the stand-in for the providers: run it, make it fail"),
        "db": ("bmn.cli.commands.db:db", "bring the database to this release"),
        "doctor": ("bmn.cli.commands.doctor:doctor", "what is wrong here and what to do about it"),
        "config": ("bmn.cli.commands.config:config", "effective settings and where each comes from"),
        "token": ("bmn.cli.commands.token:token", "a bearer token for the local server"),
        "completion": ("bmn.cli.commands.completion:completion", "completion for bash, zsh and fish"),
        "help": ("bmn.cli.commands.help:help_command", "exit-codes, causes, options, images, environment"),
    },
}


class _Root(LazyGroup):
    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_help_text(ctx, formatter)


@click.group(
    cls=_Root,
    sections=SECTIONS,
    context_settings=CONTEXT,
    examples=(
        "bmn serve                                    # in one terminal",
        'bmn generate logos --brand "Acme Coffee"     # in another: four logos',
        "bmn jobs watch last                          # come back to it",
        "bmn jobs why last:failed                     # what went wrong, and what to do",
    ),
)
@click.version_option(__version__, prog_name="bmn", message="%(prog)s %(version)s")
def root() -> None:
    """Makes brands with AI: durable jobs, watched live, billed once."""


with_common_options(root)


def _report_usage(error: click.ClickException) -> int:
    """A mistake in the command line: what is wrong, and whose help to read."""
    context = getattr(error, "ctx", None)
    remedy = f"See `{context.command_path} --help`." if context else None
    message, _, guess = error.format_message().partition(" Did you mean")
    if options := getattr(error, "possibilities", None):
        message = error.message
    if near := options or _choices_like(error):
        guess = f" {' or '.join(near[:2])}?"
    console.error(message, f"Did you mean{guess}" if guess else None, remedy, code="usage")
    return exit_codes.USAGE


def _choices_like(error: click.ClickException) -> list[str]:
    """Of a mistyped word out of a closed set: the ones that were meant."""
    kind = getattr(getattr(error, "param", None), "type", None)
    word = re.match(r"'(.*?)' is not one of", error.message)
    return difflib.get_close_matches(word[1], map(str, kind.choices)) if word and isinstance(kind, click.Choice) else []


def _report(error: BmnError) -> int:
    request_id = error.extra.get("requestId")
    fields = {key: value for key, value in error.extra.items() if key not in ("requestId", "code", "message", "hint")}
    serious = error.http_status >= 500 and request_id is not None
    console.error(error.message, error.hint, code=error.code, requestId=request_id, tellRequest=serious, **fields)
    console.traceback()
    return error.exit_code


def _report_defect(error: Exception) -> int:
    console.error(
        f"bmn has a defect: {type(error).__name__}: {error}",
        "This should not happen, whatever was asked.",
        "Run it again with --debug for the traceback, and report it.",
        code="bug",
    )
    console.traceback()
    return exit_codes.FAILED


def _broken_pipe() -> int:
    """Nobody reads us any more. stdout is pointed at nothing, so that the interpreter's last flush is silent."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return exit_codes.BROKEN_PIPE


def _invoke(args: list[str]) -> int:
    """click's own `main` would turn a broken pipe into exit code 1, so its three steps are taken here."""
    if instruction := os.environ.get("_BMN_COMPLETE"):
        from click.shell_completion import shell_complete

        return shell_complete(root, {}, "bmn", "_BMN_COMPLETE", instruction)
    try:
        with root.make_context("bmn", args) as context:
            outcome = root.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    return outcome if isinstance(outcome, int) else exit_codes.DONE


def run(args: Sequence[str]) -> int:
    """Runs one command line and answers with its exit code."""
    console.json = "--json" in args
    console.debug = "--debug" in args
    try:
        code = _invoke(list(args))
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        return _broken_pipe()
    except (KeyboardInterrupt, click.Abort):
        return exit_codes.INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return exit_codes.USAGE
    except click.ClickException as error:
        return _report_usage(error)
    except BmnError as error:
        return _report(error)
    except Exception as error:  # noqa: BLE001 - the last line of defence; told to the person, with --debug in full
        return _report_defect(error)


def main() -> None:
    # Arguments are UTF-8 whatever the locale says.
    sys.exit(run([os.fsencode(argument).decode("utf-8", "replace") for argument in sys.argv[1:]]))
