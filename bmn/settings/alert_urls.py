"""Where alerts go: the forms of addresses that operators know from apprise, and the webhooks' own."""

import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal

from bmn.settings.web import web_address

Form = Literal["json", "slack", "discord", "pagerduty", "mail", "sentry"]

_SLACK = re.compile(
    r"(?:slack://(?:[\w.-]+@)?|https://hooks\.slack\.com/services/)([A-Za-z0-9]+)/([A-Za-z0-9]+)/([A-Za-z0-9]+)/?"
)
_DISCORD = re.compile(
    r"(?:discord://|https://(?:canary\.|ptb\.)?discord(?:app)?\.com/api/webhooks/)([0-9]+)/([\w-]+)/?"
)
_MAIL = re.compile(r"mailto:(?://)?([^\s/@:?]+@[\w-]+(?:\.[\w-]+)+)")
_PAGERDUTY = re.compile(r"pagerduty://([A-Za-z0-9_-]+)(?:@[A-Za-z0-9_-]*)?/?")


@dataclass(frozen=True, slots=True)
class Sink:
    """A receiver. url: its address, which is a secret and never stands in a log; for mail a mailbox, for Sentry its DSN."""

    form: Form
    url: str = field(repr=False)
    key: str = field(default="", repr=False)

    @property
    def id(self) -> str:
        """Names it in the records without saying its address."""
        return sha256(f"{self.url} {self.key}".encode()).hexdigest()[:16]


def read_sinks(text: str) -> tuple[Sink, ...]:
    """Addresses separated by commas or blanks. Raises ValueError, which counts and does not quote: they are secrets."""
    found = [part for part in re.split(r"[,\s]+", text) if part]
    return tuple(dict.fromkeys(_sink(part, number) for number, part in enumerate(found, 1)))


def alert_urls(text: str) -> str:
    """The same text, checked."""
    read_sinks(text)
    return text


def _sink(text: str, number: int) -> Sink:
    if found := _SLACK.fullmatch(text):
        return Sink("slack", f"https://hooks.slack.com/services/{found[1]}/{found[2]}/{found[3]}")
    if found := _DISCORD.fullmatch(text):
        return Sink("discord", f"https://discord.com/api/webhooks/{found[1]}/{found[2]}")
    if found := _PAGERDUTY.fullmatch(text):
        return Sink("pagerduty", "https://events.pagerduty.com/v2/enqueue", found[1])
    if found := _MAIL.fullmatch(text):
        return Sink("mail", found[1])
    scheme, separator, rest = text.partition("://")
    web = {"json": "http", "jsons": "https"}.get(scheme)
    if separator and web:
        try:
            return Sink("json", web_address(f"{web}://{rest}"))
        except ValueError:
            pass
    raise ValueError(
        f"its address number {number} has none of the forms json://HOST/PATH, jsons://HOST/PATH, slack://A/B/C,"
        " discord://ID/TOKEN, pagerduty://KEY, mailto://NAME@HOST"
    )
