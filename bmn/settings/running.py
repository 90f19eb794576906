"""What a `bmn serve` that runs in a home says of itself, believed only while its lock proves that it lives.

A process id proves nothing: it is used again, and in a container it often is the same one after every start.
"""

import fcntl
import json
import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import cast

LOCK_FILE = "serve.lock"
STATE_FILE = "serve.json"
PRIVATE = "bmn generate"
"""The purpose of a stack that ends with the command that started it."""


@dataclass(frozen=True, slots=True)
class ProcessPlace:
    """Which of the API processes of one `bmn serve` this is. of: how many there are. figures: a folder in which they put
    their figures for each other; None where there is one process.
    """

    number: int = 1
    of: int = 1
    figures: Path | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """The addresses of the stack in a home; empty ones where none runs, or it has none."""

    api_url: str = ""
    redis_url: str = ""
    sandbox_url: str = ""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has the lock of a home. purpose: the command. pid: of its process."""

    purpose: str = "bmn serve"
    pid: str = "unknown"


def running(home: Path) -> Running:
    """What the stack in this home says of itself."""
    state = _read(home / STATE_FILE)
    return Running(**_of(Running, state)) if state and is_held(home) else Running()


def is_held(home: Path) -> bool:
    """Whether somebody holds the home's lock. The system gives it back with the last process of a stack, killed or not."""
    try:
        descriptor = os.open(home / LOCK_FILE, os.O_RDONLY)
    except PermissionError:
        return True  # another user's home, which we may look at and not test
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def holder(home: Path) -> Holder:
    """What the last one that took the home's lock wrote into it, as far as that can be read."""
    return Holder(**_of(Holder, _read(home / LOCK_FILE)))


def _read(path: Path) -> dict[str, object]:
    """A document that another process has written; empty where there is none."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return cast(dict[str, object], found) if isinstance(found, dict) else {}


def _of(kind: type[Running] | type[Holder], document: dict[str, object]) -> dict[str, str]:
    names = {field.name for field in fields(kind)}
    return {name: str(value) for name, value in document.items() if name in names}
