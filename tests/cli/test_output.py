"""Tables, times, pictures and colors, wherever they go."""

import io
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL import Image
from rich.cells import cell_len

from bmn.cli.commands import jobs, queues, workers
from bmn.cli.following import pictures
from bmn.cli.following.board import _job_row
from bmn.cli.following.job_page import _timeline
from bmn.cli.following.progress import BoardLine
from bmn.cli.terminal import image_support
from bmn.cli.terminal.cells import Column, clean
from bmn.cli.terminal.console import Console
from bmn.cli.terminal.exit_codes import of_job, of_jobs
from bmn.cli.terminal.tables import render
from bmn.cli.terminal.timespan import ago, next_moment, seconds_ago
from bmn.format import duration, parse_span
from bmn.schemas.documents import Job, TimelineEvent
from bmn.schemas.payloads import JobState

_COLUMNS = (Column("ID"), Column("NAME", flexible=True), Column("COST", right=True, drop=1))
_NAMES = ("Acme", "茶☕ عربي", "שלום עולם", "👩‍🚀 Rocket", "x" * 200)


def _lines(width: int | None) -> list[str]:
    rows = [(f"id-{index:04d}", name, "$0.12") for index, name in enumerate(_NAMES)]
    return [line.plain for line in render(_COLUMNS, rows, width)]


@pytest.mark.parametrize("width", [24, 40, 80, 140])
def test_no_line_of_a_table_is_wider_than_the_terminal(width: int) -> None:
    for line in _lines(width):
        assert cell_len(re.sub("[\u2068\u2069]", "", line)) <= width


@pytest.mark.parametrize("columns", [jobs._COLUMNS, queues._COLUMNS, workers._COLUMNS])
def test_what_is_looked_at_most_fits_a_phones_terminal(columns: tuple[Column, ...]) -> None:
    widest = {"JOB": "7f3a1b22", "STATE": "◐ completed", "QUEUE": "bundle-composition", "CREATED": "34 s ago"}
    for line in render(columns, [[widest.get(column.title, "0") for column in columns]], 40):
        assert cell_len(line.plain) <= 40


def test_a_pipe_shortens_nothing() -> None:
    assert "x" * 200 in _lines(None)[-1]


def test_ids_are_never_shortened() -> None:
    for index, line in enumerate(_lines(24)[1:]):
        assert line.startswith(f"id-{index:04d}")


def test_the_least_important_column_leaves_first() -> None:
    assert "COST" in _lines(80)[0]
    assert "COST" not in _lines(20)[0]


def test_right_to_left_names_are_isolated_from_their_neighbours() -> None:
    assert "\u2068שלום עולם\u2069" in _lines(80)[3]


def test_control_characters_of_others_do_not_reach_the_terminal() -> None:
    assert clean("a\x1b[31mb\x07c\rd") == "a[31mbcd"
    [_, line] = render((Column("X"),), [("evil\x1b]0;title\x07\nname",)], 80)
    assert "\x1b" not in line.plain
    assert "\n" not in line.plain


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("2h", 7200), ("1h30m", 5400), ("3d", 259_200)]
)
def test_spans(text: str, seconds: float) -> None:
    assert parse_span(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "10x", "ten", "-5m", "10m!"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a time span"):
        parse_span(text)


def test_since_understands_words_and_iso_times() -> None:
    now = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
    assert seconds_ago("today", now) == 10.5 * 3600
    assert seconds_ago("yesterday", now) == 34.5 * 3600
    assert seconds_ago("2026-11-23T10:00Z", now) == 1800
    assert seconds_ago("2026-11-23T10:00", now) == 1800
    assert seconds_ago("2h", now) == 7200


@pytest.mark.parametrize(
    "text", ["1795861800", "1795861800.0", "1795861800000", "20261128T103000Z", "2026-11-28T10:30Z"]
)
def test_since_understands_what_other_programs_print(text: str) -> None:
    """`date +%s`, JavaScript's milliseconds, ISO without dashes: none of them is a span of seconds."""
    assert seconds_ago(text, datetime(2026, 11, 29, 10, 30, tzinfo=UTC)) == 86_400


def test_eight_digits_are_a_date() -> None:
    now = datetime(2026, 11, 29, 10, 30, tzinfo=UTC)
    assert seconds_ago("20261128", now) == seconds_ago("2026-11-28", now)


@pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31T23:59-23:00", "20261399", "inf", "nan", "1e5"])
def test_what_is_no_time_is_refused_in_our_words(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time; write 10m"):
        seconds_ago(text, datetime(2026, 11, 29, tzinfo=UTC))


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("asked", "text", "seconds"),
    [
        ("2026-12-15T12:00:00+01:00", "2026-07-01T12:00", (datetime(2026, 12, 15, 11) - datetime(2026, 7, 1, 10))),
        ("2026-07-01T12:00:00+02:00", "2026-01-15 12:00", (datetime(2026, 7, 1, 10) - datetime(2026, 1, 15, 11))),
        ("2026-12-15T12:00:00+01:00", "2026-07-01", (datetime(2026, 12, 15, 11) - datetime(2026, 6, 30, 22))),
        ("2026-10-25T12:00:00+01:00", "today", timedelta(hours=13)),  # that night had an hour more
        ("2026-10-26T12:00:00+01:00", "yesterday", timedelta(hours=37)),
        ("2026-03-29T12:00:00+02:00", "today", timedelta(hours=11)),
        ("2026-12-15T11:00:00+00:00", "2026-07-01T12:00", (datetime(2026, 12, 15, 11) - datetime(2026, 7, 1, 10))),
        ("2026-12-15T11:00:00+00:00", "2026-07-01T12:00Z", (datetime(2026, 12, 15, 11) - datetime(2026, 7, 1, 12))),
    ],
)
def test_a_time_without_a_zone_is_what_clocks_here_showed_then(
    berlin: None, asked: str, text: str, seconds: timedelta
) -> None:
    assert seconds_ago(text, datetime.fromisoformat(asked)) == seconds.total_seconds()


@pytest.mark.parametrize(
    ("asked", "text", "begins"),
    [
        ("2026-03-28T12:00+01:00", "2026-03-29T02:30", "2026-03-29T03:30+02:00"),  # that night clocks go from 2 to 3
        ("2026-03-29T01:45+01:00", "2:30", "2026-03-29T03:30+02:00"),
        ("2026-10-24T12:00+02:00", "2026-10-25T02:30", "2026-10-25T02:30+02:00"),  # and that night 2:30 comes twice
        ("2026-10-25T02:40+02:00", "2026-10-25T02:30", "2026-10-25T02:30+01:00"),
        ("2026-10-25T02:40+02:00", "02:30", "2026-10-25T02:30+01:00"),
        ("2026-10-25T02:40+01:00", "02:30", "2026-10-26T02:30+01:00"),
        ("2026-10-25T02:40+02:00", "2026-10-25T02:30Z", "2026-10-25T03:30+01:00"),
    ],
)
def test_no_time_begins_before_clocks_here_show_it(berlin: None, asked: str, text: str, begins: str) -> None:
    assert next_moment(text, datetime.fromisoformat(asked)) == datetime.fromisoformat(begins)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.42, "0.4 s"), (12, "12 s"), (60, "1 m"), (112, "1 m 52 s"), (7500, "2 h 5 m"), (270_000, "3 d 3 h")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_moments_are_told_from_now() -> None:
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert ago((now - timedelta(minutes=3, seconds=20)).isoformat(), now) == "3 m ago"
    assert ago((now + timedelta(seconds=6)).isoformat(), now) == "in 6.0 s"
    assert ago(None) == ""


@pytest.mark.parametrize(
    ("variables", "terminal", "colored"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"TERM": "dumb"}, True, False),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"CLICOLOR_FORCE": "1"}, False, True),
        *(
            ({name: off}, False, False)
            for name in ("FORCE_COLOR", "CLICOLOR_FORCE")
            for off in ("", "0", "false", "no")
        ),
        ({"FORCE_COLOR": "0"}, True, True),
        ({"FORCE_COLOR": "3"}, False, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
    ],
)
def test_who_wants_colors(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], terminal: bool, colored: bool
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    class Stream(io.StringIO):
        def isatty(self) -> bool:
            return terminal

    assert Console().colored(Stream()) is colored


def test_a_flag_beats_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    console = Console()
    console.no_color = True
    assert not console.colored(io.StringIO())


def _ended(state: str, cause: str | None = None) -> Job:
    return Job.model_construct(state=JobState(state), cause=cause)


@pytest.mark.parametrize(
    ("job", "strict", "code"),
    [
        (_ended("completed"), False, 0),
        (_ended("partial"), False, 0),
        (_ended("partial"), True, 9),
        (_ended("failed", "provider_overloaded"), False, 1),
        (_ended("failed", "moderated"), False, 7),
        (_ended("cancelled"), False, 8),
    ],
)
def test_exit_codes_of_jobs(job: Job, strict: bool, code: int) -> None:
    assert of_job(job, strict=strict) == code


def test_the_worst_of_several_jobs_speaks() -> None:
    jobs = [_ended("completed"), _ended("cancelled"), _ended("failed", "bug")]
    assert of_jobs(jobs) == 1
    assert of_jobs(jobs[:2]) == 8


@pytest.mark.parametrize("columns", [50, 80, 140])
def test_the_figures_beside_a_bar_stay_on_a_narrow_terminal(columns: int) -> None:
    line = BoardLine("mockup-generation-1", "Acme Coffee", state="active", percent=77, word="generating")
    row = _job_row(line, columns).plain
    assert cell_len(row) <= columns
    assert "━" in row
    assert " 77%  generating  0 s" in row


@pytest.mark.parametrize(("terminal", "lines"), [(True, 5), (False, 8)])
def test_what_only_repeats_is_folded_for_people(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], terminal: bool, lines: int
) -> None:
    """A job that hangs tells its percentage four times a second; a pipe still gets every event."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    published: list[tuple[str, dict[str, Any]]] = [("job:progress", {"progress": 77, "status": "generating"})] * 6
    published.append(("job:cancelled", {"message": "Cancelled."}))
    _timeline(
        [
            TimelineEvent(seq=seq, event=event, at="2026-01-01T00:00:00Z", data=data)
            for seq, (event, data) in enumerate(published)
        ]
    )
    shown = capsys.readouterr().out.strip().splitlines()
    assert len(shown) == lines
    assert ("… 4 more like it" in shown[2]) is terminal


@pytest.fixture
def picture() -> Image.Image:
    picture = Image.new("RGB", (64, 64), "red")
    picture.paste("blue", (0, 32, 64, 64))
    return picture


def test_half_blocks_show_two_pixels_a_character(picture: Image.Image, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLORTERM", "truecolor")
    lines = pictures.encode(picture, "blocks", 8).splitlines()
    assert len(lines) == 4
    assert lines[0].count("▀") == 8
    assert "38;2;255;0;0" in lines[0]
    assert "48;2;0;0;255" in lines[3]
    assert all(line.endswith("\x1b[0m") for line in lines)


def test_half_blocks_use_256_colors_where_there_are_no_more(
    picture: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLORTERM", raising=False)
    monkeypatch.delenv("TMUX", raising=False)
    assert "38;5;196" in pictures.encode(picture, "blocks", 8)
    gray = pictures.encode(Image.new("RGB", (8, 8), (118, 116, 121)), "blocks", 4)
    assert "38;5;243" in gray  # a gray one, where the cube would have only a bluish or a reddish one


def test_kitty_sends_a_png_in_chunks() -> None:
    noise = Image.effect_noise((600, 600), 90).convert("RGB")
    text = pictures.encode(noise, "kitty", 28)
    chunks = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", text)
    assert chunks[0][0].startswith("a=T,f=100")
    assert all(len(data) <= 4096 for _, data in chunks)
    assert "m=0" in chunks[-1][0]
    assert all("m=1" in head for head, _ in chunks[:-1])


def test_iterm_and_sixel_frame_their_pictures(picture: Image.Image) -> None:
    assert pictures.encode(picture, "iterm", 8).startswith("\x1b]1337;File=inline=1")
    sixel = pictures.encode(picture, "sixel", 8)
    assert sixel.startswith("\x1bP")
    assert sixel.rstrip().endswith("\x1b\\")


def test_pictures_are_never_taller_than_forty_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    tall = Image.new("RGB", (100, 4000), "red")
    assert len(pictures.encode(tall, "blocks", 60).splitlines()) <= 40


def test_no_picture_goes_into_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITTY_WINDOW_ID", "1")
    assert image_support.mode("kitty") == "none"


@pytest.mark.parametrize(
    ("variables", "way"),
    [
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM_PROGRAM": "ghostty"}, "kitty"),
        ({"TERM_PROGRAM": "iTerm.app"}, "iterm"),
        ({"TERM_PROGRAM": "WezTerm"}, "iterm"),
        ({"TERM": "foot"}, "sixel"),
        ({"WT_SESSION": "1"}, "sixel"),
        ({"TERM": "screen-256color"}, "blocks"),
        ({"TERM": "xterm-kitty", "TMUX": "socket,1,0"}, "blocks"),
        ({"TERM": "xterm-kitty", "NO_COLOR": "1"}, "none"),
        ({"TERM": "dumb"}, "none"),
        ({"BMN_IMAGES": "sixel"}, "sixel"),
    ],
)
def test_the_terminal_says_what_it_can_show(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], way: str
) -> None:
    for name in ("TERM_PROGRAM", "KITTY_WINDOW_ID", "TMUX", "NO_COLOR", "BMN_IMAGES", "CI", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert image_support.mode() == way


def test_what_is_no_picture_is_not_shown() -> None:
    assert pictures.open_picture(b"\x00\x00\x00\x18ftypmp42") is None
    assert pictures.open_picture(b"") is None


def test_a_transparent_logo_is_shown_on_white() -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(buffer, "PNG")
    picture = pictures.open_picture(buffer.getvalue())
    assert picture is not None
    assert picture.getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize(("width", "rows"), [(80, [2, 2]), (140, [4])])
def test_a_contact_sheet_uses_the_width(
    picture: Image.Image, monkeypatch: pytest.MonkeyPatch, width: int, rows: list[int]
) -> None:
    tiles = [pictures.Tile(picture, f"{number} Wordmark") for number in range(1, 5)]
    lines = pictures.contact_sheet(tiles, "blocks", width).splitlines()
    captions = [line for line in lines if "Wordmark" in line]
    assert [line.count("Wordmark") for line in captions] == rows
    assert all(width - 8 <= cell_len(re.sub(r"\x1b\[[^m]*m", "", line)) <= width for line in lines if "▀" in line)
    assert " ".join(" ".join(captions).split()) == "1 Wordmark 2 Wordmark 3 Wordmark 4 Wordmark"


@pytest.mark.parametrize("way", ["kitty", "iterm", "sixel"])
def test_where_pictures_are_pixels_a_row_of_a_contact_sheet_is_one(picture: Image.Image, way: str) -> None:
    drawn = pictures.contact_sheet([pictures.Tile(picture, "1"), pictures.Tile(picture, "2")], way, 80)
    assert drawn.count("\x1bP" if way == "sixel" else "\x1b]1337" if way == "iterm" else "a=T") == 1
    assert drawn.splitlines()[-1].split() == ["1", "2"]


def test_the_margin_around_a_logo_is_cut_off() -> None:
    logo = Image.new("RGB", (400, 400), "white")
    logo.paste("navy", (150, 180, 250, 220))
    assert 100 <= pictures.cropped(logo).width <= 120
    scene = Image.effect_noise((400, 400), 90).convert("RGB")
    assert pictures.cropped(scene).size == (400, 400)
