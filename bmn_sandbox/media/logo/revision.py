"""Refining a logo: what a client's notes ask for, and recognizing the picture that is sent back."""

import io
import re
from dataclasses import replace

from PIL import Image, ImageChops, ImageStat

from bmn_sandbox.media.color import BLACK, WHITE, Color, contrast
from bmn_sandbox.media.logo.brief import Brief
from bmn_sandbox.media.logo.motif_words import motifs_for
from bmn_sandbox.media.logo.palette import Palette, dominant_colors, make_palette

_STYLE_NOTES = {
    "minimal": r"minimal\w*|simpl\w+|clean\w*|thin\w*|subtle|elegant",
    "bold": r"bold\w*|thick\w*|heav\w+|strong\w*|impact",
    "vintage": r"vintage|retro|classic\w*|heritage|old[- ]school",
    "modern": r"modern\w*|sleek\w*|contemporary|tech\w*",
    "playful": r"playful\w*|fun|friendl\w+|round(?:er|ed)|kids?",
}
_KIND_NOTES = {
    "icon": r"(?:no|without|remove the|drop the) (?:text|name|words)|(?:icon|symbol) only|only the (?:icon|symbol)",
    "lettermark": r"initials|monogram|lettermark",
    "emblem": r"badge|emblem|crest|seal",
    "organic": r"hand[- ]?drawn|organic|sketch\w*",
    "combination": r"(?:add|include|with|show) (?:the |our )?(?:name|text|brand name)",
}
_COLORS = {
    "red": "#c8102e",
    "orange": "#e8701a",
    "gold": "#b8892b",
    "yellow": "#f2c12e",
    "green": "#23713f",
    "teal": "#0f766e",
    "turquoise": "#11a39b",
    "blue": "#1d4ed8",
    "navy": "#14284b",
    "purple": "#6b2fa0",
    "pink": "#e14d8b",
    "brown": "#6b4226",
    "black": "#17171b",
    "grey": "#5b6470",
    "gray": "#5b6470",
}
_DARK_GROUND = r"dark (?:background|ground|mode)|invert\w*|on (?:black|dark)|reversed?"
_SAME = 14.0  # mean difference of two thumbnails' pixels, of 255, below which they show one picture


def changed(brief: Brief, prompt: str, original: str) -> tuple[Brief, float]:
    """The brief of a logo with the changes that a new prompt asks for, and by how much to resize the drawing.

    Only the sentences that the original prompt did not have count as notes.
    """
    known = set(_sentences(original))
    notes = " ".join(sentence for sentence in _sentences(prompt) if sentence not in known).lower()
    revised, scale = brief, 1.0
    for style, pattern in _STYLE_NOTES.items():
        if style != brief.style and _asks(pattern, notes):
            revised = revised.restyled(style)
            break
    kind = next((kind for kind, pattern in _KIND_NOTES.items() if _asks(pattern, notes)), brief.kind)
    wanted = motifs_for("", notes)
    if wanted and kind in ("lettermark", "wordmark", "geometric"):
        kind = "combination"  # the others show no picture
    motifs = tuple(dict.fromkeys([*wanted, *brief.motifs]))
    revised = replace(revised, kind=kind, motifs=motifs, palette=_palette(brief.palette, notes))
    if _asks(r"bigger|larger|enlarge\w*", notes):
        scale = 1.14
    elif _asks(r"smaller|margins?|white ?space|breath\w*|air", notes):
        scale = 0.8
    if scale == 1.0 and (revised.style, kind, motifs, revised.palette) == (
        brief.style,
        brief.kind,
        brief.motifs,
        brief.palette,
    ):
        # The notes say nothing we understand: a fresh take that is still the same logo.
        tinted = brief.palette.ink.mixed(WHITE, 0.94)
        revised = replace(
            revised, palette=replace(brief.palette, paper=tinted, ink=brief.palette.ink.mixed(BLACK, 0.22))
        )
        scale = 0.92
    return revised, scale


def _sentences(text: str) -> list[str]:
    return [part.strip(" .!\n") for part in re.split(r"[.!\n]+", text) if part.strip(" .!\n")]


def _asks(pattern: str, notes: str) -> bool:
    return re.search(rf"\b(?:{pattern})\b", notes) is not None


def _palette(palette: Palette, notes: str) -> Palette:
    named_words = re.findall(
        rf"#(?:[0-9a-f]{{6}}|[0-9a-f]{{3}})\b|\b(?:{'|'.join(_COLORS)})\b", notes.replace("navy blue", "navy")
    )
    named = [Color.parse(_COLORS.get(word, word)) for word in named_words]
    dark_ground = _asks(_DARK_GROUND, notes)
    if named and not (dark_ground and named == [Color.parse(_COLORS["black"])]):
        first = named[0]
        if _asks(r"accents?|highlights?|touch(?:es)?|hint", notes) or contrast(first, WHITE) < 3:
            palette = replace(palette, accent=first)
        else:
            accent = named[1] if len(named) > 1 else palette.accent
            palette = replace(palette, ink=first, accent=accent, soft=first.mixed(WHITE, 0.88))
    if _asks(r"darker|deeper", notes):
        palette = replace(palette, ink=palette.ink.mixed(BLACK, 0.45), accent=palette.accent.mixed(BLACK, 0.25))
    elif _asks(r"lighter|brighter|softer|pastel", notes):
        palette = replace(palette, ink=palette.ink.mixed(WHITE, 0.25), accent=palette.accent.mixed(WHITE, 0.3))
    elif _asks(r"warm\w*", notes):
        palette = replace(palette, ink=palette.ink.mixed(Color(150, 50, 10), 0.4))
    elif _asks(r"cool\w*|cold\w*", notes):
        palette = replace(palette, ink=palette.ink.mixed(Color(10, 60, 150), 0.4))
    return palette.inverted() if dark_ground else palette


def colored_like(brief: Brief, reference: bytes) -> Brief:
    """The brief in the colors of a picture we did not draw."""
    colors = dominant_colors(reference)
    return replace(brief, palette=make_palette(colors, brief.rng)) if colors else brief


def shaded(brief: Brief, seed: int) -> Brief:
    """The same brief with a shade of its colors: several versions of one change are not one picture.

    The ink is shaded a little too, as there are drawings without an accent.
    """
    palette = brief.palette
    away = WHITE if palette.paper.luminance < 0.5 else BLACK  # on dark ground a darker one would sink in
    step = seed % 4
    ink, accent = palette.ink.mixed(away, 0.04 * step), palette.accent.mixed(away, 0.1 * step)
    return replace(brief, palette=replace(palette, ink=ink, accent=accent))


def thumbnail(picture: bytes) -> bytes:
    """24 x 24 pixels, RGB: enough to know a logo again, whatever it has been re-encoded as. Raises OSError."""
    with Image.open(io.BytesIO(picture)) as opened:
        return opened.convert("RGB").resize((24, 24), Image.Resampling.BOX).tobytes()


def most_alike(picture: bytes, known: list[bytes]) -> int | None:
    """Which of the known thumbnails shows this picture; None where none does."""
    wanted = Image.frombytes("RGB", (24, 24), thumbnail(picture))
    distances = [
        sum(ImageStat.Stat(ImageChops.difference(wanted, Image.frombytes("RGB", (24, 24), other))).mean) / 3
        for other in known
    ]
    best = min(range(len(known)), key=distances.__getitem__, default=None)
    return best if best is not None and distances[best] < _SAME else None
