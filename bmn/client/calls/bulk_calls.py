"""Actions on many jobs, which the server carries out."""

from bmn.client.calls.fields import Fields, given, revealed, revealing
from bmn.client.http import HttpClient
from bmn.schemas import documents


class BulkCalls(HttpClient):
    """Actions on many jobs, which the server carries out."""

    async def bulk_estimate(
        self, body: Fields, *, operators: bool = False, reveal: str | None = None
    ) -> documents.BulkEstimate:
        """What an action would come to. body, reveal: as for `start_bulk`. operators: on everybody's jobs."""
        path = revealed(f"{_bulk(operators)}-estimate", reveal)
        return await self._post(path, documents.BulkEstimate, given(body), safe=True)

    async def start_bulk(
        self, body: Fields, *, operators: bool = False, reveal: str | None = None
    ) -> documents.BulkAction:
        """Begins an action that the server carries out, or joins the same one that is open.

        body: `action` (`retry`, `cancel`, for operators `replay` and `purge`), `ids` or a filter, `rate`, `stopAt`.
        reveal: why an operator searches in what others have written, for a filter's `text`.
        """
        return await self._post(revealed(_bulk(operators), reveal), documents.BulkAction, given(body), safe=True)

    async def bulk_actions(
        self,
        *,
        operators: bool = False,
        limit: int | None = None,
        cursor: str | None = None,
        reveal: str | None = None,
    ) -> documents.BulkPage:
        """One page of actions, newest first. reveal: why an operator reads what users looked for, and why."""
        asked = revealing(reveal)
        return await self._get(_bulk(operators), documents.BulkPage, limit=limit, cursor=cursor, **asked)

    async def bulk(self, bulk_id: str, *, operators: bool = False, reveal: str | None = None) -> documents.BulkAction:
        """How far an action is. reveal: as in `bulk_actions`."""
        return await self._get(f"{_bulk(operators)}/{bulk_id}", documents.BulkAction, **revealing(reveal))

    async def bulk_items(
        self,
        bulk_id: str,
        *,
        operators: bool = False,
        state: str | None = None,
        after: int = 0,
        limit: int | None = None,
    ) -> documents.BulkItems:
        """Jobs of an action and what became of each. state: `waiting`, `done` or `refused`."""
        path = f"{_bulk(operators)}/{bulk_id}/items"
        return await self._get(path, documents.BulkItems, state=state, after=after, limit=limit)

    async def change_bulk(
        self, bulk_id: str, change: str, *, operators: bool = False, reason: str | None = None
    ) -> documents.BulkAction:
        """Does `pause`, `resume` or `abort` to an action."""
        path = f"{_bulk(operators)}/{bulk_id}/{change}"
        return await self._post(path, documents.BulkAction, given({"reason": reason}), safe=True)


def _bulk(operators: bool) -> str:
    return "/admin/bulk" if operators else "/bulk"
