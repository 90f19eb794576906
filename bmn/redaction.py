"""What must never be printed: tokens, keys, passwords in addresses, and every secret that the settings hold."""

import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

HIDDEN = "[hidden]"


def unhidden(text: str | None) -> str:
    """What may be shown of a text that is hidden from whoever has not asked for it."""
    return "" if text is None or text == HIDDEN else text


_SHAPES = re.compile(
    r"(?i)bearer\s+[\w.~+/=-]+|eyJ[\w-]{8,}\.[\w-]+\.[\w-]+|\b(?:sk|re|pit|bfl|bmn_live|sb_secret|AIza)[-_][\w-]{12,}"
    r"|(?<=://)[^/@\s:]*:[^/@\s]+(?=@)"
    # What opens something by itself: a browser's token, the signatures of links (bmn/signing.py), and tickets.
    r"|bmn_view_[\w-]+\.[\w-]+|(?<=\.\d{10}\.)[\w-]{6,}|(?<=[0-9a-f]{12}\.)[\w-]{24}(?![\w.-])"
    r"|(?<=[?&]signature=)[\w-]+|(?<=[?&]ticket=)[\w-]+"
)
_LEAST = 6  # shorter ones stand in ordinary words

_known: set[str] = set()
_pattern: re.Pattern[str] | None = None


def hide(secrets: Iterable[str]) -> None:
    """Notes secrets of this process: from now on `redact` takes them out of every text, whatever their shape."""
    global _pattern
    long = [secret for secret in secrets if len(secret) >= _LEAST]
    spelled = {text for secret in long for text in (secret, quote(secret, safe=""), quote_plus(secret))}
    if not spelled <= _known:
        _known.update(spelled)
        either = "|".join(re.escape(text) for text in sorted(_known, key=len, reverse=True))
        _pattern = re.compile(rf"(?<!\w)(?:{either})(?!\w)")


def redact(text: str) -> str:
    """Takes tokens, keys and passwords out of a text."""
    if _pattern is not None:
        text = _pattern.sub(HIDDEN, text)
    return _SHAPES.sub(HIDDEN, text)
