"""Named points in the engine through which a test kills, pauses or breaks a process. Inert unless the environment names one.

BMN_KILL_AT=submitted        SIGKILL at the first pass           BMN_KILL_AT=submitted:3   at the third
BMN_PAUSE_AT=claimed         SIGSTOP, until somebody continues it
BMN_RAISE_AT=stored          an exception
BMN_FAILPOINT_ONCE=PATH      fires once for all processes: the file is made when it does
"""

import os
import signal
from collections import Counter
from pathlib import Path

_EFFECTS = {"BMN_KILL_AT": signal.SIGKILL, "BMN_PAUSE_AT": signal.SIGSTOP, "BMN_RAISE_AT": None}
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
            number = _EFFECTS[variable]
            if number is None:
                raise RuntimeError(f"failpoint {point}")
            os.kill(os.getpid(), number)


def _first_time() -> bool:
    path = os.environ.get("BMN_FAILPOINT_ONCE")
    if not path:
        return True
    try:
        Path(path).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
