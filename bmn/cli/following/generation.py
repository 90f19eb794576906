"""One generator from its options to its files: submit, watch, show, write, report."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bmn.cli.base import run
from bmn.cli.following.after import Afterwards, conclude
from bmn.cli.following.brand_look import settle
from bmn.cli.following.estimate import check_price, show_estimate
from bmn.cli.following.gallery import Gallery
from bmn.cli.following.job_watch import watch
from bmn.cli.following.output_files import local_path, make_folder, stem_for
from bmn.cli.following.report import accepted, detached, next_steps, report_all, show_results, warn, with_server
from bmn.cli.lookup.asset_lookup import numbered
from bmn.cli.lookup.brand_lookup import find_brand, find_target, for_target, other_than
from bmn.cli.lookup.server_lookup import open_client, server_for
from bmn.cli.order import Body, BrandTarget, Builder, Options
from bmn.cli.terminal import exit_codes
from bmn.cli.terminal.console import console
from bmn.cli.terminal.image_support import mode
from bmn.cli.terminal.record_format import short_id
from bmn.client import Client
from bmn.errors import BmnError
from bmn.schemas.documents import JobRecord, MockupsSubmitted, Submitted
from bmn.schemas.kind import Kind


@dataclass(slots=True)
class _Made:
    """What a Ctrl-C must know: the jobs so far, and whether their server ends with us."""

    job_ids: list[str] = field(default_factory=list)
    private: bool = False


def make(kind: Kind, build: Builder, options: Options) -> int:
    """Runs one generator; answers with the exit code."""
    made = _Made()
    if options.out and not options.dry_run:
        make_folder(options.out)  # before anything is paid for
    mode(options.images)  # refused now, where it cannot be meant
    try:
        return run(_make(kind, build, options, made))
    except KeyboardInterrupt:
        return detached(made.job_ids, private=made.private)
    except BmnError as error:
        if made.job_ids and "jobs watch" not in (error.hint or ""):
            # Whoever reads only the error would ask once more, and pay once more.
            came = f"It was accepted before that (bmn jobs watch {' '.join(map(short_id, made.job_ids))})."
            error.hint = f"{came} {error.hint}" if error.hint else came
            error.extra["jobIds"] = made.job_ids
        raise


@asynccontextmanager
async def _client(kind: Kind, options: Options, made: _Made) -> AsyncIterator[Client]:
    async with server_for(kind.queue, detach=options.detach) as server:
        made.private = server.private
        async with open_client(settings=server.settings, api_url=server.api_url) as client:
            yield client


async def _make(kind: Kind, build: Builder, options: Options, made: _Made) -> int:
    async with _client(kind, options, made) as client:
        brand = await _brand(client, kind, options)
        other = "" if brand.id else await other_than(client, brand.name)
        body = {**await build(client, brand), **options.terms}
        if kind.makes_brand and not options.refines and not (options.dry_run and brand.id):
            body = for_target(body, options.brand, brand, options.record)
        if options.dry_run:
            if not brand.id:
                console.say(f"the brand {brand.name!r} would be made{other}")
            return await show_estimate(client, kind.name, body)
        if not brand.id and kind.estimate is not None:
            check_price(await client.estimate(kind.name, body))
        answer, labels = await _submit(client, kind, body, brand, options)
        made.job_ids = [*labels]
        if not brand.id:
            brand = BrandTarget((await client.job(made.job_ids[0])).brand_id or "", brand.name)
            console.say(f"made the brand {brand.name!r}{other}")
        warn(answer.warning)
        if options.detach:
            return accepted(answer, made.job_ids)
        ended = await _attend(client, brand, kind.noun, labels, options)
        if options.asks_look:
            await settle(client, brand, ended)
        steps = next_steps(ended, kind.noun, brand.name)
        console.next_step(*(with_server(steps) if made.private else steps))
        code = exit_codes.of_jobs(ended, strict=options.strict)
        return conclude(ended, Afterwards(options.bell, options.command), code)


async def _submit(
    client: Client, kind: Kind, body: Body, brand: BrandTarget, options: Options
) -> tuple[Submitted | MockupsSubmitted, dict[str, str]]:
    """The server's answer, and the jobs with what each is called while it is watched."""
    if not kind.many:
        one = await client.generate(kind.name, body, idempotency_key=options.idempotency_key)
        return one, {one.job_id: brand.name}
    many = await client.generate_mockups(body, idempotency_key=options.idempotency_key)
    return many, {job.job_id: "" for job in many.jobs}  # each is called as the product in its record


async def _brand(client: Client, kind: Kind, options: Options) -> BrandTarget:
    """Where nothing can be made, or priced, without what the brand has, a new name is a mistyped one."""
    if kind.makes_brand and not options.refines and (kind.estimate is not None or not options.dry_run):
        return await find_target(client, options.brand)
    found = await find_brand(client, options.brand)
    return BrandTarget(found.id, found.name)


async def _attend(
    client: Client, brand: BrandTarget, noun: str, labels: dict[str, str], options: Options
) -> list[JobRecord]:
    """Watches the jobs to their end, shows what they make, writes it, reports; answers with their records.

    labels: what each job is called, by its id.
    """
    gallery = Gallery(client, options.images)
    ended = await watch(
        client,
        [*labels],
        labels=[*labels.values()],
        timeout=options.timeout,
        on_event=gallery.on_event,
        on_end=gallery.on_end,
    )
    assets = [asset for job in ended for asset in numbered(job.assets)]
    paths: list[Path | None] = [local_path(client, asset.url) for asset in assets]
    if options.out and assets:
        paths = [*await gallery.save(assets, options.out, stem_for(brand.name, noun), ended[0].job_id)]
    report_all(ended)
    show_results(ended, [*zip(assets, paths, strict=True)], client.api_url)
    return ended
