"""What `bmn top` shows, as lines of a given size: a pure function of what is known."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rich.text import Text

from bmn.cli.following.worker_groups import Seat, in_words, seats
from bmn.cli.terminal.cells import Cell, Column
from bmn.cli.terminal.record_format import short_id
from bmn.cli.terminal.tables import render
from bmn.cli.terminal.timespan import ago
from bmn.format import duration, usd
from bmn.schemas.documents import Job, Overview, QueueStatus

PANES = ("queues", "workers", "alerts")
_BARS = "▁▂▃▄▅▆▇█"
_KEYS = ("p pause", "d drain", "r replay", "enter look", "tab next", "? help", "q quit")
_LAST_KEYS = 2  # which stay on the narrowest screen
HELP = (
    "up, down    choose a row; tab: another table",
    "enter       the jobs of a queue or worker; of a job, why it is where it is; esc: back",
    "p           pause a queue, or resume it",
    "d           drain a worker: it finishes what it has within two minutes, and ends for good",
    "r           replay the dead letters of a queue or of an alert's cause; retry a job",
    "q           quit",
    "",
    "What changes something asks first: y does it, any other key does not.",
)

_QUEUES = (
    Column("QUEUE"),
    Column("WAITING", right=True),
    Column("ACTIVE", right=True),
    Column("FAILED", right=True),
    Column("WORKERS", right=True, drop=2),
    Column("OLDEST", right=True, drop=1),
    Column("P95", right=True, drop=4),
    Column("NOTE", flexible=True, least=24, drop=3),
)
_WORKERS = (
    Column("WORKER"),
    Column("HOST", flexible=True),
    Column("PID", right=True),
    Column("STATE"),
    Column("RELEASE", drop=2),
    Column("MEMORY", right=True, drop=1),
    Column("JOBS", flexible=True, drop=3),
)
_ALERTS = (Column("ALERT", right=True), Column("SINCE"), Column("KIND", drop=1), Column("MESSAGE", flexible=True))
_JOBS = (Column("JOB"), Column("STATE"), Column("CAUSE", drop=2), Column("AGE"), Column("MESSAGE", flexible=True))


@dataclass(frozen=True, slots=True)
class Known:
    """All that is on the screen. place: which table has the cursor, or `jobs`, `job`, `help`. chosen: its row, by table.

    note: the last line above the keys. question: what waits for a `y`.
    """

    address: str
    who: str
    production: bool = False
    overview: Overview | None = None
    seen_at: float = 0.0
    place: str = "queues"
    chosen: dict[str, int] = field(default_factory=dict)
    jobs_of: str = ""
    jobs: tuple[Job, ...] = ()
    text: tuple[str, ...] = ()
    note: str = ""
    question: str = ""

    def row(self, place: str | None = None) -> int:
        """Which row of a table the cursor is on."""
        where = place or self.place
        return max(0, min(self.chosen.get(where, 0), self.count(where) - 1))

    def count(self, place: str) -> int:
        """How many rows a table has."""
        if place == "jobs":
            return len(self.jobs)
        return 0 if self.overview is None or place not in PANES else len(getattr(self.overview, place))

    def moved(self, by: int) -> "Known":
        """The cursor moved within its table."""
        row = max(0, min(self.row() + by, self.count(self.place) - 1))
        return replace(self, chosen={**self.chosen, self.place: row})


def lines(known: Known, columns: int, rows: int) -> list[Text]:
    """The whole screen."""
    body = max(1, rows - 4)
    above = _head(known, columns)
    if known.overview is None:
        middle = [Text("asking the server …", "dim")]
    elif known.place == "help":
        middle = [Text(line) for line in HELP]
    elif known.place == "job":
        middle = _text(known.text, columns, body)
    elif known.place == "jobs":
        middle = [Text(f"Jobs of {known.jobs_of}, the newest first", "bold"), *_jobs(known, columns, body - 1)]
    else:
        middle = _tables(known, columns, body)
    middle = middle[:body] + [Text()] * (body - len(middle))
    return [*above, *middle, _note(known), Text(_keys(columns), "dim")]


def _keys(columns: int) -> str:
    """As many whole keys as there is room for; what helps and what leaves always."""
    first, last = list(_KEYS[:-_LAST_KEYS]), _KEYS[-_LAST_KEYS:]
    while first and len("  ".join((*first, *last))) > columns:
        first.pop()
    return "  ".join((*first, *last))


def _head(known: Known, columns: int) -> list[Text]:
    head = Text.assemble(("bmn top", "bold"), f"  {known.address}  {known.who}")
    if known.production:
        head.append("  PRODUCTION", "bold red")
    clock = time.strftime("%H:%M:%S", time.localtime(known.seen_at)) if known.seen_at else ""
    head.append(clock.rjust(max(1, columns - head.cell_len)))
    found = known.overview
    if found is None:
        return [head, Text()]
    spent = f"{usd(found.usd_hour)} of {usd(found.usd_limit)}"
    over = found.usd_hour > found.usd_limit
    figures = Text.assemble("spent this hour ", (spent, "bold red" if over else "bold"))
    if found.usd_hour_sandboxed:
        figures.append(f" (sandbox {usd(found.usd_hour_sandboxed)})", "dim")
    failed = sum(found.failed[-10:])
    if not found.redis:
        figures.append("  Redis is away", "bold red")
    figures.append(f"  in 10 min {sum(found.ended[-10:])} ended, ")
    figures.append(f"{failed} failed", "red" if failed else "")
    room = columns - figures.cell_len - 2
    if room > 0:
        figures.append("  ").append(sparkline(found.ended[-room:]), "green")
    return [head, figures]


def sparkline(values: Sequence[int]) -> str:
    """A bar a value, the highest as high as a line."""
    most = max(values, default=0)
    return "".join(" " if not value else _BARS[round(value / most * (len(_BARS) - 1))] for value in values)


def _tables(known: Known, columns: int, room: int) -> list[Text]:
    """Alerts first, as many as there are up to a quarter; the queues whole where they fit; the workers have the rest."""
    found = known.overview
    assert found is not None
    alerts = min(len(found.alerts), max(2, room // 4)) + 1 if found.alerts else 0
    queues = min(len(found.queues) + 1, max(3, room - alerts - 4))
    workers = max(0, room - alerts - queues)
    shown: list[Text] = []
    if alerts:
        rows: list[Sequence[Cell]] = [
            (str(a.id), ago(a.opened_at), a.kind, (a.message, "red" if a.severity == "error" else "yellow"))
            for a in found.alerts
        ]
        shown += _window(known, "alerts", _ALERTS, rows, columns, alerts)
    shown += _window(known, "queues", _QUEUES, [_queue(row) for row in found.queues], columns, queues)
    if workers > 1:
        shown += _window(known, "workers", _WORKERS, [_worker(seat) for seat in seats(found.workers)], columns, workers)
    elif workers and found.workers:
        shown.append(Text(f"  {in_words(found.workers)}: no room for them", "dim"))
    return shown


def _window(
    known: Known, place: str, titles: Sequence[Column], rows: Sequence[Sequence[Cell]], columns: int, room: int
) -> list[Text]:
    """A table of so many lines around its cursor; its head says which of its rows these are, where there are more."""
    chosen, visible = known.row(place), max(1, room - 1)
    first = max(0, min(chosen - visible + 1, len(rows) - visible)) if chosen >= visible else 0
    head, *body = render(titles, rows, columns - 2)
    marked = known.place == place
    if len(rows) > visible:
        part = f"  {first + 1}-{first + visible} of {len(rows)}"
        head.truncate(columns - 2 - len(part), pad=True)
        head.append(part, "dim")
    out = [Text.assemble(("▸ " if marked else "  ", "bold"), head)]
    for number, line in enumerate(body[first : first + visible], first):
        at = marked and number == chosen
        line = Text.assemble("> " if at else "  ", line)
        if at:
            line.stylize("reverse")
        out.append(line)
    return out


def _queue(row: QueueStatus) -> Sequence[Cell]:
    oldest = row.oldest_wait_seconds
    unserved = "red" if row.waiting and row.workers == 0 else ""
    note = f"paused: {row.reason or row.cause or ''}".rstrip(": ") if row.paused else ""
    return (
        row.name,
        str(row.waiting + row.delayed),
        str(row.active),
        (str(row.failed), "red" if row.failed else ""),
        ("?" if row.workers is None else str(row.workers), unserved),
        duration(oldest) if oldest else "",
        duration(row.p95_ms / 1000) if row.p95_ms else "",
        (note, "yellow"),
    )


def _worker(seat: Seat) -> Sequence[Cell]:
    row = seat.worker
    return (
        row.queue,
        row.host or "",
        str(row.pid or ""),
        (row.state or "", {"lost": "red", "draining": "yellow", "busy": "green"}.get(row.state or "", "")),
        row.release or "?",
        seat.memory,
        " ".join(map(short_id, row.jobs)),
    )


def _jobs(known: Known, columns: int, room: int) -> list[Text]:
    if not known.jobs:
        return [Text("None.", "dim")]
    rows: list[Sequence[Cell]] = [
        (
            short_id(job.job_id),
            (job.state, {"failed": "red", "completed": "green", "active": "cyan"}.get(job.state, "")),
            job.cause or "",
            ago(job.created_at),
            job.error or job.message or "",
        )
        for job in known.jobs
    ]
    return _window(known, "jobs", _JOBS, rows, columns, room)


def _text(text: Sequence[str], columns: int, room: int) -> list[Text]:
    import textwrap

    wrapped = [part for line in text for part in (textwrap.wrap(line, columns - 1, subsequent_indent="  ") or [""])]
    return [Text(line) for line in wrapped[:room]]


def _note(known: Known) -> Text:
    if known.question:
        return Text(f"{known.question}  y/n", "bold yellow")
    return Text(known.note, "cyan")
