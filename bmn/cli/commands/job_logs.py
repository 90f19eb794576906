"""The log lines of a job, once or until it ends."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

from bmn.cli.following.hidden import say_hidden
from bmn.cli.lookup.job_lookup import find_job
from bmn.cli.lookup.selection import scope
from bmn.cli.lookup.server_lookup import open_client
from bmn.cli.terminal.console import console
from bmn.cli.terminal.timespan import moment
from bmn.client import Client
from bmn.client import follow as follow_events
from bmn.client.patience import PATIENCE_SECONDS, insist
from bmn.redaction import HIDDEN, unhidden
from bmn.schemas.documents import LogLine


async def print_logs(
    reference: str, follow: bool, attempt: int | None, *, everyone: bool = False, reveal: str | None = None
) -> int:
    """Prints a job's log lines, with `follow` until it ends; answers with how many there were."""
    patience = PATIENCE_SECONDS if follow else 0
    async with open_client(role="admin" if everyone or reveal else "user") as client:
        job_id = await find_job(client, reference, of_whom=scope(None, everyone=everyone))
        found: list[LogLine] = []
        async for ended in _pulse(client, job_id) if follow else _once():
            while lines := await _next(client, job_id, found, attempt, patience=patience, reveal=reveal):
                found += lines
                for line in lines:
                    _show_log(line, follow)
            if ended:
                break
    if console.json and not follow:
        console.document({"logs": found})
    if not console.json:
        say_hidden(any(line.message == HIDDEN for line in found))
    return len(found)


async def _next(
    client: Client, job_id: str, found: list[LogLine], attempt: int | None, *, patience: float, reveal: str | None
) -> list[LogLine]:
    after = found[-1].id if found else 0
    return await insist(lambda: client.logs(job_id, after=after, attempt=attempt, reveal=reveal), patience, console.say)


async def _once() -> AsyncIterator[bool]:
    yield True


async def _pulse(client: Client, job_id: str) -> AsyncIterator[bool]:
    """A beat whenever the job has told something, at most every second, at least every five; True at its end."""
    changed = asyncio.Event()

    async def listen() -> None:
        try:
            async for _event in follow_events(client, job_id):
                changed.set()
        finally:
            changed.set()

    listener = asyncio.create_task(listen())
    try:
        while not listener.done():
            yield False
            await asyncio.sleep(1)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(4):
                    await changed.wait()
            changed.clear()
        listener.result()
        yield True
    finally:
        listener.cancel()


def _show_log(line: LogLine, stream: bool) -> None:
    if not console.json:
        console.answer(_log_line(line))
    elif stream:
        console.json_line(line)


def _log_line(line: LogLine) -> str:
    at = moment(line.at).astimezone().strftime("%H:%M:%S.%f")[:-3]
    fields = " ".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in line.fields.items())
    return f"{at}  {line.level:<7}  {line.attempt}  {unhidden(line.message)}  {fields}".rstrip()
