"""What is said of jobs: that they were accepted, left, and how they ended; what they cost, and what to do next."""

import shlex
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from bmn.cli.following.cancelling import still_to_come, watch_collectors
from bmn.cli.terminal import exit_codes
from bmn.cli.terminal.console import console
from bmn.cli.terminal.paths import folder_lines, shown
from bmn.cli.terminal.record_format import elapsed, short_id, state_text
from bmn.cli.terminal.shell import preparation
from bmn.errors import CAUSES, Cause
from bmn.format import against, count, duration
from bmn.schemas.documents import Asset, Job, JobRecord, MockupsSubmitted, Submitted


def warn(warning: str | None) -> None:
    """What the server said beside its answer."""
    if warning:
        console.tell(f"! {warning[0].lower()}{warning[1:]}", "yellow")


def accepted(answer: Submitted | MockupsSubmitted, job_ids: list[str]) -> int:
    """`--detach`: the ids, and how to come back."""
    if console.json:
        console.document(answer)
    else:
        for job_id in job_ids:
            console.answer(job_id)
    names = " ".join(short_id(job_id) for job_id in job_ids)
    console.next_step(f"bmn jobs {'retry' if answer.ended else 'watch'} {names}")
    return exit_codes.of_state(answer.ended) if answer.ended else exit_codes.DONE


def detached(job_ids: list[str], *, private: bool = False) -> int:
    """Ctrl-C: says that nothing is lost and how to come back."""
    names = " ".join(short_id(job_id) for job_id in job_ids)
    if not job_ids:
        what, remedy = "Interrupted before a job was made.", "`bmn jobs list` shows what there is."
    elif private:
        what, remedy = "Detached; the job goes on at the next `bmn serve`.", f"bmn serve, then bmn jobs watch {names}"
    else:
        what, remedy = "Detached; the job continues.", f"bmn jobs watch {names}"
    if console.json:
        error = {"code": "interrupted", "message": what, "hint": remedy, "requestId": None, "jobIds": job_ids}
        console.document({"error": error})
    console.tell(f"{what.rstrip('.').lower()}: {remedy}" if job_ids else what)
    return exit_codes.INTERRUPTED


def report_all(jobs: Sequence[JobRecord]) -> None:
    """How they ended: those that went well and are of one kind for one brand in one line, each other one by itself."""
    groups: dict[tuple[str, ...], list[JobRecord]] = {}
    for job in jobs:
        alike = job.state == "completed" and bool(job.assets) and job.brand_id
        groups.setdefault((job.queue_name, alike) if alike else (job.job_id,), []).append(job)
    for group in groups.values():
        if len(group) == 1:
            report(group[0])
        else:
            _report_together(group)


def _report_together(jobs: Sequence[JobRecord]) -> None:
    assets = [asset for job in jobs for asset in job.assets]
    products = ", ".join(dict.fromkeys(job.traits.product for job in jobs if job.traits.product))
    whose = f" for {jobs[0].brand_name}" if jobs[0].brand_name else ""
    seconds = max(elapsed(job) or 0.0 for job in jobs)
    made = count(len(assets), assets[0].type.replace("_", " "))
    rest = f"{whose} in {duration(seconds)} · {money(*jobs)}"
    short, full = (f"{state_text('completed')}  {made}{names}{rest}" for names in ("", f" ({products})"))
    fits = bool(products) and (console.width is None or len(full) < console.width)
    console.say(full if fits else short)


def report(job: JobRecord) -> None:
    """How a job ended, in one line; a failure in three. Goes to stderr."""
    assets, seconds = job.assets, elapsed(job)
    if job.state == "failed":
        cause = CAUSES[Cause(job.cause or "bug")]
        console.tell(f"{state_text('failed')}  {job.queue_name} {short_id(job.job_id)}: {job.error}", "bold red")
        told = cause.user_advice if cause.user_text in (job.error or "") else cause.told
        console.tell(f"  {told} {money(job)}.".replace("   ", "  "))
        console.tell(f"  bmn jobs why {short_id(job.job_id)}")
        return
    made = _made(job)
    whose = f" for {job.brand_name}" if assets and job.brand_name else ""
    took = f"{' · after' if job.state == 'cancelled' else ' in'} {duration(seconds)}" if seconds is not None else ""
    console.say(f"{state_text(job.state)}  {made}{whose}{took} · {money(job)}")


def _made(job: JobRecord) -> str:
    """What came of it, and of a cancelled one what is still to come: its figures are said beside it."""
    assets, product = job.assets, job.traits.product
    told = (job.message or job.queue_name).rstrip(".")
    if job.state == "cancelled":
        told = told.partition(".")[0].removeprefix("Cancelled").removeprefix(": ") or "nothing was made"
    parts = [count(len(assets), assets[0].type.replace("_", " ")) if assets else told]
    if assets and product:
        parts[0] += f" of {product}"
    if coming := still_to_come(job):
        parts = [*(parts if assets else ()), f"{coming} ordered before still to come"]
    return ", ".join(parts)


def money(*jobs: Job) -> str:
    """`4 credits · $0.12 of $0.16`, with what came back, and the sandbox's free pictures as such."""
    parts = [count(sum(job.credits_charged for job in jobs), "credit")]
    if refunded := sum(job.credits_refunded for job in jobs):
        parts[0] += f" charged, {refunded} back"
    paid = [job for job in jobs if not job.sandboxed]
    expected = sum(job.usd_estimated or 0.0 for job in paid)
    parts.append(against(sum(job.cost_usd for job in paid), expected) if paid else "sandbox: $0.00")
    return " · ".join(parts)


def show_results(jobs: list[JobRecord], saved: list[tuple[Asset, Path | None]], web: str) -> None:
    """saved: all assets in the order of their jobs, each with its file. web: the server, whose page has the others.

    A picture's own address is signed: it is long, lets in whoever reads it, and is in the JSON.
    """
    if console.json:
        rest = iter(saved)
        outcomes = [_outcome(job, [*islice(rest, len(job.assets))]) for job in jobs]
        console.document(outcomes[0] if len(outcomes) == 1 else {"jobs": outcomes})
        return
    name_files(saved, web)


def name_files(saved: Iterable[tuple[Asset, Path | None]], web: str) -> None:
    """A line for each picture and video: its number, and its file or the page that has it.

    On a terminal, a folder far from here is named once, above its files.
    """
    last: Path | None = None
    for number, (asset, path) in enumerate(saved, start=1):
        where = shown(path) if path else f"{web}/g/{asset.brand_id}"
        if path and console.width is not None and where.startswith(("/", "~")):
            if path.parent != last:
                for line in folder_lines(path.parent):
                    console.answer(line)
            last, where = path.parent, path.name
        console.answer(f"{number}  {where}")


def _outcome(job: Job, saved: Iterable[tuple[Asset, Path | None]]) -> dict[str, object]:
    """The JSON document of a finished generator. saved: its assets, each with the file it was written to."""
    seconds = elapsed(job)
    error = None
    if job.state == "failed":
        error = {"code": job.cause, "message": job.error, "hint": None, "requestId": job.request_id}
    return {
        "jobId": job.job_id,
        "queueName": job.queue_name,
        "state": job.state,
        "attempts": job.attempt,
        "elapsedMs": round(seconds * 1000) if seconds is not None else None,
        "costUsd": job.cost_usd,
        "sandboxed": job.sandboxed,
        "creditsCharged": job.credits_charged,
        "assets": assets_in_json(saved),
        "error": error,
    }


def assets_in_json(saved: Iterable[tuple[Asset, Path | None]]) -> list[dict[str, object]]:
    """Each with the file it was written to."""
    return [
        {
            "id": asset.id,
            "type": asset.type,
            "url": asset.url,
            "file": str(path) if path else None,
            "metadata": asset.metadata,
        }
        for asset, path in saved
    ]


def next_steps(jobs: Sequence[JobRecord], noun: str, brand: str) -> tuple[str, ...]:
    """The next useful commands, for the way it ended."""
    quoted, name = shlex.quote(brand), short_id(jobs[-1].job_id)
    if coming := watch_collectors(job.collector_job_id for job in jobs):
        return coming
    if not any(job.assets for job in jobs):
        return (f"bmn jobs show {name}",) if jobs[-1].state == "completed" else ()
    if any(job.state == "partial" for job in jobs):
        return (f"bmn jobs why {name}",)
    steps = {
        "logo": (f"bmn logos select 1 --brand {quoted}", f"bmn generate mockups --brand {quoted} --product mug"),
        "mockup": (f"bmn generate bundle --brand {quoted}", f"bmn generate video --brand {quoted}"),
    }
    return steps.get(noun, (f"bmn open --brand {quoted}",))


def with_server(steps: tuple[str, ...]) -> tuple[str, ...]:
    """The stack has ended with the command, so the steps begin with one that stays, and with what its terminal needs."""
    first = preparation()
    prepared = (f"{first}   # in each terminal",) if first else ()
    return (*prepared, "bmn serve   # stays; the rest in another terminal:", *steps)
