"""What the documents name is there."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from bmn.errors import Cause
from bmn.providers.documented import DOCUMENTED
from bmn.schemas.events import ADMIN_EVENTS, DASHBOARD_EVENTS, JOB_EVENTS
from bmn.server.sockets import admin_namespace, dashboard_namespace, wizard_namespace
from tools import tables

_ROOT = Path(__file__).parents[1]
_PAGES = [*sorted((_ROOT / "docs").glob("*.md")), _ROOT / "README.md", _ROOT / "CONTRIBUTING.md", _ROOT / "AGENTS.md"]
_PATH = re.compile(r"`((?:bmn|web|tests|docs|examples)/[\w./-]*\w)`")
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)")

# Of the specification's section 7, without the folders.
_MANIFEST = re.findall(
    r"\S+",
    """
    queues/index.js queues/schemas.js queues/dispatch.js queues/dead-letter.js queues/admin-board.js queues/stale-check.js
    workers/index.js workers/brand-wizard.js workers/logo-generation.js workers/mockup-generation.js
    workers/bundle-composition.js workers/video-generation.js workers/crm-sync.js workers/email-send.js
    workers/image-upload.js workers/cleanup.js workers/shared/failure-handler.js workers/shared/cancellation.js
    sockets/index.js sockets/auth.js sockets/wizard.js sockets/dashboard.js sockets/admin.js sockets/room-cleanup.js
    services/redis.js config/redis.conf routes/generation.js lib/socket-client.js hooks/use-socket.js
    hooks/use-generation-progress.js hooks/use-reconnection-recovery.js server.js docker-compose.yml
    """,
)
_QUEUES = re.findall(
    r"\S+",
    """
    brand-wizard logo-generation mockup-generation bundle-composition video-generation
    crm-sync email-send image-upload cleanup
    """,
)


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text()
    named = {_ROOT / path for path in _PATH.findall(text)} | {page.parent / path for path in _LINK.findall(text)}
    assert [str(path.relative_to(_ROOT)) for path in named if not path.exists()] == []


def test_every_file_and_defect_of_the_specification_has_its_row() -> None:
    text = (_ROOT / "docs" / "spec.md").read_text()
    assert [name for name in _MANIFEST if f"| `{name}` |" not in text] == []
    assert re.findall(r"^\| D(\d+) \|", text, re.M) == [str(number) for number in range(1, 54)]
    assert [queue for queue in _QUEUES if f"| `{queue}` |" not in text] == []


def test_the_table_of_generators_is_what_their_schemas_say() -> None:
    assert tables.generators() in tables.TARGET.read_text(), "run `python -m tools.tables`"


def test_the_snippet_that_checks_a_webhook_runs_as_printed() -> None:
    (snippet,) = re.findall(r"^```python\n(.*?)^```$", (_ROOT / "docs" / "api.md").read_text(), re.M | re.S)
    (secret,) = re.findall(r"whsec_[\w+/]+=*", snippet)
    body, at = '{"type": "job.completed"}', datetime.now(UTC)
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(at.timestamp()))}
    ours: dict[str, Any] = {"body": body, "headers": {**headers, "webhook-signature": _sign(secret, at, body)}}
    exec(snippet, ours)
    assert ours["message"] == {"type": "job.completed"}
    other = "whsec_" + "A" * 32
    with pytest.raises(WebhookVerificationError):
        exec(snippet, {"body": body, "headers": {**headers, "webhook-signature": _sign(other, at, body)}})


def _sign(secret: str, at: datetime, body: str) -> str:
    return Webhook(secret).sign("msg_1", at, body)


def test_every_event_is_described() -> None:
    heard = [*JOB_EVENTS, *DASHBOARD_EVENTS, *ADMIN_EVENTS]
    sent = [*wizard_namespace.HANDLERS, *dashboard_namespace.HANDLERS, *admin_namespace.HANDLERS]
    for page in ("spec.md", "api.md"):
        text = (_ROOT / "docs" / page).read_text()
        assert [event for event in [*heard, *sent] if f"`{event}`" not in text] == []


def _documented_table() -> str:
    """The table of `bmn/providers/documented.py`, rows that differ in their code alone as one."""
    grouped: dict[tuple[str, int, str, str], list[str]] = {}
    for row in DOCUMENTED:
        key = (row.vendor, row.status, row.cause.value, row.words or "")
        grouped.setdefault(key, []).append(f"`{row.code}`" if row.code else "*status*")
    rows = [
        f"| {vendor} | {status} | {', '.join(codes)} | `{cause}` | {words} |"
        for (vendor, status, cause, words), codes in grouped.items()
    ]
    return "\n".join(
        ["| vendor | HTTP | code | cause | in our words, where the cause's mislead |", "|---|---|---|---|---|", *rows]
    )


def test_every_documented_error_of_a_vendor_has_its_row() -> None:
    text = (_ROOT / "docs" / "providers.md").read_text()
    assert _documented_table() in text


def test_every_cause_has_its_paragraph() -> None:
    text = (_ROOT / "docs" / "operations.md").read_text()
    assert [cause.value for cause in Cause if f"### {cause.value}\n" not in text] == []
