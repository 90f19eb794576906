"""The brand that a name or an id means."""

import difflib
from collections.abc import Mapping
from uuid import UUID

from bmn.cli.order import Body, BrandTarget
from bmn.cli.terminal.timespan import ago
from bmn.client import Client, pages
from bmn.errors import NotFound
from bmn.names import key_of
from bmn.schemas.documents import Brand
from bmn.schemas.kind import NEW_BRAND

_PAGE = 100
_NEARLY = 0.85  # of two names: a letter or two of a dozen are different


async def find_brand(client: Client, reference: str, *, reveal: str | None = None) -> Brand:
    """The brand of a name or an id. reveal: why another user's is looked at, which only its id names.

    Raises NotFound, with the candidates where several have the name, as the API lets them.
    """
    reference = reference.strip().removeprefix("@")
    if is_brand_id(reference):
        return await client.brand(str(UUID(reference)), reveal=reveal)
    exact = await brands_named(client, reference)
    if len(exact) > 1:
        candidates = ", ".join(f"{brand.id} (made {ago(brand.created_at)})" for brand in exact)
        raise NotFound(f"{reference!r} could be several brands.", hint=f"Give the id of one: {candidates}")
    if exact:
        return exact[0]
    hint = "`bmn brands list` shows yours; `bmn brands create NAME` makes one."
    if near := await _names_like(client, reference):
        hint = f"Did you mean {' or '.join(map(repr, near))}? {hint}"
    raise NotFound(f"No brand {reference!r}.", hint=hint)


async def find_target(client: Client, reference: str) -> BrandTarget:
    """The brand of a name or an id; one of a new name has no id. Raises NotFound as `find_brand` does for all others."""
    try:
        found = await find_brand(client, reference)
    except NotFound:
        name = reference.strip().removeprefix("@")
        if not name or is_brand_id(name) or await brands_named(client, name):
            raise
        return BrandTarget("", name)
    return BrandTarget(found.id, found.name)


def for_target(body: Body, reference: str, target: BrandTarget, record: Mapping[str, object]) -> Body:
    """The body of an order: for an id, or for a name, which becomes a brand of this record together with the order.

    A name is sent though its brand is there: an order that is repeated under its key is the same then.
    """
    if is_brand_id(reference.strip().removeprefix("@")):
        return {**body, "brandId": target.id}
    asked = {name: value for name, value in body.items() if name != "brandName"}
    return {**asked, "brandId": NEW_BRAND, "newBrand": {"name": target.name, **record}}


def is_brand_id(reference: str) -> bool:
    """Whether a text is an id and no name."""
    try:
        return bool(UUID(reference))
    except ValueError:
        return False


async def brands_named(client: Client, name: str) -> list[Brand]:
    """The caller's brands of this name, in any spelling; none for a blank one, which the API refuses."""
    if not name.strip():
        return []
    found = (await client.brands(name=name.strip())).brands
    return [brand for brand in found if key_of(brand.name) == key_of(name)]


async def all_brands(client: Client) -> list[Brand]:
    """All of the caller's brands, newest first."""
    every_page = pages(lambda cursor: client.brands(limit=_PAGE, cursor=cursor))
    return [brand async for page in every_page for brand in page.brands]


async def other_than(client: Client, name: str) -> str:
    """What is said beside a new name that one of the caller's newest brands nearly has: it may be a mistyped one."""
    names = {key_of(brand.name): brand.name for brand in (await client.brands(limit=_PAGE)).brands}
    near = difflib.get_close_matches(key_of(name), names, n=1, cutoff=_NEARLY)
    return f", which is another than {names[near[0]]!r}" if near else ""


async def _names_like(client: Client, reference: str) -> list[str]:
    """The caller's brands that a mistyped or shortened name may have meant."""
    names = {key_of(brand.name): brand.name for brand in await all_brands(client)}
    wanted = key_of(reference)
    begun = [name for name in names if name.startswith(wanted)]
    return [names[name] for name in (begun or difflib.get_close_matches(wanted, names, n=2, cutoff=0.6))[:2]]
