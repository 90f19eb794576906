"""Requests whose answers are plain JSON, for commands that do not read documents yet."""

from typing import Any

from bmn.client.api import Client


class BmnClient(Client):
    """The same with answers as dicts."""

    async def get(self, path: str, **params: Any) -> Any:
        """The JSON answer."""
        given = {name: value for name, value in params.items() if value is not None}
        return (await self._request("GET", path, params=given)).json()

    async def post(self, path: str, body: Any = None, *, idempotency_key: str | None = None, safe: bool = False) -> Any:
        """The JSON answer."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        again = safe or idempotency_key is not None
        return (await self._request("POST", path, body=body, headers=headers, again=again)).json()
