"""The threads in which files from outside are read, and how many pixels they have in work together.

A picture of 40 million pixels takes up to 360 MB meanwhile (PNG with alpha, 6143 x 6143), a WebP 620 MB, since its decoder
keeps three copies. Many of them one after another: 410 and 830 MB, with what the allocator has not given back.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

MAX_PIXELS = 40_000_000
DECODERS = ThreadPoolExecutor(2, "decode")


class DecodingRoom:
    """So much at the same time: who needs more than is left waits, and those who come later wait behind."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._line = threading.Lock()
        self._freed = threading.Condition()

    @contextmanager
    def taken(self, amount: int) -> Iterator[None]:
        """Waits until there is room for the amount, at most all that there is, and keeps it meanwhile."""
        with self._line, self._freed:
            self._freed.wait_for(lambda: self._left >= amount)
            self._left -= amount
        try:
            yield
        finally:
            with self._freed:
                self._left += amount
                self._freed.notify_all()


PIXELS = DecodingRoom(MAX_PIXELS)
