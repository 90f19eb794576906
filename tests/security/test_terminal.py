"""What others wrote does not steer the terminal of whoever reads it."""

import pytest
from pydantic import ValidationError

from bmn.cli.following.job_page import styled
from bmn.cli.terminal.console import Console
from bmn.schemas.requests import BrandBody

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


@pytest.mark.parametrize("sign", ["\x1b", "\x9b", "\x90", "\x85", "\x7f"])
def test_a_name_with_control_characters_is_refused(sign: str) -> None:
    with pytest.raises(ValidationError, match="control characters"):
        BrandBody(name=f"Acme{sign}x")
