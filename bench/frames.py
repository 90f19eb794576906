"""How long the screen of one logo job stands still: every change of it is timed, on terminals of 80x24 and 140x40.

python -m bench.frames [--speed 1]

A server of its own is started, with vendors that take as long as they do. From the first bar to the last, the longest time
without any change of the screen counts. Exit code 1 where that is more than 400 ms. That no bar moves back
holds on any machine: `tests/cli/test_frames.py`.
"""

import argparse
import re
import select
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from tests.kit.stack import User, start
from tests.kit.terminal import Terminal, on_terminal

_MOST_STILL = 0.4
_SIZES = ((80, 24), (140, 40))
_BAR = re.compile(r"[━─]{4,} +\d+%")


def _changes(terminal: Terminal) -> list[tuple[float, str]]:
    """The screen at each change of it while bars are shown, with the moment it came."""
    seen: list[tuple[float, str]] = []
    while True:
        select.select([terminal.descriptor], [], [], 1.0)
        more = terminal.read(0)
        text = terminal.text
        if _BAR.search(text) and (not seen or seen[-1][1] != text):
            seen.append((time.perf_counter(), text))
        if not more:
            return seen


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speed", default="1", help="of the sandbox; 1 is as fast as the vendors are")
    speed: str = parser.parse_args().speed
    worst = 0.0
    with tempfile.TemporaryDirectory(prefix="bmn-frames-") as folder:
        stack = start(Path(folder), "--port", "0", "--sandbox-speed", speed)
        try:
            for columns, rows in _SIZES:
                user = User(stack)
                command = ("generate", "logos", "--brand", "Acme Coffee", "--images", "none")
                with on_terminal(*command, columns=columns, rows=rows, env=user.env) as terminal:
                    seen = _changes(terminal)
                still = sorted((later - before for (before, _), (later, _) in pairwise(seen)), reverse=True)
                worst = max(worst, still[0])
                took = seen[-1][0] - seen[0][0]
                print(
                    f"{columns}x{rows}: {len(seen)} changes in {took:.1f} s; longest still {still[0] * 1000:.0f} ms, "
                    f"then {still[1] * 1000:.0f} ms"
                )
        finally:
            stack.stop()
    return int(worst > _MOST_STILL)


if __name__ == "__main__":
    sys.exit(main())
