"""The words of a web page, without its markup: what the wizard's model gets to read of it.

One pass over the text, so that no page takes long, however it is written: Python's own HTML parser looks for the end of an
unfinished tag again and again.
"""

import html
import re

LONGEST = 6000  # characters

_MOST_BYTES = 500_000  # of a page that are looked at
_SILENT = frozenset({"script", "style", "noscript", "template", "svg", "iframe", "object", "select", "textarea"})
_INLINE = frozenset(
    {"a", "abbr", "b", "code", "em", "i", "mark", "q", "s", "small", "span", "strong", "sub", "sup", "u"}
)
_DESCRIPTIONS = re.compile(
    r"""(?i)\b(?:name|property)\s*=\s*["']?(?:description|keywords|og:(?:title|description))\b"""
)
_CONTENT = re.compile(r"""(?i)\bcontent\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_NAME = re.compile(r"/?([a-zA-Z][a-zA-Z0-9]*)")
_TAG_CHARACTERS = 2000  # of a tag that are looked at
_ENDLESS_NUMBER = re.compile(r"&#[xX]?[0-9a-fA-F]{9,}")
_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


def page_words(data: bytes) -> str:
    """The visible words of a page, a line a paragraph, at most 6,000 characters; no character can end a fence around it."""
    text = _without_tags(_without_comments(data[:_MOST_BYTES].decode("utf-8", "replace")))
    lines = (" ".join(line.split()) for line in html.unescape(_ENDLESS_NUMBER.sub(" ", text)).splitlines())
    words = _INVISIBLE.sub("", "\n".join(line for line in lines if line))
    return words.replace("<", "‹").replace(">", "›")[:LONGEST]


def _without_comments(page: str) -> str:
    kept: list[str] = []
    for piece in page.split("<!--"):
        kept.append(piece.partition("-->")[2] if kept else piece)
    return " ".join(kept)


def _without_tags(page: str) -> str:
    first, *pieces = page.replace("\n", " ").split("<")
    kept = [first]
    silent = ""
    for piece in pieces:
        tag, _, text = piece.partition(">")
        found = _NAME.match(tag)
        name = found[1].lower() if found else ""
        if silent:
            if not (name == silent and tag.startswith("/")):
                continue
            silent = ""
        elif name in _SILENT and not tag.startswith("/") and not tag.endswith("/"):
            silent = name
            continue
        if name == "meta":
            kept.append(_description(tag[:_TAG_CHARACTERS]))
        kept.append(text if name in _INLINE else f"\n{text}")
    return "".join(kept)


def _description(tag: str) -> str:
    found = _CONTENT.search(tag) if _DESCRIPTIONS.search(tag) else None
    return f"\n{found[1] or found[2] or ''}\n" if found else ""
