"""`bmn workers`: who is working on what."""

from bmn.cli.base import examples, run, single
from bmn.cli.lookup.server import open_client
from bmn.cli.terminal.cells import Column
from bmn.cli.terminal.console import console
from bmn.cli.terminal.format import short_id
from bmn.cli.terminal.timespan import ago, moment
from bmn.schemas.documents import WorkerStatus

_COLUMNS = (
    Column("QUEUE"),
    Column("HOST", flexible=True, drop=5),
    Column("PID", right=True, drop=1),
    Column("STATE"),
    Column("MEMORY", right=True, drop=4),
    Column("UP SINCE", drop=6),
    Column("SEEN", drop=2),
    Column("JOBS", flexible=True),
)


app = single()


@app.command(cls=examples("bmn workers", "bmn workers --json"))
def workers() -> None:
    """Every worker: its queue, host, process, jobs, memory and last sign of life."""

    async def fetch() -> list[WorkerStatus]:
        async with open_client(role="admin") as client:
            return await client.workers()

    found = run(fetch())
    if console.json:
        console.document({"workers": found})
        return
    if not found:
        console.say("No workers.")
        console.next_step("bmn worker all")
        return
    human = console.width is not None
    rows = [
        (
            worker.queue,
            worker.host or "",
            str(worker.pid),
            ("lost", "red") if worker.state == "lost" else worker.state or "",
            f"{worker.memory_bytes / 1e6:.0f} MB" if worker.memory_bytes else "",
            _since(worker.started_at) if human else worker.started_at or "",
            ago(worker.heartbeat_at) if human else worker.heartbeat_at or "",
            " ".join(short_id(job) if human else job for job in worker.jobs),
        )
        for worker in found
    ]
    console.table(_COLUMNS, rows)
    console.next_step("bmn queues")


def _since(started: str | None) -> str:
    return moment(started).astimezone().strftime("%d %b %H:%M") if started else ""
