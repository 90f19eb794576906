"""Objects: a folder of this machine, Cloudflare R2 or Supabase Storage, through obstore.

Keys are ours: `brands/{brandId}/{assetType}/{name}`. What an S3 store would not take is kept in a local spool, so that
a retry uploads it again and does not buy it again.
"""

import asyncio
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit
from uuid import uuid4

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore

from bmn.logs import get_logger
from bmn.settings import Settings
from bmn.settings.web import is_loopback
from bmn.stores import UNFINISHED, failed, is_inside, open_bucket, put_local, sweep_unfinished

log = get_logger(__name__)

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
_EXTENSIONS = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "video/mp4": ".mp4",
}
_FOREVER = "private, max-age=31536000, immutable"  # a key is never written twice with other bytes


def object_key(brand_id: str, asset_type: str, mime: str, name: str | None = None) -> str:
    """The key of a new object. name: without ending; a random one if not given. Raises ValueError for a bad part."""
    return check_key(f"brands/{brand_id}/{asset_type}/{name or uuid4().hex}{_EXTENSIONS.get(mime, '.bin')}")


def check_key(key: str) -> str:
    """The key itself, if it is one of ours: four plain parts below `brands/`. Raises ValueError."""
    parts = key.split("/")
    if len(parts) != 4 or parts[0] != "brands" or not all(_PART.fullmatch(part) for part in parts):
        raise ValueError("not a storage key")
    return key


def brand_of(key: str) -> str:
    """The brand that owns an object."""
    return check_key(key).split("/")[1]


def open_storage(settings: Settings) -> "Storage":
    """The store that the settings name. Raises Misconfigured where S3 lacks an endpoint or a key."""
    root = settings.bmn_home / "objects"
    if settings.storage_backend == "local":
        root.mkdir(parents=True, exist_ok=True)
        return Storage(settings, LocalStore(str(root), automatic_cleanup=True), root=root)
    return Storage(settings, open_bucket(settings, settings.s3_bucket), root=None)


class Storage:
    """Reads and writes objects. Its errors are JobFailure(STORAGE_FAILED); a missing object is FileNotFoundError."""

    def __init__(self, settings: Settings, store: Any, *, root: Path | None) -> None:
        self._settings = settings
        self._store = store
        self._root = root
        self._spool = settings.bmn_home / "spool"

    async def put(self, key: str, data: bytes, mime: str) -> None:
        """Stores an object; it is on the disk, or with the S3 service, when this returns."""
        check_key(key)
        try:
            if self._root is not None:
                await asyncio.to_thread(put_local, self._root, key, data)
                return
            attributes = {"Content-Type": mime, "Cache-Control": _FOREVER}
            await obstore.put_async(self._store, key, data, attributes=attributes, use_multipart=False)
        except (BaseError, OSError) as problem:
            if self._root is None:
                await asyncio.to_thread(self._keep, key, data)
            raise failed("written", key, problem) from problem
        await asyncio.to_thread(self._spooled(key).unlink, missing_ok=True)

    async def get(self, key: str) -> bytes:
        """The bytes of an object. Raises FileNotFoundError."""
        await self._check_place(key)
        try:
            result = await obstore.get_async(self._store, key)
            return bytes(await result.bytes_async())
        except FileNotFoundError:
            raise
        except (BaseError, OSError) as problem:
            raise failed("read", key, problem) from problem

    async def part(self, key: str, start: int, end: int) -> bytes:
        """Bytes start to end of an object, the end not included. Raises FileNotFoundError."""
        if start >= end:
            return b""
        await self._check_place(key)
        try:
            return bytes(await obstore.get_range_async(self._store, key, start=start, end=end))
        except FileNotFoundError:
            raise
        except (BaseError, OSError) as problem:
            raise failed("read", key, problem) from problem

    async def head(self, key: str) -> int:
        """The size of an object in bytes. Raises FileNotFoundError."""
        await self._check_place(key)
        try:
            meta = await obstore.head_async(self._store, key)
        except FileNotFoundError:
            raise
        except (BaseError, OSError) as problem:
            raise failed("looked up", key, problem) from problem
        return int(meta["size"])

    async def delete(self, key: str) -> None:
        """Deletes an object; one that is gone already is no error."""
        await self._check_place(key)
        try:
            await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            return
        except (BaseError, OSError) as problem:
            raise failed("deleted", key, problem) from problem

    async def list(self, prefix: str = "brands") -> list[tuple[str, float]]:
        """Keys below a prefix, each with the time it was written, in seconds since 1970."""
        try:
            found = await obstore.list(self._store, prefix).collect_async()
        except (BaseError, OSError) as problem:
            raise failed("listed", prefix, problem) from problem
        return [(meta["path"], meta["last_modified"].timestamp()) for meta in found]

    async def spooled(self, key: str) -> bytes | None:
        """What `put` could not store before, if it is still here."""
        try:
            return await asyncio.to_thread(self._spooled(key).read_bytes)
        except FileNotFoundError:
            return None

    async def sweep(self, older_than: float = 86_400) -> int:
        """Deletes what has waited in the spool, or to be written to its end, for longer; returns how many files that was.

        older_than: seconds.
        """
        return await asyncio.to_thread(self._sweep, time.time() - older_than)

    def url_for(self, key: str) -> str:
        """The durable address of an object: below PUBLIC_BASE_URL, or our own `/files/`, which asks who is reading."""
        base = self._settings.public_base_url.rstrip("/") or f"{self._settings.public_address}/files"
        return f"{base}/{quote(check_key(key))}"

    def key_of(self, url: str) -> str | None:
        """The key that one of our own addresses names; None for a foreign one. Its signature, if any, is ignored."""
        for base in (self._settings.public_base_url.rstrip("/"), f"{self._settings.public_address}/files"):
            if base and url.startswith(f"{base}/"):
                return _key_in(url[len(base) + 1 :])
        try:
            parts = urlsplit(url)
        except ValueError:  # words that begin like an address: `http://[`
            return None
        # A development server may have had another port when it wrote this; a loopback address is nobody else's.
        if not self._settings.is_production and is_loopback(parts.hostname) and parts.path.startswith("/files/"):
            return _key_in(parts.path.removeprefix("/files/"))
        return None

    async def _check_place(self, key: str) -> None:
        """Raises FileNotFoundError where a link in the folder would lead out of it."""
        check_key(key)
        if self._root is not None and not await asyncio.to_thread(is_inside, self._root, key):
            raise FileNotFoundError(key)

    def _spooled(self, key: str) -> Path:
        return self._spool / check_key(key).replace("/", "~")

    def _keep(self, key: str, data: bytes) -> None:
        path = self._spooled(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_name(path.name + ".part")
            unfinished.write_bytes(data)
            unfinished.replace(path)
        except OSError as problem:
            log.error("an object could not be spooled", key=key, problem=str(problem))

    def _sweep(self, before: float) -> int:
        unfinished = self._root / UNFINISHED if self._root is not None else self._spool
        return sum(sweep_unfinished(folder, before) for folder in {self._spool, unfinished})


def _key_in(text: str) -> str | None:
    try:
        return check_key(unquote(text.split("?", 1)[0].split("#", 1)[0]))
    except ValueError:
        return None
