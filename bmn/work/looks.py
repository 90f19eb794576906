"""A brand keeps its look: the first logos settle it, and from then on it changes when its owner says so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, cast

from pydantic.alias_generators import to_camel

from bmn.broker import redis_keys
from bmn.broker.cache import forget
from bmn.db.engine import Connection
from bmn.db.library import asset_store, brand_store
from bmn.db.records import BrandAssetRow, BrandRow
from bmn.events.audience import brand_updated
from bmn.jobs.core import Core
from bmn.jobs.submission import Plan
from bmn.schemas.generators.logos import LogoGeneration
from bmn.schemas.look import LogoStyle, Look, missing
from bmn.schemas.payloads import Payload
from bmn.work.defaults import BrandDefaults, brand_defaults


@dataclass(slots=True)
class Settling:
    """Gives a brand the look of logos that are ordered for it, in the transaction that stores their job.

    new_look: what its owner changes by that, by the names of the record; what the brand has besides stays. changed: what
    came of it, once the job is stored.
    """

    core: Core
    user_id: str
    brand_id: str
    new_look: Mapping[str, object] = field(default_factory=dict)
    changed: dict[str, object] = field(default_factory=dict)

    def plan(self, payloads: Sequence[Payload] | Plan) -> Plan:
        """What makes the same payloads, and settles the look on the way."""

        def made(conn: Connection) -> Sequence[Payload]:
            found = payloads(conn) if callable(payloads) else payloads
            logos = [each for each in found if isinstance(each, LogoGeneration)]
            self.brand_id = logos[0].brand_id if logos else self.brand_id  # one that its order makes has its id by now
            self.changed = settle(conn, self.user_id, self.brand_id, logos[:1], self.new_look)
            return found

        return made

    async def tell(self) -> None:
        """Lets everybody see what has changed of the brand."""
        await tell_look(self.core, self.user_id, self.brand_id, self.changed)


def settle(
    conn: Connection,
    user_id: str,
    brand_id: str,
    logos: Sequence[LogoGeneration],
    new_look: Mapping[str, object] = MappingProxyType({}),
) -> dict[str, object]:
    """Writes down what the brand's look lacks and these logos have, and what is new; answers with what has changed."""
    brand = brand_store.get(conn, brand_id, user_id)
    fields = {name: value for each in reversed(logos) for name, value in missing(brand, each.look()).items()}
    fields = {name: value for name, value in {**fields, **new_look}.items() if value != getattr(brand, name)}
    if fields:
        brand_store.change(conn, brand_id, user_id, fields)
    return fields


async def tell_look(core: Core, user_id: str, brand_id: str, changed: Mapping[str, object]) -> None:
    """Lets everybody see what has changed of a brand. changed: by the names of its record."""
    if not changed:
        return
    await forget(core.redis, redis_keys.cache("brand", brand_id))
    core.outbox.send(brand_updated(user_id, brand_id, to_camel(name), value) for name, value in changed.items())


def look_of(conn: Connection, brand: BrandRow) -> BrandDefaults:
    """What a brand looks like: as far as it is settled, and for the rest what its name suggests."""
    known, own = brand_defaults(brand), settled(conn, brand)
    return replace(
        known,
        style=cast(LogoStyle, own.logo_style or known.style),
        palette=own.color_palette or known.palette,
        archetype=own.archetype,
    )


def settled(conn: Connection, brand: BrandRow) -> Look:
    """What nobody has to suggest any more: what the record says, and where it is silent, what the picked or newest logo
    was asked to be."""
    if brand.color_palette and brand.logo_style:
        return Look(brand.color_palette, brand.logo_style, brand.archetype)
    made = logo_look(conn, asset_store.logo_of(conn, brand.id))
    return Look(
        brand.color_palette or made.get("colorPalette"),
        brand.logo_style or made.get("logoStyle"),
        brand.archetype or made.get("archetype"),
    )


def logo_look(conn: Connection, logo: BrandAssetRow | None) -> Mapping[str, Any]:
    """What a logo was asked to look like, by the names of a payload; nothing where nobody knows it any more."""
    return (asset_store.asked_for(conn, logo.storage_key, logo.brand_id) or {}) if logo else {}
