"""Bodies to payloads: what the request says, and what the brand's record says where the request is silent."""

import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from bmn.db.engine import Connection
from bmn.db.library import asset_store, brand_store
from bmn.db.records import Hook
from bmn.errors import NotAllowed, NotFound, UsageProblem
from bmn.identity.rights import Right
from bmn.identity.tokens import Principal
from bmn.internet import NotVisited, read_target
from bmn.jobs.queue import Terms
from bmn.jobs.submission import Plan
from bmn.schemas.base import Model
from bmn.schemas.kind import GeneratorBody, Kind
from bmn.schemas.look import BrandBody
from bmn.schemas.payloads import Payload
from bmn.schemas.terms import LONGEST_SECONDS
from bmn.schemas.webhook_payloads import ENDS, own_origins
from bmn.server.state.resources import Resources
from bmn.settings import Settings
from bmn.storage import Storage, brand_of
from bmn.work.defaults import BrandDefaults, as_made, name_defaults
from bmn.work.looks import look_of
from bmn.work.registry import get_queue

_PAST_SECONDS = 60.0  # clocks differ, and requests take time

_RECEIVER = "webhookUrl"  # has rules of its own

# What the record supplies, by the name of the body's field.
_SUPPLIED = {"brand_name": "name", "logo_style": "style", "color_palette": "palette", "brand_vision": "vision"}


async def payloads_of(res: Resources, principal: Principal, kind: Kind, body: GeneratorBody) -> list[Payload] | Plan:
    """The payloads a generator's body stands for, or, where it leaves something to the brand's record, what makes them.

    Raises NotFound for a foreign file, ValidationError; what makes them raises NotFound for a foreign brand as well.
    """
    named = dict(_urls(body))
    await check_files(res, principal, named, own_brand=body.brand_id)
    for url, name in named.items():
        if name != _RECEIVER and res.core.storage.key_of(url) is None:
            _visited(url, name, (res.settings.sandbox_address,), hint="Give a picture's own address.")
    price = get_queue(kind.queue).price(res.settings)

    def payloads(conn: Connection | None, body: GeneratorBody) -> list[Payload]:
        reads = conn is not None and _needs_record(body)
        supplied = _supplied(body, _defaults(conn, res.core.storage, principal, body)) if conn and reads else {}
        told = {"user_id": principal.user_id, "credit_cost": price}
        own = {str(field.alias): told[name] for name, field in kind.payload.model_fields.items() if name in told}
        return [kind.payload.model_validate({**supplied, **own, **order}) for order in body.orders()]

    if new := getattr(body, "new_brand", None):
        return lambda conn: payloads(conn, _for_brand(conn, principal, body, new))
    return (lambda conn: payloads(conn, body)) if _needs_record(body) else payloads(None, body)


def _for_brand(conn: Connection, principal: Principal, body: GeneratorBody, new: BrandBody) -> GeneratorBody:
    """The body with the id of the brand that it names, which is made here if there is none: an imagined one stays so."""
    if body.imagined():
        return body
    brand = brand_store.find_or_create(conn, principal.user_id, new.model_dump(exclude_none=True))
    return body.model_copy(update={"brand_id": brand.id})


def receiver(settings: Settings, url: str, name: str = _RECEIVER) -> str:
    """An address that webhooks may be sent to. name: of the parameter that gives it. Raises UsageProblem."""
    trusted = own_origins(url, development=not settings.is_production)
    return _visited(url, name, trusted, hint="Give one like https://example.com/hook.")


def _visited(url: str, name: str, trusted: Iterable[str], hint: str) -> str:
    """An address that can be visited, as far as is known before its name is looked up. Raises UsageProblem."""
    try:
        read_target(url, trusted=trusted)
    except NotVisited as why:
        raise UsageProblem(f"{name} {why}: {url[:200]}", hint=hint) from None
    return url


def terms_of(settings: Settings, principal: Principal, kind: Kind, body: GeneratorBody) -> Terms:
    """What a body says of when it is to be done. Raises UsageProblem, NotAllowed for a place before everybody else."""
    if body.priority is not None and not _may_go_first(principal) and body.priority < (usual := usual_priority(kind)):
        raise NotAllowed(
            f"Only operators and services may put a job before others; the priority of {kind.queue} is {usual}.",
            hint=f"Ask for {usual} or more: a higher number is served later.",
        )
    return Terms(
        delay=body.run_in or (0.0 if body.run_at is None else _seconds_until(body.run_at)),
        priority=body.priority,
        start_within=body.start_within,
        finish_within=body.finish_within,
        replaces=bool(body.replaces),
        webhook=Hook(receiver(settings, url), tuple(body.webhook_events or ENDS))
        if (url := body.webhook_url)
        else None,
    )


def _may_go_first(principal: Principal) -> bool:
    return principal.may(Right.OPERATE) or principal.may(Right.ACT_FOR)


def usual_priority(kind: Kind) -> int:
    """The priority of a generator's jobs that ask for none."""
    return get_queue(kind.queue).priority


def _seconds_until(moment: str) -> float:
    seconds = datetime.fromisoformat(moment).timestamp() - time.time()
    if seconds < -_PAST_SECONDS:
        raise UsageProblem(f"runAt lies in the past: {moment}.", hint="Leave it out, and the job begins at once.")
    if seconds > LONGEST_SECONDS:
        raise UsageProblem(f"runAt is too far ahead: {moment}.", hint="It may be 30 days ahead at most.")
    return max(0.0, seconds)


def _defaults(conn: Connection, storage: Storage, principal: Principal, body: GeneratorBody) -> BrandDefaults:
    """What the record says, or, of a logo that is to be changed, what it was asked to be."""
    if imagined := body.imagined():
        return name_defaults(imagined)
    found = look_of(conn, brand_store.get(conn, body.brand_id, principal.user_id))
    previous = storage.key_of(getattr(body, "previous_logo_url", None) or "")
    asked = asset_store.asked_for(conn, previous, body.brand_id) if previous else None
    return as_made(found, asked) if asked else found


def _needs_record(body: GeneratorBody) -> bool:
    return any(getattr(body, name, "given") is None for name in _SUPPLIED)


def _supplied(body: GeneratorBody, defaults: BrandDefaults) -> dict[str, object]:
    known = type(body).model_fields
    found = {str(known[name].alias): getattr(defaults, source) for name, source in _SUPPLIED.items() if name in known}
    if "archetype" in known and defaults.archetype:
        found["archetype"] = defaults.archetype
    return found


async def check_files(
    res: Resources, principal: Principal, urls: Iterable[str], *, own_brand: str | None = None
) -> None:
    """An address of our own names a stored object, so it has to be the caller's own. Raises NotFound.

    own_brand: one whose ownership is checked elsewhere.
    """
    storage = res.core.storage
    others = {brand_of(key) for url in urls if (key := storage.key_of(url)) is not None} - {own_brand}
    if others and not await res.core.db.read(
        lambda conn: all(brand_store.owns(conn, principal.user_id, brand_id) for brand_id in others)
    ):
        raise NotFound("File not found")


def strings_in(value: Any) -> Iterable[str]:
    """Every text in JSON data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings_in(item)


def _urls(body: Model) -> Iterable[tuple[str, str]]:
    """Every address in a body, and the name of the parameter that gives it."""
    for name, field in type(body).model_fields.items():
        value, told = getattr(body, name), str(field.alias or name)
        if name.endswith("_url") and value:
            yield value, told
        elif name.endswith("_urls"):
            yield from ((each, told) for each in value)
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, Model):
                    yield from _urls(item)
