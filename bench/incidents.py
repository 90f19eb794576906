"""Six incidents on a running stack: `python -m bench.incidents`, with `--write` into the table of docs/operations.md.

Two servers and three workers' supervisors share a PostgreSQL and a Redis. The sandbox plays the provider, with a key, so
that it is asked as a real one is. Each incident is made, and timed until its alert has reached a webhook receiver and the
operators' mailbox; then it is told what `bmn incident` says, the command is run, and it is counted who was made whole.
They follow each other at once, so that one that comes before the last one's alert is over is told as its change.
"""

import argparse
from pathlib import Path

from bench.night.course import run_one
from bench.night.fleet import running_fleet
from bench.night.six import INCIDENTS

_DOCS = Path(__file__).parents[1] / "docs" / "operations.md"
_BEGIN, _END = "<!-- bench.incidents -->", "<!-- /bench.incidents -->"
_HEAD = (
    "| incident | alert | webhook | mailbox | what `bmn incident` says | the command | healed after | made whole |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", default=[""], help="those with one of these words in their names")
    parser.add_argument("--write", action="store_true", help="into docs/operations.md")
    options = parser.parse_args()
    rows = []
    with running_fleet() as fleet:
        for incident in (each for each in INCIDENTS if any(word in each.name for word in options.only)):
            rows.append(run_one(fleet, incident))
            print(rows[-1], flush=True)
    if options.write:
        _write(rows)


def _write(rows: list[str]) -> None:
    before, _, rest = _DOCS.read_text().partition(_BEGIN)
    after = rest.partition(_END)[2]
    _DOCS.write_text(f"{before}{_BEGIN}\n{_HEAD}{chr(10).join(rows)}\n{_END}{after}")


if __name__ == "__main__":
    main()
