"""One job in full, and why it is where it is."""

import itertools
from collections.abc import Sequence
from typing import Any

from bmn.cli.following.hidden import is_hidden, say_hidden
from bmn.cli.following.report import money
from bmn.cli.lookup.asset_lookup import numbered
from bmn.cli.terminal.cells import clean
from bmn.cli.terminal.console import console
from bmn.cli.terminal.record_format import elapsed, short_id, shortened, state_cell, unsigned
from bmn.cli.terminal.timespan import ago, local, moment
from bmn.client.said import Said
from bmn.format import count, duration, usd
from bmn.redaction import unhidden
from bmn.schemas.documents import AuditRecord, JobRecord, TimelineEvent, Why
from bmn.schemas.provenance import provenance_of


def print_job(job: JobRecord, waits: Why | None = None) -> None:
    """State, figures, units, assets and the timeline of every event. waits: why it has not begun, or not again."""
    _head(job)
    fields = {
        "Brand": unhidden(job.brand_name) or job.brand_id,
        "Attempt": f"{job.attempt} of {job.max_attempts}" + (f", {job.losses} lost" if job.losses else ""),
        "Progress": f"{job.progress} %  {unhidden(job.message)}".rstrip(),
        "Waiting": waits.cause_text if waits else None,
        "Error": unhidden(job.error),
        "Cause": job.cause,
        "Money": f"{money(job)} (reserved {job.credits_reserved})",
        "Created": f"{local(job.created_at)}  ({ago(job.created_at)})",
        "Started": local(job.started_at),
        "To begin by": local(job.start_by) if job.state == "queued" else None,
        "To end by": local(job.finish_by) if not job.completed_at else None,
        "Ended": local(job.completed_at),
        "Took": duration(seconds) if (seconds := elapsed(job)) is not None else None,
        "Replay of": job.parent_id,
        "Fetches for": f"{job.collects_id}, what it had paid for before it was cancelled" if job.collects_id else None,
        "Fetched by": f"{job.collector_job_id}, what was paid for before the cancel" if job.collector_job_id else None,
    }
    for name, value in fields.items():
        if value:
            console.field(name, str(value))
    _units(job)
    _assets(job)
    _timeline(job.timeline)
    _acts(job.acts or [])
    say_hidden(is_hidden(job))
    step = {"failed": "why", "partial": "why", "queued": "why", "cancelled": "why", "completed": "logs"}.get(
        job.state, "watch"
    )
    console.next_step(f"bmn jobs {step} {short_id(job.job_id)}")


def _head(job: JobRecord) -> None:
    symbol, style = state_cell(job.state)
    line = f"{symbol}  {job.job_id}"
    console.answer(styled(line, f"bold {style}"))


def styled(text: str, style: str) -> Any:
    """The text with a style where stdout takes colors."""
    import sys

    if not console.colored(sys.stdout):
        return text
    from rich.text import Text

    return Text(clean(text), style=style)


def _units(job: JobRecord) -> None:
    units = job.units
    if not units:
        return
    console.answer("\n  Units")
    for unit in units:
        note = unhidden(unit.error) or ("may have been billed once more" if unit.ambiguous else "")
        row = f"{unit.unit:<12} {unit.state:<11} {unit.provider or '':<10} {usd(unit.cost_usd)}  {note}"
        console.answer(f"    {row}".rstrip())


def _assets(job: JobRecord) -> None:
    if not job.assets:
        return
    console.answer("\n  Assets")
    for number, asset in enumerate(numbered(job.assets), start=1):
        console.answer(f"    {number}  {asset.type:<8} {unsigned(asset.url)}")
    for told in dict.fromkeys(known.told() for asset in job.assets if (known := provenance_of(asset.metadata))):
        console.answer(f"       {told}")


def _timeline(timeline: Sequence[TimelineEvent]) -> None:
    if not timeline:
        return
    console.answer("\n  Timeline")
    first = moment(timeline[0].at)
    for _, alike in itertools.groupby(timeline, _kind):
        entries = list(alike)
        fold = len(entries) - 2 if console.width is not None and len(entries) > 3 else 0
        for entry in [entries[0], *entries[1 + fold :]]:
            after = (moment(entry.at) - first).total_seconds()
            console.answer(f"    {entry.seq:>4}  +{after:7.2f} s  {entry.event:<14} {_what(entry)}".rstrip())
            if fold and entry is entries[0]:
                console.answer(f"          … {fold} more like it; all with --json")


def _acts(acts: Sequence[AuditRecord]) -> None:
    """Who did what to it, when, why, and from where."""
    if acts:
        console.answer("\n  Done by people")
    for act in acts:
        origin = f" from {act.address}" if act.address else ""
        key = f" with key {act.key_name or act.key_id}" if act.key_id else ""
        reason = f": {act.reason}" if act.reason else ""
        console.answer(f"    {local(act.at)}  {act.action} by {act.actor}{key}{origin}{reason}")


def _kind(entry: TimelineEvent) -> tuple[object, ...]:
    """What a person tells apart: of an event that only repeats a percentage one would scroll past forty."""
    said = Said.model_validate(entry.data)
    return (said.progress, said.status) if entry.event == "job:progress" and not said.asset else (entry.seq,)


def _what(entry: TimelineEvent) -> str:
    said = Said.model_validate(entry.data)
    text = said.message or said.error or said.content or ""
    if entry.event == "job:progress":
        return f"{int(said.progress or 0):>3} %  {text}"
    if entry.event == "job:failed":
        return f"{text}  ({said.cause}, {count(said.retries_left or 0, 'attempt')} left)"
    return text


def print_why(answer: Why) -> None:
    """The five lines: state, cause, money, what is kept, what to do."""
    symbol, style = state_cell(answer.state)
    job_id = answer.job_id
    console.answer(styled(f"{symbol.split()[0]} {shortened(job_id)}  {answer.headline}", f"bold {style}"))
    command = answer.advice.command.replace(job_id, short_id(job_id))
    lines = {
        "Cause": " — ".join(text for text in (answer.cause, answer.cause_text) if text),
        "Money": answer.money,
        "Kept": answer.kept,
        "Try": "   ".join(text for text in (command, answer.advice.text) if text),
    }
    for name, text in lines.items():
        if text:
            console.field(name, text, width=8)
