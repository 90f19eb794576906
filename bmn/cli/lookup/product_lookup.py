"""The products that a person's words mean."""

from collections.abc import Sequence

from bmn.cli.terminal.record_format import slug
from bmn.client import Client
from bmn.errors import NotFound, suggest
from bmn.schemas.documents import Product


async def find_products(client: Client, names: Sequence[str]) -> list[Product]:
    """Products by slug, the beginning of it, name or id. Raises NotFound, which lists what there is."""
    catalogue = await client.products()
    return [_find_product(catalogue, name) for name in names]


def _find_product(catalogue: list[Product], name: str) -> Product:
    exact = [product for product in catalogue if name == product.id or slug(name) in _slugs(product)]
    near = [product for product in catalogue if product.slug.startswith(slug(name))]
    if found := exact or (near if len(near) == 1 else []):
        return found[0]
    choices = [product.slug for product in catalogue]
    raise NotFound(f"There is no product {name!r}.", hint=suggest(slug(name), "Products", choices))


def _slugs(product: Product) -> tuple[str, str]:
    return product.slug, slug(product.name)
