"""`bmn jobs cancel` and `retry`: named jobs at once; those of a filter as a bulk action of the server."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, TypeVar

import typer

from bmn.cli.base import run
from bmn.cli.following import bulk_watch
from bmn.cli.following.bulk_watch import BulkOrder
from bmn.cli.following.cancelling import warn_of_charges, watch_collectors
from bmn.cli.lookup.candidates import job_names
from bmn.cli.lookup.group_lookup import find_group
from bmn.cli.lookup.job_lookup import find_job
from bmn.cli.lookup.selection import Filter, as_query, filtered, scope
from bmn.cli.terminal import exit_codes
from bmn.cli.terminal.console import console
from bmn.cli.terminal.params import Detach, DryRun, Rate, Reason, StopAt
from bmn.cli.terminal.record_format import short_id
from bmn.client import Client
from bmn.errors import BmnError, NoServer, NotFound, TryLater, UsageProblem
from bmn.format import count
from bmn.schemas.documents import BulkAction, BulkEstimate, BulkItem, Cancellation, Kit, Retried

JobNames = Annotated[list[str] | None, typer.Argument(metavar="JOB", autocompletion=job_names)]
T = TypeVar("T")
Yes = Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")]


@filtered
def cancel(
    chosen: Filter,
    jobs: JobNames = None,
    rate: Rate = None,
    reason: Reason = None,
    detach: Detach = False,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> int:
    """Stops jobs. What is finished or ordered is kept and charged, the rest comes back."""
    if not jobs and not dry_run and chosen.only_group and (ended := run(_cancel_kit(chosen, reason))) is not None:
        return _tell_kit(ended)
    if not jobs or rate or detach or dry_run:
        body = {"action": "cancel", "rate": rate, "reason": reason}
        return in_bulk(chosen, jobs, body, yes=yes, detach=detach, dry_run=dry_run)

    async def act(client: Client, job_id: str) -> Cancellation:
        return await client.cancel(job_id, reason=reason)

    async def warn(client: Client, job_ids: list[str]) -> None:
        await warn_of_charges(client, job_ids, yes=yes)

    answers, refused = run(_each(chosen, jobs, act, first=warn))
    _tell_answers(answers, "cancel", refused)
    console.next_step(*watch_collectors(answer.collector_job_id for answer in answers))
    return _code(answers, refused)


async def _cancel_kit(chosen: Filter, reason: str | None) -> Kit | None:
    """Ends the kit that a group is, so that nothing more is ordered; None for a group that is none."""
    async with chosen.client() as client:
        group = await find_group(client, str(chosen.group))
        try:
            return await client.cancel_kit(group, reason=reason)
        except NotFound:
            return None


def _tell_kit(kit: Kit) -> int:
    if console.json:
        console.document(kit)
    else:
        console.answer(f"{short_id(kit.group_id)}  {kit.message}")
    console.next_step(f"bmn kits show {short_id(kit.group_id)}")
    return exit_codes.DONE


@filtered
def retry(
    chosen: Filter,
    jobs: JobNames = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change the payload first; repeatable."),
    ] = None,
    rate: Rate = None,
    stop_at: StopAt = None,
    reason: Reason = None,
    detach: Detach = False,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> int:
    """Restarts ended jobs; finished pictures are not paid twice."""
    wanted = dict(_change(change) for change in changes or ())
    if not jobs or rate or stop_at or detach or dry_run:
        body = {"action": "retry", "changes": wanted or None, "rate": rate, "stopAt": stop_at, "reason": reason}
        return in_bulk(chosen, jobs, body, yes=yes, detach=detach, dry_run=dry_run)

    async def act(client: Client, job_id: str) -> Retried:
        return await client.retry(job_id, changes=wanted, reason=reason)

    answers, refused = run(_each(chosen, jobs, act))
    _tell_answers(answers, "retry", refused)
    if answers:
        console.next_step(f"bmn jobs watch {' '.join(short_id(answer.job_id) for answer in answers[:5])}")
    return _code(answers, refused)


def in_bulk(
    chosen: Filter,
    jobs: list[str] | None,
    how: Mapping[str, object],
    *,
    yes: bool,
    detach: bool,
    dry_run: bool = False,
) -> int:
    """Begins a bulk action on what is named or the filter finds, watches it, and tells the outcome.

    dry_run: only says what it would come to.

    Raises UsageProblem, and Abort where the answer is no.
    """
    if not (jobs or chosen):
        hint = "Name them, or choose with --state, --queue, --cause, ..."
        raise UsageProblem(f"Which jobs to {how['action']}?", hint=hint)

    async def asked(client: Client) -> BulkOrder:
        if jobs:
            of_whom = scope(chosen.user, everyone=chosen.everyone)
            ids = [await find_job(client, each, of_whom=of_whom) for each in jobs]
            return BulkOrder({"ids": ids, **how}, chosen.of_others, "job", yes=True, detach=detach)
        query = await as_query(client, chosen)
        listed = {name: [value] if isinstance(value, str) else value for name, value in query.items() if name in _LISTS}
        plain = {name: value for name, value in query.items() if name not in (*_LISTS, "all")}
        body = {**plain, **listed, "all": chosen.everything or None, **how}
        return BulkOrder(body, chosen.of_others, "job", yes=yes, detach=detach, reveal=chosen.reveal)

    if dry_run:
        return _estimate(chosen.client, asked)
    return carry_out(chosen.client, asked, _tell_bulk)


def _estimate(open_client: Callable[[], Client], ask: Callable[[Client], Awaitable[BulkOrder]]) -> int:
    async def fetch() -> tuple[BulkOrder, BulkEstimate]:
        async with open_client() as client:
            asked = await ask(client)
            return asked, await client.bulk_estimate(asked.body, operators=asked.operators, reveal=asked.reveal)

    asked, expected = run(fetch())
    if console.json:
        console.document(expected)
    else:
        console.answer(bulk_watch.in_figures(asked, expected))
    return exit_codes.DONE


_LISTS = ("queue", "state")


def carry_out(
    open_client: Callable[[], Client],
    ask: Callable[[Client], Awaitable[BulkOrder]],
    tell: Callable[[BulkAction | None, list[BulkItem], BulkOrder], int],
) -> int:
    """A bulk action from its estimate to its outcome. tell: prints that, and knows the exit code."""
    found: list[BulkAction] = []
    questions: list[BulkOrder] = []

    async def follow() -> list[BulkItem]:
        async with open_client() as client:
            questions.append(await ask(client))
            asked = questions[0]
            begun = await bulk_watch.begin(client, asked)
            if begun is None:
                return []
            found.append(begun)
            if asked.detach:
                return []
            found.append(await bulk_watch.watch(client, begun, operators=asked.operators))
            return await bulk_watch.items_to_tell(client, found[-1], operators=asked.operators)

    try:
        items = run(follow())
    except KeyboardInterrupt:
        if not found:
            raise
        bulk_watch.left_alone(found[-1], operators=questions[0].operators)
        return exit_codes.INTERRUPTED
    if found and questions[0].detach:
        return bulk_watch.left_alone(found[-1], operators=questions[0].operators)
    return tell(found[-1] if found else None, items, questions[0])


def _tell_bulk(found: BulkAction | None, items: list[BulkItem], asked: BulkOrder) -> int:
    if console.json:
        console.document({"bulk": found, "jobs": items})
        return bulk_watch.code_of(found) if found else exit_codes.DONE
    if found is None:
        console.say(f"No job to {asked.verb}.")
        return exit_codes.DONE
    code = bulk_watch.report(found, items, asked.noun)
    console.next_step(bulk_watch.follow_up(items, f"bmn jobs list{bulk_watch.whose(asked.operators)} --since 10m"))
    return code


async def _each(
    chosen: Filter,
    references: Sequence[str],
    act: Callable[[Client, str], Awaitable[T]],
    *,
    first: Callable[[Client, list[str]], Awaitable[None]] | None = None,
) -> tuple[list[T], list[tuple[str, BmnError]]]:
    """Acts on named jobs. Of several, one that is refused holds up no other; a single one's refusal is raised."""
    answers: list[T] = []
    refused: list[tuple[str, BmnError]] = []
    async with chosen.client() as client:
        of_whom = scope(chosen.user, everyone=chosen.everyone)
        job_ids = [await find_job(client, reference, of_whom=of_whom) for reference in references]
        if first is not None:
            await first(client, job_ids)
        for job_id in job_ids:
            try:
                answers.append(await act(client, job_id))
            except (NoServer, TryLater):
                raise
            except BmnError as refusal:
                if len(job_ids) == 1:
                    raise
                refused.append((job_id, refusal))
    return answers, refused


def _change(text: str) -> tuple[str, object]:
    """`KEY=VALUE`; the value is JSON where it reads as JSON, else text."""
    key, sign, value = text.partition("=")
    if not (key and sign):
        raise UsageProblem(f"--set {text}: write it as KEY=VALUE.", hint="Example: --set logoStyle=bold")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def _tell_answers(
    answers: Sequence[Cancellation | Retried], verb: str, refused: Sequence[tuple[str, BmnError]]
) -> None:
    if console.json:
        reasons = [{"jobId": job_id, "error": refusal.message} for job_id, refusal in refused]
        console.document({"jobs": answers, **({"refused": reasons} if reasons else {})})
        return
    for answer in answers:
        console.answer(f"{short_id(answer.job_id)}  {answer.message}")
        collector = answer.collector_job_id if isinstance(answer, Cancellation) else None
        if collector:
            console.say(f"The job {short_id(collector)} fetches what is still to come, free of charge.")
    for job_id, refusal in refused:
        console.answer(f"{short_id(job_id)}  refused: {refusal.message}")
    if len(answers) > 1:
        console.say(f"Requested {verb} of {count(len(answers), 'job')}")


def _code(answers: Sequence[object], refused: Sequence[object]) -> int:
    if not refused:
        return exit_codes.DONE
    return exit_codes.PARTIAL if answers else exit_codes.CONFLICT
