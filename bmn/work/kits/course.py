"""How a kit goes its way: begun by its owner, carried on by whoever sweeps, ended or cancelled; each step ordered once.

Nothing here depends on somebody who watches. A step is ordered in the transaction that notes it as begun, together with
its jobs and what they reserve; their ids follow from kit and step, so that a process which dies in between has done nothing
or all of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from uuid import NAMESPACE_URL, uuid4, uuid5

from bmn.db.accounts import credit_store
from bmn.db.batches import kit_store
from bmn.db.batches.kit_store import KitRow, NewKit
from bmn.db.engine import Connection, IntegrityError, is_passing
from bmn.db.library import asset_store, brand_store
from bmn.db.records import BrandAssetRow, JobRow
from bmn.db.transitions import Change
from bmn.errors import CAUSES, BudgetReached, Cause, Conflict, InsufficientCredits, NotFound
from bmn.events.audience import brand_updated, kit_updated
from bmn.format import count
from bmn.jobs.cancellation import request_cancel, tell_worker
from bmn.jobs.core import Core
from bmn.jobs.outages import in_service
from bmn.jobs.submission import Idempotent, check_ready, store_jobs
from bmn.logs import get_logger
from bmn.schemas.generators.logos import KIND as LOGOS
from bmn.schemas.generators.logos import LogoGeneration
from bmn.schemas.kit_requests import PICK, QUEUE_OF, KitBody, KitPlan, Step
from bmn.schemas.payloads import TERMINAL_STATES, JobState
from bmn.work.estimates import usd_of
from bmn.work.kits.plan import material_of, payloads_of, plan_of, prices, queue_of, terms_of
from bmn.work.looks import settle, tell_look

log = get_logger(__name__)

_PAGE = 100
_DELIVERED = (JobState.COMPLETED, JobState.PARTIAL)
_DOING: dict[Step, str] = {
    "logos": "Making logos.",
    "mockups": "Putting the logo on products.",
    "bundle": "Arranging the bundle.",
    "video": "Filming the product.",
}
_DEFECT = "bug"


@dataclass(slots=True)
class Told:
    """What one transaction has to publish. asked: jobs whose workers are to be told of a cancel.

    settled: what its logos settle of the brand's look.
    """

    kit: KitRow | None = None
    changes: list[tuple[Change, str | None]] = field(default_factory=list)
    picked: BrandAssetRow | None = None
    asked: list[str] = field(default_factory=list)
    settled: Mapping[str, object] = field(default_factory=dict)


async def tell(core: Core, told: Told) -> None:
    """Publishes what a transaction has changed, after its commit."""
    for change, queue in told.changes:
        core.outbox.publish(change, queue)
    hints = []
    if told.picked is not None and told.kit is not None:
        hints.append(brand_updated(told.kit.user_id, told.kit.brand_id, "selected:logo", told.picked.id))
    if told.kit is not None:
        hints.append(kit_updated(told.kit))
    core.outbox.send(hints)
    if told.kit is not None:
        await tell_look(core, told.kit.user_id, told.kit.brand_id, told.settled)
    for job_id in told.asked:
        await tell_worker(core, job_id)


# --- begun -----------------------------------------------------------------------------------------------------------------


async def start(
    core: Core, user_id: str, body: KitBody, *, idempotent: Idempotent | None = None, request_id: str | None = None
) -> tuple[KitRow, bool]:
    """Begins a kit with its logos; the same idempotency key gives the same kit, for as long as that is kept.

    The second value says whether it was begun now.

    Raises NotFound for a foreign brand or an unknown product, InsufficientCredits where the balance does not cover the
    whole of it beside what other open kits still need, BudgetReached where the day's budget does not take its logos,
    Conflict for a used key with another body, TryLater.
    """
    check_ready(core)
    store = partial(_start, core=core, user_id=user_id, body=body, idempotent=idempotent, request_id=request_id)
    try:
        told = await core.db.write(store)
    except IntegrityError:
        told = await core.db.write(store)  # the same key was stored a moment ago: this time it is found
    assert told.kit is not None
    if told.changes:
        await tell(core, told)
    return told.kit, bool(told.changes)


def _start(
    conn: Connection,
    core: Core,
    user_id: str,
    body: KitBody,
    idempotent: Idempotent | None,
    request_id: str | None,
) -> Told:
    if idempotent and (known := kit_store.repeated(conn, user_id, idempotent.key, idempotent.request_hash)):
        return Told(known)
    if body.new_brand:
        brand = brand_store.find_or_create(conn, user_id, body.new_brand.model_dump(exclude_none=True))
    else:
        brand = brand_store.get(conn, body.brand_id, user_id)
    plan = plan_of(conn, body)
    priced = prices(conn, core.settings, plan, brand)
    total = sum(each.found.credits for each in priced)
    kit_id = str(uuid4())
    kit_store.add(
        conn,
        NewKit(
            id=kit_id,
            user_id=user_id,
            brand_id=brand.id,
            step="logos",
            plan=plan.dump(),
            message=_DOING["logos"],
            credits_estimated=total,
            usd_estimated=round(sum(each.found.usd for each in priced), 6),
            idempotency_key=idempotent.key if idempotent else None,
            request_hash=idempotent.request_hash if idempotent else None,
            request_id=request_id,
        ),
    )
    change = _order(conn, core, kit_store.get(conn, kit_id), plan, "logos", ())
    kit = kit_store.get(conn, kit_id)
    there = credit_store.balance(conn, user_id).remaining - kit_store.promised(conn, user_id, but=kit_id)
    if there < kit.credits_left:
        raise InsufficientCredits(total, max(0, there + total - kit.credits_left))
    return Told(kit, [(change, None)] if change else [], settled=_settled(conn, kit, plan))


def _settled(conn: Connection, kit: KitRow, plan: KitPlan) -> dict[str, object]:
    """What the brand's look gets from a kit's logos, which are its first or find it settled."""
    orders = payloads_of("logos", plan, material_of(conn, kit.user_id, kit.brand_id, None, plan, ()))
    return settle(conn, kit.user_id, kit.brand_id, [each for each in orders if isinstance(each, LogoGeneration)])


def _order(
    conn: Connection, core: Core, kit: KitRow, plan: KitPlan, step: Step, made: Sequence[JobRow]
) -> Change | None:
    """Orders a step. None: it was ordered before. Raises InsufficientCredits, BudgetReached."""
    queue = queue_of(step)
    price, maker = queue.price(core.settings), in_service(conn, core.settings, queue)
    material = material_of(conn, kit.user_id, kit.brand_id, kit.logo_id, plan, made)
    planned = [
        queue.new_job(
            payload,
            job_id=f"{queue.name}-{uuid5(NAMESPACE_URL, f'{kit.id}/{step}/{number}')}",
            user_id=kit.user_id,
            terms=terms_of(plan),
            credits=queue.units(payload) * price,
            unit_credits=price,
            usd=usd_of(core.settings, queue.name, payload, queue.units(payload), maker),
            group_id=kit.id,
            request_id=kit.request_id,
        )
        for number, payload in enumerate(payloads_of(step, plan, material))
    ]
    if not kit_store.begin_step(conn, kit.id, step, sum(job.credits for job in planned)):
        return None
    return store_jobs(conn, core, kit.user_id, planned)


# --- carried on ------------------------------------------------------------------------------------------------------------


async def carry_on(core: Core) -> None:
    """Takes every kit a step further of which nothing is under way. A kit that cannot go on is held, and says why."""
    for kit_id in await core.db.read(lambda conn: kit_store.due(conn, _PAGE)):
        try:
            told = await core.db.write(partial(_advance, core=core, kit_id=kit_id))
        except Exception as error:
            if is_passing(error):
                raise
            log.exception("a kit cannot go on", kit_id=kit_id)
            words = "A defect of ours holds it up; our operators know."
            told = Told(
                await core.db.write(
                    partial(kit_store.change, kit_id=kit_id, state="held", message=words, cause=_DEFECT)
                )
            )
        if told.kit is not None:
            await tell(core, told)


async def look_for_credits(core: Core) -> None:
    """Kits that were held for credits go on when those are there."""
    for kit in await core.db.write(kit_store.go_on_paid):
        await tell(core, Told(kit))


async def look_for_budget(core: Core) -> None:
    """Kits that were held for their user's budget go on when it lets their next step in."""
    for kit_id in await core.db.read(partial(kit_store.over_budget, limit=_PAGE)):
        await tell(core, await core.db.write(partial(_try_again, core=core, kit_id=kit_id)))


def _try_again(conn: Connection, core: Core, kit_id: str) -> Told:
    kit = kit_store.hold_over_budget(conn, kit_id)
    if kit is None:
        return Told()
    told = _go_to(conn, core, kit, KitPlan.model_validate(kit.plan), kit.step)
    return Told() if told.kit is not None and told.kit.cause == kit_store.OVER_BUDGET else told  # nothing new to tell


def _advance(conn: Connection, core: Core, kit_id: str) -> Told:
    """One kit, as far as it goes in one transaction: to its next order, or to what it has to wait for."""
    kit = kit_store.hold_row(conn, kit_id)
    if kit is None:
        return Told()
    plan = KitPlan.model_validate(kit.plan)
    if kit.step == PICK:
        return _pick(conn, core, kit, plan)
    made = kit_store.jobs_of(conn, [kit.id])[kit.id]
    mine = [job for job in made if job.queue == QUEUE_OF[kit.step]]
    if not mine:
        return _go_to(conn, core, kit, plan, kit.step)  # there were no credits for it
    if any(job.state not in TERMINAL_STATES for job in mine):
        return Told()
    if missing := [job for job in mine if job.state not in _DELIVERED]:
        return Told(_held(conn, kit, mine, missing))
    return _go_to(conn, core, kit, plan, plan.after(kit.step))


def _pick(conn: Connection, core: Core, kit: KitRow, plan: KitPlan) -> Told:
    """The pick: somebody's, or by rule, or it is waited for."""
    if kit.logo_id is not None:
        return _go_to(conn, core, kit, plan, plan.after(PICK))
    made = kit_store.jobs_of(conn, [kit.id])[kit.id]
    logos = [each for job in made if job.queue == LOGOS.queue for each in asset_store.list_of_job(conn, job.id)]
    logos.sort(key=lambda asset: (asset.traits.index or 0, asset.created_at))
    if plan.pick is None or not logos:
        words = f"Waits until you pick one of {count(len(logos), 'logo')}." if logos else "Waits until you pick a logo."
        return Told(kit_store.change(conn, kit.id, state="picking", message=words))
    chosen = asset_store.choose(conn, logos[min(plan.pick, len(logos)) - 1].id, kit.user_id)
    told = _go_to(conn, core, replace(kit, logo_id=chosen.id), plan, plan.after(PICK))
    told.picked = chosen
    return told


def _go_to(conn: Connection, core: Core, kit: KitRow, plan: KitPlan, step: Step | None) -> Told:
    """Orders a step, or says why not; without a step the kit is done."""
    if step is None:
        return Told(kit_store.change(conn, kit.id, state="done", message="The brand is complete."))
    if step == PICK:
        return _pick(
            conn, core, kit_store.change(conn, kit.id, state="running", step=PICK, message="Picking a logo."), plan
        )
    made = kit_store.jobs_of(conn, [kit.id])[kit.id]
    try:
        with conn.begin_nested():
            change = _order(conn, core, kit, plan, step, made)
    except InsufficientCredits as refusal:
        needed = refusal.required
        words = (
            f"Waits for credits: the next step takes {needed}, and {refusal.available} are there. It goes on by itself."
        )
        held = kit_store.change(
            conn,
            kit.id,
            state="held",
            step=step,
            message=words,
            cause=kit_store.SHORT_OF_CREDITS,
            credits_short=needed,
            logo_id=kit.logo_id,
        )
        return Told(held)
    except BudgetReached as refusal:
        words = f"{refusal.message} The next step waits for that, and goes on by itself."
        held = kit_store.change(
            conn, kit.id, state="held", step=step, message=words, cause=kit_store.OVER_BUDGET, logo_id=kit.logo_id
        )
        return Told(held)
    if change is None:
        words = "What this step had ordered is not kept any more. Begin a new kit."
        return Told(kit_store.change(conn, kit.id, state="held", step=step, message=words, logo_id=kit.logo_id))
    moved = kit_store.change(conn, kit.id, state="running", step=step, message=_DOING[step], logo_id=kit.logo_id)
    return Told(moved, [(change, None)])


def _held(conn: Connection, kit: KitRow, mine: Sequence[JobRow], missing: Sequence[JobRow]) -> KitRow:
    """A step that lacks something: what the rest waits for."""
    first = missing[0]
    verb = "was cancelled" if first.state is JobState.CANCELLED else "failed"
    head = f"{len(missing)} of {len(mine)} {verb}" if len(mine) > 1 else f"It {verb}"
    why = CAUSES[first.cause].user_text if first.cause and first.state is JobState.FAILED else ""
    words = " ".join(filter(None, (f"{head}.", why, "The rest waits until it is made again.")))
    cause = str(first.cause or Cause.CANCELLED)
    return kit_store.change(conn, kit.id, state="held", message=words, cause=cause)


# --- ended by its owner ----------------------------------------------------------------------------------------------------


async def pick(core: Core, kit_id: str, asset_id: str, user_id: str) -> KitRow:
    """Picks the logo that a kit waits for. Raises NotFound, Conflict where it does not wait for that."""

    def act(conn: Connection) -> Told:
        kit = kit_store.get(conn, kit_id, user_id, lock=True)
        asset = asset_store.get(conn, asset_id, user_id)
        if asset.brand_id != kit.brand_id or asset.asset_type != "logo":
            raise NotFound("Asset not found")
        if kit.state != "picking":
            raise Conflict(f"This kit does not wait for a pick: it is {kit.state}, at the step {kit.step}.")
        chosen = asset_store.choose(conn, asset_id, user_id)
        moved = kit_store.note_pick(conn, kit.brand_id, asset_id)
        return Told(next(each for each in moved if each.id == kit_id), picked=chosen)

    told = await core.db.write(act)
    await tell(core, told)
    assert told.kit is not None
    return told.kit


async def cancel(core: Core, kit_id: str, by: str, *, user_id: str | None = None, reason: str | None = None) -> KitRow:
    """Ends a kit: nothing more is ordered, and its open jobs are cancelled as any are.

    user_id: whose it has to be; None for an operator. Raises NotFound, Conflict where it has ended.
    """

    def act(conn: Connection) -> Told:
        kit = kit_store.get(conn, kit_id, user_id, lock=True)
        if kit.ended_at is not None:
            raise Conflict(f"This kit has ended already: {kit.state}.", state=kit.state)
        told = Told()
        for job in (job for job in kit_store.jobs_of(conn, [kit_id])[kit_id] if job.state not in TERMINAL_STATES):
            change, asked = request_cancel(conn, job, by, reason)
            if change is not None:
                told.changes.append((change, job.queue))
            elif asked:
                told.asked.append(job.id)
        words = "Cancelled: nothing more is ordered; what was made stays."
        told.kit = kit_store.change(conn, kit_id, state="cancelled", message=words)
        return told

    told = await core.db.write(act)
    await tell(core, told)
    assert told.kit is not None
    return told.kit
