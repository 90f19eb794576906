"""The files of the archive: one a batch, named by time and by what is in them, in a folder or a bucket."""

import asyncio
import hashlib
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil, floor
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore

from bmn.errors import Cause, JobFailure, Misconfigured
from bmn.settings import Settings
from bmn.stores import UNFINISHED, failed, open_bucket, put_local, sweep_unfinished

_PREFIX = "archive"
_TIME = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(
    rf"{_PREFIX}/(?P<book>[a-z_]+)/[0-9]{{4}}-[0-9][0-9]/(?P<written>[0-9]{{8}}T[0-9]{{6}}Z)_(?P<since>[0-9]{{8}}T[0-9]{{6}}Z)"
    r"_(?P<upto>[0-9]{8}T[0-9]{6}Z)_(?P<rows>[0-9]+)_(?P<digest>[0-9a-f]{64})\.jsonl\.zst"
)
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """One batch. written: when. since, upto: between which times its rows lie. All in whole seconds since 1970.

    rows: of the book, without what belongs to them. digest: SHA-256 of the file.
    """

    book: str
    written: int
    since: int
    upto: int
    rows: int
    digest: str

    @property
    def key(self) -> str:
        """Where it is. Other bytes have another name, so nothing is ever overwritten by something else."""
        month = datetime.fromtimestamp(self.written, UTC).strftime("%Y-%m")
        times = "_".join(map(_spelled, (self.written, self.since, self.upto)))
        return f"{_PREFIX}/{self.book}/{month}/{times}_{self.rows}_{self.digest}.jsonl.zst"

    @classmethod
    def of_key(cls, key: str) -> "ArchiveFile | None":
        """By its name; None for a name that is none of ours."""
        found = _NAME.fullmatch(key)
        if found is None:
            return None
        book, *times, rows, digest = found.groups()
        written, since, upto = map(_read, times)
        return cls(book, written, since, upto, int(rows), digest)


class Archive:
    """Writes, lists, reads and deletes files. Raises JobFailure(STORAGE_FAILED) where the store does not.

    days: for how long a file is kept.
    """

    def __init__(self, store: Any, *, root: Path | None, days: int) -> None:
        self._store = store
        self._root = root
        self.days = days

    async def write(
        self, book: str, data: bytes, *, since: float, upto: float, rows: int, written: int | None = None
    ) -> ArchiveFile:
        """Stores a file; it is on the disk, or with the S3 service, when this returns."""
        now = int(time.time()) if written is None else written
        file = ArchiveFile(book, now, floor(since), ceil(upto), rows, hashlib.sha256(data).hexdigest())
        try:
            if self._root is not None:
                await asyncio.to_thread(put_local, self._root, file.key, data)
            else:
                attributes = {"Content-Type": "application/zstd"}
                await obstore.put_async(self._store, file.key, data, attributes=attributes, use_multipart=False)
        except (BaseError, OSError) as problem:
            raise failed("written", file.key, problem) from problem
        return file

    async def read(self, file: ArchiveFile) -> bytes:
        """The bytes of a file. Raises also where they are not those that were written."""
        try:
            data = bytes(await (await obstore.get_async(self._store, file.key)).bytes_async())
        except (BaseError, OSError) as problem:
            raise failed("read", file.key, problem) from problem
        if hashlib.sha256(data).hexdigest() != file.digest:
            raise JobFailure(Cause.STORAGE_FAILED, f"The object {file.key} is damaged: its checksum is another one.")
        return data

    async def list(self, book: str = "") -> "list[ArchiveFile]":
        """All files, or those of a book, the oldest rows first."""
        prefix = f"{_PREFIX}/{book}" if book else _PREFIX
        try:
            found = await obstore.list(self._store, prefix).collect_async()
        except (BaseError, OSError) as problem:
            raise failed("listed", prefix, problem) from problem
        files = [file for meta in found if (file := ArchiveFile.of_key(meta["path"]))]
        return sorted(files, key=lambda file: (file.upto, file.key))

    async def delete(self, file: ArchiveFile) -> None:
        """Deletes a file; one that is gone already is no error."""
        try:
            await obstore.delete_async(self._store, file.key)
        except FileNotFoundError:
            return
        except (BaseError, OSError) as problem:
            raise failed("deleted", file.key, problem) from problem

    async def drop_old(self) -> int:
        """Deletes the files that are older than they are kept, and what was never written to its end; how many files."""
        before = time.time() - self.days * _DAY
        old = [file for file in await self.list() if file.written < before]
        for file in old:
            await self.delete(file)
        if self._root is not None:
            await asyncio.to_thread(sweep_unfinished, self._root / UNFINISHED, time.time() - _DAY)
        return len(old)


def open_archive(settings: Settings) -> Archive | None:
    """The archive that rows are written to; None where the settings ask for none. Raises as `find_archive` does."""
    return find_archive(settings) if settings.bmn_archive_days else None


def find_archive(settings: Settings) -> Archive:
    """The archive, also one that nothing is written to any more.

    Raises Misconfigured where a bucket that anybody reads would hold it, or S3 lacks an endpoint or a key.
    """
    if settings.storage_backend == "local":
        root = settings.bmn_home / _PREFIX
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Archive(LocalStore(str(root), automatic_cleanup=True), root=root, days=settings.bmn_archive_days)
    bucket = settings.bmn_archive_bucket or settings.s3_bucket
    if settings.public_base_url and bucket == settings.s3_bucket:
        raise Misconfigured(
            f"The archive would be in {bucket}, which PUBLIC_BASE_URL opens to everybody.",
            hint="Name a private bucket in BMN_ARCHIVE_BUCKET.",
        )
    return Archive(open_bucket(settings, bucket), root=None, days=settings.bmn_archive_days)


def _spelled(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime(_TIME)


def _read(text: str) -> int:
    return int(datetime.strptime(text, _TIME).replace(tzinfo=UTC).timestamp())
