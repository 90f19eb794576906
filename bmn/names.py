"""Names and words of people: one form on the way in, one rule for what is the same, nothing that hides or reorders text.

Every script is whole: combining marks stay with their letters, joiners stay inside of words and emoji.
"""

import hashlib
import re
import unicodedata

LONGEST_STEM = 120  # bytes of a file's name that come from a brand's; a name may have 255 in all
_LONGEST_KEY = 200  # bytes; an index holds no row of any length

# Hints for line breaks and marks without a shape of their own: what is read is the same without them.
_NEEDLESS = re.compile("[\u00ad\u061c\u180e\u200b\u200e\u200f\u2060\ufeff]")
# What reorders text, or stands in it unseen. Tags are kept where they spell a flag, behind its black one.
_HIDDEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u2028-\u202e\u2061-\u206f\u3164\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U000e0000-\U000e001f\U000e0080-\U000e00ff\U000e01f0-\U000e0fff]"
    "|(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0020-\U000e007f]"
)
_JOINERS = "\u200c\u200d"
_EDGE_JOINERS = re.compile(f"(?:^|(?<=\\s))[{_JOINERS}]+|[{_JOINERS}]+(?=\\s|$)|(?<=[{_JOINERS}])[{_JOINERS}]+")


def plain(text: str) -> str:
    """A text in one form: composed (NFC), without what only hints. Raises ValueError for what reorders or hides text."""
    if text.isascii():
        return text
    text = re.sub("[\u2028\u2029]", "\n", text)
    text = _EDGE_JOINERS.sub("", _NEEDLESS.sub("", unicodedata.normalize("NFC", text)))
    if hidden := _HIDDEN.search(text):
        raise ValueError(f"holds {_described(hidden[0])}, which nobody sees")
    return text


def one_line(text: str) -> str:
    """A name: the same, on one line, with single spaces."""
    return " ".join(plain(text).split())


def key_of(name: str) -> str:
    """What two spellings of one name have in common, on every database: case, width and way of composing do not count."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    words = re.sub(f"[{_JOINERS}]", "", _NEEDLESS.sub("", folded)).split()
    key = unicodedata.normalize("NFC", " ".join(words).casefold())
    return (
        key
        if len(key.encode(errors="replace")) <= _LONGEST_KEY
        else hashlib.sha256(key.encode(errors="replace")).hexdigest()
    )


def visible(text: str) -> str:
    """A text from anywhere for a terminal or a log: what would hide or reorder it stands there by its number."""
    if text.isascii():
        return text
    return _HIDDEN.sub(lambda found: f"<U+{ord(found[0]):04X}>", _NEEDLESS.sub("", text))


def without_hidden(text: str) -> str:
    """The same for words that nobody can be asked to write again, such as a paid model's."""
    return text if text.isascii() else _HIDDEN.sub("", _NEEDLESS.sub("", re.sub("[\u2028\u2029]", "\n", text)))


def stem_of(name: str, *, most: int = LONGEST_STEM) -> str:
    """A name as part of a file's name: letters, digits and their marks of any script, the rest dashes. most: bytes."""
    folded = unicodedata.normalize("NFC", name.casefold())
    kept = "".join(each if unicodedata.category(each)[0] in "LMN" or each == "_" else "-" for each in folded)
    return cut(re.sub(r"-+", "-", kept).strip("-_"), most).strip("-_") or "brand"


def cut(text: str, most: int) -> str:
    """The beginning of a text that fits into so many bytes of UTF-8, its last character whole with all its marks."""
    data = text.encode(errors="replace")
    if len(data) <= most:
        return text
    end = len(data[:most].decode(errors="ignore"))
    while end and unicodedata.category(text[end])[0] == "M":
        end -= 1
    return text[:end]


def _described(character: str) -> str:
    return f"U+{ord(character):04X} ({unicodedata.name(character, 'an invisible character')})"
