"""What people install: the distributions built from this tree, and an environment that holds bmn and nothing else."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.kit.processes import PATIENCE, wait_until
from tests.kit.terminal import Output, environment

ROOT = Path(__file__).parents[2]
BMN_SOURCES = ("pyproject.toml", "setup.py", "redis.conf", "README.md", "LICENSE", "bmn")

# What reaches an installer: where it may fetch from and keep what it fetched, and nothing of this environment.
_INSTALLER = ("PATH", "HOME", "LANG", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_DIRS", "XDG_CONFIG_HOME")
_LEFT_BY_BUILDS = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")


def installer_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _INSTALLER or name.startswith(("PIP_", "UV_", "SSL_")) or name.lower().endswith("_proxy")
    }
    return {**kept, **(extra or {})}


def install(*command: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """Runs an installer or a builder. Fails the test with all that it said."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=cwd, env=installer_environment(env), capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def copy_sources(folder: Path, *names: str) -> Path:
    """Copies parts of this tree, so that a build leaves nothing in it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=_LEFT_BY_BUILDS)
        else:
            shutil.copy(source, folder / name)
    return folder


@dataclass(frozen=True, slots=True)
class Installation:
    """A `bmn` on disk. extra: variables that its commands get."""

    command: Path
    folder: Path

    def run(self, *args: str, env: Mapping[str, str] | None = None, timeout: float = 60) -> Output:
        """Runs it with a working directory that holds no code."""
        done = subprocess.run(
            [self.command, *args],
            cwd=self.folder,
            env=self.environment(env),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Output(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def running(self, *args: str, env: Mapping[str, str] | None = None) -> Iterator["Process"]:
        log = self.folder / f"{args[0]}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [self.command, *args], cwd=self.folder, env=self.environment(env), stdout=file, stderr=file
            )
        try:
            yield Process(process, log)
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        without = {"BMN_HOME": str(self.folder / "home"), "BMN_SANDBOX_SPEED": "0.05", "PORT": "0", **(extra or {})}
        return {
            name: value for name, value in environment(without).items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")
        }


@dataclass(frozen=True, slots=True)
class Process:
    """A command that runs, and the file that it writes to."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def wait_for(self, text: str) -> None:
        wait_until(lambda: text in self.log.read_text() or self.process.poll() is not None, 60, text)
        assert self.process.poll() is None, self.log.read_text()

    def wait_for_address(self, home: Path) -> str:
        wait_until(lambda: (home / "serve.json").exists() or self.process.poll() is not None, what="the API")
        assert self.process.poll() is None, self.log.read_text()
        return str(yaml.safe_load((home / "serve.json").read_text())["api_url"])


@dataclass(frozen=True, slots=True)
class Distributions:
    sdist: Path
    wheel: Path
    sandbox: Path


def dockerfile(stage: str) -> list[tuple[str, str]]:
    """The instructions of one stage, as word and rest. stage: its name, `final` for the one without."""
    stages: dict[str, list[tuple[str, str]]] = {}
    name = ""
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        word, _, rest = line.partition(" ")
        if word == "FROM":
            name = rest.partition(" AS ")[2] or "final"
        stages.setdefault(name, []).append((word, rest))
    return stages[stage]
