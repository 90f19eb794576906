"""A generator whole: what people know of it, its queue, and what it asks of which model for how much."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bmn.jobs.queue import Queue
from bmn.providers.prices import Price
from bmn.schemas.kind import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """The declaration that a module of `bmn.work.generators` makes; everything else is derived from it.

    provider, and the setting that names its model. prompts: what a payload makes the model be asked. usd: what the model's
    price makes of it.
    """

    kind: Kind
    queue: Queue
    provider: str
    model: str
    prompts: Callable[[Any], list[str]]
    usd: Callable[[Price, Any], float]
