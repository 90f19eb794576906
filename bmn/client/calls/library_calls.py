"""Brands, their pictures and films, and the products these are put on."""

from bmn.client.calls.fields import given, revealing
from bmn.client.http import HttpClient
from bmn.schemas import documents


class LibraryCalls(HttpClient):
    """Brands, their pictures and films, and the products these are put on."""

    async def create_brand(self, name: str, **fields: object) -> documents.Brand:
        """A new brand. fields: `vision`, `archetype`, `colorPalette`, `logoStyle`."""
        return await self._post("/brands", documents.Brand, given({**fields, "name": name}))

    async def change_brand(self, brand_id: str, **fields: object) -> documents.Brand:
        """Sets fields of a brand: `name`, `vision`, `archetype`, `colorPalette`, `logoStyle`; the others stay."""
        return await self._patch(f"/brands/{brand_id}", documents.Brand, fields)

    async def brands(
        self, *, name: str | None = None, limit: int | None = None, cursor: str | None = None
    ) -> documents.BrandPage:
        """One page of the caller's brands, newest first. name: the whole name, in any case."""
        return await self._get("/brands", documents.BrandPage, name=name, limit=limit, cursor=cursor)

    async def brand(self, brand_id: str, *, reveal: str | None = None) -> documents.Brand:
        """One brand. reveal: why an operator looks at another user's."""
        return await self._get(f"/brands/{brand_id}", documents.Brand, **revealing(reveal))

    async def assets(
        self,
        brand_id: str,
        *,
        kind: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        reveal: str | None = None,
    ) -> documents.AssetPage:
        """One page of a brand's pictures and films, newest first. kind: of this type only. reveal: as in `brand`."""
        path, asked = f"/brands/{brand_id}/assets", revealing(reveal)
        return await self._get(path, documents.AssetPage, type=kind, limit=limit, cursor=cursor, **asked)

    async def asset(self, asset_id: str) -> documents.Asset:
        """One picture or film."""
        return await self._get(f"/assets/{asset_id}", documents.Asset)

    async def select(self, asset_id: str) -> documents.Asset:
        """Makes an asset the chosen one of its brand and type."""
        return await self._post(f"/assets/{asset_id}/select", documents.Asset, safe=True)

    async def products(self) -> list[documents.Product]:
        """The catalogue that logos are put on."""
        return (await self._get("/products", documents.Products)).products
