"""What a generator needs beside the brand: products, the logo, mockups."""

import shlex
from collections.abc import Sequence

from bmn.cli.base import run
from bmn.cli.lookup.assets import find_asset, newest, of_brand, slug
from bmn.cli.lookup.session import open_client
from bmn.cli.order import Target
from bmn.cli.terminal.console import Column, console
from bmn.client import Client
from bmn.errors import NotFound, meant
from bmn.schemas.documents import Asset, Product


async def find_products(client: Client, names: Sequence[str]) -> list[Product]:
    """Products by slug, the beginning of it, name or id. Raises NotFound, which lists what there is."""
    catalogue = await client.products()
    return [_find_product(catalogue, name) for name in names]


def _find_product(catalogue: list[Product], name: str) -> Product:
    exact = [product for product in catalogue if name == product.id or slug(name) in _slugs(product)]
    near = [product for product in catalogue if product.slug.startswith(slug(name))]
    if found := exact or (near if len(near) == 1 else []):
        return found[0]
    there = [product.slug for product in catalogue]
    raise NotFound(f"There is no product {name!r}.", hint=meant(slug(name), "Products", there))


def _slugs(product: Product) -> tuple[str, str]:
    return product.slug, slug(product.name)


async def logo_of(client: Client, brand: Target, reference: str | None) -> Asset:
    """The logo that was named, or the selected one, or the newest."""
    if reference:
        return await find_asset(client, brand.id, reference)
    logos = await of_brand(client, brand.id, "logo")
    selected = [logo for logo in logos if logo.is_selected]
    if not logos:
        raise NotFound(
            f"{brand.name} has no logo yet.", hint=f"First: bmn generate logos --brand {shlex.quote(brand.name)}"
        )
    return (selected or newest(logos))[0]


async def mockups_of(client: Client, brand: Target, references: Sequence[str]) -> list[Asset]:
    """The mockups that were named, or the newest ten."""
    if references:
        return [await find_asset(client, brand.id, reference, "mockup") for reference in references]
    mockups = (await of_brand(client, brand.id, "mockup"))[:10]
    if len(mockups) < 2:
        raise NotFound(
            f"A bundle needs two mockups; {brand.name} has {len(mockups)}.",
            hint=f"First: bmn generate mockups --brand {shlex.quote(brand.name)} --product mug --product tote",
        )
    return mockups


async def mockup_of(client: Client, brand: Target, reference: str | None, product: str) -> Asset:
    """The mockup that was named, or the newest of this product, or the newest of all."""
    if reference:
        return await find_asset(client, brand.id, reference, "mockup")
    mockups = await of_brand(client, brand.id, "mockup")
    if not mockups:
        raise NotFound(
            f"{brand.name} has no mockup yet.",
            hint=f"First: bmn generate mockups --brand {shlex.quote(brand.name)}",
        )
    fitting = [asset for asset in mockups if product in asset.metadata.values()]
    return (fitting or mockups)[0]


def show_products() -> int:
    async def fetch() -> list[Product]:
        async with open_client() as client:
            return await client.products()

    products = run(fetch())
    if console.json:
        console.document({"products": products})
        return 0
    columns = [Column("PRODUCT"), Column("NAME"), Column("CATEGORY", flexible=True)]
    console.table(columns, [(product.slug, product.name, product.category) for product in products])
    console.next_step(f"bmn generate mockups --brand NAME --product {products[0].slug}")
    return 0
