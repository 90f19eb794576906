"""What the vendors' models cost, in US dollars. PRICE_TABLE names a JSON file of the same shape that overrides it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bmn.errors import Misconfigured

MOST_TOKENS = 10**8  # of one call


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """What one model costs. Unused members stay 0.

    text_in, image_in, text_out, image_out: a million tokens. picture: one picture where tokens are not told.
    first_mp, further_mp, input_mp: a megapixel. second: of video. call: one mail.
    """

    text_in: float = 0.0
    image_in: float = 0.0
    text_out: float = 0.0
    image_out: float = 0.0
    picture: float = 0.0
    first_mp: float = 0.0
    further_mp: float = 0.0
    input_mp: float = 0.0
    second: float = 0.0
    call: float = 0.0

    def tokens(self, *, text_in: float = 0, image_in: float = 0, text_out: float = 0, image_out: float = 0) -> float:
        """US dollars for these tokens, as many as a vendor says, within reason."""
        read = ((text_in, self.text_in), (image_in, self.image_in))
        written = ((text_out, self.text_out), (image_out, self.image_out))
        return sum(min(max(number, 0), MOST_TOKENS) * price for number, price in read + written) / 1e6

    def pixels(self, width: int, height: int, inputs: int = 0) -> float:
        """US dollars for a picture of this size with this many input pictures of about a megapixel."""
        further = max(0, -(-width * height // 2**20) - 1)
        return self.first_mp + further * self.further_mp + inputs * self.input_mp


_FLUX_2 = ModelPrice(first_mp=0.03, further_mp=0.015, input_mp=0.015)
_GPT_IMAGE_2 = ModelPrice(text_in=5, image_in=8, image_out=30, picture=0.17)
# A name that ends in * is for all models that begin so; the longest that fits wins.
PRICES: Mapping[str, Mapping[str, ModelPrice]] = {
    "bfl": {
        "*": _FLUX_2,
        "flux-2-max": ModelPrice(first_mp=0.07, further_mp=0.03, input_mp=0.03),
        "flux-2-flex": ModelPrice(first_mp=0.05, further_mp=0.05, input_mp=0.05),
        "flux-2-klein-4b": ModelPrice(first_mp=0.014, further_mp=0.001, input_mp=0.001),
        "flux-2-klein-9b": ModelPrice(first_mp=0.015, further_mp=0.002, input_mp=0.002),
        "flux-pro-1.1*": ModelPrice(first_mp=0.04),
        "flux-kontext*": ModelPrice(first_mp=0.04),
    },
    "openai": {
        "*": _GPT_IMAGE_2,
        "gpt-image-1.5*": ModelPrice(text_in=5, image_in=8, image_out=32, picture=0.133),
        "gpt-image-1-mini": ModelPrice(text_in=2, image_in=2.5, image_out=8, picture=0.036),
    },
    "google": {
        "*": ModelPrice(text_in=2, image_in=2, text_out=12, image_out=120, picture=0.134),
        "gemini-omni*": ModelPrice(second=0.10, image_out=17.27),
        "veo-3.1-fast*": ModelPrice(second=0.15),
        "veo-*": ModelPrice(second=0.40),
    },
    "anthropic": {
        "*": ModelPrice(text_in=3, text_out=15),
        "claude-sonnet-5*": ModelPrice(text_in=2, text_out=10),
    },
    "resend": {"*": ModelPrice(call=0.0004)},
    "ghl": {"*": ModelPrice()},
}


@dataclass(frozen=True, slots=True)
class Prices:
    table: Mapping[str, Mapping[str, ModelPrice]]

    def of(self, provider: str, model: str) -> ModelPrice:
        """The price of a model: its own row, else the longest pattern that fits it."""
        rows = self.table.get(provider, {})
        if model in rows:
            return rows[model]
        patterns = [name for name in rows if name.endswith("*") and model.startswith(name[:-1])]
        return rows[max(patterns, key=len)] if patterns else ModelPrice()


@lru_cache(maxsize=8)
def load_prices(path: Path | None) -> Prices:
    """The table, with a JSON file's entries over it: `{"openai": {"gpt-image-2*": {"image_out": 30}}}`.

    Raises Misconfigured, which names the file and the entry.
    """
    if path is None:
        return Prices(MappingProxyType(dict(PRICES)))
    try:
        overrides: dict[str, dict[str, dict[str, Any]]] = json.loads(path.read_text())
        table = {provider: dict(rows) for provider, rows in PRICES.items()}
        for provider, models in overrides.items():
            for model, members in models.items():
                known = Prices(table).of(provider, model)
                table.setdefault(provider, {})[model] = replace(known, **_members(provider, model, members))
    except (OSError, ValueError, AttributeError, TypeError) as problem:
        raise Misconfigured(
            f"PRICE_TABLE {path} cannot be used: {problem}",
            hint='It looks like {"openai": {"model": {"image_out": 30}}}.',
        ) from problem
    return Prices(MappingProxyType(table))


def _members(provider: str, model: str, members: dict[str, Any]) -> dict[str, float]:
    known = {field.name for field in fields(ModelPrice)}
    if unknown := set(members) - known:
        raise ValueError(f"{provider}.{model}: {', '.join(sorted(unknown))} is none of {', '.join(sorted(known))}")
    return {name: float(value) for name, value in members.items()}
