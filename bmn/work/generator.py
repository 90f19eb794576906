"""A generator whole: what people know of it, its queue, and what it asks of which model for how much."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bmn.jobs.queue import Queue
from bmn.providers.prices import ModelPrice
from bmn.schemas.kind import Kind


@dataclass(frozen=True, slots=True)
class Maker:
    """Who makes it. provider, and the setting that names its model. usd: what the model's price makes of a payload."""

    provider: str
    model: str
    usd: Callable[[ModelPrice, Any], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """The declaration that a module of `bmn.work.generators` makes; everything else is derived from it.

    provider, and the setting that names its model. prompts: what a payload makes the model be asked. usd: what the model's
    price makes of it. others: who else can make it, in the queue's `providers` too.
    """

    kind: Kind
    queue: Queue
    provider: str
    model: str
    prompts: Callable[[Any], list[str]]
    usd: Callable[[ModelPrice, Any], float]
    others: tuple[Maker, ...] = ()

    def maker(self, provider: str | None) -> Maker:
        """The one of that name; the usual one where it is none of these."""
        usual = Maker(self.provider, self.model, self.usd)
        return next((each for each in self.others if each.provider == provider), usual)
