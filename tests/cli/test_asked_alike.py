"""What one command does, its siblings do in the same way: lists, options of what is made, the end, defaults in help."""

import re
from datetime import UTC, datetime

import pytest
from typer.core import TyperGroup, TyperOption

from bmn.cli.app import root
from bmn.cli.base import BaseCommand, Context
from bmn.cli.following import board
from bmn.cli.following.cancelling import ordered_in_words
from bmn.cli.following.progress import BoardLine, UnitProgress
from bmn.cli.following.top_view import Known, lines
from bmn.cli.following.worker_groups import in_words, seats
from bmn.schemas.documents import JobRecord, Overview, WorkerStatus
from bmn.schemas.documents import Unit as PaidUnit
from tests.kit.terminal import forked

# Commands whose word is a noun of which there are several; the others do something.
_NOUNS = (
    *("alerts", "audit", "brands", "bulk", "config", "costs", "credits", "incident", "jobs", "keys", "kits", "logos"),
    *("profile", "queues", "shares", "webhooks", "workers"),
)
_OF_ALL = (
    "--out",
    "--images",
    "--strict",
    "--detach",
    "--dry-run",
    "--timeout",
    "--idempotency-key",
    "--bell",
    "--exec",
)
_NOTHING_MADE = ("products",)


def _child(group: BaseCommand, name: str) -> BaseCommand:
    assert isinstance(group, TyperGroup)
    with Context(group) as context:
        found = group.get_command(context, name)
    assert found is not None
    return found


@pytest.mark.parametrize("noun", _NOUNS)
def test_a_noun_with_list_lists(noun: str) -> None:
    done = forked(noun, "list", "--help")
    assert (done.code, done.out[:10]) == (0, "Usage: bmn"), done.err


def test_what_is_made_is_asked_for_alike() -> None:
    group = _child(root, "generate")
    assert isinstance(group, TyperGroup)
    for name in group.commands:
        if name not in _NOTHING_MADE:
            options = {option for each in _child(group, name).params for option in each.opts}
            assert options >= {*_OF_ALL}, name


def test_help_tells_a_default_once() -> None:
    def walk(command: BaseCommand, path: str) -> None:
        with Context(command) as context:
            for each in command.params:
                told = each.get_help_record(context) if isinstance(each, TyperOption) else None
                text = told[1] if told else ""
                assert not ("[default" in text and re.search(r"\[[\w.]+\]", text)), (path, text)
            if isinstance(command, TyperGroup):
                for name in command.list_commands(context):
                    walk(_child(command, name), f"{path} {name}")

    walk(root, "bmn")


def _worker(queue: str, pid: int, megabytes: int = 354) -> WorkerStatus:
    now = datetime.now(UTC).isoformat()
    return WorkerStatus(
        name=f"{queue}.vm.{pid}",
        queue=queue,
        host="vm",
        pid=pid,
        state="idle",
        release="0.1.0",
        supervisor=None,
        jobs=[],
        memory_bytes=megabytes * 1_000_000,
        started_at=now,
        heartbeat_at=now,
    )


def test_the_memory_of_a_process_is_told_once() -> None:
    found = [_worker("crm-sync", 1), _worker("email-send", 1), _worker("logo-generation", 2, 100)]
    assert [seat.memory for seat in seats(found)] == ["354 MB", "", "100 MB"]
    assert in_words(found) == "3 workers in 2 processes, 454 MB"
    dead = _worker("logo-generation", 3, 156).model_copy(update={"state": "lost"})
    assert in_words([*found, dead]) == "3 workers in 2 processes, 454 MB; 1 lost"


@pytest.mark.parametrize("rows", [10, 14, 24])
def test_top_says_what_a_small_screen_hides(rows: int) -> None:
    workers = [_worker(f"queue-{number}", number) for number in range(9)]
    overview = Overview.model_construct(
        queues=[], workers=workers, alerts=[], usd_hour=0.0, usd_limit=1.0, usd_hour_sandboxed=0.0, redis=True
    )
    overview = overview.model_copy(update={"ended": [], "failed": []})
    text = [str(line) for line in lines(Known("http://h", "admin", overview=overview), 80, rows)]
    shown = sum("queue-" in line for line in text)
    assert 0 < shown <= 9
    assert (shown == 9) or any(f"1-{shown} of 9" in line for line in text), text
    assert len(text) == rows


@pytest.mark.parametrize(("columns", "whole"), [(80, True), (140, True), (50, False)])
def test_no_time_beside_a_bar_is_cut_off(columns: int, whole: bool) -> None:
    line = BoardLine("logo-generation-1", "Acme Coffee Roasters", state="active", percent=30, word="generating")
    line.units = {index: UnitProgress(1.0 if index < 3 else 0.3, "generating") for index in range(4)}
    line.since -= 10
    for expected in (34.0, 1.0):
        line.expected = expected
        *_, last = board._rows([line], columns - 3)
        assert not whole or last.cell_len <= columns - 3, last.plain
        assert ("left" in last.plain or "longer than usual" in last.plain) == whole, last.plain


def _job(state: str, *units: str) -> JobRecord:
    made = [PaidUnit.model_construct(unit=f"logo-{number}", state=each) for number, each in enumerate(units)]
    return JobRecord.model_construct(
        job_id="logo-generation-0f63142f-9aa2-43c7-9eea-f2bc3fcd40dc",
        state=state,
        units=made,
        credits_reserved=len(made),
    )


def test_a_cancel_says_before_what_is_charged_all_the_same() -> None:
    told = ordered_in_words(_job("active", "submitted", "saved", "planned", "planned"))
    assert (
        told
        == "0f63142f: 2 of 4 ordered already: 2 credits charged, what they make is kept; 2 credits would come back."
    )
    assert ordered_in_words(_job("active", "planned", "planned")) == ""
    assert ordered_in_words(_job("completed", "saved", "saved")) == ""
    assert ordered_in_words(_job("queued")) == ""
