"""What a generator is asked for, out of the words that people use for logos, mockups and products."""

from collections.abc import Sequence

from bmn.cli.lookup.asset_lookup import logo_of, mockup_of, mockups_of
from bmn.cli.lookup.product_lookup import find_products
from bmn.cli.order import Body, BrandTarget
from bmn.client import Client
from bmn.schemas.documents import Asset


def refinement(logo: Asset, notes: str | None) -> Body:
    """The fields of a request for logos that make it start from one that is there."""
    return {"isRefinement": True, "previousLogoUrl": logo.url, "refinementNotes": notes}


async def mockups_body(
    client: Client, brand: BrandTarget, *, products: Sequence[str], logo: str | None, notes: str | None
) -> Body:
    """A logo on products. logo: as it is named; else the selected or the newest one. Raises NotFound."""
    chosen = await logo_of(client, brand, logo)
    found = await find_products(client, products)
    return {
        "brandId": brand.id,
        "logoUrl": chosen.url,
        "products": [
            {
                "productId": product.id,
                "productName": product.name,
                "productCategory": product.category,
                **({"mockupInstructions": notes} if notes else {}),
            }
            for product in found
        ],
    }


async def bundle_body(
    client: Client, brand: BrandTarget, *, name: str, mockups: Sequence[str], style: str | None
) -> Body:
    """Mockups in one picture. mockups: as they are named; none are the newest ten. Raises NotFound."""
    chosen = await mockups_of(client, brand, mockups)
    return {
        "brandId": brand.id,
        "bundleName": name,
        "productMockupUrls": [asset.url for asset in chosen],
        "compositionStyle": style,
    }


async def video_body(
    client: Client, brand: BrandTarget, *, product: str, mockup: str | None, style: str | None, seconds: int
) -> Body:
    """A film of a product. mockup: its picture, as it is named; else the newest one of it. Raises NotFound."""
    [shown] = await find_products(client, (product,))
    picture = await mockup_of(client, brand, mockup, shown.name)
    return {
        "brandId": brand.id,
        "productName": shown.name,
        "productMockupUrl": picture.url,
        "videoStyle": style,
        "durationSeconds": seconds,
    }
