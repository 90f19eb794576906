"""Mails: what people get to read, and what hostile data cannot do. `UPDATE_SNAPSHOTS=1` writes the snapshots again."""

import os
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args

import pytest

from bmn.errors import Cause, JobFailure
from bmn.schemas.payloads import ALERT_TEMPLATE, OPS_TEMPLATE, MailTemplate
from bmn.settings import Settings
from bmn.work.mail.render import TEMPLATES, own_link, render

SNAPSHOTS = Path(__file__).parent / "snapshots"
HOME = "https://brand.example"
DATA: dict[str, dict[str, Any]] = {
    "welcome": {"name": "Ana", "dashboardUrl": f"{HOME}/brands"},
    "brand-complete": {"name": "Ana", "brandName": "Foxly", "dashboardUrl": f"{HOME}/brands/1"},
    "wizard-abandoned": {"name": "Ana", "brandName": "Foxly", "lastStep": "bundle-builder", "resumeUrl": f"{HOME}/w/1"},
    "password-reset": {"name": "Ana", "resetUrl": "https://ref.supabase.co/auth/v1/verify?token=abc&type=recovery"},
    "subscription-confirmed": {"name": "Ana", "tier": "Pro", "dashboardUrl": HOME},
    "subscription-cancelled": {"name": "Ana", "tier": "Pro", "dashboardUrl": HOME},
    "generation-failed": {
        "name": "Ana",
        "assetType": "logo",
        "brandName": "Foxly",
        "retryUrl": f"{HOME}/jobs/1",
        "offUrl": f"{HOME}/mails/1",
    },
    "generation-ready": {
        "name": "Ana",
        "assetType": "logo",
        "brandName": "Foxly",
        "dashboardUrl": f"{HOME}/jobs/1",
        "offUrl": f"{HOME}/mails/1",
    },
    "kit-waiting": {
        "name": "Ana",
        "brandName": "Foxly",
        "message": "Waits until you pick one of 4 logos.",
        "kitUrl": f"{HOME}/g/kit/1",
        "offUrl": f"{HOME}/mails/1",
    },
    "support-ticket": {
        "userName": "Ana Li",
        "userEmail": "ana@example.org",
        "ticketId": "T-1",
        "message": "The mug\nis upside down & I like it.",
    },
    "ops-alert": {
        "queue": "logo-generation",
        "cause": "provider_timeout",
        "jobId": "logo-generation-1",
        "error": "Black Forest Labs did not answer in time.",
        "advice": "Replay when it is well.",
    },
    "alert": {
        "id": 7,
        "state": "open",
        "kind": "queue-paused",
        "about": "logo-generation",
        "message": "Queue logo-generation is paused: the key was refused",
        "nextStep": "bmn queues resume logo-generation",
    },
}


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(bmn_home=home, public_url=HOME, supabase_url="https://ref.supabase.co")


class _Reader(HTMLParser):
    """What a mail reader would find: links, tags, and the words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action", "background")]

    def handle_data(self, data: str) -> None:
        self.words += data


def test_every_template_that_may_be_asked_for_exists() -> None:
    assert set(TEMPLATES) == {*get_args(MailTemplate), OPS_TEMPLATE, ALERT_TEMPLATE} == set(DATA)


@pytest.mark.parametrize("template", sorted(DATA))
def test_a_mail_looks_as_it_did(settings: Settings, template: str) -> None:
    mail = render(settings, template, DATA[template])
    for ending, content in (("html", mail.html), ("txt", f"Subject: {mail.subject}\n\n{mail.text}")):
        path = SNAPSHOTS / f"{template}.{ending}"
        if os.environ.get("UPDATE_SNAPSHOTS"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(content)
        assert content == path.read_text()


@pytest.mark.parametrize("template", sorted(DATA))
def test_a_mail_can_be_made_from_nothing(settings: Settings, template: str) -> None:
    mail = render(settings, template, {})
    assert mail.subject
    assert "{" not in mail.subject + mail.text
    assert "None" not in mail.text


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "Ana\r\nBcc: everyone@example.org",
    "{{ 7*7 }}{% raw %}",
    "{name.__class__}",
    "http://evil.test/login",
    "Visit www.evil.test now",
    "a\u202eb\u2066c\u200bd",
    "x" * 10_000,
    {"deep": "object"},
    ["list"],
    None,
    True,
    1.5,
]


@pytest.mark.parametrize("template", sorted(DATA))
@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: str(value)[:20])
def test_hostile_data_comes_out_as_harmless_words(settings: Settings, template: str, value: Any) -> None:
    plain = _Reader(render(settings, template, DATA[template]).html)
    mail = render(settings, template, dict.fromkeys(DATA[template], value))
    found = _Reader(mail.html)
    assert found.tags <= plain.tags
    assert found.attributes <= plain.attributes
    assert {link for link in found.links if link != HOME} == set()
    assert "\n" not in mail.subject
    assert "\r" not in mail.subject + mail.html + mail.text
    assert len(mail.subject) <= 140
    assert "49" not in mail.subject
    assert not any(character in mail.html + mail.text for character in "\u202e\u2066\u200b")


@pytest.mark.parametrize("name", ["http://evil.test/login", "www.evil.test", "a@evil.test"])
def test_a_name_becomes_no_link(settings: Settings, name: str) -> None:
    mail = render(settings, "welcome", {"name": name})
    assert "evil.test" not in mail.html + mail.text
    assert "://" not in mail.text.replace(HOME, "")


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "https://evil.test/",
        "https://brand.example.evil.test/",
        "https://brand.example@evil.test/",
        "https://user@brand.example/",
        "http://brand.example/",
        "https://brand.example:8443/",
        "//evil.test/",
        "https://brand.example\\@evil.test/",
        "https://brand.example/ onclick=x",
        'https://brand.example/"onclick="x',
        "https://[brand.example/",
        "https://brand.example:port/",
        "",
        None,
        7,
    ],
)
def test_a_foreign_link_becomes_our_front_page(settings: Settings, url: Any) -> None:
    assert own_link(settings, url) == HOME


def test_our_own_links_stay(settings: Settings) -> None:
    for url in (f"{HOME}/brands/1?tab=logos#top", "https://ref.supabase.co/auth/v1/verify?token=abc"):
        assert own_link(settings, url) == url


def test_an_unknown_template_is_bad_input(settings: Settings) -> None:
    with pytest.raises(JobFailure) as caught:
        render(settings, "../../etc/passwd", {})
    assert caught.value.cause is Cause.BAD_INPUT
