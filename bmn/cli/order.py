"""What a generator's command asks for: the options that all have, the brand it is for, and how its body is built."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bmn.client import Client  # help is shown without it


@dataclass(frozen=True, slots=True)
class Options:
    """What every generator takes. timeout: seconds. images: a mode of `bmn.cli.following.pictures`, None detects.

    record: what a new brand is made of, beside its name. refines: it starts from a picture of the brand.
    asks_look: what it proposes of the brand's look is asked about at the end.
    terms: when it is to be done, as fields of the request. bell, command: what happens after the end.
    """

    brand: str
    out: Path | None
    detach: bool
    dry_run: bool
    timeout: float | None
    strict: bool
    idempotency_key: str
    images: str | None
    record: Mapping[str, object] = field(default_factory=dict)
    refines: bool = False
    asks_look: bool = False
    terms: Mapping[str, object] = field(default_factory=dict)
    bell: bool = False
    command: str | None = None


@dataclass(frozen=True, slots=True)
class BrandTarget:
    """The brand that something is made for. id: empty for one that a dry run only imagines."""

    id: str
    name: str


Body = dict[str, object]
Builder = Callable[["Client", BrandTarget], Awaitable[Body]]
"""Makes a request's body; a field that is None is left out."""
