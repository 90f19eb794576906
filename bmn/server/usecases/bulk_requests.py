"""What a request for a bulk action means: which jobs, what they come to, and the action that is begun or joined."""

import hashlib
import json
import time
from collections import Counter
from uuid import uuid4

from bmn.db import job_store
from bmn.db.accounts.audit_store import Actor
from bmn.db.batches import bulk_store, choosing
from bmn.db.batches.bulk_store import MOST, Bulk, Candidate, NewBulk
from bmn.db.batches.choosing import Sample
from bmn.db.dead_letters import DeadFilter
from bmn.db.engine import Connection
from bmn.db.lists.listing import JobFilter
from bmn.errors import Conflict, NotFound, UsageProblem
from bmn.jobs import budgets
from bmn.jobs.bulk_duty import note_start
from bmn.jobs.outages import in_service
from bmn.schemas import documents
from bmn.schemas.requests import BulkBody
from bmn.server.state.resources import Resources
from bmn.work.estimates import retries_cost

_MOST_OPEN = 20
NOTHING = "No job fits, or all that do are brought back already."


async def choose(res: Resources, body: BulkBody, owner_id: str | None) -> list[Candidate]:
    """The jobs that an action is for. owner_id: whose alone. Raises UsageProblem without a choice, or for too many."""
    if not body.is_choice():
        raise UsageProblem("This chooses no jobs.", hint="Give `ids`, a filter such as `state` or `cause`, or `all`.")
    chosen = await res.core.db.read(lambda conn: _choose(conn, body, owner_id))
    _check_number(len(chosen))
    return chosen


async def look(res: Resources, body: BulkBody, owner_id: str | None) -> tuple[documents.BulkEstimate, list[Candidate]]:
    """What an action would come to, and some of its jobs: by a sample where it is for many. Raises what `choose` does."""
    found = (
        None if body.ids or not body.is_choice() else await res.core.db.read(lambda conn: _sample(conn, body, owner_id))
    )
    if found is None:
        chosen = await choose(res, body, owner_id)
        return await estimate(res, body, chosen, owner_id), chosen
    _check_number(found.of)
    of_some, times = await estimate(res, body, found.candidates, owner_id), found.of / found.looked_at
    about = {
        "jobs": round(of_some.jobs * times),
        "credits": round(of_some.credits * times),
        "usd": round(of_some.usd * times, 6),
        "about": True,
    }
    return of_some.model_copy(update=about), found.candidates


def _check_number(number: int) -> None:
    if number > MOST:
        raise UsageProblem(f"More than {MOST:,} jobs fit.", hint="Choose fewer, for instance with `since` or `queue`.")


def _sample(conn: Connection, body: BulkBody, owner_id: str | None) -> Sample | None:
    chosen = _filter(body, owner_id)
    if isinstance(chosen, DeadFilter):
        return choosing.sample_letters(conn, body.action, chosen)
    return choosing.sample_jobs(conn, body.action, chosen)


def _choose(conn: Connection, body: BulkBody, owner_id: str | None) -> list[Candidate]:
    chosen = _filter(body, owner_id)
    if isinstance(chosen, DeadFilter):
        return choosing.choose_letters(conn, body.action, chosen)
    return choosing.choose_jobs(conn, body.action, chosen, body.ids)


def _filter(body: BulkBody, owner_id: str | None) -> DeadFilter | JobFilter:
    now = time.time()
    since = now - body.since if body.since else None
    if body.action in ("replay", "purge"):
        queue = body.queue[0] if body.queue else None
        return DeadFilter(tuple(body.ids), queue, body.cause, body.text, since, owner_id)
    return JobFilter(
        user_id=owner_id,
        queues=tuple(body.queue),
        states=tuple(body.state),
        cause=body.cause,
        brand_id=body.brand,
        group_id=body.group_id,
        text=body.text,
        since=since,
        until=now - body.until if body.until else None,
        min_cost=body.min_cost,
    )


async def estimate(
    res: Resources, body: BulkBody, chosen: list[Candidate], owner_id: str | None
) -> documents.BulkEstimate:
    """What an action on these jobs would come to: those that it will refuse for their state count for nothing.

    owner_id: as in `choose`; what is for everybody's jobs passes the budgets of users by.
    """
    taken = [each for each in chosen if each.fits]
    credits = 0 if body.action == "purge" else sum(each.credits for each in taken)
    usd, sandboxed, past = 0.0, False, 0
    if body.action in ("retry", "replay"):
        units: Counter[str] = Counter()
        for each in taken:
            units[each.queue] += each.units
        samples = {each.queue: each.job_id for each in taken}

        def read(conn: Connection) -> dict[str, tuple[dict[str, object], str | None]]:
            return {
                queue: (job_store.get_job(conn, job_id).payload, in_service(conn, res.settings, res.core.queue(queue)))
                for queue, job_id in samples.items()
            }

        found = await res.core.db.read(read)
        prices: dict[str, float] = {}
        for queue, (payload, maker) in found.items():
            cost, by_sandbox = retries_cost(res.settings, queue, units[queue], payload, maker)
            usd, sandboxed = usd + cost, sandboxed or by_sandbox
            prices[queue] = 0.0 if by_sandbox or not units[queue] else cost / units[queue]
        if owner_id is None:
            wanted = _wanted(taken, prices)
            past = await res.core.db.read(lambda conn: budgets.passed_by(conn, res.core, wanted))
    return documents.BulkEstimate(
        jobs=len(taken), credits=credits, usd=round(usd, 6), sandboxed=sandboxed, users_past_budget=past or None
    )


def _wanted(taken: list[Candidate], prices: dict[str, float]) -> dict[str, budgets.Outlay]:
    """What each user's jobs take. prices: USD of a paid step, by queue."""
    found: dict[str, budgets.Outlay] = {}
    for each in taken:
        if each.user_id is not None:
            held = found.get(each.user_id, budgets.Outlay())
            usd = held.usd + prices.get(each.queue, 0.0) * each.units
            found[each.user_id] = budgets.Outlay(held.credits + each.credits, usd)
    return found


async def start(res: Resources, body: BulkBody, owner_id: str | None, by: Actor) -> tuple[Bulk, bool]:
    """Begins an action, or joins the same one that is open; whether it was joined.

    Raises NotFound where no job is left to act on, Conflict where somebody has too many open, UsageProblem.
    """
    key = _key(body, owner_id)
    if (found := await res.core.db.read(lambda conn: bulk_store.find_open(conn, key))) is not None:
        return found, True
    chosen = await choose(res, body, owner_id)
    if not chosen:
        # Whoever asked for the same at this moment may have begun between the two looks, and has them all.
        if (found := await res.core.db.read(lambda conn: bulk_store.find_open(conn, key))) is not None:
            return found, True
        raise NotFound(NOTHING, hint="The list of bulk actions says what was done lately.")
    expected = await estimate(res, body, chosen, owner_id)
    new = NewBulk(
        id=f"bulk-{uuid4()}",
        action=body.action,
        selection_key=key,
        selection=body.selection(),
        owner_id=owner_id,
        asked_by=str(by),
        key_id=by.key_id,
        address=by.address,
        on_behalf_of=by.on_behalf_of,
        changes=body.changes,
        reason=body.reason,
        rate=body.rate,
        stop_at=body.stop_at,
        usd_estimated=expected.usd,
    )
    return await res.core.db.write(lambda conn: _start(conn, new, chosen, by))


def _start(conn: Connection, new: NewBulk, chosen: list[Candidate], by: Actor) -> tuple[Bulk, bool]:
    if bulk_store.count_open(conn, new.asked_by) >= _MOST_OPEN:
        raise Conflict(f"{_MOST_OPEN} bulk actions of yours are open already.", hint="Wait for one, or abort one.")
    begun = bulk_store.start(conn, new, chosen)
    if begun:
        note_start(conn, new.id, by, new.action, len(chosen), new.reason)
    found = bulk_store.find_open(conn, new.selection_key)
    if found is None:
        raise Conflict("The same action has just ended.", hint="Ask again, if something is left.")
    return found, not begun


def _key(body: BulkBody, owner_id: str | None) -> str:
    """What two requests share that ask for the same: whoever asks, and however it is to be carried out."""
    asked = {**body.selection(), "owner": owner_id}
    asked.pop("user", None)  # by address or id
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()
