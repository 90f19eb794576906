"""`bmn queues`: what waits, what runs, how long it takes; pause and resume."""

import asyncio
from typing import Annotated, Any

import typer

from bmn.cli.base import examples, group, run
from bmn.cli.lookup.session import open_client
from bmn.cli.terminal.console import Cell, Column, console
from bmn.cli.terminal.timespan import ago, duration
from bmn.client.untyped import BmnClient

Row = dict[str, Any]

_EVERY = 2.0  # a user may ask 60 times a minute

_COLUMNS = (
    Column("QUEUE"),
    Column("WAITING", right=True),
    Column("ACTIVE", right=True, drop=1),
    Column("DELAYED", right=True, drop=6),
    Column("DONE", right=True, drop=5),
    Column("FAILED", right=True, drop=2),
    Column("WORKERS", right=True, drop=4),
    Column("OLDEST", right=True, drop=3),
    Column("P50", right=True, drop=7),
    Column("P95", right=True, drop=8),
    Column("NOTE", flexible=True),
)


Watch = Annotated[bool, typer.Option("--watch", help="Refresh every 2 s until Ctrl-C.")]
Queue = Annotated[str, typer.Argument()]


def _alone(context: typer.Context, watch: Watch = False) -> None:
    if context.invoked_subcommand is None:
        _show(watch)


app = group(
    "All queues: waiting, active, delayed, completed, failed, workers, oldest wait, durations.",
    "bmn queues",
    "bmn queues --watch",
    'bmn queues pause video-generation --reason "budget"',
    alone=_alone,
)


@app.command("list", cls=examples("bmn queues list", "bmn queues list --watch"))
def list_queues(watch: Watch = False) -> None:
    """All queues."""
    _show(watch)


@app.command(cls=examples('bmn queues pause video-generation --reason "budget reached"'))
def pause(
    queue: Queue,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Shown to everybody whose job waits.")] = "",
) -> None:
    """Stops taking jobs from a queue; those that run go on, those that wait keep their place."""
    _tell(run(_post(f"/admin/queues/{queue}/pause", {"reason": reason})), "paused")
    console.next_step(f"bmn queues resume {queue}")


@app.command(cls=examples("bmn queues resume video-generation"))
def resume(queue: Queue) -> None:
    """Takes jobs from a queue again."""
    _tell(run(_post(f"/admin/queues/{queue}/resume", None)), "taking jobs")
    console.next_step("bmn queues")


async def _post(path: str, body: Any) -> Row:
    async with open_client(role="admin") as client:
        row: Row = await client.post(path, body, safe=True)
        return row


def _tell(row: Row, word: str) -> None:
    if console.json:
        console.document(row)
    else:
        console.answer(f"{row['name']}  {word}, {row['waiting']} waiting")


async def _fetch(client: BmnClient) -> list[Row]:
    rows: list[Row] = (await client.get("/admin/queues"))["queues"]
    return rows


def _show(watch: bool) -> None:
    if watch:
        run(_watch())
        return

    async def fetch() -> list[Row]:
        async with open_client(role="admin") as client:
            return await _fetch(client)

    rows = run(fetch())
    if console.json:
        console.document({"queues": rows})
        return
    console.table(_COLUMNS, [_cells(row) for row in rows])
    paused = next((row["name"] for row in rows if row["paused"]), None)
    failed = any(row["failed"] for row in rows)
    last = "bmn jobs list --state failed" if failed else "bmn queues --watch"
    console.next_step(f"bmn queues resume {paused}" if paused else last)


async def _watch() -> None:
    """A table that redraws itself on a terminal; a JSON line or a whole table per change elsewhere."""
    from rich.console import Group as Lines
    from rich.live import Live

    from bmn.cli.terminal.tables import render

    async with open_client(role="admin") as client:
        before: list[Row] | None = None
        if console.live and console.width is not None and not console.json:
            with Live(console=console.out, auto_refresh=False, vertical_overflow="ellipsis") as live:
                while True:
                    rows = await _fetch(client)
                    lines = render(_COLUMNS, [_cells(row) for row in rows], console.width)
                    live.update(Lines(*lines), refresh=True)
                    await asyncio.sleep(_EVERY)
        while True:
            rows = await _fetch(client)
            if rows != before:
                before = rows
                if console.json:
                    console.json_line({"queues": rows})
                else:
                    console.table(_COLUMNS, [_cells(row) for row in rows])
            await asyncio.sleep(_EVERY)


def _cells(row: Row) -> list[Cell]:
    oldest = row["oldestWaitSeconds"]
    busy = "red" if row["waiting"] and not row["workers"] else ""
    return [
        row["name"],
        str(row["waiting"]),
        str(row["active"]),
        str(row["delayed"]),
        str(row["completed"]),
        (str(row["failed"]), "red" if row["failed"] else ""),
        ("?" if row["workers"] is None else str(row["workers"]), busy),
        duration(oldest) if oldest else "",
        duration(row["p50Ms"] / 1000) if row["p50Ms"] else "",
        duration(row["p95Ms"] / 1000) if row["p95Ms"] else "",
        (_note(row), "yellow" if row["paused"] else ""),
    ]


def _note(row: Row) -> str:
    if row["paused"]:
        return f"paused: {row['reason'] or row['cause'] or ''}".rstrip(": ")
    if row["nextRunAt"]:
        return f"hourly, next {ago(row['nextRunAt'])}"
    return "bmn jobs dlq list" if row["name"] == "dead-letter" and row["waiting"] else ""
