"""Rows of a file of brands: read whole, checked whole, before anything is asked for or paid."""

import csv
import difflib
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bmn.cli.order import Body
from bmn.cli.terminal.params import brand_name, color
from bmn.errors import UsageProblem
from bmn.names import key_of
from bmn.numbers import is_whole, whole
from bmn.schemas.base import Model
from bmn.schemas.documents import Product
from bmn.schemas.generators.logos import LogosBody
from bmn.schemas.kind import NEW_BRAND
from bmn.schemas.kit_requests import KitBody
from bmn.schemas.wording import flaws

MOST = 1000
_TOLD = 20  # problems that are named at once
_LINES = 5  # numbers of lines that have the same one
_LOGOS = {
    "style": "logoStyle",
    "colors": "colorPalette",
    "vision": "brandVision",
    "archetype": "archetype",
    "count": "count",
}
_KIT = _LOGOS | {
    "pick": "pick",
    "products": "products",
    "without": "without",
    "bundle": "bundleName",
    "bundle_style": "compositionStyle",
    "video_style": "videoStyle",
    "duration": "durationSeconds",
}
COLUMNS: dict[str, dict[str, str]] = {"logos": _LOGOS, "kit": _KIT}
"""The columns beside `brand`, and what each is called in the request."""

_BODIES: dict[str, type[Model]] = {"logos": LogosBody, "kit": KitBody}
_LISTS = ("colorPalette", "products", "without")
_NUMBERS = ("count", "pick", "durationSeconds")


@dataclass(frozen=True, slots=True)
class Row:
    """A row that can be submitted. line: of the file. body: the request but for the brand. key: what its contents make."""

    line: int
    brand: str
    body: Body
    key: str


def read_rows(path: Path, what: str, defaults: Mapping[str, object], catalogue: Sequence[Product] = ()) -> list[Row]:
    """The rows of a CSV or JSON lines file. what: `logos` or `kit`. defaults: what rows that say nothing else have.

    catalogue: the products there are. Raises UsageProblem, which names every row that will not do.
    """
    rows: list[Row] = []
    problems: dict[str, list[int]] = {}
    seen: dict[str, int] = {}
    for line, values in _raw(path):
        try:
            row = _row(what, line, values, defaults, catalogue)
        except ValueError as problem:
            problems.setdefault(str(problem), []).append(line)
            continue
        if row.key in seen:
            problems.setdefault(f"the same as line {seen[row.key]}", []).append(line)
        seen.setdefault(row.key, line)
        rows.append(row)
    if problems:
        more = f"\n  and {len(problems) - _TOLD} more" if len(problems) > _TOLD else ""
        told = "".join(f"\n  {_lines(lines)}: {problem}" for problem, lines in [*problems.items()][:_TOLD])
        raise UsageProblem(f"{path} cannot be used:{told}{more}", hint="Nothing was submitted. Correct the file.")
    if not rows:
        raise UsageProblem(f"{path} has no rows.", hint="The first line names the columns: brand, style, colors, ...")
    if len(rows) > MOST:
        raise UsageProblem(f"{path} has {len(rows)} rows, and {MOST} is the most.", hint="Split it.")
    return rows


def _lines(numbers: Sequence[int]) -> str:
    """`line 3`, or `lines 3, 4 and 12 more`: what is wrong with all of them alike is said once."""
    if len(numbers) == 1:
        return f"line {numbers[0]}"
    more = f" and {len(numbers) - _LINES} more" if len(numbers) > _LINES else ""
    return f"lines {', '.join(map(str, numbers[:_LINES]))}{more}"


def _raw(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Each row with the number of its line. Raises UsageProblem for a file that is neither CSV nor JSON lines."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageProblem(f"{path} cannot be read: {error}.", hint="It has to be text in UTF-8.") from None
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        yield from _json_lines(path, text)
        return
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True, delimiter=_delimiter(text))
    try:
        for values in reader:
            if any(value for value in values.values()):
                yield reader.line_num, {str(name or "").strip().lower(): value for name, value in values.items()}
    except csv.Error as error:
        raise UsageProblem(f"{path}, line {reader.line_num}: {error}.", hint="It has to be CSV.") from None


def _delimiter(text: str) -> str:
    """What stands between the columns: spreadsheets write semicolons where a comma is in their numbers, and tabs."""
    names = text.partition("\n")[0]
    return next((mark for mark in ",;\t" if mark in names), ",")


def _json_lines(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except ValueError as error:
            raise UsageProblem(f"{path}, line {number}: {error}.", hint="It has to be a JSON object a line.") from None
        if not isinstance(values, dict):
            raise UsageProblem(f"{path}, line {number} is no JSON object.", hint='Write it like {"brand": "Acme"}.')
        yield number, {name: value for name, value in values.items() if value is not None}


def _row(
    what: str, line: int, values: Mapping[str, Any], defaults: Mapping[str, object], catalogue: Sequence[Product]
) -> Row:
    """Raises ValueError with what is wrong."""
    columns = COLUMNS[what]
    if None in values.values() or "" in values:
        raise ValueError("has another number of fields than the first line")
    values = _by_column(values, ["brand", *columns])
    if not isinstance(name := values.get("brand"), str) or not name.strip():
        raise ValueError("brand is missing")
    given = {columns[column]: value for column, value in values.items() if column != "brand" and value not in ("", [])}
    own = {field: _value(field, value) for field, value in given.items()}
    if isinstance(palette := own.get("colorPalette"), list):
        own["colorPalette"] = [_color(each) for each in palette]
    body = {**defaults, **own}
    if "products" in body:
        body["products"] = [_slug(str(product), catalogue) for product in body["products"]]
    checked = _checked(what, body)
    brand = brand_name(name).strip()
    told = json.dumps([what, key_of(brand), checked], sort_keys=True)
    return Row(line, brand, checked, f"row-{hashlib.sha256(told.encode()).hexdigest()[:40]}")


def _by_column(values: Mapping[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    """The values by the names of our columns, which may be written in the singular or the plural. Raises ValueError."""
    found: dict[str, Any] = {}
    for header, value in values.items():
        word = header.strip().lower().replace("-", "_").replace(" ", "_")
        name = next((each for each in (word, f"{word}s", word.removesuffix("s")) if each in columns), None)
        if name is None:
            near = difflib.get_close_matches(word, columns, n=1)
            guess = f" Did you mean {near[0]}?" if near else ""
            raise ValueError(f"there is no column {header}.{guess} The columns are {', '.join(columns)}")
        if name in found:
            raise ValueError(f"the column {name} is there twice")
        found[name] = value
    return found


def _checked(what: str, body: Mapping[str, object]) -> Body:
    try:
        found = _BODIES[what].model_validate({**body, "brandId": NEW_BRAND, "newBrand": {"name": "New brand"}})
    except ValidationError as error:
        flaw = flaws(error)[0]
        column = next((column for column, name in COLUMNS[what].items() if name == flaw.field), flaw.field)
        raise ValueError(f"{column} {flaw.words}".strip()) from None
    return {name: value for name, value in found.dump().items() if name in body}


def _value(field: str, value: Any) -> Any:
    """A cell of a CSV file is a text: lists are written with semicolons, numbers with digits."""
    if not isinstance(value, str):
        return value
    if field in _LISTS:
        return [part.strip() for part in value.split(";") if part.strip()]
    return whole(value.strip()) if field in _NUMBERS and is_whole(value.strip()) else value.strip()


def _color(value: object) -> object:
    """As `--color` reads it; what is no text is left to the request's own check. Raises ValueError."""
    if not isinstance(value, str):
        return value
    try:
        return color(value)
    except ValueError as problem:
        raise ValueError(f"colors: {problem}") from None


def _slug(name: str, catalogue: Sequence[Product]) -> str:
    fits = [product.slug for product in catalogue if name in (product.id, product.slug, product.name)]
    fits = fits or [product.slug for product in catalogue if product.slug.startswith(name.lower())]
    if len(fits) != 1:
        raise ValueError(f"there is no product {name!r}; the products are {', '.join(each.slug for each in catalogue)}")
    return fits[0]
