"""The only place that prints. Answers go to stdout; progress, hints and errors go to stderr.

On a terminal: colors, symbols, bars. In a pipe: plain lines, whole ids, no escape codes. rich is loaded when the first
colored or measured thing is printed, never for help or completion.
"""

import json
import os
import shutil
import stat
import sys
import traceback
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TextIO

from bmn.cli.terminal import streams
from bmn.cli.terminal.cells import Cell, Column, clean, unsteered
from bmn.redaction import redact

if TYPE_CHECKING:
    import rich.console
    from rich.text import Text

_ASCII = str.maketrans("✓✗◐●…↻⊘·→─", "+x~*.r-->-")


class Console:
    """What the flags and the environment say about output, and the functions that obey it."""

    def __init__(self) -> None:
        self.json = False
        self.quiet = False
        self.debug = False
        self.plain = False
        self.no_input = False
        self.no_color = False
        self.api_url = ""
        self.profile = ""
        self.production = ""  # of a profile that says so: what is said before an act

    # --- what kind of place this is -------------------------------------------------------------------------------

    @property
    def in_ci(self) -> bool:
        """Whether nobody sits in front of it."""
        return _is_set("CI")

    @property
    def is_dumb(self) -> bool:
        """Whether the terminal only knows lines."""
        return os.environ.get("TERM") == "dumb"

    @property
    def live(self) -> bool:
        """Whether bars may redraw themselves on stderr."""
        still = self.is_dumb or self.in_ci or self.plain or self.quiet
        return _in_foreground(sys.stderr) and _is_unicode(sys.stderr) and not still

    @property
    def interactive(self) -> bool:
        """Whether a question may be asked."""
        unasked = self.no_input or self.in_ci or self.json
        return _in_foreground(sys.stdin) and sys.stderr.isatty() and not unasked

    def colored(self, stream: TextIO) -> bool:
        """Whether colors are wanted and shown."""
        if self.no_color or os.environ.get("NO_COLOR"):
            return False
        if _is_set("FORCE_COLOR") or _is_set("CLICOLOR_FORCE"):
            return True
        return stream.isatty() and not self.is_dumb

    @cached_property
    def out(self) -> "rich.console.Console":
        """Where answers go."""
        return self._rich(sys.stdout)

    @cached_property
    def err(self) -> "rich.console.Console":
        """Where progress, hints and errors go."""
        return self._rich(sys.stderr)

    def _rich(self, stream: TextIO) -> "rich.console.Console":
        import rich.console

        class Terminal(rich.console.Console):
            def on_broken_pipe(self) -> None:
                raise BrokenPipeError  # rich would end the process with 1

        color = self.colored(stream)
        return Terminal(
            file=stream,
            force_terminal=stream.isatty() or color,
            no_color=not color,
            color_system="auto" if color else None,
            width=shutil.get_terminal_size().columns if stream.isatty() else 10_000,  # never 0, whatever COLUMNS says
            highlight=False,
            markup=False,
            emoji=False,
        )

    @property
    def width(self) -> int | None:
        """Columns of the terminal that stdout is; None in a pipe, where nothing is shortened."""
        return shutil.get_terminal_size().columns if sys.stdout.isatty() else None

    # --- answers ----------------------------------------------------------------------------------------------------

    def answer(self, text: "str | Text" = "") -> None:
        """One line or more of the answer. What steers a terminal is taken out: much of it was written by others."""
        if isinstance(text, str):
            self._write(sys.stdout, None, clean(text))
        else:
            self._write(sys.stdout, self.out, unsteered(text))

    def draw(self, picture: str) -> None:
        """The characters of `bmn.cli.following.pictures`, which do steer the terminal, as the answer."""
        self._write(sys.stdout, None, picture)

    def show(self, picture: str) -> None:
        """The same beside the answer."""
        if picture:
            self._write(sys.stderr, None, picture.rstrip("\n"))

    def field(self, name: str, value: str, *, width: int = 10) -> None:
        """A name and what it is; on a terminal long texts are wrapped below their beginning, never inside a word."""
        self.answer(self._wrapped(f"  {name:<{width}} {value}", 3 + width))

    def _wrapped(self, line: str, indent: int) -> str:
        if self.width is None or len(line) <= self.width:
            return line
        import textwrap

        return textwrap.fill(
            line,
            self.width,
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
            replace_whitespace=False,
            drop_whitespace=True,
        )

    def document(self, value: object) -> None:
        """The one JSON document of `--json`; what the API answered stands in it as it was on the wire."""
        self.answer(json.dumps(value, ensure_ascii=not _is_unicode(sys.stdout), indent=2, default=_wire))

    def json_line(self, value: object) -> None:
        """One object of a stream; written at once, because somebody waits for it."""
        whole = not _is_unicode(sys.stdout)
        self.answer(json.dumps(value, ensure_ascii=whole, separators=(",", ":"), default=_wire))
        sys.stdout.flush()

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
        """Rows below their headings, as wide as the terminal."""
        from bmn.cli.terminal.tables import render

        for line in render(columns, rows, self.width):
            self.answer(line)

    # --- everything else --------------------------------------------------------------------------------------------

    def bell(self) -> None:
        """Rings, where somebody sits at a terminal."""
        if sys.stderr.isatty() and not self.is_dumb:
            sys.stderr.write("\a")
            sys.stderr.flush()

    def say(self, text: "str | Text", style: str = "") -> None:
        """Progress, warnings, what just happened."""
        if self.quiet:
            return
        self.tell(text, style)

    def tell(self, text: "str | Text", style: str = "") -> None:
        """Like `say`, and heard under `--quiet` too. Nothing in it steers a terminal, as in `answer`."""
        text = clean(text) if isinstance(text, str) else unsteered(text)
        if isinstance(text, str) and style and self.colored(sys.stderr):
            from rich.text import Text

            text = Text(text, style=style)
        self._write(sys.stderr, self.err if not isinstance(text, str) else None, text)

    def warn_production(self) -> None:
        """Says, once and in red, that what follows is done to people."""
        text, self.production = self.production, ""
        if text:
            self.tell(text, style="bold red")

    def hint(self, text: str) -> None:
        """What is worth knowing beside an answer. Not on a terminal where another program, such as `head`, writes the
        answer: that comes later.
        """
        if not (sys.stderr.isatty() and _is_pipe(sys.stdout)):
            self.say(text, style="dim")

    def next_step(self, *commands: str) -> None:
        """The next useful commands; each command of ours ends with them."""
        if self.json:
            return
        for index, command in enumerate(commands):
            self.hint(f"{'next:' if index == 0 else '     '} {command}")

    def error(self, what: str, why: str | None = None, remedy: str | None = None, **fields: Any) -> None:
        """What happened, why, what to do: one line each on stderr, and one JSON document on stdout with `--json`.

        fields: code, requestId and whatever else the JSON error carries.
        """
        what, why, remedy = redact(what), redact(why or ""), redact(remedy or "")
        lines = [f"error: {what}", *(f"  {text}" for text in (why, remedy) if text)]
        if fields.pop("tellRequest", False) or self.debug:
            lines.append(f"  request {fields.get('requestId')}")
        if self.json:
            hint = " ".join(text for text in (why, remedy) if text) or None
            body = {"code": "error", "message": what, "hint": hint, "requestId": None, **fields}
            self.document({"error": body})
        self.tell(lines[0], style="bold red")
        for line in lines[1:]:
            self.tell(line)

    def traceback(self) -> None:
        """Where the error came from, with --debug."""
        if self.debug:
            sys.stderr.write(clean(redact(traceback.format_exc())))

    def confirm(self, question: str, *, flag: str = "--yes") -> bool:
        """Asks on a terminal. Elsewhere raises UsageProblem, which names the flag to use."""
        from bmn.errors import UsageProblem

        self.warn_production()
        if not self.interactive:
            raise UsageProblem(f"{question} Nobody is here to answer.", hint=f"Add {flag} to go ahead.")
        return self.ask(f"{question} [y/N] ").lower() in ("y", "yes")

    def ask(self, prompt: str) -> str:
        """One line that is typed on the terminal."""
        sys.stderr.write(clean(prompt))
        sys.stderr.flush()
        return sys.stdin.readline().strip()

    def _write(self, stream: TextIO, console: "rich.console.Console | None", text: "str | Text") -> None:
        if stream is sys.stderr:
            sys.stdout.flush()  # what was answered comes first; and where nobody reads it, there is no more to say
        if console is not None and _is_unicode(stream):
            console.print(text, soft_wrap=True, crop=False, overflow="ignore")
            return
        line = text if isinstance(text, str) else text.plain
        if not _is_unicode(stream):
            line = line.translate(_ASCII)
        try:
            stream.write(line + "\n")
        except OSError as error:
            if stream is not sys.stderr or error.errno not in streams.FULL:
                raise
            streams.discard(stream)  # no room for what is told on the way; the answer is another matter


def _is_set(name: str) -> bool:
    """Whether a switch of the environment is on."""
    return os.environ.get(name, "").strip().lower() not in ("", "0", "false", "no", "off")


def _wire(value: object) -> object:
    """A document of the API as JSON values; what holds one is built of nothing else."""
    from bmn.schemas.documents import Document

    if isinstance(value, Document):
        return value.wire()
    raise TypeError(f"{type(value).__name__} is not JSON")


def _in_foreground(stream: TextIO) -> bool:
    """Whether the stream is a terminal that is ours: in the background others write and type there."""
    if not stream.isatty():
        return False
    try:
        return os.tcgetpgrp(stream.fileno()) == os.getpgrp()
    except OSError:
        return True  # not the terminal that controls us; nobody shares it with us


def _is_pipe(stream: TextIO) -> bool:
    """Whether another program reads what is written."""
    try:
        return stat.S_ISFIFO(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):
        return False


def _is_unicode(stream: TextIO) -> bool:
    return (stream.encoding or "").lower().startswith("utf")


console = Console()
