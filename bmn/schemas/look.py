"""A brand's look: palette, style and character. What was asked for once stays, until somebody says that it changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

from pydantic import Field, StringConstraints

from bmn.colors import main_color
from bmn.schemas.base import Model, Name, Palette, Text, Vision

LogoStyle = Literal["minimal", "bold", "vintage", "modern", "playful"]
LookChoice = Annotated[
    Literal["keep", "change"],
    Field(
        description="What becomes of the brand's own look where this one differs: `keep` leaves it as it is, which is the"
        " default; `change` makes this one the brand's from now on."
    ),
]


class BrandBody(Model):
    """A new brand. Generators take what its record says as their defaults."""

    name: Name
    vision: Vision | None = None
    archetype: Annotated[Text, StringConstraints(max_length=200)] | None = None
    color_palette: Palette | None = None
    logo_style: LogoStyle | None = None


COLUMNS = ("color_palette", "logo_style", "archetype")
"""The fields of a brand's record that are its look."""


@dataclass(frozen=True, slots=True)
class Look:
    """None: of what nothing is settled yet."""

    color_palette: list[str] | None
    logo_style: str | None
    archetype: str | None


class HasLook(Protocol):
    """A brand's record, the document that shows it, or a look alone."""

    @property
    def color_palette(self) -> list[str] | None: ...
    @property
    def logo_style(self) -> str | None: ...
    @property
    def archetype(self) -> str | None: ...


def missing(brand: HasLook, asked: Mapping[str, object]) -> dict[str, object]:
    """What of a look the brand does not have yet. asked: by the names of the record's fields."""
    return {name: asked[name] for name in COLUMNS if asked.get(name) and not getattr(brand, name)}


def differing(brand: HasLook, asked: Mapping[str, object]) -> dict[str, object]:
    """What of a look is another than the brand has."""
    known = {name: getattr(brand, name) for name in COLUMNS}
    return {
        name: asked[name] for name in COLUMNS if asked.get(name) and known[name] and not _same(asked[name], known[name])
    }


def told(brand: HasLook, other: Mapping[str, object]) -> str:
    """`green (#283618) instead of brown (#6F4E37), bold instead of modern`. other: what differs."""
    return ", ".join(f"{_words(value)} instead of {_words(getattr(brand, name))}" for name, value in other.items())


def _words(value: object) -> str:
    if isinstance(value, list):
        return f"{main_color(value)} ({' '.join(value)})"
    return str(value)


def _same(one: object, other: object) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return [str(code).upper() for code in one] == [str(code).upper() for code in other]
    return str(one).casefold() == str(other).casefold()
