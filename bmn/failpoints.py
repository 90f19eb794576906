"""Named points in the engine where a test kills, holds or breaks a process. Inert unless the environment names one.

BMN_KILL_AT=submitted        SIGKILL at the first pass           BMN_KILL_AT=submitted:3   at the third
BMN_HOLD_AT=claimed          goes on when the file BMN_HOLD_FILE is gone, which it makes when it gets there
BMN_RAISE_AT=stored          an exception
BMN_FAILPOINT_ONCE=PATH      fires once for all processes: the file is made when it does
"""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path


def _kill(_point: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _hold(_point: str) -> None:
    held = Path(os.environ["BMN_HOLD_FILE"])
    held.touch()
    while held.exists():
        time.sleep(0.005)


def _break(point: str) -> None:
    raise RuntimeError(f"failpoint {point}")


_EFFECTS: dict[str, Callable[[str], None]] = {"BMN_KILL_AT": _kill, "BMN_HOLD_AT": _hold, "BMN_RAISE_AT": _break}
_passes: Counter[str] = Counter()
_armed: dict[str, tuple[str, int]] = {}


def arm() -> None:
    """Reads the environment: at import, and wherever it was changed since."""
    _armed.clear()
    _passes.clear()
    for variable in _EFFECTS:
        if wanted := os.environ.get(variable):
            name, _, nth = wanted.partition(":")
            _armed[variable] = (name, int(nth or 1))


arm()


def hit(point: str) -> None:
    """Marks a point. Costs nothing where none is named."""
    for variable, (name, nth) in _armed.items():
        if name != point:
            continue
        _passes[variable] += 1
        if _passes[variable] == nth and _first_time():
            _EFFECTS[variable](point)


def _first_time() -> bool:
    path = os.environ.get("BMN_FAILPOINT_ONCE")
    if not path:
        return True
    try:
        Path(path).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
