"""The rows of a batch while they are made: one table that is drawn again, one question for all of them."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from bmn.cli.following.batch_files import BatchFiles
from bmn.cli.following.kit_watch import LOOK_SECONDS
from bmn.cli.following.outcomes import Outcome, write_outcomes
from bmn.cli.terminal import exit_codes
from bmn.cli.terminal.cells import Cell, Column
from bmn.cli.terminal.console import console
from bmn.cli.terminal.record_format import short_id
from bmn.client import Client
from bmn.client.patience import PATIENCE_SECONDS, insist
from bmn.errors import BmnError, NotFound, RateLimited
from bmn.schemas.documents import Job, Kit
from bmn.schemas.generators.logos import KIND as LOGOS

T = TypeVar("T")
_PAGE = 200
_PAGES = 5  # of a list; what is older is asked for by itself
_COLUMNS = (
    Column("LINE", right=True),
    Column("BRAND", flexible=True, least=8),
    Column("STATE"),
    Column("STEP", drop=3),
    Column("CREDITS", right=True, drop=2),
    Column("ID", drop=1),
    Column("MESSAGE", flexible=True, least=20, drop=4),
)


class BatchOutOfTime(BmnError):
    """`--timeout` was reached; what was ordered goes on."""

    code, exit_code = "timeout", exit_codes.TIMED_OUT

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Not all done after {seconds:g} s.", hint="They go on; the same command comes back to them.")


async def watch(
    client: Client, what: str, path: Path, outcomes: list[Outcome], files: BatchFiles, *, timeout: float | None
) -> None:
    """Follows what was ordered until nothing goes on by itself; writes down what changes, and what each row delivers."""
    board = _BatchBoard(what)
    until = None if timeout is None else time.monotonic() + timeout
    try:
        await _look(client, what, outcomes, board)
        await files.save(outcomes)
        write_outcomes(path, outcomes)
        while any(each.open for each in outcomes):
            board.show(outcomes)
            if until is not None and time.monotonic() >= until:
                raise BatchOutOfTime(timeout or 0)
            await asyncio.sleep(LOOK_SECONDS)
            if await _look(client, what, outcomes, board):
                write_outcomes(path, outcomes)  # at once: to write files takes a while
                if await files.save(outcomes):
                    write_outcomes(path, outcomes)
    finally:
        board.leave()


async def _look(client: Client, what: str, outcomes: Sequence[Outcome], board: "_BatchBoard") -> bool:
    """Asks how all of them stand; whether anything has changed. A server that is away is waited for."""
    ask = _look_at_kits if what == "kit" else _look_at_jobs
    while True:
        try:
            return await insist(lambda: ask(client, outcomes), PATIENCE_SECONDS, board.say)
        except RateLimited as limit:
            await asyncio.sleep(limit.retry_after)


async def _look_at_kits(client: Client, outcomes: Sequence[Outcome]) -> bool:
    wanted = {each.id: each for each in outcomes if each.id and each.state not in ("done", "cancelled")}
    found: dict[str, Kit] = {}
    cursor: str | None = None
    for _ in range(_PAGES):
        page = await client.kits(limit=_PAGE, cursor=cursor)
        found |= {kit.group_id: kit for kit in page.kits}
        cursor = page.next_cursor
        if cursor is None or wanted.keys() <= found.keys():
            break
    changed = False
    for kit_id, outcome in wanted.items():
        kit = found.get(str(kit_id)) or await _kept(client.kit(str(kit_id)))
        changed |= _note(outcome, kit.state if kit else "forgotten", kit.step if kit else "", kit)
    return changed


def _note(outcome: Outcome, state: str, step: str, kit: Kit | None) -> bool:
    before = (outcome.state, outcome.step, outcome.credits, outcome.message)
    outcome.state, outcome.step = state, step
    if kit is not None:
        outcome.credits, outcome.message = kit.credits_charged, kit.message
    return before != (outcome.state, outcome.step, outcome.credits, outcome.message)


async def _look_at_jobs(client: Client, outcomes: Sequence[Outcome]) -> bool:
    wanted = {each.id: each for each in outcomes if each.id and each.state not in ("completed", "cancelled")}
    found: dict[str, Job] = {}
    cursor: str | None = None
    for _ in range(_PAGES):
        page = await client.jobs(queue=LOGOS.queue, limit=_PAGE, cursor=cursor)
        found |= {job.job_id: job for job in page.jobs}
        cursor = page.next_cursor
        if cursor is None or wanted.keys() <= found.keys():
            break
    again: dict[str | None, Job] = {job.parent_id: job for job in found.values() if job.parent_id}
    changed = False
    for job_id, outcome in wanted.items():
        job: Job | None = found.get(str(job_id)) or await _kept(client.job(str(job_id)))
        changed |= _note_job(outcome, job, again)
    return changed


def _note_job(outcome: Outcome, job: Job | None, again: Mapping[str | None, Job]) -> bool:
    before = (outcome.id, outcome.state, outcome.credits, outcome.message)
    while job is not None and job.job_id in again:
        job = again[job.job_id]
    if job is None:
        outcome.state = "forgotten"
        return before[1] != outcome.state
    outcome.id, outcome.state = job.job_id, job.state
    outcome.credits, outcome.message = job.credits_charged, job.message or ""
    if job.result:
        outcome.urls = [str(logo["url"]).partition("?")[0] for logo in job.result.get("logos", ())]
    return before != (outcome.id, outcome.state, outcome.credits, outcome.message)


async def _kept(asked: Awaitable[T]) -> T | None:
    """What is older than records are kept is gone."""
    try:
        return await asked
    except NotFound:
        return None


class _BatchBoard:
    """The table: drawn again in place on a terminal, elsewhere a line for each change."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._said: dict[str, str] = {}
        self._live = None
        if console.live and not console.json and not console.quiet:
            from bmn.cli.terminal.live import LiveLines

            self._live = LiveLines(sys.stderr)

    def show(self, outcomes: Sequence[Outcome]) -> None:
        """How all of them stand."""
        if self._live is not None:
            self._live.draw([(line, line) for line in self._lines(outcomes)])
            return
        for each in outcomes:
            word = f"{each.step} {each.state}".strip()
            if self._said.get(each.key) != word:
                self._said[each.key] = word
                console.say(f"line {each.line}  {each.brand}  {word}")

    def _lines(self, outcomes: Sequence[Outcome]) -> list[str]:
        from bmn.cli.terminal.tables import render

        assert self._live is not None
        width, height = self._live.room()
        shown = sorted(outcomes, key=lambda each: not each.open)[: max(1, height - 3)]
        lines = [
            text.plain for text in render(_columns(self._what), [_cells(self._what, each) for each in shown], width)
        ]
        states = Counter(each.state for each in outcomes)
        more = f"  … {len(outcomes) - len(shown)} more" if len(shown) < len(outcomes) else ""
        return [*lines, "  ".join(f"{number} {state}" for state, number in states.items()) + more]

    def say(self, text: str) -> None:
        """A line above the table."""
        if self._live is not None:
            self._live.clear()
        console.say(text)

    def leave(self) -> None:
        """The table goes: the one of the end follows."""
        if self._live is not None:
            self._live.clear()


def print_table(what: str, outcomes: Sequence[Outcome]) -> None:
    """How all of them stand; on stdout."""
    console.table(_columns(what), [_cells(what, each) for each in outcomes])


def _columns(what: str) -> tuple[Column, ...]:
    return _COLUMNS if what == "kit" else tuple(each for each in _COLUMNS if each.title != "STEP")


def _cells(what: str, each: Outcome) -> list[Cell]:
    human = console.width is not None
    name = short_id(each.id or "") if human else each.id or ""
    step: list[Cell] = [each.step] if what == "kit" else []
    words = each.error or each.message
    return [str(each.line), each.brand, each.state, *step, str(each.credits), name, words]


def document(each: Outcome) -> dict[str, object]:
    """A row as `--json` prints it."""
    return {
        "line": each.line,
        "brand": each.brand,
        "brandId": each.brand_id,
        "id": each.id,
        "state": each.state,
        "step": each.step or None,
        "creditsCharged": each.credits,
        "message": each.message,
        "urls": each.urls,
        "files": each.files,
        "error": each.error,
        "key": each.key,
    }
