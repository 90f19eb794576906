"""What the picture and video models are asked, in words. Pure: the same payload gives the same prompts.

Words of users are put on one line and lose their double quotes, so that they stay what they are: a name, a note.
"""

from collections.abc import Sequence

from bmn.schemas.generators.bundles import BundleComposition
from bmn.schemas.generators.logos import LogoGeneration
from bmn.schemas.generators.mockups import MockupGeneration
from bmn.schemas.generators.videos import VideoGeneration

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
_LAYOUTS = {
    "grid": "an even grid of equal tiles on a plain ground",
    "lifestyle": "a lifestyle scene, as if somebody had just put them down at home",
    "flatlay": "a flatlay seen straight from above, neatly spaced",
    "showcase": "a showcase with the first product in front and the others behind it",
}
_CAMERA = {
    "showcase": "a slow showcase zoom with a slight turn",
    "unboxing": "an unboxing reveal, from the lid down to the product",
    "lifestyle": "a calm lifestyle pan, as in somebody's day",
    "minimal": "a minimal, almost still shot with soft light",
}


def logo_prompts(payload: LogoGeneration) -> list[str]:
    """One prompt per logo of a job."""
    return [_logo_prompt(payload, LOGO_VARIATIONS[n % len(LOGO_VARIATIONS)]) for n in range(payload.count)]


def mockup_prompt(payload: MockupGeneration) -> str:
    """For the logo as the first picture, and the template, if there is one, as the second."""
    parts = [
        f"Product mockup: {_plain(payload.product_name)} ({_plain(payload.product_category)}).",
        "Put the logo of the first picture on the product as it is: same shapes, same letters, same colors.",
        "Use the second picture as the template for the product and its angle." if payload.mockup_template_url else "",
        f"Colors: {_colors(payload.color_palette)}.",
        _sentence(payload.mockup_instructions),
        "Studio light on a plain light background, photorealistic, sharp, ready for a shop.",
    ]
    return _joined(parts)


def bundle_prompt(payload: BundleComposition) -> str:
    """For the mockups of the products as pictures."""
    count = len(payload.product_mockup_urls)
    parts = [
        f"Arrange the {count} products of the pictures in {_LAYOUTS[payload.composition_style]}.",
        f'It is the bundle "{_plain(payload.bundle_name)}" by {_plain(payload.brand_name)}.',
        f"Colors: {_colors(payload.color_palette)}.",
        "Show every product once and whole, with its logo as it is. Studio light, clean background, ready for a shop.",
        "Write no words into the picture.",
    ]
    return _joined(parts)


def video_prompt(payload: VideoGeneration) -> str:
    """For the mockup of the product as the first frame."""
    parts = [
        f"A {payload.duration_seconds}-second film of the product in the picture with {_CAMERA[payload.video_style]}.",
        f'It is "{_plain(payload.product_name)}" by {_plain(payload.brand_name)}.',
        f"Colors: {_colors(payload.color_palette)}.",
        "The product and its logo keep their shape. Smooth camera, cinematic studio light, no people, no words.",
    ]
    return _joined(parts)


def _logo_prompt(payload: LogoGeneration, variation: str) -> str:
    parts = [
        f'Professional brand logo for "{_plain(payload.brand_name)}".',
        f"Style: {payload.logo_style}.",
        f"Colors: {_colors(payload.color_palette)}.",
        _sentence(payload.brand_vision, "Brand vision"),
        _sentence(payload.archetype, "Brand archetype"),
        "Flat vector on a white background, high contrast, legible when small.",
        *(_changes(payload) if payload.is_refinement else [f"Variation: {variation}."]),
    ]
    return _joined(parts)


def _changes(payload: LogoGeneration) -> list[str]:
    """What to do to the given logo. It has its idea already, so that none of the variations is asked for."""
    notes = _sentence(payload.refinement_notes, "Change the given logo as follows")
    return [notes, "Keep everything else unchanged: same concept, same lettering."] if notes else ["Redraw this logo."]


def _plain(text: str) -> str:
    """One line without double quotes, which mark where a name ends."""
    return " ".join(text.replace('"', "'").replace("“", "'").replace("”", "'").split())


def _sentence(text: str | None, lead: str = "") -> str:
    plain = _plain(text or "").rstrip(".!; ")
    if not plain:
        return ""
    return f"{lead}: {plain}." if lead else f"{plain}."


def _colors(palette: Sequence[str]) -> str:
    return ", ".join(palette)


def _joined(parts: Sequence[str]) -> str:
    return " ".join(part for part in parts if part)
