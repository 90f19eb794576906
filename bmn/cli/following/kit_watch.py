"""A kit from its price to its end: begun, watched step by step, left where it waits for somebody."""

import asyncio
import shlex
import sys
import time
from collections.abc import Callable
from math import isclose
from typing import Literal

from bmn.cli.following.kit_files import Delivered
from bmn.cli.following.report import assets_in_json, name_files, warn
from bmn.cli.terminal import exit_codes
from bmn.cli.terminal.beat import beating, spinner
from bmn.cli.terminal.cells import Column
from bmn.cli.terminal.console import console
from bmn.cli.terminal.record_format import short_id, state_text
from bmn.client import Client
from bmn.client.patience import PATIENCE_SECONDS, insist
from bmn.errors import BmnError, RateLimited
from bmn.format import count, duration, usd
from bmn.schemas.documents import Kit, KitPrice, KitStep, KitStepPrice

LOOK_SECONDS = 2.0
"""Between two looks: a user may ask sixty times a minute."""

_MARKS = {"waiting": "·", "running": "●", "picking": "?", "held": "✗", "done": "✓", "cancelled": "⊘"}
GOES_ON = "running"
KitWord = Literal["running", "picking", "held", "done", "cancelled"]


class KitOutOfTime(BmnError):
    """`--timeout` was reached; the kit goes on."""

    code, exit_code = "timeout", exit_codes.TIMED_OUT

    def __init__(self, kit: Kit, seconds: float) -> None:
        hint = f"It goes on: bmn kits watch {short_id(kit.group_id)}"
        super().__init__(f"Not done after {seconds:g} s.", hint=hint, groupId=kit.group_id)


def show_price(price: KitPrice) -> None:
    """What a kit comes to, step by step; on stdout."""
    figures = (Column(name, right=True) for name in ("JOBS", "CREDITS", "COST", "TIME"))
    rows = [(each.step, str(each.jobs), str(each.credits), usd(each.usd), _time(each)) for each in price.steps]
    console.table((Column("STEP"), *figures), rows)
    promised = f", {price.credits_promised} of them for open kits" if price.credits_promised else ""
    console.answer(f"credits   {price.credits} of {price.credits_available}{promised}")
    console.answer(f"cost      {cost(price.usd, price.usd_sandboxed)}")
    console.say("credits are certain; the cost is expected, one attempt each, at today's prices")
    warn(price.warning)


def _time(step: KitStepPrice) -> str:
    return f"about {duration(step.expected.p50_ms / 1000)}" if step.expected else "-"


def cost(amount: float, sandboxed: float) -> str:
    """What providers charge, in words. sandboxed: of that, what the sandbox stands in for."""
    if not sandboxed:
        return usd(amount)
    charged = usd(amount - sandboxed)
    return f"{f'sandbox: {charged}' if isclose(sandboxed, amount) else charged} (with keys: {usd(amount)})"


async def watch(client: Client, kit: Kit, *, timeout: float | None = None) -> Kit:
    """Shows how far a kit is until it is done, or waits for somebody. A server that is away meanwhile is waited for."""
    board = _KitBoard(kit)
    until = None if timeout is None else time.monotonic() + timeout
    try:
        async with beating(board.draw):
            while board.kit.state == GOES_ON:
                board.show(board.kit)
                if until is not None and time.monotonic() >= until:
                    raise KitOutOfTime(board.kit, timeout or 0)
                await asyncio.sleep(LOOK_SECONDS)
                board.show(await _look(client, kit.group_id, board.say))
        board.show(board.kit)
    finally:
        board.leave()
    return board.kit


async def _look(client: Client, kit_id: str, say: Callable[[str], None]) -> Kit:
    while True:
        try:
            return await insist(lambda: client.kit(kit_id), PATIENCE_SECONDS, say)
        except RateLimited as limit:
            await asyncio.sleep(limit.retry_after)


class _KitBoard:
    """A line a step: drawn again in place on a terminal, elsewhere written when it changes."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self._said: set[str] = set()
        self._live = None
        if console.live and not console.json and not console.quiet:
            from bmn.cli.terminal.live import LiveLines

            self._live = LiveLines(sys.stderr)

    def show(self, kit: Kit) -> None:
        """How far it is."""
        self.kit = kit
        if self._live is not None:
            self.draw()
            return
        for step in kit.steps:
            word = f"{step.step}: {step.state}"
            if step.state != "waiting" and word not in self._said:
                self._said.add(word)
                console.say(_line(kit, step, _MARKS[step.state]).strip())

    def draw(self) -> None:
        """The next frame, on a terminal: what runs has a spinner."""
        if self._live is not None and console.live:
            marks = {**_MARKS, GOES_ON: spinner()}
            lines = [_line(self.kit, step, marks[step.state]) for step in self.kit.steps]
            self._live.draw([(line, line) for line in lines])

    def say(self, text: str) -> None:
        """A line above the others."""
        if self._live is not None:
            self._live.clear()
        console.say(text)

    def leave(self) -> None:
        """The last lines stand."""
        if self._live is not None:
            self._live.leave()


def _line(kit: Kit, step: KitStep, mark: str) -> str:
    made = sum(job.state in ("completed", "partial") for job in step.jobs)
    parts = [f"  {mark} {step.step:<8}"]
    if step.jobs:
        share = round(
            sum(100 if job.state in ("completed", "partial") else job.progress for job in step.jobs) / len(step.jobs)
        )
        parts.append(
            f"{made} of {count(len(step.jobs), 'job')}  {share}%" if step.state == GOES_ON else count(made, "job")
        )
    if step.step == kit.step and step.state in ("picking", "held"):
        parts.append(kit.message)
    return "  ".join(parts).rstrip()


def report(kit: Kit, made: Delivered, *, strict: bool = False) -> int:
    """How a kit ended or what it waits for, what it cost, its files, and what to type next. The exit code."""
    code = exit_codes.PARTIAL if strict and any(job.state == "partial" for job in made.jobs) else code_of(kit)
    if console.json:
        console.document({**kit.wire(), "assets": assets_in_json(made.files)})
        return code
    whose = f" for {kit.brand_name}" if kit.brand_name else ""
    console.tell(f"kit {short_id(kit.group_id)}{whose}: {kit.state}. {kit.message}")
    console.say(f"{count(kit.credits_charged, 'credit')} charged of {kit.credits_estimated} estimated")
    name_files(made.files, made.web)
    console.next_step(*next_steps(kit))
    return code


def next_steps(kit: Kit) -> tuple[str, ...]:
    """The commands that go on with a kit."""
    name, brand = short_id(kit.group_id), shlex.quote(kit.brand_name or kit.brand_id)
    if kit.state == "picking":
        return f"bmn logos list --brand {brand}", f"bmn kits pick 1 --kit {name}"
    if kit.state == "held":
        return held_steps(kit)
    return (f"bmn open --brand {brand}",) if kit.state == "done" else (f"bmn kits show {name}",)


def held_steps(kit: Kit) -> tuple[str, ...]:
    """What mends a kit that is held."""
    if kit.cause == "insufficient_credits":
        return ("bmn credits show",)
    broken = [job.job_id for step in kit.steps for job in step.jobs if job.state in ("failed", "cancelled")]
    if not broken:
        return (f"bmn kits show {short_id(kit.group_id)}",)
    return f"bmn jobs why {short_id(broken[0])}", f"bmn jobs retry {' '.join(short_id(job) for job in broken[:5])}"


def code_of(kit: Kit) -> int:
    """The exit code that a kit stands for; one that waits for a pick has gone well so far."""
    return {"held": exit_codes.FAILED, "cancelled": exit_codes.CANCELLED}.get(kit.state, exit_codes.DONE)


def left_alone(kit: Kit) -> int:
    """`--detach`, or Ctrl-C while it was watched: it goes on, and how to come back."""
    if console.json:
        console.document(kit)
    else:
        console.answer(kit.group_id)
    console.next_step(f"bmn kits watch {short_id(kit.group_id)}")
    return exit_codes.INTERRUPTED


def show(kit: Kit) -> None:
    """Everything that is known of a kit; on stdout."""
    console.field("kit", kit.group_id)
    console.field("brand", kit.brand_name or kit.brand_id)
    console.field("state", f"{kit.state}: {kit.message}")
    money = f"{kit.credits_charged} charged, {kit.credits_refunded} back, {kit.credits_estimated} estimated"
    console.field("credits", money)
    rows: list[tuple[str, ...]] = []
    for step in kit.steps:
        rows.append((step.step, f"{_MARKS[step.state]} {step.state}", "", "", ""))
        for job in step.jobs:
            rows.append(("", "", short_id(job.job_id), state_text(job.state), job.name or job.message or ""))
    columns = (Column("STEP"), Column("STATE"), Column("JOB"), Column("HOW"), Column("WHAT", flexible=True))
    console.table(columns, rows)
