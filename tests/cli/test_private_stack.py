"""The stack that a command starts for itself: there while it is needed, gone afterwards, whatever happens."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest

from bmn.errors import Conflict
from bmn.local.temporary import private_stack
from bmn.settings import Settings, load_settings
from bmn.settings.running import is_held
from tests.kit.processes import PATIENCE, gone, wait_until
from tests.kit.terminal import BMN, environment

QUEUES = ["logo-generation"]
New = Callable[[], dict[int, str]]


@pytest.fixture
def here(home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("BMN_LOG_FORMAT", "json")
    return load_settings()


def below(pid: int) -> dict[int, str]:
    """Process id -> title of every living descendant."""
    found: dict[int, str] = {}
    for child in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            found[child.pid] = " ".join(child.cmdline()).strip()
    return found


@pytest.fixture
def new() -> New:
    """What runs below the tests now and did not when this test began."""
    before = below(os.getpid())
    return lambda: {pid: title for pid, title in below(os.getpid()).items() if pid not in before}


async def test_it_answers_while_it_is_needed_and_leaves_nothing_behind(here: Settings, new: New) -> None:
    async with private_stack(here, QUEUES) as api_url:
        assert (await asyncio.to_thread(httpx.get, f"{api_url}/health/live")).status_code == 200
        running = new()
        workers = sorted(title for title in running.values() if title.startswith("bmn worker"))
        assert workers == ["bmn worker image-upload", "bmn worker logo-generation"]
        assert not here.state_file.exists()  # nobody else may rely on it
    assert all(gone(pid) for pid in running)


async def test_an_error_inside_ends_it_too(here: Settings, new: New) -> None:
    running: dict[int, str] = {}
    with pytest.raises(ZeroDivisionError):
        async with private_stack(here, QUEUES):
            running = new()
            raise ZeroDivisionError
    assert running
    assert all(gone(pid) for pid in running)


async def test_a_second_one_in_the_same_home_is_told(here: Settings) -> None:
    async with private_stack(here, QUEUES) as api_url:
        with pytest.raises(Conflict, match="already runs"):
            async with private_stack(here, QUEUES):
                pytest.fail("two in one home")
        answer = await asyncio.to_thread(httpx.get, f"{api_url}/health/live")
        assert answer.status_code == 200


def test_it_ends_when_its_command_is_killed(here: Settings) -> None:
    program = (
        "import asyncio, sys\n"
        "from bmn.local.temporary import private_stack\n"
        "from bmn.settings import load_settings\n"
        "async def main():\n"
        "    async with private_stack(load_settings(), ['logo-generation']) as url:\n"
        "        print(url, flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as command:
        assert command.stdout
        assert command.stdout.readline().startswith("http://127.0.0.1:")
        running = below(command.pid)
        command.kill()
    wait_until(lambda: all(gone(pid) for pid in running))


@pytest.mark.full
@pytest.mark.timeout(600)
def test_the_next_steps_work_in_the_order_they_are_named_in_fresh_terminals(home: Path, tmp_path: Path) -> None:
    """`bmn` was run by its path, in a home that was named for this one command: so nothing of that is known elsewhere."""
    fresh = environment({"PATH": os.defpath, "BMN_SANDBOX_SPEED": "0", "PORT": "0"})
    made = subprocess.run(
        [BMN, "generate", "logos", "--brand", "Acme", "--count", "1", "--out", str(tmp_path)],
        env=fresh | {"BMN_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    steps = made.stderr.partition("next: ")[2].splitlines()
    preparation, serve, *rest = [step.strip() for step in steps]
    del fresh["BMN_HOME"]

    def terminal(step: str) -> "subprocess.Popen[str]":
        commands = f"{preparation}\n{step}"
        return subprocess.Popen(["sh", "-c", commands], env=fresh, stdout=subprocess.PIPE, text=True, cwd=tmp_path)

    with terminal(f"exec {serve}") as server:
        try:
            wait_until((home / "serve.json").exists, 200, "the server")
            assert rest
            for step in rest:
                with terminal(step) as process:
                    process.communicate(timeout=PATIENCE)
                assert process.returncode == 0, step
        finally:
            server.terminate()


@pytest.mark.full
@pytest.mark.timeout(600)
def test_commands_in_the_background_take_turns_in_one_home(home: Path, tmp_path: Path) -> None:
    """`for b in A B C; do bmn generate logos --brand $b & done`, with no server: each starts one of its own, in turn."""
    fresh = environment({"BMN_HOME": str(home), "BMN_SANDBOX_SPEED": "0", "PORT": "0"})
    one = [BMN, "generate", "logos", "--count", "1", "--out", str(tmp_path)]
    commands = [
        subprocess.Popen(
            [*one, "--brand", brand], env=fresh, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
        )
        for brand in "ABC"
    ]
    said = [command.communicate(timeout=500)[1] for command in commands]
    assert [command.returncode for command in commands] == [0, 0, 0], said
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["a-logo-1.png", "b-logo-1.png", "c-logo-1.png"]


@pytest.mark.full
@pytest.mark.timeout(600)
def test_a_server_that_is_still_starting_is_waited_for_and_used(home: Path) -> None:
    fresh = environment({"BMN_HOME": str(home), "BMN_SANDBOX_SPEED": "0", "PORT": "0"})
    with subprocess.Popen([BMN, "serve"], env=fresh, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            wait_until(lambda: is_held(home), 200, "the lock of the home")
            made = subprocess.run(
                [BMN, "generate", "logos", "--brand", "Acme", "--count", "1"],
                env=fresh,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
            assert made.returncode == 0, made.stderr
            assert "starting a private one" not in made.stderr
        finally:
            server.terminate()
