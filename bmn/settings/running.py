"""What a `bmn serve` that runs in a home says of itself, believed only while its lock proves that it lives.

A process id proves nothing: it is used again, and in a container it often is the same one after every start.
"""

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOCK_FILE = "serve.lock"
STATE_FILE = "serve.json"
PRIVATE = "bmn generate"
"""The purpose of a stack that ends with the command that started it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which of the API processes of one `bmn serve` this is. of: how many there are. figures: a folder in which they put
    their figures for each other; None where there is one process.
    """

    number: int = 1
    of: int = 1
    figures: Path | None = None


def running(home: Path) -> dict[str, Any]:
    """api_url, redis_url, sandbox_url and pid of the stack in this home; empty where none runs."""
    try:
        state = json.loads((home / STATE_FILE).read_text())
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) and is_held(home) else {}


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


def holder(home: Path) -> dict[str, Any]:
    """What the last one that took the home's lock wrote into it: purpose, pid, since; empty where that cannot be read."""
    try:
        note = json.loads((home / LOCK_FILE).read_text())
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}
