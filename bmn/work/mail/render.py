"""Mails: what each template is called, what it may say, and how it becomes a subject, an HTML part and a text part.

Whoever asks for a mail gives data, and data is not trusted: HTML is escaped, subjects have one line, links lead to our own
hosts or to our front page, and a name cannot carry a link of its own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from bmn.errors import Cause, JobFailure
from bmn.schemas.payloads import ALERT_TEMPLATE, OPS_TEMPLATE
from bmn.settings import Settings

_LONGEST_SUBJECT = 140
_LONGEST_NAME = 80
_LONGEST_TEXT = 5000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_LINK_PARTS = re.compile(r"(?i)(?<=\w)\.(?=\w)|://|(?<=\w)@(?=\w)")
_DOT_LIKE = {".": "․", "://": " ", "@": " at "}  # looks like a dot, and makes no mail reader see an address


@dataclass(frozen=True, slots=True)
class Template:
    """subject: may name fields. names: one-line fields. texts: longer ones. links: addresses of ours.

    defaults: what stands where a field was not given; a link that was not given, or is not ours, is our front page.
    """

    subject: str
    names: Mapping[str, str]
    texts: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


TEMPLATES: dict[str, Template] = {
    "welcome": Template("Welcome to Brand Me Now", {"name": "there"}, links=("dashboardUrl",)),
    "brand-complete": Template(
        "Your brand {brandName} is ready", {"name": "there", "brandName": "your brand"}, links=("dashboardUrl",)
    ),
    "wizard-abandoned": Template(
        "{brandName} is waiting for you",
        {"name": "there", "brandName": "Your brand", "lastStep": "the first step"},
        links=("resumeUrl",),
    ),
    "password-reset": Template("Reset your password", {"name": "there"}, links=("resetUrl",)),
    "subscription-confirmed": Template(
        "Your {tier} plan is confirmed", {"name": "there", "tier": "new"}, links=("dashboardUrl",)
    ),
    "subscription-cancelled": Template(
        "Your {tier} plan has been cancelled", {"name": "there", "tier": "paid"}, links=("dashboardUrl",)
    ),
    "generation-failed": Template(
        "We could not make your {assetType}",
        {"name": "there", "assetType": "picture", "brandName": "your brand"},
        links=("retryUrl", "offUrl"),
    ),
    "generation-ready": Template(
        "Your {assetType} for {brandName} is ready",
        {"name": "there", "assetType": "picture", "brandName": "your brand"},
        links=("dashboardUrl", "offUrl"),
    ),
    "kit-waiting": Template(
        "Your brand {brandName} waits for you",
        {"name": "there", "brandName": "", "message": "It needs a decision."},
        links=("kitUrl", "offUrl"),
    ),
    "support-ticket": Template(
        "Support request from {userName}",
        {"userName": "a user", "ticketId": ""},
        texts=("message", "userEmail"),
    ),
    OPS_TEMPLATE: Template(
        "[bmn] {queue}: {cause}",
        {"queue": "a queue", "cause": "unknown cause", "jobId": ""},
        texts=("error", "advice"),
    ),
    ALERT_TEMPLATE: Template(
        "[bmn] {kind} {about}: {state}",
        {"kind": "alert", "about": "unknown", "state": "open", "id": ""},
        texts=("message", "nextStep"),
    ),
}


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    html: str
    text: str


def render(settings: Settings, template: str, data: Mapping[str, Any]) -> Rendered:
    """The parts of a mail. Fields that the template does not know are left out. Raises JobFailure(BAD_INPUT)."""
    known = TEMPLATES.get(template)
    if known is None:
        raise JobFailure(Cause.BAD_INPUT, f"There is no mail template {template!r}.")
    fields: dict[str, str] = {name: _name(data.get(name)) or default for name, default in known.names.items()}
    fields |= {name: _text(data.get(name)) for name in known.texts}
    fields |= {name: own_link(settings, data.get(name)) for name in known.links}
    subject = _one_line(known.subject.format_map(fields))[:_LONGEST_SUBJECT]
    shown = {**fields, "subject": subject, "home": settings.public_address, "support": settings.support_email}
    environment = _environment()
    html = environment.get_template(f"{template}.html").render(shown)
    text = environment.get_template(f"{template}.txt").render(shown)
    return Rendered(subject, html, text)


def own_link(settings: Settings, url: Any) -> str:
    """A link that leads to one of our own hosts; our front page for every other one."""
    if isinstance(url, str) and len(url) <= 2048 and not re.search(r"[\s\\<>\"'`\x00-\x20\x7f]", url):
        try:
            parts = urlsplit(url)
            origin = (parts.scheme, parts.hostname, parts.port)
        except ValueError:
            return settings.public_address
        if origin in _own_origins(settings) and parts.username is None and parts.password is None:
            return url
    return settings.public_address


def _own_origins(settings: Settings) -> set[tuple[str, str | None, int | None]]:
    """Where our pages are, and where Supabase confirms passwords for us."""
    known = [urlsplit(url) for url in (settings.public_address, settings.supabase_url) if url]
    return {(parts.scheme, parts.hostname, parts.port) for parts in known}


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(enabled_extensions=("html",), default_for_string=True, default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _one_line(text: str) -> str:
    return " ".join(_CONTROL.sub("", text).split())


def _name(value: Any) -> str:
    """One short line that no mail reader turns into a link."""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return ""
    line = _one_line(str(value))[:_LONGEST_NAME]
    return _LINK_PARTS.sub(lambda found: _DOT_LIKE[found[0]], line)


def _text(value: Any) -> str:
    return _CONTROL.sub("", str(value))[:_LONGEST_TEXT] if isinstance(value, str | int | float) else ""
