"""Pages of figures, written by the benches and never by hand."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


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
