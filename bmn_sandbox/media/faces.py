"""The typefaces: which files they are in, which scripts they set, and which of them a style of logo likes."""

import functools
import unicodedata
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import fontpkg  # type: ignore[import-untyped]


@dataclass(frozen=True, slots=True)
class Face:
    """A family at a weight. tracking: extra space between letters, in hundredths of the size. case: how names are set."""

    family: str
    weight: int = 400
    tracking: float = 0.0
    case: str = "title"  # title | upper | lower

    def cased(self, text: str) -> str:
        if self.case == "upper":
            return _without_greek_accents(text).upper()
        return text.lower() if self.case == "lower" else text


def _without_greek_accents(text: str) -> str:
    """Greek capitals carry no accent."""
    parts = unicodedata.normalize("NFD", text)
    kept = [c for i, c in enumerate(parts) if c != "\u0301" or not ("\u0370" <= parts[i - 1] <= "\u03ff")]
    return unicodedata.normalize("NFC", "".join(kept))


_CJK = {
    "Noto Sans JP": "notosansjp/NotoSansJP[wght].ttf",
    "Noto Sans KR": "notosanskr/NotoSansKR[wght].ttf",
    "Noto Sans SC": "notosanssc/NotoSansSC[wght].ttf",
}


@functools.cache
def file_of(family: str, weight: int) -> Path:
    if family in _CJK:
        return Path(str(resources.files("justmytype_intl_cjk") / "fonts" / "ofl" / _CJK[family]))
    return Path(str(fontpkg.path(family, weight=weight, nearest=True)))


# The faces of each style for names in Latin letters, and for the second line.
DISPLAY: dict[str, tuple[Face, ...]] = {
    "minimal": (
        Face("Jost", 500, 6, "lower"), Face("Outfit", 400, 12, "upper"), Face("Josefin Sans", 500, 8, "upper"),
        Face("Montserrat", 400, 10, "lower"), Face("Cormorant Garamond", 700, 3), Face("Comfortaa", 600, 2, "lower"),
    ),
    "modern": (
        Face("Outfit", 600, -1), Face("Space Grotesk", 700, -3), Face("Syne", 700, -1), Face("Montserrat", 700, -2),
        Face("Unbounded", 500, -3, "lower"), Face("Rubik", 600, -2), Face("Jost", 600, -1),
    ),
    "bold": (
        Face("Archivo Black", 400, -2, "upper"), Face("Anton", 400, 2, "upper"), Face("Bebas Neue", 400, 3, "upper"),
        Face("Alfa Slab One", 400, 0), Face("Unbounded", 800, -3, "upper"), Face("Syne", 800, -1, "upper"),
        Face("Rubik", 900, -2),
    ),
    "vintage": (
        Face("Abril Fatface", 400, 1), Face("Cinzel", 800, 4, "upper"), Face("Oleo Script", 700),
        Face("Playfair Display", 800, 0), Face("DM Serif Display", 400, 1), Face("Alfa Slab One", 400, 3, "upper"),
        Face("Righteous", 400, 3),
    ),
    "playful": (
        Face("Fredoka", 600, 0), Face("Lilita One", 400, 2), Face("Baloo 2", 800, 0), Face("Pacifico", 400),
        Face("Righteous", 400, 1), Face("Rubik", 800, -1, "lower"), Face("Comfortaa", 700, -1, "lower"),
    ),
}  # fmt: skip
SMALL: dict[str, Face] = {
    "minimal": Face("Jost", 500, 26, "upper"),
    "modern": Face("Outfit", 500, 22, "upper"),
    "bold": Face("Outfit", 800, 16, "upper"),
    "vintage": Face("Cinzel", 700, 16, "upper"),
    "playful": Face("Fredoka", 500, 10, "upper"),
}
HAND = (Face("Caveat", 700, 1), Face("Pacifico", 400), Face("Oleo Script", 700))
WRITTEN = frozenset(face.family for face in HAND)

# The same for names in other scripts: for the styles in the order minimal, modern, bold, vintage, playful.
_NOTO = "Noto Sans"
OTHER_SCRIPTS: dict[str, dict[str, tuple[Face, ...]]] = {
    "Cyrillic": {
        "minimal": (Face("Jost", 500, 5, "lower"), Face("Montserrat", 400, 10, "upper"), Face("Comfortaa", 600, 2)),
        "modern": (Face("Rubik", 600, -1), Face("Unbounded", 500, -3), Face("Montserrat", 700, -1)),
        "bold": (Face("Rubik", 900, -1, "upper"), Face("Unbounded", 800, -3, "upper"), Face("Montserrat", 900, -1)),
        "vintage": (Face("Playfair Display", 800, 1), Face("Noto Serif", 800, 3, "upper"), Face("Pacifico", 400)),
        "playful": (Face("Comfortaa", 700), Face("Pacifico", 400), Face("Rubik", 800, 0, "lower")),
        "organic": (Face("Caveat", 700, 1), Face("Pacifico", 400)),
    },
    "Greek": {
        "minimal": (Face("Comfortaa", 600, 3, "lower"), Face(_NOTO, 400, 10, "upper")),
        "modern": (Face(_NOTO, 600, -1), Face("Comfortaa", 600, -1)),
        "bold": (Face(_NOTO, 900, -1, "upper"), Face("Noto Serif", 900, 0)),
        "vintage": (Face("Noto Serif", 800, 1), Face("Noto Serif", 600, 8, "upper")),
        "playful": (Face("Comfortaa", 700, 0, "lower"), Face(_NOTO, 800, 0)),
    },
    "Arabic": {
        "minimal": (Face("Cairo", 500), Face("Noto Kufi Arabic", 400)),
        "modern": (Face("Rubik", 600), Face("Noto Kufi Arabic", 600), Face("Cairo", 700)),
        "bold": (Face("Cairo", 900), Face("Noto Kufi Arabic", 900), Face("Rubik", 900)),
        "vintage": (Face("Amiri", 700), Face("Noto Kufi Arabic", 700)),
        "playful": (Face("Rubik", 800), Face("Cairo", 800)),
        "organic": (Face("Amiri", 700),),
    },
    "Hebrew": {
        "minimal": (Face("Rubik", 400, 4), Face("Frank Ruhl Libre", 500, 3)),
        "modern": (Face("Rubik", 600), Face("Frank Ruhl Libre", 700)),
        "bold": (Face("Rubik", 900), Face("Frank Ruhl Libre", 900)),
        "vintage": (Face("Frank Ruhl Libre", 800, 1), Face("Frank Ruhl Libre", 500, 5)),
        "playful": (Face("Rubik", 800, 1), Face("Rubik", 700, 3)),
    },
    "Devanagari": {
        "minimal": (Face("Noto Sans Devanagari", 400), Face("Baloo 2", 500)),
        "modern": (Face("Noto Sans Devanagari", 700), Face("Baloo 2", 600)),
        "bold": (Face("Noto Sans Devanagari", 900), Face("Baloo 2", 800)),
        "vintage": (Face("Noto Sans Devanagari", 600), Face("Baloo 2", 700)),
        "playful": (Face("Baloo 2", 800), Face("Baloo 2", 700)),
    },
    "Thai": {
        "minimal": (Face("Kanit", 400, 3), Face("Noto Sans Thai", 400, 2)),
        "modern": (Face("Kanit", 600), Face("Noto Sans Thai", 700)),
        "bold": (Face("Kanit", 800, 2), Face("Noto Sans Thai", 800, 1)),
        "vintage": (Face("Noto Sans Thai", 600, 3), Face("Kanit", 500, 2)),
        "playful": (Face("Kanit", 700, 1), Face("Noto Sans Thai", 800)),
    },
}  # fmt: skip
_CJK_WEIGHTS = {"minimal": (400, 8), "modern": (600, 1), "bold": (900, 0), "vintage": (750, 10), "playful": (800, 3)}
for _script, _family in (("Han", "Noto Sans SC"), ("Kana", "Noto Sans JP"), ("Hangul", "Noto Sans KR")):
    OTHER_SCRIPTS[_script] = {
        _style: (Face(_family, _weight, _tracking), Face(_family, min(900, _weight + 100), _tracking + 4))
        for _style, (_weight, _tracking) in _CJK_WEIGHTS.items()
    }

# Where a letter is in none of a style's faces, the first of these that has it.
LAST_RESORTS = (
    "Jost", "Noto Sans", "Noto Serif", "Rubik", "Noto Sans Arabic", "Noto Sans Devanagari", "Noto Sans Thai",
    "Noto Sans JP", "Noto Sans KR", "Noto Sans SC",
)  # fmt: skip


def script_of(letter: str) -> str:
    """The script that a letter belongs to, `Latin` for what no other claims, as digits and signs."""
    code = ord(letter)
    for script, ranges in _RANGES.items():
        if any(low <= code <= high for low, high in ranges):
            return script
    return "Latin"


_RANGES: dict[str, tuple[tuple[int, int], ...]] = {
    "Greek": ((0x370, 0x3FF), (0x1F00, 0x1FFF)),
    "Cyrillic": ((0x400, 0x52F),),
    "Hebrew": ((0x590, 0x5FF), (0xFB1D, 0xFB4F)),
    "Arabic": ((0x600, 0x6FF), (0x750, 0x77F), (0x8A0, 0x8FF), (0xFB50, 0xFDFF), (0xFE70, 0xFEFF)),
    "Devanagari": ((0x900, 0x97F), (0xA8E0, 0xA8FF)),
    "Thai": ((0xE00, 0xE7F),),
    "Kana": ((0x3040, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9D)),
    "Hangul": ((0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7AF)),
    "Han": ((0x3005, 0x3007), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2FA1F)),
}
RIGHT_TO_LEFT = ("Hebrew", "Arabic")
CONNECTED = ("Arabic", "Devanagari")  # letters that must not be parted


def main_script(text: str) -> str:
    """The script of most of a text's letters; Japanese counts as one, though it is written in several."""
    found = [script_of(letter) for letter in text if letter.isalpha()]
    if "Kana" in found:
        return "Kana"
    return max(found, key=found.count, default="Latin")


def faces_for(style: str, script: str) -> tuple[Face, ...]:
    """What a style sets a script in. style: one of logos', or `organic` for a hand."""
    if script == "Latin":
        return HAND if style == "organic" else DISPLAY[style]
    known = OTHER_SCRIPTS[script]
    return known.get(style) or known["playful"]


def small_face(style: str, script: str) -> Face:
    """What the second line is set in."""
    if script == "Latin":
        return SMALL[style]
    face = faces_for(style, script)[0]
    spaced = 0.0 if script in CONNECTED else 8.0
    return Face(face.family, min(700, max(face.weight, 500)), spaced, "upper")
