"""Runs pytest; what has a time limit runs after all others, by itself: `python -m tests.run ARGS`.

What fails is run once more, alone, and what passes then is printed and counted. FLAKES is how many tests may do so. More of
them fail the run: a test that depends on chance is a defect, of the test or of what it tests.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_LAST_FAILED = _ROOT / ".pytest_cache" / "v" / "cache" / "lastfailed"
_SOME_FAILED, _NO_TESTS = 1, 5
_TOO_MANY = 20
"""So many failures are no chance; running them again would only cost time."""


def main(arguments: list[str]) -> int:
    budget = int(os.environ.get("FLAKES", "0"))
    side_by_side, flaky = _twice(*arguments, "--timed", "without")
    by_itself, more = (0, []) if "not full" in arguments else _timed(*arguments)
    for test in (flaky := [*flaky, *more]):
        print(f"FLAKY {test}: failed, then passed alone")
    if flaky:
        print(f"{len(flaky)} flaky tests; FLAKES={budget} are allowed")
    return side_by_side or by_itself or int(len(flaky) > budget)


def _timed(*arguments: str) -> tuple[int, list[str]]:
    """As `_twice`, for what is measured against a limit and so has the machine to itself. All of it is `full`."""
    print("\nwhat has a time limit of its own, by itself", flush=True)
    return _twice(*arguments, "--timed", "only", "-n", "0")


def _twice(*arguments: str) -> tuple[int, list[str]]:
    """The exit code, and which tests failed first and passed when they ran alone."""
    _LAST_FAILED.unlink(missing_ok=True)
    code = _pytest(*arguments)
    failed = _failed()
    if code == _NO_TESTS:
        return 0, []
    if code != _SOME_FAILED or not 0 < len(failed) <= _TOO_MANY:
        return code, []
    print(f"\n{len(failed)} failed; each runs once more, alone", flush=True)
    code = _pytest(*arguments, "--last-failed", "--last-failed-no-failures=none", "-n", "0")
    return code, sorted(failed - _failed())


def _pytest(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=_ROOT, check=False).returncode


def _failed() -> set[str]:
    """What failed last time. pytest keeps the names; there are none after a run in which all passed."""
    return set(json.loads(_LAST_FAILED.read_text())) if _LAST_FAILED.exists() else set()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
