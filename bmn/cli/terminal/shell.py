"""What a person's shell needs so that the next command they type is this `bmn`, in this home."""

import os
import shlex
import shutil
import sys
from pathlib import Path


def preparation() -> str | None:
    """What to type first in a fresh terminal; None where nothing is needed.

    A `bmn` that was run by its path is not on the PATH, and a BMN_HOME that was set for one command is not set for the next.
    """
    steps = []
    activate, found = Path(sys.prefix, "bin", "activate"), shutil.which("bmn")
    if activate.exists() and (found is None or Path(found).parent != activate.parent):
        steps.append(f". {shlex.quote(str(activate))}")
    if home := os.environ.get("BMN_HOME"):
        steps.append(f"export BMN_HOME={shlex.quote(str(Path(home).absolute()))}")
    return " && ".join(steps) or None


def last_word(text: str) -> str:
    """A text as the last argument of a command that is shown, also one that looks like an option."""
    return f"-- {shlex.quote(text)}" if text.startswith("-") else shlex.quote(text)
