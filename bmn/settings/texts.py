"""Keys, passwords, names and figures as people paste them: cleaned where it is safe, refused with a reason where not."""

import re
import unicodedata

from bmn.numbers import is_number, number, ungrouped, whole

_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "„": "“", "‘": "’", "«": "»"}
_NO_WIDTH = "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff"
_EDGES = _NO_WIDTH + "\u00a0\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_HEADER = re.compile(r"(?i)(?:authorization|x-api-key|x-key|apikey|x-goog-api-key)\s*:\s*")
_BEARER = re.compile(r"(?i)(?:bearer|token)\s+")
_PLACEHOLDER = re.compile(
    r"(?i)<.*>|\[.*\]|\{.*\}|\$\{?\w+\}?|.*(?:\.\.\.|\*\*\*).*|x{4,}|your[-_ ].*|my[-_](?:api[-_])?key"
    r"|change[-_ ]?me|replace[-_ ]?me|insert[-_ ].*|todo|none|null|undefined"
)
_SECONDS = {"ms": 0.001, "s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hour": 3600}
_SECONDS |= {"hr": 3600, "d": 86400, "day": 86400}
_KILO = {"k": 1, "m": 2, "g": 3}


def plain(text: str, name: str = "") -> str:
    """Without what surrounds a value in files and shells: blanks, quotes, a byte order mark, `export NAME=`."""
    text = text.strip().strip(_EDGES).strip()
    if name:
        text = re.sub(rf"^(?:export\s+)?{re.escape(name)}\s*=\s*", "", text, flags=re.IGNORECASE)
    if len(text) > 1 and _QUOTES.get(text[0]) == text[-1]:
        text = text[1:-1].strip().strip(_EDGES).strip()
    return text


def key(text: str) -> str:
    """An API key or token: visible ASCII in one piece. Raises ValueError, which names what is in the way, never the key."""
    text = plain(text)
    text = plain(_BEARER.sub("", _HEADER.sub("", text, count=1), count=1)).translate(dict.fromkeys(map(ord, _NO_WIDTH)))
    if odd := next((character for character in text if not "!" <= character <= "~"), None):
        raise ValueError(f"it holds {describe(odd)}, which no key does; copy it again")
    if _PLACEHOLDER.fullmatch(text):
        raise ValueError("it is a placeholder; put in your own, or leave it empty")
    return text


def password(text: str) -> str:
    """A password may hold anything but the line break that a file ends with."""
    text = text.removeprefix("\ufeff").strip("\r\n")
    if "\0" in text or "\n" in text or "\r" in text:
        raise ValueError("it has several lines")
    return text


def secret(text: str) -> str:
    """A shared secret: any visible text. Raises ValueError for a key document."""
    text = plain(text)
    if "-----BEGIN" in text or text.startswith("{"):
        raise ValueError("it is a key document, not a secret; for keys there is SUPABASE_JWKS_URL")
    return text


def word(text: str) -> str:
    """A name that other services know: a model, a bucket, an id. Raises ValueError."""
    if odd := next((character for character in text if not "!" <= character <= "~"), None):
        raise ValueError(f"it holds {describe(odd)}")
    if ".." in text or re.search(r"[?#\\\"'<>]", text):
        raise ValueError("it holds a character that no such name has")
    return text


def mailbox(text: str) -> str:
    """`name@example.com` or `Name <name@example.com>`. Raises ValueError."""
    address = re.fullmatch(r"[^<>]*<([^<>]+)>|([^<>]+)", text)
    found = (address[1] or address[2]).strip() if address else ""
    if not re.fullmatch(r"[^\s@,;:]+@[^\s@,;:]+\.[^\s@,;:]+", found) or re.search(r"[\x00-\x1f\x7f]", text):
        raise ValueError("it is not a mail address, such as hello@example.com or Name <hello@example.com>")
    return text


def seconds(text: str) -> str:
    """A number of seconds out of `30`, `90s`, `2m`, `1.5h`. Raises ValueError."""
    found = re.fullmatch(r"([0-9.]+(?:e-?[0-9]+)?)\s*([a-z]*)", ungrouped(text.lower()))
    unit = found[2] if found else "?"
    factor = 1 if unit == "" else _SECONDS.get(unit, _SECONDS.get(unit.removesuffix("s"), 0))
    if not found or not factor or not is_number(found[1]):
        raise ValueError("it has to be seconds, such as 30, 90s or 2m")
    return str(number(found[1]) * factor)


def size(text: str, *, unit: int, name: str) -> str:
    """A size in units of `unit` bytes out of `1000000`, `1MB`, `512KiB`, `1g`. Raises ValueError."""
    found = re.fullmatch(r"([0-9.]+)\s*(?:bytes?|b|([kmg])(i?)b?)?", ungrouped(text.lower()))
    if not found or not is_number(found[1]):
        raise ValueError(f"it has to be a size in {name}, such as {'1000000' if unit == 1 else '1024'} or 1GB")
    amount = number(found[1])
    if found[2]:
        base = 1000 if unit == 1 and not found[3] else 1024
        amount = amount * base ** _KILO[found[2]] / unit
    return str(int(amount)) if amount == int(amount) else str(amount)


def port(text: str) -> str:
    """A port; Kubernetes gives a service's as `tcp://10.0.0.1:6379`."""
    found = re.fullmatch(r"(?:tcp|http|https)://[^/]*?:([0-9]+)/?", text)
    return str(whole(found[1] if found else text))


def count(text: str) -> str:
    """A whole number, also grouped as `1_000_000`. Raises ValueError."""
    return str(whole(ungrouped(text)))


def figure(text: str) -> str:
    """A number, also grouped as `1_000_000.5`. Raises ValueError."""
    return str(number(ungrouped(text)))


def host(text: str) -> str:
    """An address or a name to listen on. Raises ValueError."""
    text = text.strip("[]").lower()
    if text == "*":
        return "0.0.0.0"
    if not re.fullmatch(r"[a-z0-9.-]+|[0-9a-f:.]+(%\w+)?", text):
        raise ValueError("it is an address of this machine without scheme or port, such as 127.0.0.1")
    return text


def describe(character: str) -> str:
    """A character in words, for who cannot see it."""
    if character in "\r\n":
        return "a line break"
    if character == " ":
        return "a space"
    return f"U+{ord(character):04X} ({unicodedata.name(character, 'a control character')})"
