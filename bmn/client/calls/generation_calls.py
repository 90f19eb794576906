"""Submitting jobs and kits."""

from uuid import uuid4

from bmn.client.calls.fields import Fields, given, revealing
from bmn.client.http import HttpClient
from bmn.schemas import documents


class GenerationCalls(HttpClient):
    """Submitting jobs and kits."""

    async def generate(self, kind: str, body: Fields, *, idempotency_key: str | None = None) -> documents.Submitted:
        """Submits one job. kind: `logos`, `bundles`, `videos` or `wizard`.

        The key makes a repetition harmless: the same key and body are one job. Without one the call gets its own.
        """
        key = idempotency_key or uuid4().hex
        return await self._post(f"/generation/{kind}", documents.Submitted, given(body), idempotency_key=key)

    async def generate_mockups(self, body: Fields, *, idempotency_key: str | None = None) -> documents.MockupsSubmitted:
        """Submits one job a product; all of them or none. The key is that of `generate`."""
        key = idempotency_key or uuid4().hex
        return await self._post("/generation/mockups", documents.MockupsSubmitted, given(body), idempotency_key=key)

    async def estimate(self, kind: str, body: Fields) -> documents.Estimate:
        """What the same submission would ask for and cost; nothing is stored."""
        return await self._post(f"/generation/{kind}/estimate", documents.Estimate, given(body), safe=True)

    async def start_kit(self, body: Fields, *, idempotency_key: str | None = None) -> documents.Kit:
        """Begins a whole brand. The key is that of `generate`, and stands for its kit for as long as that is kept."""
        key = idempotency_key or uuid4().hex
        return await self._post("/generation/kits", documents.Kit, given(body), idempotency_key=key)

    async def kit_price(self, body: Fields) -> documents.KitPrice:
        """What the same kit would come to, step by step; nothing is stored."""
        return await self._post("/generation/kits/estimate", documents.KitPrice, given(body), safe=True)

    async def kits(
        self,
        *,
        brand: str | None = None,
        state: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> documents.KitPage:
        """One page of the caller's kits, newest first."""
        return await self._get("/kits", documents.KitPage, brand=brand, state=state, limit=limit, cursor=cursor)

    async def kit(self, kit_id: str, *, reveal: str | None = None) -> documents.Kit:
        """A kit, its steps and their jobs. reveal: why an operator looks at what another user has said in it."""
        return await self._get(f"/kits/{kit_id}", documents.Kit, **revealing(reveal))

    async def pick(self, kit_id: str, asset_id: str) -> documents.Kit:
        """Picks the logo that a kit waits for."""
        return await self._post(f"/kits/{kit_id}/pick", documents.Kit, {"assetId": asset_id})

    async def cancel_kit(self, kit_id: str, *, reason: str | None = None) -> documents.Kit:
        """Ends a kit: nothing more is ordered, its open jobs are cancelled."""
        return await self._post(f"/kits/{kit_id}/cancel", documents.Kit, given({"reason": reason}))
