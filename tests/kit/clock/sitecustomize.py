"""Imported by Python itself as it starts, where this folder is on PYTHONPATH: the wall clock goes as a file says."""

import os
import time
from typing import Any

_machine_time = time.time
_JULIAN_1970, _DAY = 2440587.5, 86_400.0


def _set_time() -> float:
    with open(os.environ["WALL_CLOCK"]) as file:  # noqa: PTH123 - before anything else is imported
        return _machine_time() + float(file.read())


def _julian_day(_moment: str) -> float:
    """What `julianday('now')` says; nothing of ours asks for another moment."""
    return _JULIAN_1970 + _set_time() / _DAY


def _with_the_clock(connect: Any) -> Any:
    """SQLite's way to connect, with a clock that is set as Python's is."""

    def connected(*args: Any, **options: Any) -> Any:
        conn = connect(*args, **options)
        conn.create_function("julianday", 1, _julian_day)
        return conn

    return connected


time.time = _set_time
if os.environ.get("WALL_CLOCK_WITH_SQLITE"):
    import sqlite3

    sqlite3.connect = sqlite3.dbapi2.connect = _with_the_clock(sqlite3.connect)
