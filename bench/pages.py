"""Pages of figures, written by the benches and never by hand."""

import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of two systems. ratio: how many times worse ours is."""

    what: str
    figure: str
    node: float
    bmn: float
    ratio: float


def commit() -> str:
    """The commit that was measured, and whether anything had been changed beside it."""
    found = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(found, cwd=Path(__file__).parent, capture_output=True, text=True, check=True).stdout.strip()


def side_by_side(rows: Sequence[Row], command: str, machine: str, at: datetime, revision: str) -> str:
    table = "\n".join(f"| {r.what} | `{r.figure}` | {r.node:.2f} | {r.bmn:.2f} | {r.ratio:.2f} |" for r in rows)
    return f"""# Figures beside Node

Written by a program: `{command}`, on {at:%Y-%m-%d %H:%M} UTC, {machine}, commit {revision}. Node is the specification's own
system: Express, BullMQ and Socket.IO in one process. It stores no picture before a job is complete, and verifies none.
Ratios above 1.00 say that bmn is worse. Figures of other runs cannot be compared with these, ratios can.

| what | figure | Node | bmn | ratio |
| --- | --- | --- | --- | --- |
{table}
"""


@dataclass(frozen=True, slots=True)
class Began:
    """When a bench began, and how busy the machine was."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    load: float = field(default_factory=lambda: os.getloadavg()[0])

    def write(self, page: Path, name: str, lines: Sequence[str]) -> None:
        """Puts figures between the marks of a bench, below what was run, when and where. Raises ValueError without marks."""
        command = " ".join([f"python -m {name}", *sys.argv[1:]])
        machine = (
            f"{platform.machine()}, {os.cpu_count()} cores, load {self.load:.1f} before, {os.getloadavg()[0]:.1f} after"
        )
        stamp = f"`{command}`, {self.at:%Y-%m-%d %H:%M} UTC, {machine}, commit {commit()}:"
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        text = page.read_text()
        if begin not in text or end not in text:
            raise ValueError(f"{page} has no place for the figures of {name}")
        before, _, rest = text.partition(begin)
        body = "\n".join(["", stamp, "", *lines, ""])
        page.write_text(before + begin + body + end + rest.partition(end)[2])
