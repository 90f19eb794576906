"""Imported by Python itself as it starts, where this folder is on PYTHONPATH: the wall clock goes as a file says."""

import os
import time

_machine_time = time.time


def _set_time() -> float:
    with open(os.environ["WALL_CLOCK"]) as file:  # noqa: PTH123 - before anything else is imported
        return _machine_time() + float(file.read())


time.time = _set_time
