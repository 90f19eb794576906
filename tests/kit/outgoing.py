"""Every client of ours but the vendors', each with one visit to an address: how they get there is the test's."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx

from bmn.client import Client
from bmn.errors import BmnError, JobFailure
from bmn.identity.jwks import KeySet
from bmn.identity.roles import Roles
from bmn.outgoing import ask
from bmn.settings import load_settings
from bmn.storage import object_key, open_storage


async def _jwks(url: str) -> None:
    keys = KeySet(f"{url}/keys")
    try:
        await keys.find("kid", "ES256")
    finally:
        await keys.close()


async def _roles(url: str) -> None:
    roles = Roles(url, "secret")
    await roles.now("user", "admin")
    await roles.close()


async def _client(url: str) -> None:
    async with Client(load_settings(bmn_token="t"), api_url=url, retries=0) as client:
        await client.download(f"{url}/x.png")


async def _storage(url: str) -> None:
    settings = load_settings(
        storage_backend="s3", s3_endpoint=url, s3_access_key_id="id", s3_secret_access_key="secret"
    )
    await open_storage(settings).get(object_key("b", "logo", "image/png"))


async def _ask(url: str) -> None:
    await asyncio.to_thread(ask, f"{url}/health", seconds=5)


CLIENTS: dict[str, Callable[[str], Awaitable[None]]] = {
    "jwks": _jwks,
    "roles": _roles,
    "client": _client,
    "storage": _storage,
    "doctor": _ask,
}
REFUSALS = (BmnError, JobFailure, httpx.HTTPError, FileNotFoundError)


async def visit(client: str, url: str) -> None:
    try:
        await CLIENTS[client](url)
    except REFUSALS:
        return
