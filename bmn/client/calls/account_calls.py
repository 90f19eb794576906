"""Who the caller is, what they have and spend, and what they let others see."""

from bmn.client.calls.fields import given
from bmn.client.http import HttpClient
from bmn.schemas import documents


class AccountCalls(HttpClient):
    """Who the caller is, what they have and spend, and what they let others see."""

    async def me(self) -> documents.Me:
        """Who the server takes us for."""
        return await self._get("/me", documents.Me)

    async def sign_in_link(self, path: str = "/") -> documents.SignInLink:
        """An address that signs a browser in as the caller, once, and leads to a page of ours."""
        return await self._post("/session", documents.SignInLink, {"path": path}, safe=True)

    async def credits(self, *, limit: int | None = None, cursor: str | None = None) -> documents.Credits:
        """The caller's balance and one page of its movements, newest first."""
        return await self._get("/credits", documents.Credits, limit=limit, cursor=cursor)

    async def costs(
        self, *, by: str = "kind", since: float | None = None, user: str | None = None, everyone: bool = False
    ) -> documents.Costs:
        """What providers charged, by `kind`, `provider`, `model`, or, for admins, `user`. since: seconds ago.

        user, everyone: for admins, whose it was.
        """
        return await self._get("/costs", documents.Costs, by=by, since=since, user=user, all=everyone or None)

    async def browser_token(
        self,
        *,
        job_id: str | None = None,
        brand_id: str | None = None,
        group_id: str | None = None,
        expires_in: int | None = None,
    ) -> documents.BrowserToken:
        """A token that reads and follows one job, brand or group, for a page. expires_in: seconds."""
        body = given({"jobId": job_id, "brandId": brand_id, "groupId": group_id, "expiresIn": expires_in})
        return await self._post("/tokens", documents.BrowserToken, body)

    async def share(self, job_id: str, *, hours: int | None = None) -> documents.ShareLink:
        """A link that shows a job to whoever holds it."""
        return await self._post(f"/jobs/{job_id}/share", documents.ShareLink, given({"hours": hours}))

    async def shares(
        self, *, ended: bool = False, limit: int | None = None, cursor: str | None = None
    ) -> documents.Shares:
        """One page of the links that the caller handed out, newest first. ended: also those that show nothing any more."""
        return await self._get("/shares", documents.Shares, all=ended or None, limit=limit, cursor=cursor)

    async def revoke_share(self, share_id: str) -> documents.Share:
        """Withdraws one link."""
        return await self._post(f"/shares/{share_id}/revoke", documents.Share, safe=True)
