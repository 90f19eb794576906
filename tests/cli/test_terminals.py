"""Somebody else's terminal: in the background, in a multiplexer, without a display, with answers that come late. It is left
as it was, and the work is done.
"""

import os
import shutil
import signal
import subprocess
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kit.processes import wait_until
from tests.kit.stack import User
from tests.kit.terminal import BMN, Terminal, environment, on_terminal

_QUERIES = (b"\x1b[c", b"\x1b[0c", b"\x1b[6n", b"\x1b_Ga=q")


@contextmanager
def in_bash(env: Mapping[str, str], *, columns: int = 100) -> Iterator[Terminal]:
    """An interactive bash with job control, in which `bmn` is ours; its prompt is `> `."""
    path = f"{Path(BMN).parent}:{os.environ['PATH']}"
    shell = {**env, "PS1": "> ", "PATH": path, "TERM": "xterm-256color"}
    bash = ["--norc", "--noprofile", "-i"]
    with on_terminal(*bash, columns=columns, env=shell, program="bash") as terminal:
        terminal.wait_for(">")
        yield terminal


def modes(terminal: Terminal) -> list[object]:
    return termios.tcgetattr(terminal.descriptor)


def test_a_command_in_the_background_does_its_work(user: User) -> None:
    """It neither reads the terminal nor changes its modes: both would stop it."""
    user.json("generate", "logos", "--brand", "Acme", "--count", "1")
    with in_bash({**user.env, "BMN_IMAGES": "auto"}) as bash:
        before = modes(bash)
        bash.type("bmn logos list &\n")
        bash.wait_for("MADE")
        bash.type("wait; echo all done\n")
        bash.wait_for("\nall done")
        assert "Stopped" not in bash.text
        assert modes(bash) == before


def test_no_hint_stands_in_front_of_an_answer_that_another_program_writes(home: Path) -> None:
    with in_bash({"BMN_HOME": str(home), "BMN_API_URL": "http://127.0.0.1:1"}) as bash:
        bash.type("bmn config show | tail -n 1; echo all done\n")
        bash.wait_for("\nall done")
        shown = bash.text.partition("\n")[2]
        assert "next:" not in shown and "sandbox_address" in shown, shown
        bash.type("bmn config show; echo all done again\n")
        bash.wait_for("\nall done again")
        assert "next: bmn doctor" in bash.text, "without one it ends with its next step"


def test_a_watch_goes_to_the_background_and_comes_back(user: User) -> None:
    user.stack.fault(provider="bfl", op="poll", pending=True)
    with in_bash(user.env) as bash:
        bash.type("bmn generate logos --brand Acme --count 2\n")
        bash.wait_for("━")
        bash.type("\x1a")
        bash.wait_for("Stopped")
        bash.type("bg\n")
        bash.wait_for(lambda text: "--count 2 &" in text)
        drawn = bash.raw.count("━".encode())
        user.stack.mend()
        bash.wait_for("✓ completed  2 logos for Acme", 60)
        assert bash.raw.count("━".encode()) == drawn


@pytest.mark.parametrize("variables", [{}, {"TERM": "xterm"}, {"TMUX": "/tmp/t,1,0", "TERM": "screen"}])
def test_no_terminal_is_asked_anything(user: User, variables: dict[str, str]) -> None:
    """An answer that comes when the command has gone would be typed at the prompt."""
    user.json("generate", "logos", "--brand", "Acme", "--count", "1")
    with user.on_terminal("logos", "list", env={"TERM": "xterm-256color", **variables}) as terminal:
        assert terminal.end() == 0
    assert not any(query in terminal.raw for query in _QUERIES)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_however_a_watch_ends_the_terminal_is_as_it_was(user: User, number: signal.Signals) -> None:
    user.stack.fault(provider="bfl", op="poll", pending=True)
    with user.on_terminal("generate", "logos", "--brand", "Acme", "--count", "2") as terminal:
        before = modes(terminal)
        terminal.wait_for("━")
        terminal.process.send_signal(number)
        code = terminal.end()
        assert modes(terminal) == before
    assert code == (-9 if number == signal.SIGKILL else 130)
    assert b"\x1b[?" not in terminal.raw  # no mode of the terminal was changed, not even its cursor's
    if number != signal.SIGKILL:
        assert "detached; the job continues" in terminal.text


def test_no_text_browser_takes_the_terminal(user: User, tmp_path: Path) -> None:
    """Python would start one of these where there is no display."""
    for name in ("www-browser", "w3m", "lynx", "links", "elinks"):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho {name} has the terminal\n")
        program.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    with user.on_terminal("open", env={"PATH": path}) as terminal:
        assert terminal.end() == 0
    assert "has the terminal" not in terminal.text
    assert "There is no browser here" in terminal.text


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("bmn jobs show las", "bmn jobs show last"),
        ("bmn jobs show last:f", "bmn jobs show last:failed "),
        ("bmn jobs watch last:fai", "bmn jobs watch last:failed "),
        ("bmn generate logos --style=mini", "bmn generate logos --style=minimal "),
        ("bmn jo", "bmn jobs "),
    ],
)
def test_bash_completes_also_words_with_a_colon(home: Path, typed: str, completed: str) -> None:
    with in_bash({"BMN_HOME": str(home), "BMN_API_URL": "http://127.0.0.1:1"}) as bash:
        bash.type('eval "$(bmn completion bash)"; echo ready\n')
        bash.wait_for("\nready")
        bash.type(f"{typed}\t\x05|")
        bash.wait_for(f"> {completed}|")


@pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")
def test_bars_stand_once_in_a_multiplexer(user: User, tmp_path: Path) -> None:
    user.stack.fault(provider="bfl", op="poll", pending=True)
    variables = environment({**user.env, "TERM": "xterm-256color"})

    def tmux(*args: str) -> str:
        command = ["tmux", "-S", str(tmp_path / "tmux"), *args]
        return subprocess.run(command, env=variables, capture_output=True, text=True, check=True).stdout

    def screen() -> str:
        return tmux("capture-pane", "-p", "-S", "-200", "-t", "w")

    command = f"{BMN} generate logos --brand Acme; cat"
    tmux("-f", "/dev/null", "new-session", "-d", "-s", "w", "-x", "120", "-y", "30", command)
    try:
        wait_until(lambda: _bars(screen()) == 5)
        for columns in (90, 140, 60, 48, 140):  # rows are wider than some of these
            tmux("resize-window", "-t", "w", "-x", str(columns), "-y", "30")
            before = screen()
            wait_until(lambda before=before: screen() != before and _bars(screen()) == 5)  # type: ignore[misc]
        user.stack.mend()
        wait_until(lambda: "next:" in screen())
        assert _bars(screen()) == 5, screen()
        assert "100%" in screen()
        assert "\n\n" not in screen().partition("100%")[2].rstrip(), "nothing is left empty below them"
    finally:
        tmux("kill-server")


def test_bars_stand_once_after_a_resize_and_a_ctrl_c(user: User) -> None:
    user.stack.fault(provider="bfl", op="poll", pending=True)
    with user.on_terminal("generate", "logos", "--brand", "Acme", columns=100) as terminal:
        terminal.wait_for(lambda text: _bars(text) == 5)
        for columns in (70, 120):
            terminal.resize(columns, 40)
            before = terminal.text
            terminal.wait_for(lambda text, before=before: text != before and _bars(text) == 5)  # type: ignore[misc]
        terminal.press_ctrl_c()
        assert terminal.end() == 130
        assert _bars(terminal.text) == 5, terminal.text


def test_the_last_frame_of_a_cancelled_job_is_its_end(user: User) -> None:
    user.stack.fault(provider="bfl", op="poll", pending=True)
    with user.on_terminal("generate", "logos", "--brand", "Acme") as terminal:
        terminal.wait_for(lambda text: _bars(text) == 5)
        user.json("jobs", "cancel", "last", "--yes")
        user.stack.mend()
        assert terminal.end() == 8
    rows = [line for line in terminal.text.splitlines() if _bars(line)]
    assert len(rows) == 5 and "⊘" in rows[-1], terminal.text
    assert not set("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏") & set(terminal.text), terminal.text
    assert not any("generating" in row or "preparing" in row for row in rows), terminal.text


def _bars(text: str) -> int:
    return sum("%" in line and ("━" in line or "─" in line) for line in text.splitlines())


@pytest.mark.parametrize("columns", ["0", "-3", "1", "abc", ""])
def test_columns_that_cannot_be_meant_hide_nothing(user: User, columns: str) -> None:
    """Shells and containers export `COLUMNS=0`; rich would print nothing into that."""
    job = user.json("generate", "logos", "--brand", "Acme", "--count", "1")["jobId"]
    code, seen = user.seen_at(100, "jobs", "list", env={"COLUMNS": columns})
    assert code == 0
    assert job.removeprefix("logo-generation-")[:8] in seen
    assert "next: bmn jobs show" in seen


@pytest.mark.parametrize("name", ["-dash", "--brand", "it's", "$HOME `id`", "a;b & c", "[red]x[/] [/INST] :smile:"])
def test_a_next_step_can_be_typed_whatever_the_name(user: User, name: str) -> None:
    """Each command that is shown, run by a shell as it stands there."""
    user.bmn("brands", "create", "--", name)
    step = user.bmn("brands", "list").err.splitlines()[0].removeprefix("next: bmn ")
    shown = subprocess.run(
        ["bash", "-c", f"{BMN} {step}"], capture_output=True, text=True, env=environment(user.env), check=False
    )
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.splitlines()[0] == f"  Brand      {name}"
