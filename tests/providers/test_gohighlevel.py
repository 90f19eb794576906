"""The CRM, against its emulator: a contact is updated and keeps the tags that others gave it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from bmn.errors import Cause, Misconfigured
from bmn.providers.base import OnCall
from bmn.providers.gohighlevel import Contact, GoHighLevel, custom_fields, is_configured
from bmn.settings import ProviderAccess, Settings
from tests.kit.sandbox import SandboxControl
from tests.kit.wire import STATUSES, Wire, answer, failing
from tests.providers.samples import person


@pytest.fixture
async def crm(sandbox: SandboxControl, settings: Settings, on_call: OnCall) -> AsyncIterator[GoHighLevel]:
    mapped = settings.model_copy(update={"ghl_custom_fields": "wizard_step=6dvNaf7VhkQ9snc5vnjJ"})
    client = GoHighLevel(sandbox.access(), mapped, on_call)
    yield client
    await client.close()


def shown(sandbox: SandboxControl, contact_id: str) -> dict[str, Any]:
    headers = {"authorization": "Bearer x", "version": "2021-07-28"}
    contact: dict[str, Any] = httpx.get(f"{sandbox.url}/contacts/{contact_id}", headers=headers).json()["contact"]
    return contact


async def test_an_update_keeps_the_tags_that_others_gave(crm: GoHighLevel, sandbox: SandboxControl) -> None:
    ana = person(wizard_step="completed", unmapped="ignored")
    contact_id = await crm.upsert(ana)
    await crm.add_tags(contact_id, ["Lead", "wizard-started"])
    assert await crm.upsert(ana) == contact_id
    await crm.add_tags(contact_id, ["brand-completed"])
    await crm.remove_tags(contact_id, ["wizard-started"])
    contact = shown(sandbox, contact_id)
    assert sorted(contact["tags"]) == ["brand-completed", "lead"]
    assert [field["id"] for field in contact["customFields"]] == ["6dvNaf7VhkQ9snc5vnjJ"]


@pytest.mark.parametrize(("status", "cause"), [*STATUSES, (404, Cause.BAD_INPUT)])
async def test_a_refused_call_has_its_cause_and_is_sent_once(
    crm: GoHighLevel, sandbox: SandboxControl, status: int, cause: Cause
) -> None:
    sandbox.fault("ghl", status=status)
    before = len(sandbox.requests("ghl"))
    assert (await failing(crm.upsert(person()))).cause is cause
    assert len(sandbox.requests("ghl")) == before + 1


async def test_a_rate_limit_without_a_time_means_the_vendors_interval(
    crm: GoHighLevel, sandbox: SandboxControl
) -> None:
    sandbox.fault("ghl", status=429)
    assert (await failing(crm.upsert(person()))).retry_after == 10.0


@pytest.mark.parametrize(
    "fault",
    [{"dropResponse": True}, *({"garbage": kind} for kind in ("html", "empty", "truncated", "gzipbomb", "huge"))],
)
async def test_a_lost_answer_may_simply_be_repeated(
    crm: GoHighLevel, sandbox: SandboxControl, fault: dict[str, Any]
) -> None:
    sandbox.fault("ghl", times=1, **fault)
    ana = person()
    failure = await failing(crm.upsert(ana))
    assert failure.retryable
    assert not failure.ambiguous
    assert await crm.upsert(ana)


async def test_the_requests_that_leave_the_machine_with_a_real_key(
    wire: Wire, settings: Settings, on_call: OnCall
) -> None:
    wire.answers = [answer(b'{"contact":{"id":"c/1"}}'), answer(b'{"tags":["lead"]}', status=201)]
    real = settings.model_copy(update={"ghl_location_id": "loc", "ghl_custom_fields": "brand_name=f1"})
    client = GoHighLevel(ProviderAccess(wire.url, "pit-real", sandboxed=False), real, on_call)
    contact_id = await client.upsert(Contact("ana@example.org", "Ana Li", "+14155550100", {"brand_name": "Foxly"}))
    await client.add_tags(contact_id, ["Lead"])
    await client.close()
    head, sent = wire.seen[0].split(b"\r\n\r\n", 1)
    assert head.startswith(b"POST /contacts/upsert HTTP/1.1\r\n")
    for line in (b"authorization: bearer pit-real\r\n", b"version: 2021-07-28\r\n", b"accept: application/json\r\n"):
        assert line in head.lower()
    assert json.loads(sent) == {
        "locationId": "loc",
        "email": "ana@example.org",
        "source": "bmn",
        "name": "Ana Li",
        "phone": "+14155550100",
        "customFields": [{"id": "f1", "field_value": "Foxly"}],
    }
    assert wire.seen[1].startswith(b"POST /contacts/c%2F1/tags HTTP/1.1\r\n")
    assert wire.seen[1].endswith(b'{"tags":["lead"]}')


def test_a_crm_without_a_location_is_not_configured(settings: Settings) -> None:
    assert not is_configured(settings)
    assert not is_configured(settings.model_copy(update={"ghl_private_token": SecretStr("pit-x")}))
    assert is_configured(settings.model_copy(update={"bmn_sandbox_url": "http://127.0.0.1:1"}))


def test_custom_fields_are_read_or_refused() -> None:
    assert custom_fields(" a=1, b=2 ,") == {"a": "1", "b": "2"}
    with pytest.raises(Misconfigured, match="GHL_CUSTOM_FIELDS"):
        custom_fields("a")
