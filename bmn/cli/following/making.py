"""What every generator does once its body is known: submit, watch, show, write, report."""

import shlex
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from bmn.cli.base import run
from bmn.cli.following.gallery import Gallery
from bmn.cli.following.watch import watch
from bmn.cli.lookup.assets import local_path, make_folder, numbered, slug
from bmn.cli.lookup.server import server_for
from bmn.cli.lookup.session import find_brand, is_brand_id, open_client
from bmn.cli.order import Body, Builder, Options, Target
from bmn.cli.terminal import exit_codes
from bmn.cli.terminal.console import console
from bmn.cli.terminal.format import GENERATOR_QUEUES, elapsed, outcome_document, plural, short_id, state_text, usd
from bmn.cli.terminal.shell import preparation
from bmn.cli.terminal.timespan import duration
from bmn.client import Client
from bmn.errors import CAUSES, BmnError, Cause, NotFound
from bmn.schemas.documents import Asset, Expected, Job, JobRecord, MockupsSubmitted, Submitted


@dataclass(slots=True)
class _Made:
    """What a Ctrl-C must know: the jobs so far, and whether their server ends with us."""

    job_ids: list[str] = field(default_factory=list)
    private: bool = False


def make(kind: str, noun: str, build: Builder, options: Options) -> int:
    """Runs one generator; answers with the exit code. kind: the route. noun: one of what it makes."""
    made = _Made()
    if options.out and not options.dry_run:
        make_folder(options.out)  # before anything is paid for
    try:
        return run(_make(kind, noun, build, options, made))
    except KeyboardInterrupt:
        return detached(made.job_ids, private=made.private)
    except BmnError as error:
        if made.job_ids and "jobs watch" not in (error.hint or ""):
            # Whoever reads only the error would ask once more, and pay once more.
            accepted = f"It was accepted before that: bmn jobs watch {' '.join(map(short_id, made.job_ids))}"
            error.hint = f"{error.hint} {accepted}" if error.hint else accepted
            error.extra["jobIds"] = made.job_ids
        raise


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


@asynccontextmanager
async def _client(kind: str, options: Options, made: _Made) -> AsyncIterator[Client]:
    async with server_for(GENERATOR_QUEUES[kind], detach=options.detach) as server:
        made.private = server.private
        async with open_client(settings=server.settings, api_url=server.api_url) as client:
            yield client


async def _make(kind: str, noun: str, build: Builder, options: Options, made: _Made) -> int:
    async with _client(kind, options, made) as client:
        # The others need a logo first, so that a new name is a mistyped one there.
        new = kind in ("logos", "wizard") and not options.dry_run
        brand = await _brand(
            client, options, new=new, imagine=kind == "logos" and options.dry_run and not options.refines
        )
        body = await build(client, brand)
        if options.dry_run:
            return await _estimate(client, kind, body)
        answer, labels = await _submit(client, kind, body, brand, options)
        made.job_ids = [*labels]
        _warn(answer.warning)
        if options.detach:
            return _announce(answer, made.job_ids)
        ended = await _attend(client, brand, noun, labels, options)
        steps = _next_steps(ended, noun, brand.name)
        console.next_step(*(_with_server(steps) if made.private else steps))
        return exit_codes.of_jobs(ended, strict=options.strict)


async def _submit(
    client: Client, kind: str, body: Body, brand: Target, options: Options
) -> tuple[Submitted | MockupsSubmitted, dict[str, str]]:
    """The server's answer, and the jobs with what each is called while it is watched."""
    if kind != "mockups":
        one = await client.generate(kind, body, idempotency_key=options.idempotency_key)
        return one, {one.job_id: brand.name}
    many = await client.generate_mockups(body, idempotency_key=options.idempotency_key)
    return many, {job.job_id: "" for job in many.jobs}  # each is called as the product in its record


async def _brand(client: Client, options: Options, *, new: bool, imagine: bool) -> Target:
    """new: a name that does not exist is made one. imagine: it is only asked what it would be like."""
    try:
        brand = await find_brand(client, options.brand, create=options.record if new else None)
    except NotFound:
        if not imagine or is_brand_id(options.brand):
            raise
        name = options.brand.strip().removeprefix("@")
        console.say(f"the brand {name!r} would be made")
        return Target("", name)
    return Target(brand.id, brand.name)


def _warn(warning: str | None) -> None:
    if warning:
        console.tell(f"! {warning[0].lower()}{warning[1:]}", "yellow")


def _announce(answer: Submitted | MockupsSubmitted, job_ids: list[str]) -> int:
    if console.json:
        console.document(answer)
    else:
        for job_id in job_ids:
            console.answer(job_id)
    console.next_step("bmn jobs watch " + " ".join(short_id(job_id) for job_id in job_ids))
    return exit_codes.DONE


async def _attend(
    client: Client, brand: Target, noun: str, labels: dict[str, str], options: Options
) -> list[JobRecord]:
    """Watches the jobs to their end, shows what they make, writes it, reports; answers with their records.

    labels: what each job is called, by its id.
    """
    gallery = Gallery(client, options.images)
    ended = await watch(
        client, [*labels], labels=[*labels.values()], timeout=options.timeout, on_event=gallery.on_event
    )
    assets = [asset for job in ended for asset in numbered(job.assets)]
    paths: list[Path | None] = [local_path(client, asset.url) for asset in assets]
    if options.out and assets:
        stem = f"{slug(brand.name)}-{slug(noun)}"
        paths = [*await gallery.save(assets, options.out, stem, ended[0].job_id)]
    for job in ended:
        report(job)
    _answer(ended, [*zip(assets, paths, strict=True)])
    return ended


def _answer(jobs: list[JobRecord], saved: list[tuple[Asset, Path | None]]) -> None:
    """saved: all assets in the order of their jobs, each with its file."""
    if console.json:
        rest = iter(saved)
        outcomes = [outcome_document(job, [*islice(rest, len(job.assets))]) for job in jobs]
        console.document(outcomes[0] if len(outcomes) == 1 else {"jobs": outcomes})
        return
    for number, (asset, path) in enumerate(saved, start=1):
        console.answer(f"{number}  {path or asset.url}")


def report(job: JobRecord) -> None:
    """How a job ended, in one line; a failure in three. Goes to stderr."""
    assets, seconds = job.assets, elapsed(job)
    if job.state == "failed":
        cause = CAUSES[Cause(job.cause or "bug")]
        console.tell(f"{state_text('failed')}  {job.queue_name} {short_id(job.job_id)}: {job.error}", "bold red")
        console.tell(f"  {cause.told} {money(job)}.")
        console.tell(f"  bmn jobs why {short_id(job.job_id)}")
        return
    made = plural(len(assets), assets[0].type.replace("_", " ")) if assets else job.message or job.queue_name
    product = job.payload.get("productName")
    made += f" of {product}" if assets and product else ""
    whose = f" for {job.brand_name}" if assets and job.brand_name else ""
    took = f" in {duration(seconds)}" if seconds is not None else ""
    console.say(f"{state_text(job.state)}  {made}{whose}{took} · {money(job)}")


def money(job: Job) -> str:
    """`4 credits · $0.12`, with what came back, and the sandbox's free pictures as such."""
    parts = [plural(job.credits_charged, "credit")]
    if job.credits_refunded:
        parts[0] += f" charged, {job.credits_refunded} back"
    cost = usd(job.cost_usd)
    parts.append("sandbox: $0.00" if job.sandboxed else cost)
    return " · ".join(parts)


def _next_steps(jobs: list[JobRecord], noun: str, brand: str) -> tuple[str, ...]:
    """The next useful commands, for the way it ended."""
    quoted, name = shlex.quote(brand), short_id(jobs[-1].job_id)
    if not any(job.assets for job in jobs):
        return (f"bmn jobs show {name}",) if jobs[-1].state == "completed" else ()
    if any(job.state == "partial" for job in jobs):
        return (f"bmn jobs why {name}",)
    steps = {
        "logo": (f"bmn logos select 1 --brand {quoted}", f"bmn generate mockups --brand {quoted} --product mug"),
        "mockup": (f"bmn generate bundle --brand {quoted}", f"bmn generate video --brand {quoted}"),
    }
    return steps.get(noun, (f"bmn open --brand {quoted}",))


def _with_server(steps: tuple[str, ...]) -> tuple[str, ...]:
    """The stack has ended with the command, so the steps begin with one that stays, and with what its terminal needs."""
    first = preparation()
    prepared = (f"{first}   # in each terminal",) if first else ()
    return (*prepared, "bmn serve   # stays; the rest in another terminal:", *steps)


async def _estimate(client: Client, kind: str, body: Body) -> int:
    estimate = await client.estimate(kind, body)
    if console.json:
        console.document(estimate)
        return exit_codes.DONE
    for number, prompt in enumerate(estimate.prompts, start=1):
        console.answer(f"{number}  {prompt}")
    cost = usd(estimate.usd)
    console.answer(f"credits   {estimate.credits} of {estimate.credits_available}")
    console.answer(f"cost      {f'sandbox: $0.00 (with a key: {cost})' if estimate.sandboxed else cost}")
    console.answer(f"time      {_usual(estimate.expected)}; {plural(estimate.waiting, 'job')} ahead")
    _warn(estimate.warning)
    console.say("nothing was submitted")
    console.next_step(shlex.join(["bmn", *(word for word in sys.argv[1:] if word not in ("-n", "--dry-run"))]))
    return exit_codes.DONE


def _usual(expected: Expected | None) -> str:
    if not expected:
        return "not known yet"
    return f"about {duration(expected.p50_ms / 1000)}, seldom over {duration(expected.p90_ms / 1000)}"
