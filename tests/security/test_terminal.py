"""What others wrote does not steer the terminal of whoever reads it."""

import io
import re

import pytest
from pydantic import ValidationError
from rich.text import Text

from bmn.cli.following.board import Board, _drawn, _rows
from bmn.cli.following.job_page import styled
from bmn.cli.following.progress import BoardLine
from bmn.cli.terminal.console import Console
from bmn.client import Event
from bmn.schemas.look import BrandBody

EVIL = "Acme\x1b]0;owned\x07 \x9b2J\x90q\x9c \x7f"


def test_an_answer_is_words_whoever_wrote_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    console = Console()
    console.answer(EVIL)
    console.field("Brand", EVIL)
    console.document({"name": EVIL})
    monkeypatch.setenv("FORCE_COLOR", "1")
    print(styled(EVIL, "bold").plain)
    written = capsys.readouterr().out
    assert written.count("Acme") == 4
    assert not set(written) & {"\x1b", "\x07", "\x7f", *map(chr, range(0x80, 0xA0))}


@pytest.mark.parametrize("color", ["", "1"])
def test_what_is_told_beside_the_answer_is_words_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, color: str
) -> None:
    monkeypatch.setenv("FORCE_COLOR", color)
    console = Console()
    console.say(EVIL)
    console.tell(EVIL, "bold red")
    console.tell(Text(EVIL, style="bold red"))
    console.answer(Text(EVIL, style="bold red"))
    console.next_step(f"bmn brands show {EVIL}")
    console.error(EVIL, EVIL, EVIL, requestId=EVIL, tellRequest=True)
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    console.ask(f"Stop {EVIL}?")
    console.debug = True
    try:
        raise ValueError(EVIL)
    except ValueError:
        console.traceback()
    monkeypatch.setattr("bmn.cli.following.board.console", console)
    board = Board()
    board.add(BoardLine("logo-generation-1", EVIL))
    board.apply(Event("logo-generation-1", 1, "job:tool-error", {"toolName": EVIL, "error": EVIL}))
    rows = [_drawn(row, "*", 200) for line in board.lines.values() for row in _rows([line], 200)]
    written = "".join(capsys.readouterr()) + "".join(part for row in rows for part in row)
    assert written.count("Acme") >= 14
    signs = re.sub(r"\x1b\[[0-9;]*m", "", written)  # of our own colors
    assert not set(signs) & {"\x1b", "\x07", "\x7f", *map(chr, range(0x80, 0xA0))}


@pytest.mark.parametrize("sign", ["\x1b", "\x9b", "\x90", "\x85", "\x7f"])
def test_a_name_with_control_characters_is_refused(sign: str) -> None:
    with pytest.raises(ValidationError, match="control characters"):
        BrandBody(name=f"Acme{sign}x")
