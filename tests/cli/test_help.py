"""Help answers at once, in the same words everywhere, and mistakes are told what was meant."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_origin

import pytest
from typer.core import TyperGroup, TyperOption

from bmn.cli.app import root
from bmn.cli.base import BaseCommand, Context
from bmn.cli.terminal.exit_codes import MEANINGS
from bmn.errors import CAUSES
from bmn.settings import Settings
from tests.kit.terminal import bmn, check_snapshot, environment, forked, seen_at

_HEAVY = ("rich", "pydantic", "click", "asyncio", "httpx", "sqlalchemy", "fastapi", "PIL", "redis", "rq")
_OURS_FOR_HELP = {
    *("bmn.cli", "bmn.cli.app", "bmn.cli.base", "bmn.cli.terminal", "bmn.cli.terminal.console"),
    *(
        "bmn.cli.terminal.cells",
        "bmn.cli.terminal.exit_codes",
        "bmn.cli.terminal.streams",
        "bmn.cleaning",
        "bmn.names",
        "bmn.numbers",
        "bmn.errors",
        "bmn.redaction",
    ),
}
_OURS = (
    "generate",
    "jobs",
    "queues",
    "brands",
    "credits",
    "logos",
    "workers",
    "costs",
    "open",
    "admin",
    "keys",
    "login",
    "profile",
    "audit",
    "mcp",
    "completion",
)


def _tree(command: BaseCommand, path: str) -> Iterator[tuple[str, BaseCommand]]:
    yield path, command
    if isinstance(command, TyperGroup):
        with Context(command) as context:
            for name in command.list_commands(context):
                child = command.get_command(context, name)
                assert child is not None
                yield from _tree(child, f"{path} {name}")


def _our_commands() -> list[tuple[str, BaseCommand]]:
    found = []
    with Context(root) as context:
        for name in _OURS:
            command = root.get_command(context, name)
            assert command is not None
            found += _tree(command, f"bmn {name}")
    return found


def test_help_imports_typer_and_little_else() -> None:
    """How long that takes is `python -m bench.help`'s."""
    code = "import sys; from bmn.cli.app import run; run(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True)
    loaded = set(done.stderr.split())
    assert "typer" in loaded
    assert not loaded & set(_HEAVY)
    assert {name for name in loaded if name.startswith("bmn.")} == _OURS_FOR_HELP


@pytest.mark.parametrize("columns", [80, 140])
def test_the_root_help_on_a_terminal(columns: int) -> None:
    code, text = seen_at(columns, "--help")
    assert code == 0
    check_snapshot(f"help-{columns}", text)


@pytest.mark.parametrize("args", [["--help"], ["jobs", "--help"], ["jobs", "why", "--help"]], ids=" ".join)
def test_help_without_docstrings_says_what_is_missing(args: list[str]) -> None:
    missing = "Descriptions are missing: with PYTHONOPTIMIZE=2"
    code = f"from bmn.cli.app import run; raise SystemExit(run({args!r}))"
    for options, expected in ((["-OO"], True), ([], False)):
        command = [sys.executable, *options, "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=True)
        assert (missing in done.stdout) == expected, done.stdout


def test_tools_for_agents_are_not_offered_without_their_descriptions() -> None:
    command = [sys.executable, "-OO", "-m", "bmn", "mcp"]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment(), stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 2 and "PYTHONOPTIMIZE=2" in done.stderr


def test_the_root_help_in_a_pipe() -> None:
    done = bmn("--help")
    assert (done.code, done.err) == (0, "")
    assert "\x1b" not in done.out
    check_snapshot("help-pipe", done.out)


def test_every_command_has_one_sentence_and_an_example() -> None:
    for path, command in _our_commands():
        assert command.help, path
        assert getattr(command, "examples", ()), f"{path} has no example"
        for example in command.examples:  # type: ignore[attr-defined]
            assert "bmn" in example, path


def test_examples_stand_above_the_options() -> None:
    text = forked("generate", "logos", "--help").out
    assert text.index("Examples:") < text.index("Options:")


def test_examples_parse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every example of the help is a command line that our own parser accepts."""
    import shlex

    for path, command in _our_commands():
        for example in command.examples:  # type: ignore[attr-defined]
            words = shlex.split(example.split("#  ")[0].split(" > ")[0].split(" # ")[0])
            if words[0] != "bmn":
                continue
            node: BaseCommand = root
            context = Context(root, info_name="bmn")
            rest = words[1:]
            while isinstance(node, TyperGroup) and rest and not rest[0].startswith("-"):
                child = node.get_command(context, rest[0])
                assert child is not None, f"{path}: {example}"
                node, rest = child, rest[1:]
                context = Context(node, parent=context)
            node.make_parser(context).parse_args(list(rest))


def test_the_same_name_means_the_same_thing() -> None:
    """One spelling per idea: an option's short form and type never differ between commands."""
    seen: dict[str, tuple[tuple[str, ...], str]] = {}
    own = {"--style", "--name", "--out", "--notes", "--limit"}  # their values differ by what is made
    for path, command in _our_commands():
        for param in command.params:
            if not isinstance(param, TyperOption):
                continue
            for option in param.opts:
                if not option.startswith("--") or option in own:
                    continue
                kind = param.type_descriptor.annotation
                kind = get_args(kind)[0] if get_origin(kind) is list else kind
                shape = (tuple(name for name in param.opts if not name.startswith("--")), str(kind))
                assert seen.setdefault(option, shape) == shape, f"{path} {option}"


def test_no_option_takes_a_secret() -> None:
    for path, command in _our_commands():
        for param in command.params:
            for option in param.opts:
                assert not any(word in option for word in ("token", "secret", "password", "api-key")), path


def test_no_group_has_more_than_a_dozen_commands() -> None:
    for path, command in _our_commands():
        if isinstance(command, TyperGroup):
            assert len(command.commands) <= 12, path


def test_common_options_are_understood_everywhere() -> None:
    for _path, command in _our_commands():
        options = {option for param in command.params for option in param.opts}
        assert {"--json", "--quiet", "--debug", "--plain", "--no-input", "--no-color"} <= options


@pytest.mark.parametrize(
    ("args", "code", "name"),
    [
        (("jbos", "list"), 2, "command"),
        (("jobs", "lst"), 2, "subcommand"),
        (("generate", "logos", "--brand", "A", "--cuont", "3"), 2, "option"),
        (("generate", "logos"), 2, "missing-option"),
        (("generate", "logos", "--brand", "A", "--count", "9"), 2, "count-too-high"),
        (("generate", "logos", "--brand", "A", "--count", "0"), 2, "count-too-low"),
        (("generate", "logos", "--brand", "A", "--count", "many"), 2, "count-no-number"),
        (("generate", "logos", "--brand", "A", "--style", "baroque"), 2, "style"),
        (("generate", "logos", "--brand", "A", "--style", "minmal"), 2, "style-mistyped"),
        (("generate", "logos", "--brand", "A", "--notes", "x"), 2, "notes-alone"),
        (("generate", "logos", "--brand", "A", "--timeout", "soon"), 2, "timeout"),
        (("generate", "wizard", "brand-identity", "--brand", "A", "--input", "x"), 2, "input"),
        (("jobs", "list", "--since", "tomorrow"), 2, "since"),
        (("jobs", "list", "--limit", "1000"), 2, "limit"),
        (("jobs", "list", "--state", "done"), 2, "state"),
        (("jobs", "show"), 2, "missing-argument"),
        (("completion", "tcsh"), 2, "shell"),
        (("help", "nothing"), 2, "topic"),
        (("jobs", "dlq", "replay", "--rate", "fast", "--all"), 2, "rate"),
        (("jobs", "list", "--queue", "logo"), 3, "queue"),
        (("jobs", "list"), 69, "no-server"),
        (("generate", "logos", "--brand", "A", "--detach"), 69, "no-server-detach"),
    ],
)
def test_mistakes_are_told_in_three_lines(home: Path, args: tuple[str, ...], code: int, name: str) -> None:
    done = forked(*args, env={"PORT": "1"})
    assert done.code == code, done.err
    assert done.out == ""
    assert "Traceback" not in done.err
    assert 1 <= len(done.err.splitlines()) <= 3
    assert done.err.startswith("error: ")
    check_snapshot(f"mistake-{name}", done.err)


@pytest.mark.parametrize("args", [(), ("jobs",), ("jobs", "dlq"), ("generate",)])
def test_a_group_alone_shows_its_help_and_not_an_error(args: tuple[str, ...]) -> None:
    done = forked(*args)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"Usage: {' '.join(('bmn', *args))} ")


def test_an_error_with_json_is_one_document(home: Path) -> None:
    done = forked("jobs", "list", "--json", env={"PORT": "1"})
    error = json.loads(done.out)["error"]
    assert done.code == 69
    assert {"code", "message", "hint", "requestId"} <= set(error)
    assert error["code"] == "no_server"
    assert "bmn serve" in error["hint"]


def test_a_usage_error_with_json_is_one_document() -> None:
    done = forked("jobs", "lst", "--json")
    assert json.loads(done.out)["error"]["code"] == "usage"


def test_a_wrong_setting_is_named(home: Path) -> None:
    done = forked("jobs", "list", env={"PORT": "seventy"})
    assert done.code == 2
    assert "PORT" in done.err


def test_help_works_with_a_broken_configuration(home: Path) -> None:
    assert forked("jobs", "--help", env={"PORT": "seventy"}).code == 0


def test_help_lists_every_exit_code_and_cause() -> None:
    codes = json.loads(forked("help", "exit-codes", "--json").out)
    assert set(codes) == {str(code) for code in MEANINGS}
    assert set(json.loads(forked("help", "causes", "--json").out)) == {str(cause) for cause in CAUSES}


@pytest.mark.parametrize("topic", ["exit-codes", "causes", "options", "images"])
@pytest.mark.parametrize("columns", [80, 140])
def test_help_topics(topic: str, columns: int) -> None:
    code, text = seen_at(columns, "help", topic, fork=True)
    assert code == 0
    check_snapshot(f"topic-{topic}-{columns}", text)


def test_help_names_every_setting_even_where_one_cannot_be_used() -> None:
    refused = forked("config", env={"PORT": "many"})
    assert refused.code != 0
    assert "bmn help environment" in refused.err
    told = json.loads(forked("help", "environment", "--json", env={"PORT": "many"}).out)
    assert {name.upper() for name in Settings.model_fields} <= set(told)
    assert told["PORT"] == "Server [3000]"


def test_help_of_a_command_is_its_own_help() -> None:
    assert forked("help", "jobs").out == forked("jobs", "--help").out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_name_us(shell: str) -> None:
    done = forked("completion", shell)
    assert done.code == 0
    assert "_BMN_COMPLETE" in done.out


def test_completion_offers_commands_and_words_without_a_server(home: Path) -> None:
    done = forked(env={"_BMN_COMPLETE": "bash", "COMP_LINE": "bmn jobs wa", "PORT": "1"})
    assert "watch" in done.out
    done = forked(env={"_BMN_COMPLETE": "bash", "COMP_LINE": "bmn jobs show la", "PORT": "1"})
    assert "last:failed" in done.out
