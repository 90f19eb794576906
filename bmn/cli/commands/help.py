"""`bmn help TOPIC`: the tables that several commands share."""

import difflib
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated

import typer

from bmn.cli.base import HelpFormatter, UsageError, examples, single
from bmn.cli.terminal.console import console
from bmn.cli.terminal.exit_codes import MEANINGS
from bmn.errors import CAUSES

_OPTIONS = (
    ("--json", "one JSON document on stdout (one object a line for streams); nothing else goes there"),
    ("-q, --quiet", "no progress, no hints; errors are still shown"),
    ("--plain", "no bars, no pictures, no drawing characters"),
    ("--no-color", "no colors; NO_COLOR, FORCE_COLOR and TERM=dumb are obeyed as well"),
    ("--no-input", "never ask; fail and name the flag instead"),
    ("--debug", "the traceback below an error"),
    ("--profile NAME", "the server and key of `bmn login`; else BMN_API_URL and BMN_TOKEN, else `bmn profile use`"),
    ("--api-url URL", "which server; else BMN_API_URL, else the running `bmn serve`, else http://127.0.0.1:3000"),
)
_IMAGES = (
    ("auto", "what the terminal can do; nothing in a pipe, under NO_COLOR, TERM=dumb or CI"),
    ("kitty", "kitty and ghostty"),
    ("iterm", "iTerm2 and WezTerm"),
    ("sixel", "foot, mlterm, contour, mintty, Windows Terminal; choose it for xterm -ti vt340 and others"),
    ("blocks", "half blocks, two pixels a character; also inside tmux and screen"),
    ("none", "paths and addresses only"),
)
_ENVIRONMENT = (
    ("BMN_API_URL", "where the server is"),
    ("BMN_TOKEN", "who you are; the local development server needs none"),
    ("BMN_HOME", "where state lives"),
    ("BMN_IMAGES", "how pictures are shown (bmn help images)"),
    ("NO_COLOR, FORCE_COLOR", "colors off or on"),
    ("COLUMNS", "the width of tables and bars"),
)


def _pairs(pairs: tuple[tuple[str, str], ...]) -> None:
    if console.json:
        console.document(dict(pairs))
        return
    formatter = HelpFormatter(width=console.width or 1000)
    formatter.write_dl(pairs, col_max=30)
    console.answer(formatter.getvalue().rstrip("\n"))


def _environment() -> None:
    """What the command line reads, and every setting with its group and default; also where one of them cannot be used."""
    from bmn.settings import GROUPS, Settings

    known, group = dict(_ENVIRONMENT), ""
    groups: dict[str, dict[str, str]] = {}
    for name, field in Settings.model_fields.items():
        group = GROUPS.get(name, group)
        if name.upper() not in known:
            groups.setdefault(group, {})[name.upper()] = _default(field.default)
    if console.json:
        found = {name: f"{title} [{default}]" if default else title for title, name, default in _flat(groups)}
        console.document(known | found)
        return
    _pairs(tuple(known.items()))
    for title, defaults in groups.items():
        console.answer(f"\n{title}, with defaults")
        _pairs(tuple((name, default or "-") for name, default in defaults.items()))


def _flat(groups: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Each setting: its group, its name, its default."""
    return ((title, name, default) for title, defaults in groups.items() for name, default in defaults.items())


def _default(value: object) -> str:
    """A setting's default in words; a secret, and one that is worked out, has none."""
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value) if isinstance(value, str | int | float) else ""


def _causes() -> None:
    if console.json:
        fields = ("fault", "retried", "dead_letter", "pauses_queue", "advice")
        told = {cause: {name: getattr(info, name) for name in fields} for cause, info in CAUSES.items()}
        console.document({str(cause): {**known, "user_text": CAUSES[cause].told} for cause, known in told.items()})
        return
    for cause, info in CAUSES.items():
        facts = [f"fault: {info.fault}", "retried" if info.retried else "not retried"]
        facts += ["dead letter"] if info.dead_letter else []
        facts += ["pauses its queue"] if info.pauses_queue else []
        console.answer(f"{cause}  ({', '.join(facts)})")
        indent = "    "
        console.answer(
            textwrap.fill(info.advice, console.width or 1000, initial_indent=indent, subsequent_indent=indent)
        )


TOPICS: dict[str, Callable[[], None]] = {
    "exit-codes": lambda: _pairs(tuple((str(code), text) for code, text in MEANINGS.items())),
    "causes": _causes,
    "options": lambda: _pairs(_OPTIONS),
    "images": lambda: _pairs(_IMAGES),
    "environment": _environment,
}


app = single()


@app.command("help", cls=examples(*(f"bmn help {topic}" for topic in TOPICS)))
def help_command(context: typer.Context, topic: Annotated[str | None, typer.Argument()] = None) -> None:
    """Explains a topic, or a command: `bmn help jobs`."""
    from bmn.cli.app import root

    if topic is None:
        console.answer(root.get_help(context.find_root()))
        return
    if topic in TOPICS:
        TOPICS[topic]()
        return
    command = root.get_command(context, topic)
    if command is None:
        near = difflib.get_close_matches(topic, [*TOPICS, *root.list_commands(context)], n=2, cutoff=0.7)
        guess = f" Did you mean {' or '.join(f'`bmn help {match}`' for match in near)}?" if near else ""
        raise UsageError(f"No such topic: {topic}.{guess} Topics: {', '.join(TOPICS)}.", context)
    with typer.Context(command, info_name=topic, parent=context.find_root()) as inner:
        console.answer(command.get_help(inner))
