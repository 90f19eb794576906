"""Draws brand logos from a prompt: the same prompt and seed always give the same picture."""

import math
from collections.abc import Callable
from itertools import pairwise

from PIL import Image

from bmn_sandbox.media.art import Art, painted
from bmn_sandbox.media.faces import Face
from bmn_sandbox.media.lettering import set_line
from bmn_sandbox.media.logo.brief import Brief, read_brief
from bmn_sandbox.media.logo.frames import mass_center
from bmn_sandbox.media.logo.geometric import geometric
from bmn_sandbox.media.logo.letters import lettermark
from bmn_sandbox.media.logo.lockups import combination, emblem
from bmn_sandbox.media.logo.marks import icon, negative, organic
from bmn_sandbox.media.logo.revision import changed, colored_like, shaded
from bmn_sandbox.media.logo.wordmarks import wordmark

LAYOUTS: dict[str, Callable[[Brief], Art]] = {
    "icon": icon,
    "lettermark": lettermark,
    "emblem": emblem,
    "wordmark": wordmark,
    "combination": combination,
    "geometric": geometric,
    "organic": organic,
    "negative": negative,
}
_WIDE, _TALL = 780, 700  # what a logo fills of a sheet that is 1000 wide
_MEAN = 640.0  # and the side of the square that its box may equal: what is square looks larger than what is wide
_SIDE = 1024
Origin = tuple[list[str], int]
"""The prompts a logo has been through, first to last, and the seed of the first."""


def render_logo(
    prompt: str, seed: int, size: tuple[int, int], reference: bytes | None = None, origin: Origin | None = None
) -> Image.Image:
    """A logo of size (width, height), RGB.

    reference: an image to work from. origin: what it was drawn from, where that is known: then the same logo is drawn
    again with what the new prompt asks to change; otherwise it lends its colors.
    """
    brief, scale = _briefed(prompt, seed, reference, origin)
    art = designed(brief).placed(scale=scale)
    return _sized(painted(art, brief.palette.roles(), _side(size)), size, tuple(brief.palette.paper))


def _briefed(prompt: str, seed: int, reference: bytes | None, origin: Origin | None) -> tuple[Brief, float]:
    if reference is None:
        return read_brief(prompt, seed), 1.0
    if origin is None:
        return colored_like(read_brief(prompt, seed), reference), 1.0
    prompts, first_seed = origin
    brief, scale = read_brief(prompts[0], first_seed), 1.0
    for before, after in pairwise([*prompts, prompt]):
        brief, scale = changed(brief, after, before)
    return shaded(brief, seed), scale


def designed(brief: Brief) -> Art:
    """The finished sheet: the logo as large as it should be, in the middle for the eye."""
    art = LAYOUTS[brief.kind](brief)
    share = 0.84 if brief.kind == "lettermark" else 1.0  # two letters as large as a name would shout
    art = art.fitted(_WIDE * share, _TALL * share)
    art = art.placed(scale=min(1.0, _MEAN * share / max(1.0, math.sqrt(art.width * art.height))))
    mx, my = mass_center(art)
    left, top, right, bottom = art.bounds()
    # What is heavy on one side moves a little to the other, as far as the margin allows.
    dx = max(-24.0, min(24.0, -0.3 * mx)) if right - left < 780 else 0.0
    dy = max(-24.0, min(24.0, -0.3 * my)) if bottom - top < 760 else 0.0
    art = art.placed((dx, dy))
    return art.add(_unset_note(brief)) if brief.unset else art


def _unset_note(brief: Brief) -> Art:
    """Says in the picture that a part of the name could not be set, so that nobody takes the rest for the whole."""
    count = len(brief.unset)
    words = f"{count} word{'s' if count > 1 else ''} of the name could not be set: no typeface here has the letters"
    return set_line(Face("Outfit", 500), words, 22).art("ink").fitted(760, 22, (0, 466))


def _side(size: tuple[int, int]) -> int:
    """How large the square is drawn: small pictures are not drawn large first."""
    return min(_SIDE, max(256, min(size)))


def _sized(square: Image.Image, size: tuple[int, int], paper: tuple[int, ...]) -> Image.Image:
    """The square in the middle of a picture of the asked size."""
    if size == square.size:
        return square
    side = min(size)
    picture = Image.new("RGB", size, paper)
    scaled = square.resize((side, side), Image.Resampling.LANCZOS) if side != square.width else square
    picture.paste(scaled, ((size[0] - side) // 2, (size[1] - side) // 2))
    return picture
