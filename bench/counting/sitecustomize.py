"""In a process of a stack that is measured: counts its SQL statements, in a file of its own below BENCH_COUNTS."""

import mmap
import os
from pathlib import Path

from sqlalchemy import Engine, event

_folder = Path(os.environ["BENCH_COUNTS"])
_count: mmap.mmap


def _open() -> None:
    """A child that was forked counts for itself."""
    global _count
    file = (_folder / str(os.getpid())).open("w+b")
    file.truncate(8)
    _count = mmap.mmap(file.fileno(), 8)
    file.close()


def _statement(*_: object) -> None:
    _count[:] = (int.from_bytes(_count[:], "little") + 1).to_bytes(8, "little")


_open()
os.register_at_fork(after_in_child=_open)
event.listen(Engine, "before_cursor_execute", _statement)
