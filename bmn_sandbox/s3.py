"""An S3 object store at `/s3/{bucket}/{key}`, path-style, for what a client of pictures needs.

Signatures must be there and are not verified. Uploads in parts are refused: pictures go in one piece.
"""

import asyncio
import hashlib
import re
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bmn_sandbox.state import Sandbox

PROVIDER = "s3"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS s3_objects (
    bucket TEXT NOT NULL, key TEXT NOT NULL, file TEXT NOT NULL, etag TEXT NOT NULL, size INTEGER NOT NULL,
    modified REAL NOT NULL, headers TEXT NOT NULL, PRIMARY KEY (bucket, key)
) WITHOUT ROWID;
"""
_KEPT_HEADERS = ("content-type", "cache-control", "content-disposition", "content-encoding", "content-language")
_MESSAGES = {
    "AccessDenied": (403, "Access Denied"),
    "NoSuchKey": (404, "The specified key does not exist."),
    "PreconditionFailed": (412, "At least one of the pre-conditions you specified did not hold"),
    "InvalidRange": (416, "The requested range is not satisfiable"),
    "NotImplemented": (501, "A header or parameter you provided implies functionality that is not implemented"),
    "MalformedXML": (400, "The XML you provided was not well-formed"),
}
Handler = Callable[[Request, str, str], Awaitable[Response]]


def error_body(status: int) -> dict[str, Any]:
    """The real body is XML; clients look at the status alone."""
    return {"Code": {503: "SlowDown", 500: "InternalError", 403: "AccessDenied"}.get(status, "Error"), "Status": status}


@dataclass(frozen=True, slots=True)
class Item:
    """One object. file: its name in the folder. headers: those that were sent with it."""

    key: str
    file: str
    etag: str
    size: int
    modified: float
    headers: dict[str, str]

    def described(self) -> dict[str, str]:
        return {
            **self.headers,
            "etag": self.etag,
            "last-modified": formatdate(self.modified, usegmt=True),
            "accept-ranges": "bytes",
        }


def routes(sandbox: Sandbox) -> list[Route]:
    shelf = Shelf(sandbox)
    return [
        Route("/s3/{bucket}/{key:path}", _signed(shelf.put), methods=["PUT"], name="put"),
        Route("/s3/{bucket}/{key:path}", _signed(shelf.get), methods=["GET"], name="get"),
        Route("/s3/{bucket}/{key:path}", _signed(shelf.delete), methods=["DELETE"], name="delete"),
        Route("/s3/{bucket}/{key:path}", _signed(shelf.post), methods=["POST"], name="post"),
        Route("/s3/{bucket}", _signed(shelf.listing), methods=["GET"], name="list"),
        Route("/s3/{bucket}", _signed(shelf.post), methods=["POST"], name="post"),
    ]


def _signed(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Requires a signature in the header, or one in the address that has not expired."""

    async def checked(request: Request) -> Response:
        query = request.query_params
        in_header = request.headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 ")
        if not in_header and not query.get("X-Amz-Signature"):
            return _error("AccessDenied")
        if not in_header and _expired(query.get("X-Amz-Date", ""), query.get("X-Amz-Expires", "0")):
            return _error("AccessDenied", "Request has expired")
        return await handler(request, request.path_params["bucket"], request.path_params.get("key", ""))

    return checked


class Shelf:
    def __init__(self, sandbox: Sandbox) -> None:
        self.folder = sandbox.state_dir / "s3"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._db = sandbox.store.db
        self._db.executescript(_SCHEMA)

    async def put(self, request: Request, bucket: str, key: str) -> Response:
        if "partNumber" in request.query_params:
            return _error("NotImplemented")
        old = self._find(bucket, key)
        if request.headers.get("if-none-match") == "*" and old:
            return _error("PreconditionFailed")
        if (wanted := request.headers.get("if-match")) and (old is None or old.etag != wanted):
            return _error("PreconditionFailed")
        headers = {name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers}
        headers |= {name: value for name, value in request.headers.items() if name.startswith("x-amz-meta-")}
        source = request.headers.get("x-amz-copy-source")
        content = await request.body()
        if source:
            from_bucket, _, from_key = unquote(source).lstrip("/").removeprefix("s3/").partition("/")
            original = self._find(from_bucket, from_key)
            if original is None:
                return _error("NoSuchKey")
            content, headers = await asyncio.to_thread(self._path(original.file).read_bytes), original.headers
        item = await self._keep(bucket, key, content, headers)
        if old:
            self._path(old.file).unlink(missing_ok=True)
        if source:
            return _xml(f"<CopyObjectResult><ETag>{escape(item.etag)}</ETag></CopyObjectResult>")
        return Response(status_code=200, headers={"etag": item.etag})

    async def get(self, request: Request, bucket: str, key: str) -> Response:
        """GET and HEAD, whole or in a range; an empty key is a listing."""
        if not key:
            return await self.listing(request, bucket, key)
        item = self._find(bucket, key)
        if item is None:
            return _error("NoSuchKey")
        if request.headers.get("if-none-match") in (item.etag, "*"):
            return Response(status_code=304, headers={"etag": item.etag})
        if request.headers.get("if-match", item.etag) not in (item.etag, "*"):
            return _error("PreconditionFailed")
        if request.method == "HEAD":
            return Response(headers={**item.described(), "content-length": str(item.size)})
        content = await asyncio.to_thread(self._path(item.file).read_bytes)
        wanted = request.headers.get("range")
        if wanted is None:
            return Response(content, headers=item.described())
        span = _span(wanted, item.size)
        if span is None:
            return _error("InvalidRange")
        start, end = span
        described = {**item.described(), "content-range": f"bytes {start}-{end - 1}/{item.size}"}
        return Response(content[start:end], 206, headers=described)

    async def delete(self, _request: Request, bucket: str, key: str) -> Response:
        self._remove(bucket, key)
        return Response(status_code=204)

    async def post(self, request: Request, bucket: str, _key: str) -> Response:
        """`?delete` removes many objects; anything else would be an upload in parts."""
        if "delete" not in request.query_params:
            return _error("NotImplemented")
        try:
            tree = ElementTree.fromstring(await request.body())
        except ElementTree.ParseError:
            return _error("MalformedXML")
        keys = [found.text or "" for found in tree.iter() if found.tag.rpartition("}")[2] == "Key"]
        for key in keys:
            self._remove(bucket, key)
        gone = "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys)
        return _xml(f'<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{gone}</DeleteResult>')

    async def listing(self, request: Request, bucket: str, _key: str) -> Response:
        query = request.query_params
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        after = query.get("continuation-token") or query.get("start-after", "")
        most = min(1000, int(query.get("max-keys", "1000")))
        contents: list[str] = []
        groups: list[str] = []
        last, more = "", False
        for item in self._below(bucket, prefix, after):
            rest = item.key[len(prefix) :]
            group = prefix + rest.partition(delimiter)[0] + delimiter if delimiter and delimiter in rest else ""
            if group and (group in groups or after.startswith(group)):
                continue
            if len(contents) + len(groups) >= most:
                more = True
                break
            last = group or item.key
            if group:
                groups.append(group)
            else:
                contents.append(_listed(item))
        token = f"<NextContinuationToken>{escape(last)}</NextContinuationToken>" if more else ""
        shared = "".join(f"<CommonPrefixes><Prefix>{escape(one)}</Prefix></CommonPrefixes>" for one in groups)
        return _xml(
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{escape(bucket)}</Name><Prefix>{escape(prefix)}</Prefix><MaxKeys>{most}</MaxKeys>"
            f"<KeyCount>{len(contents) + len(groups)}</KeyCount><IsTruncated>{str(more).lower()}</IsTruncated>"
            f"{token}{''.join(contents)}{shared}</ListBucketResult>"
        )

    async def _keep(self, bucket: str, key: str, content: bytes, headers: dict[str, str]) -> Item:
        etag = f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
        item = Item(key, uuid.uuid4().hex, etag, len(content), time.time(), headers)
        await asyncio.to_thread(self._path(item.file).write_bytes, content)
        self._db.execute(
            "INSERT OR REPLACE INTO s3_objects VALUES (?,?,?,?,?,?,?)",
            (bucket, key, item.file, etag, item.size, item.modified, _packed(headers)),
        )
        return item

    def _remove(self, bucket: str, key: str) -> None:
        if item := self._find(bucket, key):
            self._db.execute("DELETE FROM s3_objects WHERE bucket = ? AND key = ?", (bucket, key))
            self._path(item.file).unlink(missing_ok=True)

    def _find(self, bucket: str, key: str) -> Item | None:
        found = self._below(bucket, key, "", only=True)
        return found[0] if found else None

    def _below(self, bucket: str, prefix: str, after: str, *, only: bool = False) -> list[Item]:
        """The objects whose key begins with a prefix, in order; only: the one whose key it is."""
        match = "key = ?2" if only else "substr(key, 1, length(?2)) = ?2 AND key > ?3"
        rows = self._db.execute(
            f"SELECT key, file, etag, size, modified, headers FROM s3_objects WHERE bucket = ?1 AND {match} ORDER BY key",
            (bucket, prefix) if only else (bucket, prefix, after),
        ).fetchall()
        return [
            Item(key, file, etag, size, modified, _unpacked(headers))
            for key, file, etag, size, modified, headers in rows
        ]

    def _path(self, file: str) -> Path:
        return self.folder / file


def _packed(headers: dict[str, str]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in headers.items())


def _unpacked(text: str) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in text.splitlines())


def _listed(item: Item) -> str:
    modified = datetime.fromtimestamp(item.modified, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return (
        f"<Contents><Key>{escape(item.key)}</Key><LastModified>{modified}</LastModified><ETag>{escape(item.etag)}</ETag>"
        f"<Size>{item.size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
    )


def _span(header: str, size: int) -> tuple[int, int] | None:
    """Start and end of `bytes=a-b`, `bytes=a-` or `bytes=-n`; None where it lies outside."""
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", header)
    if not found or not (found[1] or found[2]):
        return None
    if not found[1]:
        return (max(0, size - int(found[2])), size) if int(found[2]) else None
    start = int(found[1])
    end = min(size, int(found[2]) + 1) if found[2] else size
    return (start, end) if start < end else None


def _expired(date: str, seconds: str) -> bool:
    try:
        signed = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return time.time() > signed.timestamp() + int(seconds)
    except ValueError:
        return True


def _xml(body: str, status: int = 200) -> Response:
    return Response(f'<?xml version="1.0" encoding="UTF-8"?>\n{body}', status, media_type="application/xml")


def _error(code: str, message: str | None = None) -> Response:
    status, words = _MESSAGES[code]
    return _xml(f"<Error><Code>{code}</Code><Message>{escape(message or words)}</Message></Error>", status)
