"""What a prompt asks for, as a designer would note it down: name, style, colors, ideas, and the kind of logo."""

import hashlib
import random
import re
import unicodedata
from dataclasses import dataclass, replace

from bmn_sandbox.media.color import colors_in
from bmn_sandbox.media.faces import CONNECTED, WRITTEN, Face, faces_for, main_script, small_face
from bmn_sandbox.media.lettering import can_set, covers, set_line
from bmn_sandbox.media.logo.dealing import drawing_for, forms_for
from bmn_sandbox.media.logo.motif_words import motifs_for
from bmn_sandbox.media.logo.palette import Palette, make_palette

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
_SMALL_WORDS = frozenset(
    ["the", "and", "of", "for", "a", "an", "by", "de", "la", "le", "und", "y", "et", "co", "inc", "ltd", "llc", "gmbh"]
)
# For brands whose words call for nothing.
_NEUTRAL = ("star", "compass", "sunrise", "sprout", "wave", "leaf", "bird", "flower", "sun", "mountain")
_LONG, _THIN = 12, ("Caveat",)  # letters of a name; what is too thin for more of them
_LOOSER = (-0.5, 0.0, 0.5, 1.0, 1.5, 2.0)  # how much farther apart letters are set than their face likes
_LINE_WIDTHS = {"minimal": 6.5, "modern": 7.5, "bold": 10.0, "vintage": 6.0, "playful": 8.0}


@dataclass(frozen=True, slots=True)
class Brief:
    """name: as the brand spells it, as far as our typefaces can set it. unset: the words of the name that they cannot.

    version: which drawing of the first motif. forms: what it may be framed in, where there is a choice.
    tagline: the second line that was asked for, or nothing. rng: gives the same numbers for the same prompt and seed.
    """

    name: str
    unset: tuple[str, ...]
    style: str
    kind: str
    palette: Palette
    motifs: tuple[str, ...]
    version: int
    forms: tuple[str, ...]
    script: str
    display: Face
    small: Face
    tagline: str
    initials: tuple[str, ...]
    rng: random.Random

    @property
    def line(self) -> float:
        """The width of the style's lines, for a motif of its full size."""
        return _LINE_WIDTHS[self.style]

    @property
    def words(self) -> list[str]:
        """The words of the name in the case of the display face."""
        return self.display.cased(self.name).split()

    def form(self, *among: str) -> str:
        """One of these forms: of those that the other logos of its set have not, where there are any."""
        return self.rng.choice([form for form in among if form in self.forms] or among)

    def restyled(self, style: str) -> "Brief":
        """The same brand and idea in another style."""
        face = faces_for(style, self.script)[0]
        return replace(self, style=style, display=face, small=small_face(style, self.script))


def read_brief(prompt: str, seed: int) -> Brief:
    """Understands the wording of our own logo prompts, and makes the best of any other."""
    asked = _quoted_name(prompt)
    style = _found(r"Style:\s*(\w+)", prompt).lower()
    style = style if style in STYLES else "modern"
    kind = _kind(_found(r"Variation:\s*([^.\n]*)", prompt) or prompt, seed)
    rng = random.Random(hashlib.sha256(f"{asked}|{style}|{kind}|{seed}".encode()).digest())
    name, unset = _settable(asked)
    script = main_script(name)
    vision = _found(r"vision:\s*([^.\n]*)", prompt) + " " + _found(r"archetype:\s*([^.\n]*)", prompt)
    called_for = motifs_for(asked, vision)
    motifs = called_for or random.Random(asked).sample(_NEUTRAL, 3)
    motif, version = drawing_for(kind, style, motifs, asked, rng)
    return Brief(
        name=name,
        unset=unset,
        style=style,
        kind=kind,
        palette=make_palette(colors_in(prompt), rng),
        motifs=tuple(dict.fromkeys([motif, *motifs])),
        version=version,
        forms=forms_for(kind, style, asked),
        script=script,
        display=_display(style, kind, script, name, rng),
        small=small_face(style, script),
        tagline=_tagline(prompt, style, script),
        initials=initials_of(name),
        rng=rng,
    )


def _tagline(prompt: str, style: str, script: str) -> str:
    """The line that a prompt asks for below the name; none is invented."""
    asked = _found(r'tagline:?\s*["“]([^"”\n]{1,60})["”]', prompt)
    return asked if asked and covers(small_face(style, script), asked) else ""


def _display(style: str, kind: str, script: str, name: str, rng: random.Random) -> Face:
    """A face of the style that has the name's letters, and is narrow enough for its longest word."""
    faces = list(faces_for("organic" if kind == "organic" else style, script))
    if kind == "organic" and len(name) > _LONG:
        faces = [face for face in faces if face.family not in _THIN] or faces
    rng.shuffle(faces)
    faces = [face for face in faces if covers(face, face.cased(name))] or faces
    tallest = {face: _tallness(face, name) for face in faces}
    chosen = next((face for face in faces if tallest[face] > 0.1), max(faces, key=lambda face: tallest[face]))
    if script in CONNECTED or chosen.family in WRITTEN:
        return chosen
    return replace(chosen, tracking=chosen.tracking + rng.choice(_LOOSER))


def _tallness(face: Face, name: str) -> float:
    """How tall the longest word is for its width, set in a face."""
    longest = set_line(face, face.cased(max(name.split(), key=len, default="o")))
    return longest.height / max(longest.width, 1e-6)


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.IGNORECASE)
    return match[1].strip() if match else ""


def _quoted_name(prompt: str) -> str:
    name = _found(r'logo for\s+"([^"\n]{1,120})"', prompt) or _found(r'["“]([^"”\n]{1,80})["”]', prompt)
    return " ".join(unicodedata.normalize("NFC", name).split())


def _kind(wish: str, seed: int) -> str:
    lowered = wish.lower()
    for kind, words in KINDS.items():
        if any(word in lowered for word in words):
            return kind
    return list(KINDS)[seed % len(KINDS)]


def _settable(name: str) -> tuple[str, tuple[str, ...]]:
    """The words that our faces can set, and those words of letters that they cannot; emoji are left out in silence."""
    kept, unset = [], []
    for word in name.split():
        without_signs = "".join(c for c in word if unicodedata.category(c) not in ("So", "Sk", "Cn", "Co", "Cs"))
        if can_set(without_signs):
            kept.append(without_signs)
        else:
            unset.append(word)
    shown = [word for word in kept if word]
    return (" ".join(shown) if any(c.isalnum() for word in shown for c in word) else ""), tuple(unset)


def _letters(word: str) -> list[str]:
    """A word's letters as a reader counts them: with their marks, and with the vowel that is written first."""
    found: list[str] = []
    for character in word:
        joins = unicodedata.category(character).startswith("M") or character == "\u200d"
        after_virama = bool(found) and found[-1].endswith("\u094d")
        after_thai_vowel = bool(found) and found[-1] in "เแโใไ"
        if found and (joins or after_virama or after_thai_vowel):
            found[-1] += character
        else:
            found.append(character)
    return found


def initials_of(name: str) -> tuple[str, ...]:
    """One to three initials; only one where two would say something that nobody wants to be called."""
    words = re.findall(r"(?:[^\W_]|[\u0300-\u036f\u0900-\u097f\u0e00-\u0e7f])+", name)
    counted = [word for word in words if word.lower() not in _SMALL_WORDS] or words
    script = main_script(name)
    if script in ("Han", "Kana", "Hangul") and counted:
        return tuple(_letters(counted[0])[:1] if script != "Han" or len(counted[0]) < 2 else _letters(counted[0])[:2])
    firsts = [_letters(word)[0] for word in counted[: 1 if script == "Devanagari" else 3]]
    if script not in CONNECTED:
        firsts = [_upper(letter) for letter in firsts]
    if len(firsts) == 3 and (len(counted) > 3 or len(set(firsts)) == 1):
        firsts = firsts[:2]
    if "".join(firsts) in ("SS", "KKK", "WC", "NS", "HH", "SA", "ASS", "FU", "BS", "STD", "BO", "VD"):
        firsts = firsts[:1]
    return tuple(firsts)


def _upper(letter: str) -> str:
    return Face("", case="upper").cased(letter)
