"""`bmn workers`: who is working on what; drain them from afar, and keep more or fewer of a queue."""

import asyncio
import time
from collections.abc import Sequence
from typing import Annotated

import typer

from bmn import __version__
from bmn.cli.base import examples, group, run
from bmn.cli.following.worker_groups import Seat, in_words, seats
from bmn.cli.lookup.server_lookup import open_client
from bmn.cli.terminal import exit_codes
from bmn.cli.terminal.cells import Cell, Column
from bmn.cli.terminal.console import console
from bmn.cli.terminal.params import Reason, span
from bmn.cli.terminal.record_format import short_id
from bmn.cli.terminal.timespan import listed, moment
from bmn.client import Client
from bmn.client.patience import insist
from bmn.errors import NotFound, UsageProblem
from bmn.format import count, duration
from bmn.numbers import is_whole
from bmn.schemas.documents import Scaled, WorkerStatus

_COLUMNS = (
    Column("QUEUE"),
    Column("HOST", flexible=True, drop=5),
    Column("PID", right=True, drop=1),
    Column("STATE"),
    Column("RELEASE", drop=3),
    Column("MEMORY", right=True, drop=4),
    Column("UP SINCE", drop=6),
    Column("SEEN", drop=2),
    Column("JOBS", flexible=True),
)
_LOOK_SECONDS = 1.0
_SPARE_SECONDS = 15.0  # beyond the deadline, for the last words of a worker
_SCALE_SECONDS = 30.0

Host = Annotated[str | None, typer.Option("--host", metavar="HOST", help="Only those on this host.")]


def _alone(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        _list()


app = group(
    "Every worker: its queue, host, process, release, jobs, memory and last sign of life.",
    "bmn workers",
    "bmn workers drain video-generation --host gpu-2",
    "bmn workers scale logo-generation=3",
    alone=_alone,
)


@app.command(
    "drain", cls=examples("bmn workers drain logo-generation", "bmn workers drain all --host web-2 --within 5m")
)
def drain(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A worker's name or its beginning, its PID, a queue, or `all`.")
    ],
    host: Host = None,
    within: Annotated[
        float,
        typer.Option(
            "--within", parser=span, metavar="TIME", help="Running jobs may finish within. [2m]", show_default=False
        ),
    ] = 120.0,
    reason: Reason = None,
) -> int:
    """Lets workers finish what they have and end for good; what is left at the deadline goes on elsewhere."""
    if not 0 <= within <= 3600:
        raise UsageProblem("--within: at most an hour.", hint="Example: --within 5m")

    async def act() -> tuple[list[WorkerStatus], list[WorkerStatus], dict[str, str]]:
        async with open_client(role="admin") as client:
            told = await client.drain(name, host=host, seconds=within, reason=reason)
            _say_told(told, within)
            names = {worker.name for worker in told}
            left = await _until_gone(client, names, within + _SPARE_SECONDS)
            return told, left, await _outcomes(client, [job for worker in told for job in worker.jobs])

    told, left, became = run(act())
    if console.json:
        console.document({"drained": len(told) - len(left), "left": left, "jobs": became})
    else:
        _tell_drained(told, left, became)
    return exit_codes.TIMED_OUT if left else exit_codes.DONE


def _say_told(told: Sequence[WorkerStatus], within: float) -> None:
    jobs = sum(len(worker.jobs) for worker in told)
    console.say(
        f"{count(len(told), 'worker')} asked to drain; {count(jobs, 'job')} may finish within {duration(within)}"
    )


async def _until_gone(client: Client, names: set[str], seconds: float) -> list[WorkerStatus]:
    """Those of them that are still there at the end."""
    end = time.monotonic() + seconds
    while True:
        left = [worker for worker in await insist(client.workers, on_notice=console.say) if worker.name in names]
        left = [worker for worker in left if worker.state != "lost"]
        if not left or time.monotonic() > end:
            return left
        await asyncio.sleep(_LOOK_SECONDS)


async def _outcomes(client: Client, job_ids: list[str]) -> dict[str, str]:
    """What has become of jobs, by id: their state; of those that have not ended, that they go on elsewhere."""
    found = {}
    for job_id in job_ids:
        try:
            state = (await client.job(job_id)).state
        except NotFound:
            continue
        found[job_id] = state if state not in ("queued", "retrying", "active") else "handed on"
    return found


def _tell_drained(told: Sequence[WorkerStatus], left: Sequence[WorkerStatus], became: dict[str, str]) -> None:
    still = {worker.name for worker in left}
    for worker in told:
        jobs = [became.get(job, "gone") for job in worker.jobs]
        words = ", ".join(f"{jobs.count(state)} {state}" for state in dict.fromkeys(jobs))
        state = "still there, see its log" if worker.name in still else "drained"
        console.answer(f"{worker.queue} on {worker.host} ({worker.pid})  {state}{f': {words}' if words else ''}")
    console.next_step("bmn workers", *dict.fromkeys(f"bmn workers scale {told[0].queue}=1" for _ in told[:1]))


@app.command(
    "scale", cls=examples("bmn workers scale logo-generation=3", "bmn workers scale email-send=2 --host web-2")
)
def scale(
    wanted: Annotated[str, typer.Argument(metavar="QUEUE=N", help="How many workers of a queue, 1 to 16.")],
    host: Host = None,
    reason: Reason = None,
) -> int:
    """How many workers of a queue each running supervisor keeps, until it is started again."""
    queue, number = _wanted(wanted)

    async def act() -> tuple[Scaled, dict[str, int]]:
        async with open_client(role="admin") as client:
            told = await client.scale(queue, number, host=host, reason=reason)
            console.say(f"{count(len(told.supervisors), 'supervisor')} asked to keep {number} of {told.queue}")
            return told, await _until_scaled(client, told)

    told, now = run(act())
    short = {name: found for name, found in now.items() if found != number}
    if console.json:
        console.document({"queue": told.queue, "count": number, "supervisors": now})
    else:
        for name, found in now.items():
            note = "" if found == number else f", not {number} yet: its log says why"
            console.answer(f"{told.queue}  supervisor {name}: {count(found, 'worker')}{note}")
        console.next_step("bmn workers")
    return exit_codes.TIMED_OUT if short else exit_codes.DONE


def _wanted(text: str) -> tuple[str, int]:
    queue, sign, number = text.partition("=")
    if not (queue and sign and is_whole(number) and 1 <= int(number[:4]) <= 16):
        hint = "Example: bmn workers scale logo-generation=2. To have none: bmn workers drain, or bmn queues pause."
        raise UsageProblem(f"{text!r} is not QUEUE=N with N from 1 to 16.", hint=hint)
    return queue, int(number)


async def _until_scaled(client: Client, told: Scaled) -> dict[str, int]:
    """How many workers of the queue each supervisor has in the end."""
    end = time.monotonic() + _SCALE_SECONDS
    while True:
        found = await insist(client.workers, on_notice=console.say)
        serving = [
            worker.supervisor
            for worker in found
            if told.queue in worker.queue.split(",") and worker.state not in ("lost", "draining")
        ]
        now = {name: serving.count(name) for name in told.supervisors}
        if all(each == told.count for each in now.values()) or time.monotonic() > end:
            return now
        await asyncio.sleep(_LOOK_SECONDS)


def _list() -> None:
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
    console.table(_COLUMNS, [_row(seat) for seat in seats(found)])
    console.say(f"{in_words(found)}.")
    releases = sorted({worker.release for worker in found if worker.release and worker.state != "lost"})
    if len(releases) > 1:
        console.say(f"Workers of several releases run: {', '.join(releases)}. Start the older ones again.")
    console.next_step("bmn queues")


def _row(seat: Seat) -> list[Cell]:
    worker = seat.worker
    human = console.width is not None
    state = worker.state or ""
    release = worker.release or "?"
    return [
        worker.queue,
        worker.host or "",
        str(worker.pid),
        (state, {"lost": "red", "draining": "yellow"}.get(state, "")),
        (release, "" if release == __version__ else "yellow"),
        seat.memory,
        _since(worker.started_at) if human else listed(worker.started_at),
        listed(worker.heartbeat_at),
        " ".join(short_id(job) if human else job for job in worker.jobs),
    ]


def _since(started: str | None) -> str:
    return moment(started).astimezone().strftime("%d %b %H:%M") if started else ""
