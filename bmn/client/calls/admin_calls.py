"""For admins: credits, API keys and what was done by whom."""

from typing import Unpack

from bmn.client.calls.fields import AuditQuery, given, revealing
from bmn.client.http import HttpClient
from bmn.schemas import documents


class AdminCalls(HttpClient):
    """For admins: credits, API keys and what was done by whom."""

    async def grant(self, amount: int, *, user_id: str | None = None, reason: str | None = None) -> documents.Granted:
        """Gives credits to a user, by default to the caller."""
        body = given({"amount": amount, "userId": user_id, "reason": reason})
        return await self._post("/admin/credits", documents.Granted, body)

    async def create_key(
        self,
        name: str,
        role: str,
        *,
        user_id: str | None = None,
        expires_in: int | None = None,
        reason: str | None = None,
    ) -> documents.MadeKey:
        """A new API key; its text is in the answer, and nowhere else. expires_in: seconds; None for never."""
        body = {"name": name, "role": role, "userId": user_id, "expiresIn": expires_in, "reason": reason}
        return await self._post("/admin/keys", documents.MadeKey, given(body))

    async def keys(self, *, ended: bool = False) -> list[documents.KeyRecord]:
        """API keys, the newest first. ended: revoked and expired ones too."""
        return (await self._get("/admin/keys", documents.Keys, ended=ended or None)).keys

    async def revoke_key(self, key_id: str, *, reason: str | None = None) -> documents.KeyRecord:
        """Ends a key, once and for good."""
        return await self._post(
            f"/admin/keys/{key_id}/revoke", documents.KeyRecord, given({"reason": reason}), safe=True
        )

    async def audit(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        reveal: str | None = None,
        **query: Unpack[AuditQuery],
    ) -> documents.AuditPage:
        """One page of what was done, newest first. reveal: why an operator reads what users gave as their reasons."""
        asked = revealing(reveal)
        return await self._get("/admin/audit", documents.AuditPage, limit=limit, cursor=cursor, **query, **asked)
