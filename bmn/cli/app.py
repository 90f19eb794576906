"""`bmn`: the tree of commands, and the one place where an error becomes three lines and an exit code."""

import difflib
import errno
import os
import re
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.main import get_group

from bmn import __version__
from bmn.cli.base import LazyGroup, NoSuchOption, Sections, nearest
from bmn.cli.terminal import exit_codes, streams
from bmn.cli.terminal.console import console
from bmn.errors import BmnError

_COMMANDS = "bmn.cli.commands"

SECTIONS: Sections = {
    "Make": {
        "generate": (f"{_COMMANDS}.generate", "logos, mockups, bundles, videos, whole kits; watched live"),
        "logos": (f"{_COMMANDS}.logos", "look at, pick, save and refine what was made"),
        "kits": (f"{_COMMANDS}.kits", "whole brands, step by step: watch, pick, cancel"),
        "brands": (f"{_COMMANDS}.brands", "the brands that pictures are made for"),
        "credits": (f"{_COMMANDS}.credits", "what you have left; grant more"),
        "open": (f"{_COMMANDS}.open", "look at the pictures in the browser"),
    },
    "Watch": {
        "jobs": (f"{_COMMANDS}.jobs", "list, show, watch, why, logs, cancel, retry, dead letters"),
        "bulk": (f"{_COMMANDS}.bulk", "actions on many jobs: list, watch, pause, abort"),
        "queues": (f"{_COMMANDS}.queues", "what waits and runs; pause and resume"),
        "top": (f"{_COMMANDS}.top", "queues, workers, alerts and spend on one live screen"),
        "workers": (f"{_COMMANDS}.workers", "who is working on what; drain and scale"),
        "alerts": (f"{_COMMANDS}.alerts", "what is wrong with the service, and since when"),
        "incident": (f"{_COMMANDS}.incident", "what is going on, who is affected, how to fix it"),
        "webhooks": (f"{_COMMANDS}.webhooks", "who is notified of jobs, what was sent; test, replay, listen"),
        "shares": (f"{_COMMANDS}.shares", "links that show what was made; list, add, revoke"),
        "costs": (f"{_COMMANDS}.costs", "money by kind, provider or user"),
        "admin": (f"{_COMMANDS}.admin", "a signed-in admin page"),
        "audit": (f"{_COMMANDS}.audit", "who did what, when, why and from where"),
    },
    "Run": {
        "serve": (f"{_COMMANDS}.serve", "everything on this machine: API, workers, queue, sandbox"),
        "worker": (f"{_COMMANDS}.worker", "workers for the named queues"),
        "sandbox": (f"{_COMMANDS}.sandbox", "the stand-in for the providers: run it, make it fail"),
        "db": (f"{_COMMANDS}.db", "bring the database to this release"),
        "doctor": (f"{_COMMANDS}.doctor", "what is wrong here and what to do about it"),
        "config": (f"{_COMMANDS}.config", "effective settings and where each comes from"),
        "token": (f"{_COMMANDS}.token", "a bearer token for the local server"),
        "login": (f"{_COMMANDS}.login", "sign in to a server with a key, and remember it"),
        "profile": (f"{_COMMANDS}.profile", "the servers you have signed in to, and which one is meant"),
        "keys": (f"{_COMMANDS}.keys", "API keys: make, list, revoke; the first admin's"),
        "mcp": (f"{_COMMANDS}.mcp", "the service as tools for agents"),
        "completion": (f"{_COMMANDS}.completion", "completion for bash, zsh and fish"),
        "help": (f"{_COMMANDS}.help", "exit-codes, causes, options, images, environment"),
    },
}


class _Root(LazyGroup):
    sections = SECTIONS
    listing = frozenset(("alerts", "audit", "config", "costs", "credits", "incident", "workers"))
    examples = (
        "bmn serve                                    # in one terminal",
        'bmn generate logos --brand "Acme Coffee"     # in another: four logos',
        "bmn jobs watch last                          # come back to it",
        "bmn jobs why last:failed                     # what went wrong, and what to do",
    )


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bmn {__version__}")
        raise typer.Exit


_app = typer.Typer(cls=_Root, no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@_app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Show the version and exit.")
    ] = False,
) -> None:
    """Makes brands with AI: durable jobs, watched live, billed once."""


root = get_group(_app)

# pydantic's words for a bad value, in ours.
_WORDS = {
    "int_parsing": "{input!r} is not a whole number.",
    "float_parsing": "{input!r} is not a number.",
    "uuid_parsing": "{input!r} is not a valid UUID.",
    "greater_than_equal": "{input} is not in the range {range}.",
    "less_than_equal": "{input} is not in the range {range}.",
    "value_error": "{error}",
}


def _report_usage(error: typer.TyperException) -> int:
    """A mistake in the command line: what is wrong, and whose help to read."""
    context = getattr(error, "ctx", None)
    remedy = f"See `{context.command_path} --help`." if context else None
    error.message = _problem_with_value(error) or error.message
    message, _, guess = error.format_message().partition(" Did you mean")
    if isinstance(error, NoSuchOption):
        message = f"No such option {error.option_name!r}."
    near = getattr(error, "possibilities", None) or _choices_like(error)
    if near and isinstance(error, NoSuchOption):
        near = nearest(error.option_name, near, cutoff=0)
    if near:
        guess = f" {' or '.join(near[:2])}?"
    console.error(message, f"Did you mean{guess}" if guess else None, remedy, code="usage")
    return exit_codes.USAGE


def _problem_with_value(error: typer.TyperException) -> str | None:
    """What is wrong with a value that pydantic refused; None where it was not that."""
    from bmn.issues import issues

    cause: Any = error.__cause__
    if not hasattr(cause, "errors"):
        return None
    problem = issues(cause)[0]
    param = getattr(error, "param", None)
    limits = f"x>={param.min}" if param and param.max is None else f"{param.min}<=x<={param.max}" if param else ""
    words = _WORDS.get(problem.kind) or problem.words
    return words.format(input=problem.value, error=problem.error, range=limits)


def _choices_like(error: typer.TyperException) -> list[str]:
    """Of a mistyped word out of a closed set: the ones that were meant."""
    word, said, choices = error.message.partition(" is not one of ")
    return difflib.get_close_matches(word.strip("'"), re.findall(r"[\w-]+", choices)) if said else []


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
    """Nobody reads us any more."""
    streams.discard(sys.stdout)
    return exit_codes.BROKEN_PIPE


def _report_system(error: OSError) -> int:
    """What the machine refused: the terminal has gone, there is no room; anything else is a defect."""
    if error.errno == errno.EIO:
        return _broken_pipe()
    if error.errno not in streams.FULL:
        return _report_defect(error)
    for _ in range(2):
        try:
            console.error(
                "Something could not be written.",
                f"{error.strerror}.",
                "Make room, or write it somewhere else.",
                code="no_space",
            )
            sys.stdout.flush()
        except OSError:  # it was the answer itself; what is left of it is given up, and the error told again
            streams.discard(sys.stdout)
        else:
            break
    return exit_codes.FAILED


def _invoke(args: list[str]) -> int:
    """Typer's own `main` would turn a broken pipe into exit code 1 and print errors itself, so its steps are taken here."""
    if shell := os.environ.get("_BMN_COMPLETE"):
        from bmn.cli.terminal.shell_completion import complete

        return complete(root, shell)
    try:
        with root.make_context("bmn", streams.words(args)) as context:
            outcome = root.invoke(context)
    except typer.Exit as end:
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
    except OSError as error:
        return _report_system(error)
    except (KeyboardInterrupt, typer.Abort):
        return exit_codes.INTERRUPTED
    except typer.TyperException as error:
        return _report_usage(error)
    except BmnError as error:
        return _report(error)
    except Exception as error:  # noqa: BLE001 - the last line of defence; told to the person, with --debug in full
        return _report_defect(error)


def main() -> None:
    streams.prepare()
    sys.exit(run(sys.argv[1:]))
