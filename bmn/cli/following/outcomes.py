"""The result file of a batch: a line a row, written again whole whenever one of them changes."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bmn.cli.following.output_files import write
from bmn.cli.lookup.rows import Row
from bmn.errors import UsageProblem

OVER = frozenset({"completed", "partial", "failed", "cancelled", "done", "forgotten"})
"""States after which nothing comes."""

WAITS = frozenset({"picking", "held"})
"""States of a kit that waits for somebody."""


@dataclass(slots=True)
class Outcome:
    """What became of a row. id: of its job or its kit, once that was accepted. error: why it was refused.

    files: where what it has delivered was written. written_at: the state that it was in then.
    """

    line: int
    brand: str
    key: str
    id: str | None = None
    brand_id: str | None = None
    state: str = "new"
    step: str = ""
    credits: int = 0
    message: str = ""
    urls: list[str] = field(default_factory=list)
    error: str | None = None
    files: list[str] = field(default_factory=list)
    written_at: str = ""

    @property
    def open(self) -> bool:
        """Whether more is to come without anybody doing anything."""
        return self.id is not None and self.state not in OVER | WAITS


def default_path(source: Path) -> Path:
    """Where the results of a file go, if nothing else is said: beside it."""
    return source.with_name(f"{source.stem}.results.jsonl")


def read_outcomes(path: Path, rows: list[Row]) -> list[Outcome]:
    """An outcome a row, with what an earlier run has written of it. Raises UsageProblem for a file of something else."""
    known: dict[str, Outcome] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        for line in lines:
            earlier = Outcome(**json.loads(line))
            known[earlier.key] = earlier
    except (OSError, ValueError, TypeError) as error:
        raise UsageProblem(
            f"{path} is not what an earlier run has written: {error}.", hint="Name another file with --results."
        ) from None
    return [_outcome(row, known.get(row.key)) for row in rows]


def _outcome(row: Row, earlier: Outcome | None) -> Outcome:
    found = earlier if earlier is not None and earlier.id else Outcome(row.line, row.brand, row.key)
    found.line, found.error = row.line, None
    return found


def write_outcomes(path: Path, outcomes: list[Outcome]) -> None:
    """Writes all of them, or leaves what was there. Raises UsageProblem."""
    write(path, "".join(f"{json.dumps(asdict(each), ensure_ascii=False)}\n" for each in outcomes).encode())
