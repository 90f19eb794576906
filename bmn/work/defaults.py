"""What a generator is told about a brand when the request does not say it: from the record, else from the name alone."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from bmn.db.records import BrandRow
from bmn.schemas.look import LogoStyle

_STYLE: LogoStyle = "modern"
# A dark main color that carries type, an accent that stands beside it, and a light ground.
_PALETTES: tuple[tuple[str, str, str], ...] = (
    ("#6F4E37", "#D4A373", "#F5F0E8"),
    ("#1B4332", "#95D5B2", "#F1FAF3"),
    ("#14213D", "#FCA311", "#F4F1EA"),
    ("#264653", "#E76F51", "#F6F1E7"),
    ("#0B3954", "#FF6663", "#EFF6F8"),
    ("#3D405B", "#81B29A", "#F4F1DE"),
    ("#5F0F40", "#FB8B24", "#FBF3EC"),
    ("#2B2D42", "#EF233C", "#EDF2F4"),
    ("#386641", "#A7C957", "#F2F4E6"),
    ("#22223B", "#C9ADA7", "#F2E9E4"),
    ("#003049", "#F77F00", "#FAF3E0"),
    ("#355070", "#E56B6F", "#F7EDEA"),
    ("#582F0E", "#A4AC86", "#F3EEE3"),
    ("#0F4C5C", "#E9B44C", "#F5F1E6"),
    ("#4A1942", "#F2A2C0", "#FBF1F5"),
    ("#1D3557", "#E63946", "#F1FAEE"),
)
# What a word of the name suggests; the index of its palette.
_SUGGESTED = {
    0: ("coffee", "roast", "bean", "cocoa", "chocolate", "bakery", "bread", "wood"),
    1: ("tea", "leaf", "garden", "green", "forest", "plant", "eco", "farm"),
    4: ("ocean", "sea", "wave", "water", "surf", "fish", "north"),
    6: ("wine", "berry", "rose", "velvet"),
    13: ("sun", "sol", "gold", "honey", "yoga"),
    14: ("luna", "beauty", "bloom", "flower", "spa"),
}


@dataclass(frozen=True, slots=True)
class BrandDefaults:
    name: str
    style: LogoStyle
    palette: list[str]
    vision: str
    archetype: str | None


def brand_defaults(brand: BrandRow) -> BrandDefaults:
    """What the record says, and for the rest what the name suggests."""
    known = name_defaults(brand.name)
    return BrandDefaults(
        name=brand.name,
        style=cast(LogoStyle, brand.logo_style or known.style),
        palette=brand.color_palette or known.palette,
        vision=brand.vision or known.vision,
        archetype=brand.archetype,
    )


def name_defaults(name: str) -> BrandDefaults:
    """For a brand of which only the name is known: the same name always gives the same palette and vision."""
    vision = f"{name} stands for good work, done with care, and wants to be remembered."
    return BrandDefaults(name=name, style=_STYLE, palette=palette_of(name), vision=vision, archetype=None)


def as_made(defaults: BrandDefaults, payload: Mapping[str, Any]) -> BrandDefaults:
    """The same for a change to a picture: it keeps the look that it was asked to have. payload: of the job that made it."""
    return replace(
        defaults,
        style=payload.get("logoStyle", defaults.style),
        palette=payload.get("colorPalette", defaults.palette),
        vision=payload.get("brandVision", defaults.vision),
        archetype=payload.get("archetype", defaults.archetype),
    )


def palette_of(name: str) -> list[str]:
    """Three colors out of a name: the ones its words suggest, else always the same ones for the same name."""
    plain = name.strip().casefold()
    for index, words in _SUGGESTED.items():
        if any(word in plain for word in words):
            return list(_PALETTES[index])
    digest = hashlib.sha256(plain.encode("utf-8", "replace")).digest()
    return list(_PALETTES[digest[0] % len(_PALETTES)])
