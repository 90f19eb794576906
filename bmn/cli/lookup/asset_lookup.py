"""The pictures that a person's words mean: of all that a brand has, however many pages that are."""

import re
import shlex
from collections.abc import AsyncIterator, Sequence

from bmn.cli.lookup.job_lookup import find_job
from bmn.cli.order import BrandTarget
from bmn.client import Client, pages
from bmn.errors import NotFound
from bmn.numbers import is_whole
from bmn.schemas.documents import Asset

_PAGE = 100
_MOST_IN_A_BUNDLE = 10
_SHORTEST_ID = 4  # so many letters of an id, which may all be digits, name an asset; fewer digits are a number

_OF_JOB = re.compile(r"(?P<job>[\w:.-]+)[/#](?P<number>[0-9]+)")


async def each_of_brand(
    client: Client, brand_id: str, kind: str | None = None, *, reveal: str | None = None
) -> AsyncIterator[Asset]:
    """A brand's assets, of one type or all, newest first; asked for page by page as they are needed.

    reveal: why another user's are looked at.
    """
    every_page = pages(lambda cursor: client.assets(brand_id, kind=kind, limit=_PAGE, cursor=cursor, reveal=reveal))
    async for page in every_page:
        for asset in page.assets:
            yield asset


async def of_brand(client: Client, brand_id: str, kind: str | None = None, *, reveal: str | None = None) -> list[Asset]:
    """All of a brand's assets, of one type or all, newest first. reveal: as in `each_of_brand`."""
    return [asset async for asset in each_of_brand(client, brand_id, kind, reveal=reveal)]


async def find_asset(client: Client, brand_id: str, reference: str, kind: str = "logo") -> Asset:
    """The asset that is meant: `JOB/2`, a number in the brand's newest job, or the id of one of its assets.

    Raises NotFound.
    """
    if match := _OF_JOB.fullmatch(reference):
        name, number = match.groups()
        job = await client.job(await find_job(client, name))
        return _numbered(job.assets, int(number), f"job {name}")
    assets = await of_brand(client, brand_id, kind)
    if not assets:
        raise NotFound(f"This brand has no {kind} yet.", hint=f"Make one: bmn generate {kind}s --brand NAME")
    if is_whole(reference) and len(reference) < _SHORTEST_ID:
        last = newest(assets)
        older = len(assets) > len(last)
        return _numbered(last, int(reference), f"newest {kind} job", " Older ones are named JOB/2." if older else "")
    found = [asset for asset in assets if len(reference) >= _SHORTEST_ID and asset.id.startswith(reference)]
    if len(found) != 1:
        which = f"several {kind}s" if found else f"no {kind} of this brand"
        raise NotFound(f"{reference!r} names {which}.", hint="Give its number, JOB/2, or its id.")
    return found[0]


def newest(assets: list[Asset]) -> list[Asset]:
    """The assets of the newest job among them, in the order of their numbers."""
    if not assets:
        return []
    job_id = assets[0].job_id
    return numbered([asset for asset in assets if asset.job_id == job_id])


def numbered(assets: list[Asset]) -> list[Asset]:
    """In the order in which they are numbered for people: the job's own numbering."""
    return sorted(assets, key=lambda asset: (asset.traits.index or 0, asset.created_at, asset.url))


async def number_of(client: Client, asset: Asset) -> int:
    """Its number among the pictures of its job; 1 of one that was uploaded."""
    if not asset.job_id:
        return 1
    ids = [each.id for each in numbered((await client.job(asset.job_id)).assets)]
    return ids.index(asset.id) + 1 if asset.id in ids else 1


def _numbered(assets: list[Asset], number: int, where: str, more: str = "") -> Asset:
    if 1 <= number <= len(assets):
        return numbered(assets)[number - 1]
    raise NotFound(f"There is no picture {number} in the {where}.", hint=f"It has {len(assets)}.{more}")


async def logo_of(client: Client, brand: BrandTarget, reference: str | None) -> Asset:
    """The logo that was named, or the selected one, or the newest."""
    if reference:
        return await find_asset(client, brand.id, reference)
    seen: list[Asset] = []
    async for logo in each_of_brand(client, brand.id, "logo"):
        if logo.is_selected:
            return logo
        seen.append(logo)
    if not seen:
        raise NotFound(
            f"{brand.name} has no logo yet.", hint=f"First: bmn generate logos --brand {shlex.quote(brand.name)}"
        )
    return newest(seen)[0]


async def mockups_of(client: Client, brand: BrandTarget, references: Sequence[str]) -> list[Asset]:
    """The mockups that were named, or the newest ten."""
    if references:
        return [await find_asset(client, brand.id, reference, "mockup") for reference in references]
    mockups = (await client.assets(brand.id, kind="mockup", limit=_MOST_IN_A_BUNDLE)).assets
    if len(mockups) < 2:
        raise NotFound(
            f"A bundle needs two mockups; {brand.name} has {len(mockups)}.",
            hint=f"First: bmn generate mockups --brand {shlex.quote(brand.name)} --product mug --product tote",
        )
    return mockups


async def mockup_of(client: Client, brand: BrandTarget, reference: str | None, product: str) -> Asset:
    """The mockup that was named, or the newest of this product, or the newest of all."""
    if reference:
        return await find_asset(client, brand.id, reference, "mockup")
    latest: Asset | None = None
    async for mockup in each_of_brand(client, brand.id, "mockup"):
        if product in mockup.metadata.values():
            return mockup
        latest = latest or mockup
    if latest is None:
        raise NotFound(
            f"{brand.name} has no mockup yet.",
            hint=f"First: bmn generate mockups --brand {shlex.quote(brand.name)}",
        )
    return latest
