"""Mails, against the emulator: one key is one mail."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from bmn.errors import Cause
from bmn.providers.base import OnCall, ProviderCall
from bmn.providers.resend import Mail, Resend
from bmn.settings import ProviderAccess, Settings
from tests.kit.sandbox import SandboxControl
from tests.kit.wire import STATUSES, Wire, answer, failing
from tests.providers.samples import MAIL


@pytest.fixture
async def resend(sandbox: SandboxControl, settings: Settings, on_call: OnCall) -> AsyncIterator[Resend]:
    client = Resend(sandbox.access(), settings.model_copy(update={"resend_max_rps": 100.0}), on_call)
    yield client
    await client.close()


async def test_a_mail_with_the_same_key_is_sent_once(
    resend: Resend, sandbox: SandboxControl, calls: list[ProviderCall]
) -> None:
    before = len(sandbox.ledger("resend"))
    key = f"email/{uuid4()}"
    assert await resend.send(MAIL, idempotency_key=key) == await resend.send(MAIL, idempotency_key=key)
    assert len(sandbox.ledger("resend")) == before + 1
    mail = sandbox.mails()[-1]
    assert (mail["to"], mail["subject"], mail["html"], mail["text"]) == (
        ["ana@example.org"],
        "Welcome",
        "<p>Hi</p>",
        "Hi",
    )
    assert mail["tags"] == [
        {"name": "template", "value": "welcome"},
        {"name": "user", "value": "ana_example_org"},
    ]
    assert [call.outcome for call in calls] == ["ok", "ok"]


async def test_another_mail_with_the_same_key_is_refused(resend: Resend) -> None:
    key = f"email/{uuid4()}"
    await resend.send(MAIL, idempotency_key=key)
    other = Mail("ana@example.org", "Welcome again", "<p>Hi</p>", "Hi")
    assert (await failing(resend.send(other, idempotency_key=key))).cause is Cause.BAD_INPUT


@pytest.mark.parametrize(("status", "cause"), [*STATUSES, (404, Cause.PROVIDER_AUTH), (409, Cause.PROVIDER_OVERLOADED)])
async def test_a_refused_mail_has_its_cause_and_is_sent_once(
    resend: Resend, sandbox: SandboxControl, status: int, cause: Cause
) -> None:
    sandbox.fault("resend", status=status, body={"statusCode": status, "name": "x", "message": "secret"})
    before = len(sandbox.requests("resend"))
    failure = await failing(resend.send(MAIL, idempotency_key=str(uuid4())))
    assert failure.cause is cause
    assert "secret" not in failure.message
    assert len(sandbox.requests("resend")) == before + 1


@pytest.mark.parametrize(
    ("status", "name", "cause"),
    [
        (429, "daily_quota_exceeded", Cause.PROVIDER_CREDIT),
        (429, "monthly_quota_exceeded", Cause.PROVIDER_CREDIT),
        (429, "rate_limit_exceeded", Cause.PROVIDER_RATE_LIMITED),
        (409, "invalid_idempotent_request", Cause.BAD_INPUT),
        (409, "concurrent_idempotent_requests", Cause.PROVIDER_OVERLOADED),
    ],
)
async def test_the_vendors_name_for_an_error_says_more_than_its_status(
    resend: Resend, sandbox: SandboxControl, status: int, name: str, cause: Cause
) -> None:
    sandbox.fault("resend", status=status, body={"statusCode": status, "name": name, "message": "x"})
    assert (await failing(resend.send(MAIL, idempotency_key=str(uuid4())))).cause is cause


@pytest.mark.parametrize(
    "fault",
    [{"dropResponse": True}, *({"garbage": kind} for kind in ("html", "empty", "truncated", "gzipbomb", "huge"))],
)
async def test_a_lost_answer_is_repeated_and_sends_nothing_twice(
    resend: Resend, sandbox: SandboxControl, fault: dict[str, Any]
) -> None:
    before = len(sandbox.ledger("resend"))
    sandbox.fault("resend", times=1, **fault)
    key = f"email/{uuid4()}"
    failure = await failing(resend.send(MAIL, idempotency_key=key))
    assert failure.retryable
    assert not failure.ambiguous
    assert await resend.send(MAIL, idempotency_key=key)
    assert len(sandbox.ledger("resend")) == before + 1


async def test_mails_keep_below_the_vendors_pace(settings: Settings, wire: Wire, on_call: OnCall) -> None:
    wire.answers = [answer(b'{"id":"m1"}')]
    paced = settings.model_copy(update={"resend_max_rps": 20.0})
    client = Resend(ProviderAccess(wire.url, "re_real", sandboxed=False), paced, on_call)
    started = asyncio.get_running_loop().time()
    await asyncio.gather(*(client.send(MAIL, idempotency_key=str(n)) for n in range(5)))
    await client.close()
    assert asyncio.get_running_loop().time() - started >= 4 / 20


async def test_the_request_that_leaves_the_machine_with_a_real_key(
    wire: Wire, settings: Settings, on_call: OnCall
) -> None:
    wire.answers = [answer(b'{"id":"m1"}')]
    client = Resend(ProviderAccess(wire.url, "re_real", sandboxed=False), settings, on_call)
    await client.send(MAIL, idempotency_key="email/job-1")
    await client.close()
    head, sent = wire.seen[0].split(b"\r\n\r\n", 1)
    assert head.startswith(b"POST /emails HTTP/1.1\r\n")
    for line in (b"authorization: bearer re_real\r\n", b"idempotency-key: email/job-1\r\n", b"user-agent: "):
        assert line in head.lower()
    assert json.loads(sent) == {
        "from": "hello@brandmenow.com",
        "to": ["ana@example.org"],
        "subject": "Welcome",
        "html": "<p>Hi</p>",
        "text": "Hi",
        "reply_to": "support@brandmenow.com",
        "tags": [{"name": "template", "value": "welcome"}, {"name": "user", "value": "ana_example_org"}],
    }
