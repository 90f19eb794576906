"""What is said of mistakes, failures and lists: once, of the nearest thing, and in one way wherever it is asked."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import bmn
from bmn.cli.base import nearest
from bmn.cli.following.board import Board
from bmn.cli.following.progress import BoardLine
from bmn.cli.following.report import report
from bmn.cli.lookup.rows import read_rows
from bmn.cli.terminal.console import console
from bmn.cli.terminal.page_note import further
from bmn.client import Event
from bmn.errors import CAUSES, Cause, UsageProblem
from bmn.schemas.documents import JobRecord
from bmn.schemas.payloads import JobState
from tests.kit.terminal import forked


@pytest.mark.parametrize("header", ["colors", "color", "Color", " COLORS"])
def test_a_files_colors_are_read_as_the_option_reads_them(tmp_path: Path, header: str) -> None:
    file = tmp_path / "brands.csv"
    file.write_text(f"brand,{header}\nAcme,navy; #F2E8DC\n")
    [row] = read_rows(file, "logos", {})
    assert row.body["colorPalette"] == ["#000080", "#F2E8DC"]


def test_a_header_that_is_none_is_said_once_with_the_one_that_was_meant(tmp_path: Path) -> None:
    file = tmp_path / "brands.csv"
    file.write_text("brand,colours\n" + "".join(f"Brand {number},navy\n" for number in range(7)))
    with pytest.raises(UsageProblem) as refused:
        read_rows(file, "logos", {})
    assert "lines 2, 3, 4, 5, 6 and 2 more: there is no column colours. Did you mean colors?" in refused.value.message
    assert refused.value.message.count("there is no column") == 1
    file.write_text("brand,color,colors\nAcme,navy,navy\n")
    with pytest.raises(UsageProblem, match="the column colors is there twice"):
        read_rows(file, "logos", {})


def test_a_color_in_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    file = tmp_path / "brands.csv"
    file.write_text("brand,color\nAcme,reddish\n")
    with pytest.raises(UsageProblem, match="line 2: colors: 'reddish' is not a color"):
        read_rows(file, "logos", {})


@pytest.mark.parametrize(
    ("words", "meant", "not_meant"),
    [
        (("jbos", "list"), "`bmn jobs`?", "webhooks"),
        (("generate", "logos", "--bramd", "Acme"), "Did you mean --brand?", "--from"),
    ],
)
def test_only_the_nearest_is_suggested(words: tuple[str, ...], meant: str, not_meant: str) -> None:
    refused = forked(*words)
    assert refused.code == 2
    assert meant in refused.err
    assert not_meant not in refused.err


def test_two_that_are_equally_near_are_both_suggested() -> None:
    assert sorted(nearest("logs", ["logo", "logi", "queue"])) == ["logi", "logo"]


def test_a_fault_without_an_effect_says_which_there_are() -> None:
    refused = forked("sandbox", "fail", "bfl")
    assert refused.code == 2
    assert "Say how bfl fails." in refused.err
    assert "--status 503" in refused.err


@pytest.mark.parametrize("status", ["queued", "waiting"])
def test_a_job_that_goes_back_in_line_waits_and_is_not_still_doing_its_message(status: str) -> None:
    board = Board(silent=True)
    board.add(BoardLine("logo-generation-1", "Acme", state="active"))
    message = CAUSES[Cause.PROVIDER_AUTH].told_while_waiting
    board.apply(Event("logo-generation-1", 1, "job:progress", {"status": status, "progress": 5, "message": message}))
    assert board.lines["logo-generation-1"].state == JobState.QUEUED


@pytest.mark.parametrize("error", ["The image service declined this content.", "The prompt names a person."])
def test_why_a_job_failed_is_said_once(error: str, capsys: pytest.CaptureFixture[str]) -> None:
    job = JobRecord.model_construct(
        job_id="logo-generation-11111111", queue_name="logo-generation", state=JobState.FAILED, cause="moderated",
        error=error, assets=[], created_at="2026-01-01T00:00:00Z", started_at=None, completed_at=None,
        credits_charged=0, credits_refunded=4, sandboxed=True, cost_usd=0.0, usd_estimated=None,
    )  # fmt: skip
    report(job)
    said = capsys.readouterr().err
    assert said.count("declined this content") == 1
    assert "Try other words." in said


def test_people_are_offered_a_longer_page_and_programs_the_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(console), "width", 80)
    assert further("WzE3OTYw", 20) == "more of them: --limit 200"
    assert further("WzE3OTYw", 200) == "the next page: --cursor WzE3OTYw"
    monkeypatch.setattr(type(console), "width", None)
    assert further("WzE3OTYw", 20) == "the next page: --cursor WzE3OTYw"


_ROOT = Path(bmn.__file__).parent
# Of stories, and of other languages; the field has a word for each.
_DIALECT = re.compile(
    r"\b(mend(s|ed|ing)?|hears?|heard|anew|in vain|greet(s|ed)?|told to|waits since|stands? there"
    r"|leave \S+( and \S+)? away|take(n|s)? (it )?up)\b",
    re.IGNORECASE,
)


def _said_by(tree: ast.Module) -> Iterator[str]:
    """Every text of a module that has a space in it and is no docstring."""
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value if " " in node.value else ""


def test_messages_and_pages_are_in_the_fields_words() -> None:
    found = [
        f"{path.relative_to(_ROOT)}: {text}"
        for path in _ROOT.rglob("*.py")
        if "migrations" not in path.parts
        for text in _said_by(ast.parse(path.read_text()))
        if _DIALECT.search(text)
    ]
    pages = [path for ending in ("html", "txt") for path in _ROOT.rglob(f"templates/**/*.{ending}")]
    words = ((path, re.sub(r"<[^>]*>|\{.*?\}", " ", path.read_text())) for path in pages)
    found += [f"{path.relative_to(_ROOT)}: {each[0]}" for path, text in words if (each := _DIALECT.search(text))]
    assert found == []
