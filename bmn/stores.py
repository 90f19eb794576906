"""Where bytes are kept: a folder of this machine, or a bucket of an S3 service, through obstore."""

import contextlib
import os
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit
from uuid import uuid4

from obstore.store import S3Store

from bmn import failpoints
from bmn.cleaning import cleaned_text, sentence
from bmn.errors import Cause, JobFailure, Misconfigured
from bmn.logs import get_logger
from bmn.redaction import redact
from bmn.settings import Settings
from bmn.settings.proxies import proxies

if TYPE_CHECKING:
    from obstore.store import ClientConfig

log = get_logger(__name__)

UNFINISHED = "unfinished"
"""The folder for what is being written, on the same disk as what is finished."""

_CODE = re.compile(r"<Code>(\w{1,60})</Code>")  # the store's machine word, as S3's XML has it


def open_bucket(settings: Settings, bucket: str) -> S3Store:
    """A bucket of the S3 service that the settings name. Raises Misconfigured where an endpoint or a key is missing."""
    secret = settings.s3_secret_access_key.get_secret_value()
    key_id = settings.s3_access_key_id.get_secret_value()
    if not (settings.s3_endpoint and secret and key_id):
        raise Misconfigured(
            "STORAGE_BACKEND=s3 needs S3_ENDPOINT, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY.",
            hint="Or set STORAGE_BACKEND=local to keep objects in BMN_HOME.",
        )
    return S3Store(
        bucket,
        endpoint=settings.s3_endpoint,
        region=settings.s3_region,
        access_key_id=key_id,
        secret_access_key=secret,
        virtual_hosted_style_request=False,
        client_options=_client_options(settings.s3_endpoint),
        retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=30)},
    )


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


def failed(done: str, key: str, problem: Exception) -> JobFailure:
    """What became of an object, in words; the store's own go into the log. done: written, read, deleted …"""
    text = str(problem)
    found = _CODE.search(text)
    why = cleaned_text(found[1]) if found else type(problem).__name__
    log.warning("storage refused", key=key, problem=redact(sentence(f"{type(problem).__name__}: {text}") or ""))
    return JobFailure(Cause.STORAGE_FAILED, f"The object {key} could not be {done} ({why}).")


def is_inside(root: Path, key: str) -> bool:
    """Whether no link in the folder leads a key out of it. Each part is looked at, at a third of what `resolve` costs."""
    path, parts = root, key.split("/")
    for part in parts:
        path = path / part
        if path.is_symlink():
            return False
    return not any(part in ("", ".", "..") for part in parts)


def put_local(root: Path, key: str, data: bytes) -> None:
    """Writes a file whole or not at all, and past what a power cut could lose: the file, then the folders that lead to it.

    What a process that dies leaves behind stands in the folder's `unfinished`, and is listed nowhere.
    Raises FileNotFoundError where a link in the folder would lead out of it.
    """
    path = root / key
    if not is_inside(root, key):
        raise FileNotFoundError(key)
    unfinished = root / UNFINISHED / uuid4().hex
    try:
        with _new_file(unfinished) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        failpoints.hit("storing")
        new = _move(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    for folder in (path.parent, *(each.parent for each in new)):
        _keep_names(folder)


def _new_file(path: Path) -> BinaryIO:
    """Its folder is there, but for the first time."""
    try:
        return path.open("xb")
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("xb")


def _move(file: Path, path: Path) -> list[Path]:
    """Gives a file its place; returns the folders that were made for it, which are most often there."""
    try:
        file.replace(path)
        return []
    except FileNotFoundError:
        new = [folder for folder in path.parents if not folder.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        file.replace(path)
        return new


def sweep_unfinished(folder: Path, before: float) -> int:
    """Deletes what was begun in a folder before that time, in seconds since 1970; returns how many files that was."""
    gone = 0
    for path in folder.glob("*"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                path.unlink()
                gone += 1
    return gone


def _keep_names(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
