"""A batch as a file: lines of JSON, compressed. The first says what it is, each other one is a row.

A row that belongs to another one follows it. A column without a value is left out, so that `null` is a document's own.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from bmn import __version__
from bmn.db.keeping.archiving import Group, Scalar, StoredRow, Values, shape_of
from bmn.errors import UsageProblem

_FORMAT = 1


class _Head(BaseModel):
    """The first line. columns: by table, those that it had."""

    format: int = _FORMAT
    release: str = __version__
    book: str
    columns: dict[str, tuple[str, ...]]


class _ArchivedRow(BaseModel):
    """A row. exact: documents whose text is not as we would write them, as it stood."""

    model_config = ConfigDict(extra="forbid")

    table: str
    row: dict[str, Any]
    exact: dict[str, str] = Field(default_factory=dict)


def pack(book: str, groups: Sequence[Group], *, ascii_only: bool) -> bytes:
    """The file of a batch. ascii_only: how the database that it comes from spells documents."""
    head = _Head(book=book, columns={row.table: row.columns for group in groups for row in group})
    documents = {table: shape_of(table).documents for table in head.columns}
    lines = [head.model_dump_json()]
    lines += [_line(row, documents[row.table], ascii_only=ascii_only) for group in groups for row in group]
    return _compressed(("\n".join(lines) + "\n").encode())


def unpack(data: bytes) -> Iterator[Group]:
    """The rows of a file, each with what belongs to it.

    Raises UsageProblem where the file was written by a newer release, ValueError where it is damaged.
    """
    lines = _decompressed(data).decode().rstrip("\n").split("\n")
    head = _Head.model_validate_json(lines[0])
    if head.format != _FORMAT or not _is_known(head.columns):
        raise UsageProblem(
            f"A file of the archive was written by bmn {head.release}; this is {__version__}.",
            hint="Read it with that release, or a newer one.",
        )
    documents = {table: shape_of(table).documents for table in head.columns}
    group: list[StoredRow] = []
    for text in lines[1:]:
        line = _ArchivedRow.model_validate_json(text)
        columns = head.columns[line.table]
        row = StoredRow(line.table, columns, _values(line, columns, documents[line.table]))
        if line.table == head.book and group:
            yield tuple(group)
            group = []
        group.append(row)
    if group:
        yield tuple(group)


def _line(row: StoredRow, documents: frozenset[str], *, ascii_only: bool) -> str:
    values: dict[str, Any] = {}
    exact: dict[str, str] = {}
    for name, value in zip(row.columns, row.values, strict=True):
        if name in documents and isinstance(value, str):
            document = json.loads(value)
            if json.dumps(document, ensure_ascii=ascii_only) == value:
                values[name] = document
            else:
                exact[name] = value
        elif value is not None:
            values[name] = value
    line = {"table": row.table, "row": values, **({"exact": exact} if exact else {})}
    return json.dumps(line, ensure_ascii=False)


def _values(line: _ArchivedRow, columns: tuple[str, ...], documents: frozenset[str]) -> Values:
    return tuple(_value(line, name, is_document=name in documents) for name in columns)


def _value(line: _ArchivedRow, name: str, *, is_document: bool) -> Scalar:
    if name in line.exact:
        return line.exact[name]
    if name not in line.row:
        return None
    value: Scalar = line.row[name]
    return json.dumps(value) if is_document else value


def _is_known(columns: Mapping[str, tuple[str, ...]]) -> bool:
    try:
        return all(set(names) <= set(shape_of(table).columns) for table, names in columns.items())
    except KeyError:
        return False


# The library is looked for when it is needed: most installations keep no archive.


def _compressed(data: bytes) -> bytes:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return bytes(zstd.compress(data, options={int(zstd.CompressionParameter.checksum_flag): 1}))


def _decompressed(data: bytes) -> bytes:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    try:
        return bytes(zstd.decompress(data))
    except zstd.ZstdError as error:
        raise ValueError(f"not to be decompressed: {error}") from error
