"""The table of docs/acceptance.md and the tests beside this file are the same thirty-eight."""

import re
from pathlib import Path

_HERE = Path(__file__).parent


def test_each_criterion_has_one_test_and_one_row() -> None:
    tests = re.findall(r"def test_ac_(\d\d)_", "".join(path.read_text() for path in _HERE.glob("test_*.py")))
    page = (_HERE.parents[1] / "docs" / "acceptance.md").read_text().split("## Figures")[0]
    rows = re.findall(r"^\| (\d+) \|", page, re.M)
    assert sorted(map(int, tests)) == list(range(1, 39))
    assert [int(row) for row in rows] == list(range(1, 39))
