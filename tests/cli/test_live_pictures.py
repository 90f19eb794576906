"""Pictures while they arrive on a terminal: in the order asked for, with the numbers of the list of files, and no litter."""

import re

import pytest

from tests.kit.stack import User
from tests.kit.terminal import on_terminal

_BLOCKS = {"BMN_IMAGES": "blocks", "COLORTERM": "truecolor"}
_CAPTIONS = re.compile(r"(?<!\S)(\d) ([A-Z]\S+)")


def _shown(text: str) -> list[tuple[str, str]]:
    """Number and name below each picture, from the top."""
    return [
        pair for line in text.splitlines() if "━" not in line and "·" not in line for pair in _CAPTIONS.findall(line)
    ]


@pytest.mark.parametrize("slow", ["Hoodie", "Poster"])
def test_mockups_are_numbered_as_they_were_asked_for(user: User, slow: str) -> None:
    user.json("generate", "logos", "--brand", "Acme", "--count", "1")
    products = [word for name in ("hoodie", "cap", "poster") for word in ("--product", name)]
    user.stack.fault(provider="openai", match=slow, latency=2)
    command = ("generate", "mockups", "--brand", "Acme", *products, "--out", "made")
    with on_terminal(*command, columns=80, rows=24, env={**user.env, **_BLOCKS}, fork=True) as terminal:
        assert terminal.end() == 0
        text = terminal.text
    assert [(number, name) for number, name in _shown(text)] == [("1", "Hoodie"), ("2", "Cap"), ("3", "Poster")]
    files = re.findall(r"^\d  .*-mockup-(\d)\.png$", text, re.MULTILINE)
    assert files == ["1", "2", "3"]
    lines = text.splitlines()
    assert max(at for at, line in enumerate(lines) if "▀" in line) < min(
        at for at, line in enumerate(lines) if "━" in line
    )
    assert "on its way" not in text
    assert text.count("▀\n") <= 36, "more rows of blocks than the pictures have"
    assert len(lines) <= 54


def test_a_logo_that_is_refused_leaves_no_gap_in_the_numbers(user: User) -> None:
    user.stack.fault(provider="bfl", op="submit", moderate=1)
    with user.on_terminal("generate", "logos", "--brand", "Acme", "--count", "4", columns=140, env=_BLOCKS) as terminal:
        assert terminal.end() == 0
        text = terminal.text
    chosen = user.json("logos", "list")["assets"]
    names = [asset["metadata"]["variation"].split()[0] for asset in chosen]
    assert _shown(text) == [(str(number), name) for number, name in enumerate(names, start=1)]
    assert len(names) == 3
