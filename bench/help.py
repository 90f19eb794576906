"""How long `bmn --help` takes, beside `import typer` alone and beside an empty interpreter, measured in one run.

python -m bench.help [--rounds 15]

The three are run in turns, so that a busy machine slows all of them; the best of each counts. Exit code 1 where help
takes more than 1.6 times what importing Typer takes, or more than a quarter of a second.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

_MOST_TIMES = 1.6
_MOST_SECONDS = 0.25
_COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "python -c 'import typer'": [sys.executable, "-c", "import typer"],
    "bmn --help": [str(Path(sys.executable).with_name("bmn")), "--help"],
}


def _once(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds: int = parser.parse_args().rounds
    best = dict.fromkeys(_COMMANDS, float("inf"))
    for _ in range(rounds):
        for name, command in _COMMANDS.items():
            best[name] = min(best[name], _once(command))
    for name, seconds in best.items():
        print(f"{name:<26}{seconds * 1000:6.0f} ms")
    times = best["bmn --help"] / best["python -c 'import typer'"]
    print(f"help takes {times:.2f} times what importing Typer takes; at most {_MOST_TIMES}")
    return int(times > _MOST_TIMES or best["bmn --help"] > _MOST_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
