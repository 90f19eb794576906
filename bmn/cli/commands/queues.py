"""`bmn queues`: what waits, what runs, how long it takes; pause and resume."""

import asyncio
from typing import Annotated

import typer

from bmn.cli.base import examples, group, run
from bmn.cli.lookup.server_lookup import open_client
from bmn.cli.terminal.cells import Cell, Column
from bmn.cli.terminal.console import console
from bmn.cli.terminal.params import Reason
from bmn.cli.terminal.timespan import ago
from bmn.errors import OUTAGES
from bmn.format import duration
from bmn.schemas.documents import QueueStatus

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

    async def act() -> QueueStatus:
        async with open_client(role="admin") as client:
            return await client.pause(queue, reason)

    _tell(run(act()), "paused")
    console.next_step(f"bmn queues resume {queue}")


@app.command(cls=examples("bmn queues resume video-generation"))
def resume(queue: Queue, reason: Reason = None) -> None:
    """Takes jobs from a queue again."""

    async def act() -> QueueStatus:
        async with open_client(role="admin") as client:
            return await client.resume(queue, reason)

    _tell(run(act()), "taking jobs")
    console.next_step("bmn queues")


def _tell(row: QueueStatus, word: str) -> None:
    if console.json:
        console.document(row)
    else:
        console.answer(f"{row.name}  {word}, {row.waiting} waiting")


def _show(watch: bool) -> None:
    if watch:
        run(_watch())
        return

    async def fetch() -> list[QueueStatus]:
        async with open_client(role="admin") as client:
            return await client.queues()

    rows = run(fetch())
    if console.json:
        console.document({"queues": rows})
        return
    console.table(_COLUMNS, [_cells(row) for row in rows])
    paused = next((row.name for row in rows if row.paused and not _goes_on(row)), None)
    failed = any(row.failed for row in rows)
    last = "bmn jobs list --state failed" if failed else "bmn queues --watch"
    console.next_step(f"bmn queues resume {paused}" if paused else last)


async def _watch() -> None:
    """A table that redraws itself on a terminal; a JSON line or a whole table per change elsewhere."""
    from rich.console import Group as Lines
    from rich.live import Live

    from bmn.cli.terminal.tables import render
    from bmn.client.patience import insist

    async with open_client(role="admin") as client:
        before: list[QueueStatus] | None = None
        if console.live and console.width is not None and not console.json:
            with Live(console=console.out, auto_refresh=False, vertical_overflow="ellipsis") as live:
                while True:
                    rows = await insist(client.queues, on_notice=console.say)
                    lines = render(_COLUMNS, [_cells(row) for row in rows], console.width)
                    live.update(Lines(*lines), refresh=True)
                    await asyncio.sleep(_EVERY)
        while True:
            rows = await insist(client.queues, on_notice=console.say)
            if rows != before:
                before = rows
                if console.json:
                    console.json_line({"queues": rows})
                else:
                    console.table(_COLUMNS, [_cells(row) for row in rows])
            await asyncio.sleep(_EVERY)


def _cells(row: QueueStatus) -> list[Cell]:
    oldest = row.oldest_wait_seconds
    busy = "red" if row.waiting and not row.workers else ""
    return [
        row.name,
        str(row.waiting),
        str(row.active),
        str(row.delayed),
        str(row.completed),
        (str(row.failed), "red" if row.failed else ""),
        ("?" if row.workers is None else str(row.workers), busy),
        duration(oldest) if oldest else "",
        duration(row.p50_ms / 1000) if row.p50_ms else "",
        duration(row.p95_ms / 1000) if row.p95_ms else "",
        (_note(row), "yellow" if row.paused else ""),
    ]


def _goes_on(row: QueueStatus) -> bool:
    """Whether it waits for a provider that is down, and tries it every few seconds: nothing that somebody has to resume."""
    return row.tried_again_at is not None and row.cause in OUTAGES


def _note(row: QueueStatus) -> str:
    if row.paused and _goes_on(row):
        return f"{(row.reason or row.cause or '').rstrip('.')}; goes on by itself"
    if row.paused:
        return f"paused: {row.reason or row.cause or ''}".rstrip(": ")
    if row.next_run_at:
        return f"hourly, next {ago(row.next_run_at)}"
    return "bmn jobs dlq list" if row.name == "dead-letter" and row.waiting else ""
