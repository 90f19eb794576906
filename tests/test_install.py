"""What `make demo` shows while it installs: one line that says how far it is, and in a pipe its begin and its end."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.kit.terminal import on_terminal

_SCRIPT = Path(__file__).parents[1] / "tools" / "install.sh"
# Somebody else's installer: each package that it is given is there a moment later.
_UV = """#!/bin/sh
while [ "$1" != --no-deps ]; do shift; done
shift
[ "$1" != -e ] || exit 0
[ "$1" != broken ] || { echo "no such package: broken" >&2; exit 1; }
sleep 0.6
for each in "$@"; do mkdir -p "$SITE/$each.dist-info"; done
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with pins, an environment and that installer."""
    site = tmp_path / "venv/lib/python3.99/site-packages"
    (site / "pip.dist-info").mkdir(parents=True)
    for path, text in ((tmp_path / "bin/uv", _UV), (tmp_path / "venv/bin/python", "")):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    (tmp_path / "pins.txt").write_text("".join(f"package-{number}\n" for number in range(45)))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("SITE", str(site))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_one_line_says_how_far_it_is(place: Path) -> None:
    env = {"PATH": os.environ["PATH"], "SITE": os.environ["SITE"]}
    arguments = (str(_SCRIPT), "bmn", "145", "venv", "pins.txt", "--", "here", "there")
    with on_terminal(*arguments, program="sh", env=env) as terminal:
        assert terminal.end() == 0
    assert terminal.text.startswith("installed bmn: 45 packages in ") and terminal.text.count("\n") == 1, terminal.text
    shown = terminal.raw.decode()
    assert "0 of 45 packages, 0 s (up to 145 MB to download)" in shown and "of 45 packages, 1 s" in shown
    assert "0 of 45" in shown and "40 of 45" in shown, "what has come is counted"


def test_a_pipe_gets_its_begin_and_its_end(place: Path) -> None:
    command = ["sh", str(_SCRIPT), "the tests", "125", "venv", "pins.txt"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    first, last = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert first == "installing the tests: 45 packages, up to 125 MB to download"
    assert last.startswith("installed the tests: 45 packages in ")


def test_what_fails_is_told_and_fails(place: Path) -> None:
    (place / "pins.txt").write_text("broken\n")
    command = ["sh", str(_SCRIPT), "bmn", "145", "venv", "pins.txt"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "no such package: broken" in done.stderr and "installed" not in done.stdout
