"""What the picture models are asked, in words. Pure: the same payload gives the same prompts."""

from bmn.schemas.jobs import LogoGeneration

# The order in which a job's logos take them.
LOGO_VARIATIONS: tuple[str, ...] = (
    "Icon-focused abstract symbol",
    "Lettermark from the brand's initials",
    "Emblem or badge",
    "Modern minimalist wordmark",
    "Combination mark, symbol and text",
    "Geometric abstract shape",
    "Organic hand-drawn feel",
    "Negative space",
)


def logo_prompts(payload: LogoGeneration) -> list[str]:
    """One prompt per logo of a job."""
    return [_logo_prompt(payload, LOGO_VARIATIONS[n % len(LOGO_VARIATIONS)]) for n in range(payload.count)]


def _logo_prompt(payload: LogoGeneration, variation: str) -> str:
    parts = [
        f'Professional brand logo for "{payload.brand_name}".',
        f"Style: {payload.logo_style}.",
        f"Colors: {', '.join(payload.color_palette)}.",
        f"Brand vision: {payload.brand_vision}." if payload.brand_vision else "",
        f"Brand archetype: {payload.archetype}." if payload.archetype else "",
        "Flat vector on a white background, high contrast, legible when small.",
        f"Change the given logo as follows: {payload.refinement_notes}." if payload.refinement_notes else "",
        f"Variation: {variation}.",
    ]
    return " ".join(part for part in parts if part)
