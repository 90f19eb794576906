"""`bmn generate kit` for one brand: its price or its begin, then the watch."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from bmn.cli.base import run
from bmn.cli.following import kit_watch
from bmn.cli.following.after import Afterwards, conclude
from bmn.cli.following.estimate import check_price
from bmn.cli.following.kit_files import Delivered, deliver
from bmn.cli.following.output_files import make_folder
from bmn.cli.lookup.brand_lookup import find_target, for_target, other_than
from bmn.cli.lookup.server_lookup import client_of
from bmn.cli.order import Body
from bmn.cli.terminal import exit_codes
from bmn.cli.terminal.console import console
from bmn.cli.terminal.image_support import mode
from bmn.client import Client
from bmn.schemas.documents import Kit, KitPrice
from bmn.schemas.kit_requests import QUEUE_OF

_RECORD = {"brandVision": "vision", "archetype": "archetype", "colorPalette": "colorPalette", "logoStyle": "logoStyle"}


@dataclass(frozen=True, slots=True)
class KitOptions:
    """What the options say. build: makes the request's body but for the brand. timeout: seconds.

    out, images: as in `bmn.cli.order.Options`.
    """

    brand: str
    build: Callable[[Client], Awaitable[Body]]
    key: str
    detach: bool
    dry_run: bool
    timeout: float | None
    strict: bool
    out: Path | None
    images: str | None
    afterwards: Afterwards


def record_of(body: Body) -> Body:
    """What a new brand is made of, beside its name: what the request says of its look."""
    return {field: body[name] for name, field in _RECORD.items() if name in body}


def make_kit(wanted: KitOptions) -> int:
    """Begins a kit and watches it; answers with the exit code."""
    begun: list[Kit] = []
    made: list[Delivered] = []
    if wanted.out and not wanted.dry_run:
        make_folder(wanted.out)  # before anything is paid for
    mode(wanted.images)  # refused now, where it cannot be meant

    async def act() -> KitPrice | None:
        async with client_of(*QUEUE_OF.values(), detach=wanted.detach) as client:
            body = await wanted.build(client)
            if wanted.dry_run:
                return await _price(client, wanted.brand, body)

            brand = await find_target(client, wanted.brand)
            other = "" if brand.id else await other_than(client, brand.name)
            if not brand.id:
                check_price(await client.kit_price(body))
            order = for_target(body, wanted.brand, brand, record_of(body))
            begun.append(await client.start_kit(order, idempotency_key=wanted.key))
            if not brand.id:
                console.say(f"made the brand {brand.name!r}{other}")
            if not wanted.detach:
                begun.append(await kit_watch.watch(client, begun[0], timeout=wanted.timeout))
                made.append(await deliver(client, begun[-1], wanted.out, wanted.images))
        return None

    try:
        price = run(act())
    except KeyboardInterrupt:
        if not begun:
            raise
        return kit_watch.left_alone(begun[-1])
    if price is not None:
        return _tell_price(price)
    if wanted.detach:
        kit_watch.left_alone(begun[-1])
        return exit_codes.DONE
    return conclude(made[0].jobs, wanted.afterwards, kit_watch.report(begun[-1], made[0], strict=wanted.strict))


async def _price(client: Client, name: str, body: Body) -> KitPrice:
    brand = await find_target(client, name)
    if not brand.id:
        console.say(f"the brand {brand.name!r} would be made{await other_than(client, brand.name)}")
        return await client.kit_price(body)
    return await client.kit_price({**body, "brandId": brand.id})


def _tell_price(price: KitPrice) -> int:
    if console.json:
        console.document(price)
        return exit_codes.DONE
    kit_watch.show_price(price)
    console.say("nothing was submitted")
    return exit_codes.DONE
