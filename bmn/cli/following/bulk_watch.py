"""A bulk action from its estimate to its outcome: asked about, begun or joined, watched, and told job by job."""

import asyncio
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

from bmn.cli.terminal import exit_codes
from bmn.cli.terminal.beat import beating, spinner
from bmn.cli.terminal.console import console
from bmn.cli.terminal.record_format import short_id
from bmn.client import Client
from bmn.client.patience import PATIENCE_SECONDS, insist
from bmn.errors import NotFound, UsageProblem
from bmn.format import count, duration, usd
from bmn.schemas.documents import BulkAction, BulkEstimate, BulkItem

_MANY = 50
_FEW = 5  # so many new jobs are named, and watched by one command
_PAGE = 1000
_BAR = 24
_LOOK_SECONDS = 0.5
_SILENCE = 10.0  # seconds after which it is said that nobody works on it
_PAST = {"retry": "retried", "cancel": "cancelled", "replay": "replayed", "purge": "purged"}
_OPEN = ("running", "paused")


@dataclass(frozen=True, slots=True)
class BulkOrder:
    """What a command asks for. body: as the API takes it. operators: of everybody's jobs. noun: `job` or `dead letter`.

    reveal: why words of others are searched.
    """

    body: Mapping[str, object]
    operators: bool
    noun: str
    yes: bool = False
    detach: bool = False
    reveal: str | None = None

    @property
    def verb(self) -> str:
        """The action."""
        return str(self.body["action"])


async def begin(client: Client, asked: BulkOrder) -> BulkAction | None:
    """Says what it comes to, asks, and begins it or joins the one that runs. None: there is nothing to do.

    Raises Abort where the answer is no.
    """
    expected = await client.bulk_estimate(asked.body, operators=asked.operators, reveal=asked.reveal)
    if expected.jobs and not asked.yes:
        console.tell(in_figures(asked, expected))
        _confirm(expected.jobs, asked)
    try:
        found = await client.start_bulk(asked.body, operators=asked.operators, reveal=asked.reveal)
    except NotFound:
        if expected.jobs:
            raise
        return None
    if found.joined:
        console.say(f"The same is under way already, begun by {found.asked_by}: joining {short_bulk(found.id)}.")
    return found


def in_figures(asked: BulkOrder, expected: BulkEstimate) -> str:
    """What it will take, or give back, before it is done."""
    about = "about " if expected.about else ""
    text = f"{about}{count(expected.jobs, asked.noun)} to {asked.verb}"
    if asked.verb in ("retry", "replay"):
        money = usd(expected.usd)
        cost = f"sandbox: $0.00 (with keys: {money})" if expected.sandboxed else f"about {money} of providers"
        past = expected.users_past_budget
        beyond = f" {count(past, 'user')} will be past the budget of a day, which does not hold this." if past else ""
        return f"{text}: {about}{count(expected.credits, 'credit')}, {cost}.{beyond}"
    if asked.verb == "cancel":
        return (
            f"{text}: up to {about}{count(expected.credits, 'credit')} come back; what is ordered by then is charged."
        )
    return f"{text}."


def _confirm(number: int, asked: BulkOrder) -> None:
    import typer

    if number <= _MANY:
        if not console.confirm(f"{asked.verb} {count(number, asked.noun)}?"):
            raise typer.Abort
        return
    if not console.interactive:
        raise UsageProblem(
            f"This would {asked.verb} {number} {asked.noun}s, and nobody is here to answer.", hint="Add --yes."
        )
    if console.ask(f"That is many. Type the number to {asked.verb} them: ") != str(number):
        raise typer.Abort


async def watch(client: Client, found: BulkAction, *, operators: bool) -> BulkAction:
    """Shows how far it is until it ends. A server that is away meanwhile is waited for."""
    board = _BulkBoard(found)
    began = time.monotonic()
    before = found.done + found.refused
    bulk_id = found.id
    try:
        async with beating(board.draw):
            while found.state in _OPEN:
                board.show(found)
                await asyncio.sleep(_LOOK_SECONDS)
                found = await insist(lambda: client.bulk(bulk_id, operators=operators), PATIENCE_SECONDS, board.say)
                untouched = found.done + found.refused == before and found.state == "running"
                if untouched and time.monotonic() - began > _SILENCE:
                    board.say("No job was started for 10 s: is a worker running? `bmn workers` shows them.")
                    began = time.monotonic() + 50
        board.show(found)
    finally:
        board.leave()
    return found


class _BulkBoard:
    """One line: drawn again in place on a terminal, elsewhere written at each tenth."""

    def __init__(self, found: BulkAction) -> None:
        self._found = found
        self._began = time.monotonic()
        self._before: int | None = None
        self._tenth = -1
        self._live = None
        if console.live and not console.json:
            from bmn.cli.terminal.live import LiveLines

            self._live = LiveLines(sys.stderr)

    def show(self, found: BulkAction) -> None:
        """How far it is."""
        self._found = found
        acted = found.done + found.refused
        if self._before is None:
            self._before = acted
        if self._live is not None:
            self.draw()
            return
        line = self._line(found, acted)
        tenth = 10 * acted // max(1, found.total)
        if tenth != self._tenth or found.state not in _OPEN:
            self._tenth = tenth
            console.say(line)

    def draw(self) -> None:
        """The next frame, on a terminal: a spinner while it runs."""
        if self._live is None or not console.live:
            return
        step = spinner() if self._found.state == "running" else "✓" if self._found.state == "done" else " "
        line = f"{step} {self._line(self._found, self._found.done + self._found.refused)}"
        self._live.draw([(line, line)])

    def _line(self, found: BulkAction, acted: int) -> str:
        share = acted / max(1, found.total)
        bar = "▇" * round(share * _BAR) + "·" * (_BAR - round(share * _BAR))
        parts = [f"{found.action} {bar} {acted:,} of {found.total:,}"]
        if found.refused:
            parts.append(f"{found.refused:,} refused")
        if found.failed_again:
            parts.append(f"{found.failed_again:,} failed again")
        since = acted - (self._before or 0)
        if found.state != "running":
            parts.append(found.state)
        elif since and found.left:
            parts.append(f"{duration((time.monotonic() - self._began) / since * found.left, whole=True)} left")
        return "  ".join(parts)

    def say(self, text: str) -> None:
        """A line above the bar."""
        if self._live is not None:
            self._live.clear()
        console.say(text)

    def leave(self) -> None:
        """The last line stands."""
        if self._live is not None:
            self._live.leave()


async def items_to_tell(client: Client, found: BulkAction, *, operators: bool) -> list[BulkItem]:
    """The jobs of an action, page by page; of one with many only the refused ones, but for programs."""
    state = None if console.json or found.done <= _FEW else "refused"
    items: list[BulkItem] = []
    after: int | None = 0
    while after is not None:
        page = await client.bulk_items(found.id, operators=operators, state=state, after=after, limit=_PAGE)
        items += page.items
        after = page.next_after
    return items


def report(found: BulkAction, items: list[BulkItem], noun: str) -> int:
    """Names each job that was refused, with its reason, and says how it ended. The exit code."""
    for item in items:
        if item.state == "refused":
            console.answer(f"{short_id(item.job_id)}  refused: {item.detail}")
        elif item.new_job_id and found.done <= _FEW:
            console.answer(f"{short_id(item.job_id)} → {short_id(item.new_job_id)}")
    words = [f"{count(found.done, noun)} {_PAST[found.action]}"]
    if found.refused:
        words.append(f"{found.refused} refused")
    if found.left:
        words.append(f"{found.left} not started: it was {found.state}")
    if found.credits:
        words.append(f"{count(found.credits, 'credit')} {'come back' if found.action == 'cancel' else 'reserved'}")
    console.say(", ".join(words) + (f". {found.message}" if found.message else ""))
    return code_of(found)


def follow_up(items: list[BulkItem], otherwise: str) -> str:
    """The command to type next: to watch the jobs that were made, where they are a few."""
    made = [short_id(item.new_job_id) for item in items if item.new_job_id]
    return f"bmn jobs watch {' '.join(made)}" if 0 < len(made) <= _FEW else otherwise


def code_of(found: BulkAction) -> int:
    """The exit code that an action stands for."""
    if found.state in ("stopped", "aborted"):
        return exit_codes.FAILED if found.state == "stopped" else exit_codes.CANCELLED
    if not found.refused:
        return exit_codes.DONE
    return exit_codes.PARTIAL if found.done else exit_codes.CONFLICT


def left_alone(found: BulkAction, *, operators: bool) -> int:
    """`--detach`, or Ctrl-C while it was watched: it goes on, and how to come back."""
    if console.json:
        console.document({"bulk": found})
    else:
        console.answer(found.id)
    console.next_step(f"bmn bulk watch {short_bulk(found.id)}{whose(operators)}")
    return exit_codes.DONE


def short_bulk(bulk_id: str) -> str:
    """The part of an action's id that names it in commands."""
    return bulk_id.removeprefix("bulk-")[:8]


def whose(operators: bool) -> str:
    """What a command has to say beside, to find an action on everybody's jobs."""
    return " --everyone" if operators else ""
