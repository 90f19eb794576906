"""`bmn config`: every setting, its value, and where the value comes from."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated

import typer
from pydantic import SecretStr

from bmn.cli.base import examples, group
from bmn.cli.terminal.cells import Cell, Column
from bmn.cli.terminal.console import console
from bmn.settings import GROUPS, Settings, load_settings, origin_of

_MASK = "••••••••"
_FEW = 10
_ADDRESSES = ("api_address", "public_address", "redis_address", "database_address", "sandbox_address")


def _alone(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        _show(only_set=not console.json, further=True)


app = group(
    "The settings in effect. Precedence: flag, environment, `.env` (development), a running `bmn serve`, default.",
    "bmn config",
    "bmn config show --changed",
    "bmn config --json",
    alone=_alone,
)


@app.command(cls=examples("bmn config show", "bmn config show --changed"))
def show(
    changed: Annotated[bool, typer.Option("--changed", "--set", help="Only what is not a default.")] = False,
) -> None:
    """Every setting with its origin; secrets are masked."""
    _show(only_set=changed)


def _show(*, only_set: bool, further: bool = False) -> None:
    """further: it says that there are more."""
    from bmn.redaction import redact

    settings = load_settings()
    everything = _rows(settings)
    rows = [row for row in everything if not (only_set and row.origin == "default")]
    addresses = {name: redact(getattr(settings, name)) for name in _ADDRESSES}
    if console.json:
        console.document({"settings": [asdict(row) for row in rows], "addresses": addresses})
        return
    if rows:
        console.table((Column("SETTING"), Column("VALUE", flexible=True), Column("FROM")), list(_in_groups(rows)))
    if further:
        console.hint(f"{len(everything) - len(rows)} more have their defaults: bmn config show")
    console.answer()
    console.table((Column("TALKS TO"), Column("", flexible=True)), list(addresses.items()))
    console.next_step("bmn doctor", "bmn help environment")


@dataclass(frozen=True, slots=True)
class _Row:
    """A setting as it is shown. group: which it stands in. origin: where its value comes from."""

    group: str
    name: str
    value: str | int | float | bool | None
    origin: str


def _in_groups(rows: list[_Row]) -> Iterator[tuple[Cell, Cell, Cell]]:
    """The rows below the names of their groups, which a list of a few does without."""
    group = ""
    for row in rows:
        if row.group != group and len(rows) > _FEW:
            yield (row.group, "bold"), "", ""
        group = row.group
        yield row.name, _text(row.value), row.origin


def _rows(settings: Settings) -> list[_Row]:
    rows, group = [], ""
    for field in Settings.model_fields:
        group = GROUPS.get(field, group)
        rows.append(_Row(group, field.upper(), _shown(getattr(settings, field)), origin_of(field)))
    return rows


def _shown(value: object) -> str | int | float | bool | None:
    """A value for people and JSON. A secret shows whether it is set, never what it is or how long."""
    if isinstance(value, SecretStr):
        return _MASK if value.get_secret_value() else ""
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, dict):
        return ",".join(f"{name}={each}" for name, each in value.items())
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _text(value: object) -> str:
    return "" if value is None else str(value)
