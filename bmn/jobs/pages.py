"""The words of a web page, without its markup: what the wizard's model gets to read of it."""

import re
from html.parser import HTMLParser

LONGEST = 6000  # characters

_SILENT = {"script", "style", "noscript", "template", "svg", "iframe", "object", "select", "textarea"}
_BREAKS = {"p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "section", "article", "header", "footer", "title"}
_DESCRIPTIONS = {"description", "og:title", "og:description", "og:site_name", "keywords"}


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag in _BREAKS:
            self.pieces.append("\n")
        elif tag == "meta":
            known = dict(attrs)
            if (known.get("name") or known.get("property") or "").lower() in _DESCRIPTIONS:
                self.pieces.append(f"\n{known.get('content') or ''}\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT and self._silent:
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(data)


def page_words(data: bytes) -> str:
    """The visible words of a page, a line a paragraph, at most 6,000 characters; no character can end a fence around it."""
    reader = _Words()
    reader.feed(data.decode("utf-8", "replace"))
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.pieces).splitlines())
    words = "\n".join(line for line in lines if line)
    words = re.sub(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", "", words)
    return words.replace("<", "‹").replace(">", "›")[:LONGEST]
