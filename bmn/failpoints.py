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

POINTS = (
    "dequeued",
    "claimed",
    "submitting",
    "provider_sent",
    "submitted",
    "ready",
    "stored",
    "saved",
    "settling",
    "settled",
)
_passes: Counter[str] = Counter()


def hit(point: str) -> None:
    """Marks a point. Costs a few lookups where nothing is named."""
    for variable, number in (("BMN_KILL_AT", signal.SIGKILL), ("BMN_PAUSE_AT", signal.SIGSTOP), ("BMN_RAISE_AT", None)):
        wanted = os.environ.get(variable)
        if not wanted:
            continue
        name, _, nth = wanted.partition(":")
        if name != point:
            continue
        _passes[variable] += 1
        if _passes[variable] == int(nth or 1) and _first_time():
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
