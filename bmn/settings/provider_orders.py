"""Who makes what, as one setting: for a queue, its providers in their order."""

import re
from dataclasses import dataclass

_ALIASES = {"flux": "bfl", "gemini": "google"}
_NAME = re.compile(r"[a-z][a-z-]*")


@dataclass(frozen=True, slots=True)
class ProviderOrder:
    """providers: of a queue; the first one that is not out makes what it orders."""

    queue: str
    providers: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.queue}={','.join(self.providers)}"


def orders(text: str) -> tuple[ProviderOrder, ...]:
    """`logo-generation=bfl,openai,google mockup-generation=openai,google`. Raises ValueError."""
    found: dict[str, list[str]] = {}
    queue = ""
    for part in filter(None, re.split(r"[\s,;]+", re.sub(r"\s*=\s*", "=", text.lower()))):
        name, is_queue, first = part.partition("=")
        if is_queue:
            queue = name
            if queue in found:
                raise ValueError(f"{queue} stands in it twice")
            found[queue] = []
        provider = first if is_queue else name
        if not (_NAME.fullmatch(queue) and _NAME.fullmatch(provider)):
            raise ValueError("it has to look like logo-generation=bfl,openai,google mockup-generation=openai,google")
        found[queue].append(_ALIASES.get(provider, provider))
    for queue, names in found.items():
        if len(set(names)) < len(names):
            raise ValueError(f"{queue} names a provider twice")
    return tuple(ProviderOrder(queue, tuple(names)) for queue, names in found.items())
