"""What a generator is told about a brand when the request does not say it: from the record, else from the name alone."""

import colorsys
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from bmn.schemas.jobs import LogoStyle

_STYLE: LogoStyle = "modern"
# Hue steps that go well together: complementary, triadic, analogous, split.
_HARMONIES = ((0.0, 0.5), (0.0, 1 / 3), (0.0, 1 / 12), (0.0, 5 / 12))


@dataclass(frozen=True, slots=True)
class BrandDefaults:
    name: str
    style: LogoStyle
    palette: list[str]
    vision: str
    archetype: str | None


def brand_defaults(brand: Mapping[str, Any]) -> BrandDefaults:
    """brand: a row of `brands`. The same name always gives the same palette and vision."""
    name = brand["name"]
    return BrandDefaults(
        name=name,
        style=cast(LogoStyle, brand["logo_style"] or _STYLE),
        palette=list(brand["color_palette"] or palette_of(name)),
        vision=brand["vision"] or f"{name} stands for good work, done with care, and wants to be remembered.",
        archetype=brand["archetype"],
    )


def palette_of(name: str) -> list[str]:
    """Three colours out of a name: a main one, one beside it, and a light ground."""
    digest = hashlib.sha256(name.strip().casefold().encode("utf-8", "replace")).digest()
    hue = int.from_bytes(digest[:2], "big") / 65_536
    first, second = _HARMONIES[digest[2] % len(_HARMONIES)]
    return [
        _hex(hue + first, 0.34, 0.62),
        _hex(hue + second, 0.55, 0.70),
        _hex(hue, 0.94, 0.45),
    ]


def _hex(hue: float, lightness: float, saturation: float) -> str:
    red, green, blue = colorsys.hls_to_rgb(hue % 1.0, lightness, saturation)
    return f"#{round(red * 255):02X}{round(green * 255):02X}{round(blue * 255):02X}"
