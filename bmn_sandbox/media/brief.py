"""What a prompt asks for, as a designer would note it down: name, style, colours, ideas, and the kind of logo."""

import hashlib
import random
import re
from dataclasses import dataclass, replace

from bmn_sandbox.media.canvas import Colour
from bmn_sandbox.media.lettering import Face, covers
from bmn_sandbox.media.motif_words import TAGLINES, motifs_for
from bmn_sandbox.media.palette import Palette, make_palette

STYLES = ("minimal", "bold", "vintage", "modern", "playful")
# The first of these words in a prompt's variation says which layout is meant.
KINDS: dict[str, tuple[str, ...]] = {
    "lettermark": ("lettermark", "initials", "monogram"),
    "emblem": ("emblem", "badge", "crest", "seal"),
    "wordmark": ("wordmark", "logotype"),
    "combination": ("combination",),
    "geometric": ("geometric",),
    "organic": ("organic", "hand-drawn", "hand drawn"),
    "negative": ("negative space",),
    "icon": ("icon", "symbol"),
}
_SMALL_WORDS = {
    "the",
    "and",
    "of",
    "for",
    "a",
    "an",
    "by",
    "de",
    "la",
    "le",
    "und",
    "y",
    "et",
    "co",
    "inc",
    "ltd",
    "llc",
}


@dataclass(frozen=True, slots=True)
class Kit:
    """How a style looks. display: faces for names. small: the face of the second line. line: outlines, not areas."""

    display: tuple[Face, ...]
    small: Face
    line: float = 0.0


KITS: dict[str, Kit] = {
    "minimal": Kit(
        (Face("Jost", 400, 6, "lower"), Face("Outfit", 300, 14, "upper")), Face("Jost", 400, 30, "upper"), 5.5
    ),
    "modern": Kit((Face("Outfit", 600, -1), Face("Space Grotesk", 700, -3)), Face("Outfit", 500, 22, "upper")),
    "bold": Kit(
        (Face("Archivo Black", 400, -2, "upper"), Face("Anton", 400, 2, "upper")), Face("Outfit", 800, 16, "upper")
    ),
    "vintage": Kit(
        (Face("Abril Fatface", 400, 1), Face("Cinzel", 800, 4, "upper"), Face("Oleo Script", 400)),
        Face("Cinzel", 700, 16, "upper"),
    ),
    "playful": Kit((Face("Fredoka", 600, 0), Face("Lilita One", 400, 2)), Face("Fredoka", 500, 10, "upper")),
}
# For brands whose words call for nothing: one of these, the same in each of a brand's logos.
_NEUTRAL = ("star", "diamond", "compass", "bolt", "sunrise", "sprout", "wave", "crown")
HAND = Face("Caveat", 700, 1)
_FALLBACKS = (Face("Jost", 500), Face("Oleo Script", 400), Face("Caveat", 700))


@dataclass(frozen=True, slots=True)
class Brief:
    """title: the name as far as our typefaces can set it, perhaps empty. name: the same in the case of its face.

    rng: gives the same numbers for the same prompt and seed. line: the width of outlines, 0 for filled areas.
    """

    name: str
    title: str
    style: str
    kind: str
    palette: Palette
    motifs: tuple[str, ...]
    display: Face
    small: Face
    line: float
    tagline: str
    initials: str
    rng: random.Random

    @property
    def motif(self) -> str:
        return self.motifs[0]

    def restyled(self, style: str) -> "Brief":
        """The same brand and idea in another style."""
        kit = KITS[style]
        display, title = _settable(self.title, kit.display[0])
        return replace(
            self, style=style, name=display.cased(title), display=display, small=_small(kit, title), line=kit.line
        )

    @property
    def words(self) -> list[str]:
        return self.name.split()


def read_brief(prompt: str, seed: int) -> Brief:
    """Understands the wording of our own logo prompts, and makes the best of any other."""
    name = _quoted_name(prompt)
    style = _found(r"Style:\s*(\w+)", prompt).lower()
    style = style if style in KITS else "modern"
    kind = _kind(_found(r"Variation:\s*([^.\n]*)", prompt) or prompt, seed)
    rng = random.Random(hashlib.sha256(f"{name}|{style}|{kind}|{seed}".encode()).digest())
    colours = [Colour.parse(text) for text in re.findall(r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b", prompt)]
    kit = KITS[style]
    wish = HAND if kind == "organic" else rng.choice(kit.display)
    display, set_name = _settable(name, wish)
    vision = _found(r"vision:\s*([^.\n]*)", prompt) + " " + _found(r"archetype:\s*([^.\n]*)", prompt)
    motifs = motifs_for(name, vision) or [random.Random(name).choice(_NEUTRAL)]
    if len(motifs) > 1 and kind in ("organic", "negative", "combination"):
        motifs = [motifs[1], motifs[0], *motifs[2:]]  # not the same idea in every logo of a set
    return Brief(
        name=display.cased(set_name),
        title=set_name,
        style=style,
        kind=kind,
        palette=make_palette(colours, rng),
        motifs=tuple(motifs),
        display=display,
        small=_small(kit, set_name),
        line=kit.line,
        tagline=next((TAGLINES[motif] for motif in motifs if motif in TAGLINES), ""),
        initials=_initials(set_name),
        rng=rng,
    )


def _small(kit: Kit, name: str) -> Face:
    return kit.small if covers(kit.small, name.upper()) else Face("Jost", 600, 16, "upper")


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.IGNORECASE)
    return match[1].strip() if match else ""


def _quoted_name(prompt: str) -> str:
    name = _found(r'logo for\s+"([^"\n]{1,120})"', prompt) or _found(r'["“]([^"”\n]{1,80})["”]', prompt)
    return " ".join(name.split())


def _kind(wish: str, seed: int) -> str:
    lowered = wish.lower()
    for kind, words in KINDS.items():
        if any(word in lowered for word in words):
            return kind
    return list(KINDS)[seed % len(KINDS)]


def _settable(name: str, wish: Face) -> tuple[Face, str]:
    """A face that has the name's letters; where none has all, the words that can be set."""
    for face in (wish, *_FALLBACKS):
        if covers(face, face.cased(name)):
            return face, name
    for face in (wish, *_FALLBACKS):
        kept = " ".join(
            word for word in name.split() if covers(face, face.cased(word)) and any(c.isalnum() for c in word)
        )
        if kept:
            return face, kept
    return wish, ""


def _initials(name: str) -> str:
    words = [word for word in re.findall(r"\w+", name) if word.lower() not in _SMALL_WORDS] or re.findall(r"\w+", name)
    return "".join(word[0].upper() for word in words[:2])
