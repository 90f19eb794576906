"""What somebody sees who waits, frame by frame: bars that never move back, one scale, words that stand long enough."""

from collections.abc import Iterator
from itertools import pairwise

import pytest

from tests.kit.frames import DrawnBar, frames, never_back
from tests.kit.stack import Stack, User, start
from tests.kit.terminal import Terminal, on_terminal

pytestmark = pytest.mark.full

_SPINNER = frozenset("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose vendors take their time: a picture comes after some seconds."""
    running = start(tmp_path_factory.mktemp("frames"), "--port", "0", "--sandbox-speed", "1")
    yield running
    running.stop()


def _watched(terminal: Terminal) -> None:
    assert terminal.end() == 0, terminal.text


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (140, 40)])
@pytest.mark.parametrize("fails_first", [False, True], ids=["plain", "retried"])
def test_a_logo_job_frame_by_frame(slow: Stack, columns: int, rows: int, fails_first: bool) -> None:
    user = User(slow)
    if fails_first:
        slow.fault(provider="bfl", op="submit", status=503, times=8)
    command = ("generate", "logos", "--brand", "Acme", "--count", "4")
    with on_terminal(
        *command, columns=columns, rows=rows, env={**user.env, "BMN_IMAGES": "none"}, fork=True
    ) as terminal:
        _watched(terminal)
    slow.mend()
    shown = frames(terminal.raw, columns, rows)
    assert len(shown) > 10, terminal.text
    never_back(shown)
    _one_scale(shown)
    _something_moves(shown)
    _calm(shown)


def _one_scale(shown: list[list[DrawnBar]]) -> None:
    """The last row is the mean of those above it; each is a whole number, cut off."""
    for frame in shown:
        *units, total = frame
        if len(units) > 1:
            mean = sum(unit.percent for unit in units) / len(units)
            assert mean - 1 <= total.percent <= mean + 1, frame


def _something_moves(shown: list[list[DrawnBar]]) -> None:
    """While the job runs, one frame differs from the next, and if only by its spinners."""
    running = [frame for frame in shown if frame[-1].mark in _SPINNER]
    assert running
    assert all(one != other for one, other in pairwise(running))


def _calm(shown: list[list[DrawnBar]]) -> None:
    """Five frames are a second: no text beside a bar changes in more than two of them."""
    names = {row.name for frame in shown for row in frame}
    for name in names:
        told = [next((row.words for row in frame if row.name == name), None) for frame in shown]
        changed = [number for number, (one, other) in enumerate(pairwise(told)) if one != other and one is not None]
        for third in range(2, len(changed)):
            assert changed[third] - changed[third - 2] >= 4, (name, told)
