"""The streams and the command line as whoever started us left them: closed, full, in another encoding, no text at all."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from PIL import Image

from tests.kit.processes import PATIENCE
from tests.kit.stack import User
from tests.kit.terminal import BMN, Output, environment

NAME = "Café 漢字 👩‍👩‍👧"
NARROW = [
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "latin-1"},
    {"PYTHONIOENCODING": "cp1252"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
]


def in_shell(command: str, user: User, env: Mapping[str, str] | None = None) -> Output:
    """Runs a line of the shell, in which `bmn` is ours."""
    done = subprocess.run(
        ["bash", "-c", command.replace("bmn", BMN, 1)],
        capture_output=True,
        env=environment({**user.env, **(env or {})}),
        timeout=PATIENCE,
        check=False,
    )
    encoding = (env or {}).get("PYTHONIOENCODING", "utf-8")
    return Output(done.returncode, done.stdout.decode(encoding), done.stderr.decode(encoding))


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("command", "code"), [("jobs list", 0), ("jobs list --json", 0), ("jobs show nobody", 3)])
def test_a_stream_that_is_closed_changes_nothing(user: User, command: str, code: int, closed: str) -> None:
    done = in_shell(f"bmn {command} {closed}", user)
    assert done.code == code
    assert "Traceback" not in done.err
    assert "defect" not in done.err


def test_no_file_gets_the_number_of_a_closed_stream(user: User) -> None:
    """It would get what is written to that stream: here a log of the server, or a picture."""
    done = in_shell("bmn generate logos --brand Acme --count 1 --out made >&- 2>&-", user)
    assert done.code == 0
    (made,) = (path for path in Path("made").iterdir() if path.suffix == ".png")
    assert made.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    Image.open(made).verify()


@pytest.mark.parametrize("command", ["credits", "jobs list --json", "--help", "help causes", "config show --json"])
def test_an_answer_that_has_no_room_is_no_defect(user: User, command: str) -> None:
    done = in_shell(f"bmn {command} >/dev/full", user)
    assert (done.code, done.err.splitlines()[:2]) == (
        1,
        ["error: Something could not be written.", "  No space left on device."],
    )
    assert "Traceback" not in done.err
    assert "Exception ignored" not in done.err


def test_no_room_for_what_is_told_beside_the_answer_ends_nothing(user: User) -> None:
    user.json("generate", "logos", "--brand", "Acme", "--count", "1")
    done = in_shell("bmn jobs list 2>/dev/full", user)
    assert done.code == 0
    assert "logo-generation" in done.out


@pytest.mark.parametrize("env", NARROW, ids=str)
def test_json_is_whole_in_every_encoding(user: User, env: Mapping[str, str]) -> None:
    user.json("brands", "create", NAME)
    done = in_shell("bmn brands list --json", user, env)
    assert done.code == 0, done.err
    assert [brand["name"] for brand in json.loads(done.out)["brands"]] == [NAME]


@pytest.mark.parametrize("env", NARROW, ids=str)
def test_what_an_encoding_lacks_stands_there_by_its_number(user: User, env: Mapping[str, str]) -> None:
    """A question mark would make one of all names; and a letter that it has is shown."""
    user.json("brands", "create", NAME)
    done = in_shell("bmn brands list", user, env)
    assert done.code == 0, done.err
    assert r"\u6f22\u5b57" in done.out
    has_e_acute = env.get("PYTHONIOENCODING") in ("latin-1", "cp1252")
    assert ("Café" if has_e_acute else r"Caf\xe9") in done.out


@pytest.mark.parametrize("env", [{}, *NARROW], ids=str)
def test_words_that_are_no_text_make_no_brand(user: User, env: Mapping[str, str]) -> None:
    """They would be another name than the one that was meant, and the job would be paid."""
    done = in_shell(r"bmn generate logos --count 1 --brand $'Caf\xe9'", user, env)
    assert done.code == 2
    assert r"'Caf\xe9' on the command line is not text in UTF-8." in done.err
    assert user.json("brands", "list")["brands"] == []


@pytest.mark.parametrize("env", [{}, *NARROW], ids=str)
def test_words_in_utf8_are_read_whatever_the_locale_says(user: User, env: Mapping[str, str]) -> None:
    done = in_shell(f"bmn brands create '{NAME}'", user, env)
    assert done.code == 0, done.err
    assert [brand["name"] for brand in user.json("brands", "list")["brands"]] == [NAME]


def test_words_are_read_as_the_locale_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a terminal of Latin-1, é is one byte, which Python has read by then."""
    from bmn.cli.terminal import streams

    monkeypatch.setattr(os, "fsencode", lambda word: word.encode("latin-1"))
    assert streams.words(["Café", "Acme"]) == ["Café", "Acme"]
