"""Objects: a folder of this machine, Cloudflare R2 or Supabase Storage, through obstore.

Keys are ours: `brands/{brandId}/{assetType}/{name}`. What an S3 store would not take is kept in a local spool, so that
a retry uploads it again and does not buy it again.
"""

import asyncio
import contextlib
import os
import re
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit
from uuid import uuid4

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from bmn import failpoints
from bmn.cleaning import cleaned_text, sentence
from bmn.errors import Cause, JobFailure, Misconfigured
from bmn.logs import get_logger
from bmn.redaction import redact
from bmn.settings import Settings
from bmn.settings.proxies import proxies
from bmn.settings.web import is_loopback

if TYPE_CHECKING:
    from obstore.store import ClientConfig

log = get_logger(__name__)

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
_EXTENSIONS = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "video/mp4": ".mp4",
}
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")  # the store's machine word, as S3's XML has it
_UNFINISHED = "unfinished"  # beside `brands/`, on the same disk
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
    secret = settings.s3_secret_access_key.get_secret_value()
    key_id = settings.s3_access_key_id.get_secret_value()
    if not (settings.s3_endpoint and secret and key_id):
        raise Misconfigured(
            "STORAGE_BACKEND=s3 needs S3_ENDPOINT, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY.",
            hint="Or set STORAGE_BACKEND=local to keep objects in BMN_HOME.",
        )
    store = S3Store(
        settings.s3_bucket,
        endpoint=settings.s3_endpoint,
        region=settings.s3_region,
        access_key_id=key_id,
        secret_access_key=secret,
        virtual_hosted_style_request=False,
        client_options=_client_options(settings.s3_endpoint),
        retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=30)},
    )
    return Storage(settings, store, root=None)


def _client_options(endpoint: str) -> "ClientConfig":
    """Limits, and the way: said in any case, since the library would ask the environment by rules of its own."""
    options: ClientConfig = {
        "timeout": timedelta(seconds=30),
        "connect_timeout": timedelta(seconds=5),
        "allow_http": endpoint.startswith("http://"),
    }
    known = proxies()
    if proxy := known.proxy_for(endpoint):
        options["proxy_url"] = proxy
    elif spoken := [proxy.url for proxy in known.by_scheme.values() if proxy.is_spoken]:
        options["proxy_url"] = spoken[0]
        options["proxy_excludes"] = urlsplit(endpoint).hostname or ""
    return options


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
                await asyncio.to_thread(_put_local, self._root, key, data)
                return
            attributes = {"Content-Type": mime, "Cache-Control": _FOREVER}
            await obstore.put_async(self._store, key, data, attributes=attributes, use_multipart=False)
        except (BaseError, OSError) as problem:
            if self._root is None:
                await asyncio.to_thread(self._keep, key, data)
            raise _failed("written", key, problem) from problem
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
            raise _failed("read", key, problem) from problem

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
            raise _failed("read", key, problem) from problem

    async def head(self, key: str) -> int:
        """The size of an object in bytes. Raises FileNotFoundError."""
        await self._check_place(key)
        try:
            meta = await obstore.head_async(self._store, key)
        except FileNotFoundError:
            raise
        except (BaseError, OSError) as problem:
            raise _failed("looked up", key, problem) from problem
        return int(meta["size"])

    async def delete(self, key: str) -> None:
        """Deletes an object; one that is gone already is no error."""
        await self._check_place(key)
        try:
            await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            return
        except (BaseError, OSError) as problem:
            raise _failed("deleted", key, problem) from problem

    async def list(self, prefix: str = "brands") -> list[tuple[str, float]]:
        """Keys below a prefix, each with the time it was written, in seconds since 1970."""
        try:
            found = await obstore.list(self._store, prefix).collect_async()
        except (BaseError, OSError) as problem:
            raise _failed("listed", prefix, problem) from problem
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
        if self._root is not None and not await asyncio.to_thread(_inside, self._root, key):
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
        gone = 0
        unfinished = self._root / _UNFINISHED if self._root is not None else self._spool
        for path in {*self._spool.glob("*"), *unfinished.glob("*")}:
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    path.unlink()
                    gone += 1
        return gone


def _failed(done: str, key: str, problem: Exception) -> JobFailure:
    text = str(problem)
    found = _CODE.search(text)
    why = cleaned_text(found[1]) if found else type(problem).__name__
    log.warning("storage refused", key=key, problem=redact(sentence(f"{type(problem).__name__}: {text}") or ""))
    return JobFailure(Cause.STORAGE_FAILED, f"The object {key} could not be {done} ({why}).")


def _key_in(text: str) -> str | None:
    try:
        return check_key(unquote(text.split("?", 1)[0].split("#", 1)[0]))
    except ValueError:
        return None


def _inside(root: Path, key: str) -> bool:
    return (root / key).resolve() == root.resolve() / key


def _put_local(root: Path, key: str, data: bytes) -> None:
    """Whole or not at all, and past what a power cut could lose: the file, then the folder that names it.

    What a process that dies leaves behind stands where `Storage.sweep` finds it, and is listed nowhere.
    """
    path = root / key
    if not _inside(root, key):
        raise FileNotFoundError(key)
    unfinished = root / _UNFINISHED / uuid4().hex
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    try:
        with unfinished.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        failpoints.hit("storing")
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
