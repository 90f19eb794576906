"""`--from FILE`: one order a row. Checked and priced whole, submitted row by row, watched in one table, written to a file.

A row's idempotency key follows from its contents, and the result file names what each row has become: so a run that was
broken off is resumed by the same command, and nothing is ordered or paid twice.
"""

import json
import shlex
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isclose
from pathlib import Path

from bmn.cli.base import UsageError, run
from bmn.cli.following import batch_watch
from bmn.cli.following.batch_files import BatchFiles, patient
from bmn.cli.following.estimate import check_price
from bmn.cli.following.kit_watch import cost
from bmn.cli.following.one_kit import record_of
from bmn.cli.following.outcomes import WAITS, Outcome, default_path, read_outcomes, write_outcomes
from bmn.cli.following.output_files import make_folder
from bmn.cli.lookup.brand_lookup import find_target, for_target
from bmn.cli.lookup.rows import Row, read_rows
from bmn.cli.lookup.server_lookup import client_of
from bmn.cli.order import Body, Options
from bmn.cli.terminal import exit_codes
from bmn.cli.terminal.console import console
from bmn.client import Client
from bmn.errors import BmnError, InsufficientCredits, NoServer, TryLater
from bmn.format import count
from bmn.schemas.generators.logos import KIND as LOGOS
from bmn.schemas.kind import NEW_BRAND
from bmn.schemas.kit_requests import QUEUE_OF

_PRICED_BY = ("count", "products", "without", "durationSeconds")
_QUEUES = {"logos": (LOGOS.queue,), "kit": tuple(QUEUE_OF.values())}


@dataclass(frozen=True, slots=True)
class BatchOrder:
    """What a command asks for. what: `logos` or `kit`. body: what rows have that say nothing else. timeout: seconds.

    out: the folder for what is made.
    """

    what: str
    source: Path
    results: Path | None
    body: Body
    yes: bool
    detach: bool
    dry_run: bool
    timeout: float | None
    out: Path | None = None

    @classmethod
    def of(
        cls,
        what: str,
        source: Path,
        results: Path | None,
        body: Mapping[str, object],
        options: Options,
        *,
        yes: bool,
        refine: str | None,
    ) -> "BatchOrder":
        """The batch of a generator's options. Raises UsageError for those that are about one brand or one job."""
        about_one = {
            "--brand": options.brand,
            "--refine": refine,
            "--bell": options.bell,
            "--exec": options.command,
            "--at and the like": options.terms,
        }
        if given := [name for name, value in about_one.items() if value]:
            raise UsageError(f"With --from leave out {given[0]}: each row is a job of its own.")
        shared = {name: value for name, value in body.items() if value is not None}
        how = {"detach": options.detach, "dry_run": options.dry_run, "timeout": options.timeout}
        return cls(what, source, results, shared, yes=yes, out=options.out, **how)  # type: ignore[arg-type]

    @property
    def path(self) -> Path:
        """The result file."""
        return self.results or default_path(self.source)

    @property
    def folder(self) -> Path | None:
        """Where the files go, wherever the next run is started from."""
        return self.out and self.out.absolute()


@dataclass(slots=True)
class _Price:
    credits: int = 0
    available: int = 0
    usd: float = 0.0
    usd_sandboxed: float = 0.0

    @property
    def sandboxed(self) -> bool:
        """Whether nobody is charged for any of it."""
        return isclose(self.usd_sandboxed, self.usd)


@dataclass(slots=True)
class _Run:
    """rows and outcomes stand in the same order."""

    rows: list[Row] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    submitting: bool = False


def make_batch(batch: BatchOrder) -> int:
    """Runs a batch, or goes on with it; answers with the exit code."""
    ran = _Run()
    if batch.folder and not batch.dry_run:
        make_folder(batch.folder)  # before anything is paid for
    try:
        run(_make(batch, ran))
    except KeyboardInterrupt:
        if not ran.submitting:
            raise
        console.tell("detached: what was submitted goes on; the same command comes back to it and pays nothing twice")
        return exit_codes.INTERRUPTED
    if batch.dry_run:
        return exit_codes.DONE
    return _report(batch, ran.outcomes)


async def _make(batch: BatchOrder, ran: _Run) -> None:
    async with client_of(*_QUEUES[batch.what], detach=batch.detach) as client:
        catalogue = await client.products() if batch.what == "kit" else []
        ran.rows = read_rows(batch.source, batch.what, batch.body, catalogue)
        ran.outcomes = read_outcomes(batch.path, ran.rows)
        new = [row for row, outcome in zip(ran.rows, ran.outcomes, strict=True) if outcome.id is None]
        price = await _price(client, batch, new)
        _tell(batch, ran, len(new), price)
        if batch.dry_run:
            return
        if new and price.credits > price.available:
            raise InsufficientCredits(price.credits, price.available)
        if new and not batch.yes and not console.confirm(f"Order them for {count(price.credits, 'credit')}?"):
            import typer

            raise typer.Abort
        ran.submitting = True
        await _submit(client, batch, ran)
        if not batch.detach:
            files = BatchFiles(client, batch.what, batch.folder)
            await batch_watch.watch(client, batch.what, batch.path, ran.outcomes, files, timeout=batch.timeout)


def _tell(batch: BatchOrder, ran: _Run, new: int, price: _Price) -> None:
    noun = "kit" if batch.what == "kit" else "job"
    known = len(ran.rows) - new
    told = f"{count(len(ran.rows), 'row')}: {count(new, noun)} to order"
    told += f", {known} ordered before" if known else ""
    console.tell(
        f"{told}. {count(price.credits, 'credit')} of {price.available}, {cost(price.usd, price.usd_sandboxed)}."
    )
    if not batch.dry_run:
        return
    if console.json:
        sums = {"credits": price.credits, "creditsAvailable": price.available, "usd": round(price.usd, 6)}
        rows = [{"line": row.line, "brand": row.brand, "body": row.body, "key": row.key} for row in ran.rows]
        console.document({**sums, "sandboxed": price.sandboxed, "new": new, "rows": rows})
        return
    console.say("nothing was submitted")


async def _price(client: Client, batch: BatchOrder, rows: list[Row]) -> _Price:
    """What the rows come to, asked once for each sort of row."""
    sorts = Counter(_sort(row.body) for row in rows) or Counter([_sort(batch.body)])
    whole = _Price()
    for sort, number in sorts.items():
        number = number if rows else 0
        body = json.loads(sort)
        if batch.what == "kit":
            kit = await patient(lambda: client.kit_price(body))  # noqa: B023
            credits, usd, free = kit.credits, kit.usd, kit.usd_sandboxed
            whole.available = kit.credits_available - kit.credits_promised
        else:
            asked = {**body, "brandId": NEW_BRAND, "brandName": "New brand"}
            found = await patient(lambda: client.estimate("logos", asked))  # noqa: B023
            credits, usd, free = found.credits, found.usd, found.usd if found.sandboxed else 0.0
            whole.available = found.credits_available
        whole.credits += number * credits
        whole.usd += number * usd
        whole.usd_sandboxed += number * free
    return whole


def _sort(body: Body) -> str:
    return json.dumps({name: body[name] for name in _PRICED_BY if name in body}, sort_keys=True)


async def _submit(client: Client, batch: BatchOrder, ran: _Run) -> None:
    """Submits what was not before, and writes each down. A row that is refused holds up no other."""
    write_outcomes(batch.path, ran.outcomes)
    for row, outcome in zip(ran.rows, ran.outcomes, strict=True):
        if outcome.id is not None:
            continue
        try:
            await _submit_one(client, batch, row, outcome)
        except (NoServer, TryLater):
            raise  # the same command goes on from here
        except BmnError as refusal:
            outcome.state, outcome.error = "refused", " ".join(filter(None, (refusal.message, refusal.hint)))
        write_outcomes(batch.path, ran.outcomes)


async def _submit_one(client: Client, batch: BatchOrder, row: Row, outcome: Outcome) -> None:
    brand = await patient(lambda: find_target(client, row.brand))
    if not brand.id and batch.what == "kit":
        check_price(await patient(lambda: client.kit_price(row.body)))
    elif not brand.id:
        check_price(await patient(lambda: client.estimate("logos", {**row.body, "brandName": brand.name})))
    body = for_target(row.body, row.brand, brand, record_of(row.body))
    if batch.what == "kit":
        kit = await patient(lambda: client.start_kit(body, idempotency_key=row.key))
        outcome.id, outcome.state, outcome.step, outcome.brand_id = kit.group_id, kit.state, kit.step, kit.brand_id
        return
    job = await patient(lambda: client.generate("logos", body, idempotency_key=row.key))
    outcome.id, outcome.state = job.job_id, job.ended or "queued"
    outcome.brand_id = brand.id or (await patient(lambda: client.job(job.job_id))).brand_id


def _report(batch: BatchOrder, outcomes: list[Outcome]) -> int:
    """How it stands, in a table and a line; the exit code: of the worst row."""
    if console.json:
        console.document({"rows": [batch_watch.document(each) for each in outcomes], "results": str(batch.path)})
    else:
        batch_watch.print_table(batch.what, outcomes)
    states = Counter(each.state for each in outcomes)
    told = f"{', '.join(f'{number} {state}' for state, number in states.items())}; results in {batch.path}"
    if batch.out:
        told += f", {count(sum(len(each.files) for each in outcomes), 'file')} in {batch.out}"
    console.tell(told)
    console.next_step(*_steps(batch, outcomes))
    bad = sum(states[word] for word in ("failed", "refused", "held", "cancelled"))
    if not bad:
        return exit_codes.DONE
    return exit_codes.FAILED if bad == len(outcomes) else exit_codes.PARTIAL


def _steps(batch: BatchOrder, outcomes: list[Outcome]) -> tuple[str, ...]:
    failed = [each.id for each in outcomes if each.state == "failed" and each.id]
    if failed:
        return (f"bmn jobs retry {' '.join(failed[:5])}",)
    if any(each.state in WAITS for each in outcomes):
        return ("bmn kits list --state picking", "bmn kits list --state held")
    if any(each.open or each.id is None for each in outcomes):
        return (shlex.join(["bmn", *(word for word in sys.argv[1:] if word not in ("-y", "--yes")), "--yes"]),)
    return ("bmn brands list",)
