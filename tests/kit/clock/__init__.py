"""The wall clock of programs that a test starts; the test sets it ahead while they run."""

from pathlib import Path

VARIABLE, WITH_SQLITE = "WALL_CLOCK", "WALL_CLOCK_WITH_SQLITE"


class WallClock:
    """What Python's `time.time` says in every process that is started with `env`: the machine's time, and so much more.

    The processes import `sitecustomize.py` beside this file before anything else. Their database, their Redis and their
    monotonic clocks go as they do, as on a host whose clock is ahead of the others'. with_sqlite: a database of SQLite goes
    with them, which is how time passes on one host.
    """

    def __init__(self, file: Path, *, with_sqlite: bool = False) -> None:
        self._file = file
        self.set_ahead(0)
        self.env = {"PYTHONPATH": str(Path(__file__).parent), VARIABLE: str(file)}
        if with_sqlite:
            self.env[WITH_SQLITE] = "1"

    def set_ahead(self, seconds: float) -> None:
        """By so much in all, of the machine's clock; at once, in all of them."""
        half = self._file.with_suffix(".half")
        half.write_text(str(seconds))
        half.rename(self._file)
