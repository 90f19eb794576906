"""What every generator does once its body is known: submit, watch, show, write, report."""

import shlex
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bmn.cli.base import run
from bmn.cli.following.gallery import Gallery
from bmn.cli.following.watch import watch
from bmn.cli.lookup.assets import local_path, make_folder, numbered, slug
from bmn.cli.lookup.server import server_for
from bmn.cli.lookup.session import find_brand, is_brand_id, open_client
from bmn.cli.terminal import exit_codes
from bmn.cli.terminal.console import console
from bmn.cli.terminal.format import GENERATOR_QUEUES, elapsed, outcome_document, plural, short_id, state_text, usd
from bmn.cli.terminal.shell import preparation
from bmn.cli.terminal.timespan import duration
from bmn.client.untyped import BmnClient
from bmn.errors import CAUSES, BmnError, Cause, NotFound

if TYPE_CHECKING:
    from bmn.cli.commands.generate import Builder, Options

Record = dict[str, Any]


@dataclass(slots=True)
class _Made:
    """What a Ctrl-C must know: the jobs so far, and whether their server ends with us."""

    job_ids: list[str] = field(default_factory=list)
    private: bool = False


def make(kind: str, noun: str, build: "Builder", options: "Options") -> int:
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
async def _client(kind: str, options: "Options", made: _Made) -> AsyncIterator[BmnClient]:
    async with server_for(GENERATOR_QUEUES[kind], detach=options.detach) as server:
        made.private = server.private
        async with open_client(settings=server.settings, api_url=server.api_url) as client:
            yield client


async def _make(kind: str, noun: str, build: "Builder", options: "Options", made: _Made) -> int:
    async with _client(kind, options, made) as client:
        # The others need a logo first, so that a new name is a mistyped one there.
        new = kind in ("logos", "wizard") and not options.dry_run
        brand = await _brand(
            client, options, new=new, imagine=kind == "logos" and options.dry_run and not options.refines
        )
        body = {key: value for key, value in (await build(client, brand)).items() if value is not None}
        if options.dry_run:
            return await _estimate(client, kind, body, options)
        answer = await client.post(f"/generation/{kind}", body, idempotency_key=options.idempotency_key)
        submissions = answer.get("jobs") or [answer]
        made.job_ids = [entry["jobId"] for entry in submissions]
        _warn(answer)
        if options.detach:
            return _announce(answer, made.job_ids)
        ended = await _attend(client, brand, noun, body, submissions, options)
        steps = _next_steps(ended, noun, brand["name"])
        console.next_step(*(_with_server(steps) if made.private else steps))
        return exit_codes.of_jobs(ended, strict=options.strict)


async def _brand(client: BmnClient, options: "Options", *, new: bool, imagine: bool) -> Record:
    """new: a name that does not exist is made one. imagine: it is only asked what it would be like."""
    try:
        return await find_brand(client, options.brand, create=options.record if new else None)
    except NotFound:
        if not imagine or is_brand_id(options.brand):
            raise
        name = options.brand.strip().removeprefix("@")
        console.say(f"the brand {name!r} would be made")
        return {"id": None, "name": name}


def _warn(answer: Record) -> None:
    if warning := answer.get("warning"):
        console.tell(f"! {warning[0].lower()}{warning[1:]}", "yellow")


def _announce(answer: Record, job_ids: list[str]) -> int:
    if console.json:
        console.document(answer)
    else:
        for job_id in job_ids:
            console.answer(job_id)
    console.next_step("bmn jobs watch " + " ".join(short_id(job_id) for job_id in job_ids))
    return exit_codes.DONE


async def _attend(
    client: BmnClient, brand: Record, noun: str, body: Record, submissions: list[Record], options: "Options"
) -> list[Record]:
    """Watches the jobs to their end, shows what they make, writes it, reports; answers with their records."""
    gallery = Gallery(client, options.images)
    products = {product["productId"]: product["productName"] for product in body.get("products", ())}
    ended = await watch(
        client,
        [entry["jobId"] for entry in submissions],
        labels=[str(products.get(entry.get("productId"), brand["name"])) for entry in submissions],
        timeout=options.timeout,
        on_event=gallery.on_event,
    )
    for job in ended:
        job["assets"] = numbered(job["assets"])
    assets = [asset for job in ended for asset in job["assets"]]
    paths: list[Path | None] = [local_path(client, asset["url"]) for asset in assets]
    if options.out and assets:
        stem = f"{slug(brand['name'])}-{slug(noun)}"
        paths = [*await gallery.save(assets, options.out, stem, ended[0]["jobId"])]
    for asset, path in zip(assets, paths, strict=True):
        asset["file"] = str(path) if path else None
    for job in ended:
        report(job)
    _answer(ended, assets)
    return ended


def _answer(jobs: list[Record], assets: list[Record]) -> None:
    if console.json:
        documents = [outcome_document(job, job["assets"]) for job in jobs]
        console.document(documents[0] if len(documents) == 1 else {"jobs": documents})
        return
    for number, asset in enumerate(assets, start=1):
        console.answer(f"{number}  {asset['file'] or asset['url']}")


def report(job: Record) -> None:
    """How a job ended, in one line; a failure in three. Goes to stderr."""
    assets, seconds = job["assets"], elapsed(job)
    if job["state"] == "failed":
        cause = CAUSES[Cause(job["cause"] or "bug")]
        console.tell(f"{state_text('failed')}  {job['queueName']} {short_id(job['jobId'])}: {job['error']}", "bold red")
        console.tell(f"  {cause.told} {money(job)}.")
        console.tell(f"  bmn jobs why {short_id(job['jobId'])}")
        return
    made = (
        plural(len(assets), assets[0]["type"].replace("_", " ")) if assets else job.get("message") or job["queueName"]
    )
    product = (job.get("payload") or {}).get("productName")
    made += f" of {product}" if assets and product else ""
    whose = f" for {job['brandName']}" if assets and job.get("brandName") else ""
    took = f" in {duration(seconds)}" if seconds is not None else ""
    console.say(f"{state_text(job['state'])}  {made}{whose}{took} · {money(job)}")


def money(job: Record) -> str:
    """`4 credits · $0.12`, with what came back, and the sandbox's free pictures as such."""
    parts = [plural(int(job["creditsCharged"]), "credit")]
    if job.get("creditsRefunded"):
        parts[0] += f" charged, {job['creditsRefunded']} back"
    cost = usd(job["costUsd"])
    parts.append("sandbox: $0.00" if job.get("sandboxed") else cost)
    return " · ".join(parts)


def _next_steps(jobs: list[Record], noun: str, brand: str) -> tuple[str, ...]:
    """The next useful commands, for the way it ended."""
    quoted, name = shlex.quote(brand), short_id(jobs[-1]["jobId"])
    if not any(job["assets"] for job in jobs):
        return (f"bmn jobs show {name}",) if jobs[-1]["state"] == "completed" else ()
    if any(job["state"] == "partial" for job in jobs):
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


async def _estimate(client: BmnClient, kind: str, body: Record, options: "Options") -> int:
    estimate: Record = await client.post(f"/generation/{kind}/estimate", body, safe=True)
    if console.json:
        console.document(estimate)
        return exit_codes.DONE
    for number, prompt in enumerate(estimate["prompts"], start=1):
        console.answer(f"{number}  {prompt}")
    cost = usd(estimate["usd"])
    console.answer(f"credits   {estimate['credits']} of {estimate['creditsAvailable']}")
    console.answer(f"cost      {f'sandbox: $0.00 (with a key: {cost})' if estimate['sandboxed'] else cost}")
    expected = estimate.get("expected")
    console.answer(f"time      {_usual(expected)}; {plural(estimate['waiting'], 'job')} ahead")
    _warn(estimate)
    console.say("nothing was submitted")
    console.next_step(shlex.join(["bmn", *(word for word in sys.argv[1:] if word not in ("-n", "--dry-run"))]))
    return exit_codes.DONE


def _usual(expected: Record | None) -> str:
    if not expected or expected.get("samples", 0) < 5:
        return "not known yet"
    return f"about {duration(expected['p50Ms'] / 1000)}, seldom over {duration(expected['p90Ms'] / 1000)}"
