"""What README.md, AGENTS.md, docs/using.md and docs/api.md tell people to type, typed as printed, against `bmn serve`."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kit.driver import NODE, why_not
from tests.kit.processes import PATIENCE
from tests.kit.stack import Stack, start
from tests.kit.terminal import BMN, environment
from tests.kit.warm import write_program

_ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)

# Lines of README.md that a walk cannot type: they start what the walk itself starts.
_BY_THE_WALK = (". .venv/bin/activate", "bmn serve")
# What else than 0 is right where nothing has failed yet.
_CODES = {"bmn jobs why last:failed": 3}


@dataclass(frozen=True, slots=True)
class Shell:
    """A person's terminal: an empty folder, and a `bmn serve` in another one. programs: where `bmn` is found."""

    folder: Path
    stack: Stack
    programs: Path
    needed: int

    def type(self, line: str, **env: str) -> "subprocess.CompletedProcess[str]":
        path = f"{self.programs}{os.pathsep}{Path(BMN).parent}{os.pathsep}{os.environ['PATH']}"
        variables = environment({**self.stack.env, "PATH": path, **env})
        command = ["bash", "-o", "pipefail", "-c", line]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=variables,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            pass_fds=[self.needed],
        )


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    home, folder, programs = (tmp_path / name for name in ("home", "here", "bin"))
    for path in (home, folder, programs):
        path.mkdir()
    running = start(home, "--port", "0", env={"BMN_SANDBOX_SPEED": "0"})
    try:
        yield Shell(folder, running, programs, write_program(programs))
    finally:
        running.stop()


def lines_of(document: str, after: str = "") -> list[str]:
    """The command lines of all `sh` blocks, in order, without their comments."""
    text = (_ROOT / document).read_text()
    found = "".join(_BLOCK.findall(text[text.index(after) :])).splitlines()
    return [line for line in (re.sub(r"\s+#\s.*", "", raw).strip() for raw in found) if line]


def walk(shell: Shell, lines: list[str]) -> None:
    for line, following in zip(lines, (*lines[1:], ""), strict=True):
        if "--detach" in line and "jobs cancel" in following:  # it shall not be done before that
            shell.stack.fault(provider="bfl", pending=True)
        done = shell.type(line)
        assert done.returncode == _CODES.get(line, 0), f"{line}\n{done.stdout}\n{done.stderr}"
        if "jobs cancel" in line:
            shell.stack.mend()


@pytest.mark.timeout(400)
def test_every_command_of_the_users_guide_runs_as_printed(shell: Shell) -> None:
    lines = lines_of("docs/using.md")
    assert len(lines) > 30
    walk(shell, lines)
    assert len(list((shell.folder / "logos").glob("*.png"))) == 4
    assert (shell.folder / "logo.png").read_bytes().startswith(b"\x89PNG")
    assert list((shell.folder / "shop").glob("*.mp4"))


@pytest.mark.timeout(300)
def test_every_command_of_the_readme_runs_as_printed(shell: Shell) -> None:
    lines = lines_of("README.md", after="Then use it for real")
    assert set(_BY_THE_WALK) <= set(lines)
    walk(shell, [line for line in lines if line not in _BY_THE_WALK])


@pytest.mark.timeout(300)
def test_every_command_for_agents_answers_in_json(shell: Shell) -> None:
    lines = lines_of("AGENTS.md")
    assert len(lines) == 5
    for line in lines:
        done = shell.type(line)
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        for document in done.stdout.splitlines() if "watch" in line else [done.stdout]:
            assert json.loads(document), line
    assert list((shell.folder / "logos").glob("*.png"))


@pytest.mark.node
@pytest.mark.timeout(200)
def test_every_block_of_the_api_page_runs_as_printed(shell: Shell) -> None:
    if reason := why_not():
        pytest.skip(reason)
    page = (_ROOT / "docs" / "api.md").read_text()
    (program,) = re.findall(r"^```js\n// (\S+)\n(.*?)^```$", page, re.M | re.S)
    (shell.folder / program[0]).write_text(program[1])
    (shell.folder / "node_modules").symlink_to(NODE / "node_modules")
    script = "set -eu\n" + "".join(_BLOCK.findall(page))  # in one shell, since the blocks share their variables
    done = shell.type(script, BMN_API_URL=shell.stack.api_url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("job:complete") == 2
    assert (shell.folder / "logo.png").read_bytes() == (shell.folder / "logo-again.png").read_bytes()
