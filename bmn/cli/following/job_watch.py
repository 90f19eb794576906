"""Watching jobs to their end: the loop that `generate` and `jobs watch` share."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from bmn.cli.following.board import HEARTBEAT, Board
from bmn.cli.following.progress import BoardLine, UnitProgress
from bmn.cli.terminal.beat import beating
from bmn.cli.terminal.console import console
from bmn.cli.terminal.record_format import short_id
from bmn.client import Client, Event, follow
from bmn.errors import CAUSES, BmnError, Cause
from bmn.schemas.documents import JobRecord
from bmn.schemas.payloads import TERMINAL_STATES, JobState

OnEvent = Callable[[Event, Board], Awaitable[None]]
OnEnd = Callable[[Board], Awaitable[None]]

_ASK_WHILE_WAITING = 2.0


class JobOutOfTime(BmnError):
    """`--timeout` was reached; the job goes on."""

    code, exit_code = "timeout", 124

    def __init__(self, job_ids: Sequence[str], seconds: float) -> None:
        names = " ".join(short_id(job_id) for job_id in job_ids)
        super().__init__(
            f"Not done after {seconds:g} s.", hint=f"The job goes on: bmn jobs watch {names}", jobIds=list(job_ids)
        )


async def nothing(*_: object) -> None:
    pass


def line_of(job: JobRecord, label: str | None = None) -> BoardLine:
    label = label or job.traits.product or job.brand_name or job.queue_name
    line = BoardLine(job.job_id, label, state=job.state, attempts=job.max_attempts)
    line.attempt = max(1, job.attempt)
    line.message = job.message or line.message
    if job.expected:
        line.expected = job.expected.p50_ms / 1000
    line.units = {index: UnitProgress() for index in range(job.traits.count or 0)}
    return line


async def watch(
    client: Client,
    job_ids: Sequence[str],
    *,
    labels: Sequence[str] = (),
    timeout: float | None = None,
    on_event: OnEvent = nothing,
    on_end: OnEnd = nothing,
    silent: bool = False,
    heartbeat: float = HEARTBEAT,
) -> list[JobRecord]:
    """Follows the jobs until all have ended; answers with their records, in the order given.

    timeout: seconds; raises JobOutOfTime when it passes. on_event: called after the board has taken the event in.
    on_end: called once all have ended, while the bars still stand.
    heartbeat: seconds of silence before a sign of life, where no bars move.
    """
    names = labels or [""] * len(job_ids)
    with Board(silent=silent, heartbeat=heartbeat) as board:
        client.on_notice = board.say
        for job_id, label in zip(job_ids, names, strict=True):
            board.add(BoardLine(job_id, label or short_id(job_id)))  # in the order asked for, whichever answers first
        try:
            async with asyncio.timeout(timeout), beating(board.beat), asyncio.TaskGroup() as group:
                watches = [
                    group.create_task(_watch_one(client, board, job_id, label, on_event))
                    for job_id, label in zip(job_ids, names, strict=True)
                ]
            await on_end(board)
        except TimeoutError:
            raise JobOutOfTime(job_ids, timeout or 0) from None
        except BaseExceptionGroup as group_error:
            raise _first(group_error) from None
        finally:
            client.on_notice = console.say
    return [watch.result() for watch in watches]


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _watch_one(client: Client, board: Board, job_id: str, label: str, on_event: OnEvent) -> JobRecord:
    job = await client.job(job_id)
    board.add(line_of(job, label))
    waiting = (
        asyncio.create_task(_say_why_it_waits(client, board, job_id)) if job.state not in TERMINAL_STATES else None
    )
    try:
        async for event in follow(client, job_id, on_notice=board.say):
            board.apply(event)
            await on_event(event, board)
    finally:
        if waiting is not None:
            waiting.cancel()
    return await client.job(job_id, patience=60)


async def _say_why_it_waits(client: Client, board: Board, job_id: str) -> None:
    """While no event comes, the record says what the job waits for."""
    pause = _ASK_WHILE_WAITING
    while True:
        await asyncio.sleep(pause)
        pause = min(pause * 2, 30.0)
        if board.lines[job_id].state != "queued":
            continue
        try:
            job = await client.job(job_id)
        except BmnError:
            continue  # the watch itself deals with a server that is away
        place = f" ({job.position} ahead of it)" if job.position else ""
        board.waiting(job_id, f"{job.message or 'waiting in the queue'}{place}{await _to_mend(client, job)}")


async def _to_mend(client: Client, job: JobRecord) -> str:
    """What lets the queue of a job go on, where its cause has stopped that: said to those who can mend it."""
    if job.state != JobState.QUEUED or job.cause is None or not CAUSES[Cause(job.cause)].pauses_queue:
        return ""
    try:
        advice = (await client.why(job.job_id)).advice
    except BmnError:
        return ""
    return f" {advice.text}" if "bmn queues resume" in advice.text else ""
