"""Draws brand logos from a prompt: the same prompt and seed always give the same picture."""

from collections.abc import Callable
from itertools import pairwise

from PIL import Image

from bmn_sandbox.media.brief import Brief, read_brief
from bmn_sandbox.media.layouts_letters import lettermark
from bmn_sandbox.media.layouts_mark import combination, emblem
from bmn_sandbox.media.layouts_symbol import geometric, icon, negative, organic
from bmn_sandbox.media.layouts_type import wordmark
from bmn_sandbox.media.revision import changed, coloured_like, resized, shaded
from bmn_sandbox.media.sheet import SIDE, Sheet

LAYOUTS: dict[str, Callable[[Sheet, Brief], None]] = {
    "icon": icon,
    "lettermark": lettermark,
    "emblem": emblem,
    "wordmark": wordmark,
    "combination": combination,
    "geometric": geometric,
    "organic": organic,
    "negative": negative,
}
Origin = tuple[list[str], int]
"""The prompts a logo has been through, first to last, and the seed of the first."""


def render_logo(
    prompt: str, seed: int, size: tuple[int, int], reference: bytes | None = None, origin: Origin | None = None
) -> Image.Image:
    """A logo of size (width, height), RGB.

    reference: an image to work from. origin: what it was drawn from, where that is known: then the same logo is drawn
    again with what the new prompt asks to change; otherwise it lends its colours.
    """
    if reference is None:
        brief, scale = read_brief(prompt, seed), 1.0
    elif origin is not None:
        prompts, first_seed = origin
        brief, scale = read_brief(prompts[0], first_seed), 1.0
        for before, after in pairwise([*prompts, prompt]):
            brief, scale = changed(brief, after, before)
        brief = shaded(brief, seed)
    else:
        brief, scale = coloured_like(read_brief(prompt, seed), reference), 1.0
    sheet = Sheet(brief.palette.paper)
    LAYOUTS[brief.kind](sheet, brief)
    if scale != 1.0:
        sheet = resized(sheet, scale, brief)
    return _sized(sheet.finished(), size, tuple(brief.palette.paper))


def _sized(square: Image.Image, size: tuple[int, int], paper: tuple[int, ...]) -> Image.Image:
    """The square in the middle of a picture of the asked size."""
    if size == square.size:
        return square
    side = min(size)
    picture = Image.new("RGB", size, paper)
    scaled = square.resize((side, side), Image.Resampling.LANCZOS) if side != SIDE else square
    picture.paste(scaled, ((size[0] - side) // 2, (size[1] - side) // 2))
    return picture
