"""Mails and the CRM: told once, and never in the way of a user."""

import time
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import httpx
import pytest

from bmn.db.operators import queue_store
from bmn.signing import Signer
from tests.handlers.orders import WELCOME
from tests.kit.bench import Bench
from tests.kit.people import ANA, EMAIL


def mails(bench: Bench, template: str) -> list[dict[str, Any]]:
    return [m for m in bench.sandbox.mails() if {"name": "template", "value": template} in m["tags"]]


def contact(bench: Bench, contact_id: str) -> dict[str, Any]:
    headers = {"authorization": "Bearer x", "version": "2021-07-28"}
    found: dict[str, Any] = httpx.get(f"{bench.sandbox.url}/contacts/{contact_id}", headers=headers).json()["contact"]
    return found


async def test_a_mail_is_rendered_and_sent(bench: Bench) -> None:
    before = len(mails(bench, "welcome"))
    row = await bench.run("email-send", **WELCOME)
    assert (row["state"], row["error"]) == ("completed", None)
    sent = mails(bench, "welcome")
    assert len(sent) == before + 1
    assert sent[-1]["subject"] == "Welcome to Brand Me Now"
    assert sent[-1]["to"] == [EMAIL]
    assert "Welcome, Ana!" in sent[-1]["text"]


@pytest.mark.parametrize("fault", [{"dropResponse": True}, {"status": 500}, {"garbage": "html"}])
async def test_a_mail_job_that_runs_twice_sends_once(bench: Bench, fault: dict[str, Any]) -> None:
    before = len(mails(bench, "welcome"))
    bench.sandbox.fault("resend", times=2, **fault)
    row = await bench.run("email-send", **WELCOME)
    assert (row["state"], row["attempt"]) == ("completed", 3)
    assert len(mails(bench, "welcome")) == before + 1


async def test_a_mail_that_dies_makes_no_other_mail(bench: Bench) -> None:
    bench.sandbox.fault("resend", status=500)
    row = await bench.run("email-send", **WELCOME)
    assert (row["state"], row["attempt"]) == ("failed", 5)
    assert len(await bench.jobs_of("email-send")) == 1


def _at_most(bench: Bench, mails_a_day: int) -> None:
    bench.core.settings = bench.core.settings.model_copy(update={"bmn_mails_per_day": mails_a_day})


async def test_nobody_gets_more_mails_a_day_than_the_limit(bench: Bench) -> None:
    _at_most(bench, 2)
    before, somebody = len(bench.sandbox.mails()), str(uuid4())
    mail = {**WELCOME, "userId": somebody}
    assert [(await bench.run("email-send", **mail))["state"] for _ in range(2)] == ["completed"] * 2
    late = await bench.run("email-send", **{**mail, "to": "another@example.org"})
    assert (late["state"], late["cause"], late["attempt"]) == ("failed", "bad_input", 1)
    assert "as a day allows (2)" in late["error"]
    assert len(bench.sandbox.mails()) == before + 2
    assert await bench.core.db.read(queue_store.open_dead_letters) == 0
    assert (await bench.run("email-send", **{**mail, "userId": str(uuid4())}))["state"] == "completed"


async def test_an_address_without_a_user_has_the_same_limit_and_our_own_support_has_none(bench: Bench) -> None:
    _at_most(bench, 1)
    mail = {"userId": None, "template": "welcome", "to": f"{uuid4()}@Example.org"}
    assert (await bench.run("email-send", **mail))["state"] == "completed"
    again = await bench.run("email-send", **{**mail, "to": mail["to"].lower()})
    assert (again["state"], again["cause"]) == ("failed", "bad_input")
    support = {"userId": None, "template": "support-ticket", "to": bench.core.settings.support_email}
    assert [(await bench.run("email-send", **support))["state"] for _ in range(2)] == ["completed"] * 2


async def test_a_mail_that_is_tried_again_is_counted_once(bench: Bench) -> None:
    _at_most(bench, 1)
    bench.sandbox.fault("resend", status=500, times=2)
    row = await bench.run("email-send", **{**WELCOME, "userId": str(uuid4())})
    assert (row["state"], row["attempt"]) == ("completed", 3)


async def test_a_dead_job_of_another_queue_is_told_to_the_operators(bench: Bench) -> None:
    before = len(mails(bench, "ops-alert"))
    bench.sandbox.fault("ghl", status=500)
    row = await bench.run("crm-sync", userId=ANA, eventType="user.created")
    assert row["state"] == "failed"
    assert (await bench.attempt("email-send"))["state"] == "completed"
    alert = mails(bench, "ops-alert")[before:][0]
    assert alert["subject"] == "[bmn] crm-sync: provider_overloaded"
    assert row["id"] in alert["text"]


EVENTS = [
    ("user.created", {"fullName": "Ana Li"}, {"bmn-user", "new-signup"}, {}),
    ("wizard.started", {}, {"wizard-started"}, {}),
    ("wizard.step-completed", {"step": "brand-identity"}, set(), {"f1": "brand-identity"}),
    ("wizard.abandoned", {"lastStep": "bundle-builder"}, {"abandoned-step-bundle-builder"}, {"f1": "bundle-builder"}),
    ("brand.completed", {"brandName": "Acme"}, {"brand-completed"}, {"f2": "Acme"}),
    ("subscription.created", {"tier": "Pro"}, {"tier-pro", "paying-customer"}, {}),
    ("subscription.cancelled", {}, {"churned"}, {}),
    ("subscription.created", {"tier": {"deep": 1}}, {"tier-unknown"}, {}),
]


@pytest.mark.parametrize(("event", "data", "tags", "fields"), EVENTS)
async def test_an_event_reaches_the_contact(
    bench: Bench, event: str, data: dict[str, Any], tags: set[str], fields: dict[str, str]
) -> None:
    row = await bench.run("crm-sync", userId=ANA, eventType=event, data=data)
    assert (row["state"], row["error"]) == ("completed", None)
    known = contact(bench, row["result"]["contactId"])
    assert known["email"] == EMAIL
    assert tags <= set(known["tags"])
    shown = {field["id"]: field["value"] for field in known["customFields"]}
    assert fields.items() <= shown.items()


@pytest.mark.parametrize("event", ["wizard.started", "wizard.step-completed", "wizard.abandoned"])
async def test_what_a_user_does_is_their_last_activity(bench: Bench, event: str) -> None:
    row = await bench.run("crm-sync", userId=ANA, eventType=event)
    shown = {field["id"]: field["value"] for field in contact(bench, row["result"]["contactId"])["customFields"]}
    assert 0 <= time.time() - datetime.fromisoformat(shown["f3"]).timestamp() < 60


async def test_the_logo_that_the_crm_keeps_opens_without_a_token(bench: Bench) -> None:
    logo = await bench.asset("logo")
    row = await bench.run("crm-sync", userId=ANA, eventType="brand.completed", data={"logoUrl": logo})
    shown = {field["id"]: field["value"] for field in contact(bench, row["result"]["contactId"])["customFields"]}
    address, _, query = shown["f4"].partition("?")
    assert address == logo
    asked = {name: values[0] for name, values in parse_qs(query).items()}
    key = bench.core.storage.key_of(logo)
    signer = Signer(bench.core.settings, bench.core.storage)
    assert key and signer.allows(key, asked["until"], asked["signature"])
    assert float(asked["until"]) > time.time() + 9 * 365 * 86_400


async def test_a_new_subscription_takes_the_mark_of_a_lost_customer_away(bench: Bench) -> None:
    await bench.run("crm-sync", userId=ANA, eventType="subscription.cancelled")
    row = await bench.run("crm-sync", userId=ANA, eventType="subscription.created", data={"tier": "pro"})
    assert "churned" not in contact(bench, row["result"]["contactId"])["tags"]


async def test_the_account_names_the_contact_and_not_the_event(bench: Bench) -> None:
    row = await bench.run("crm-sync", userId=ANA, eventType="user.created", data={"email": "mallory@example.org"})
    assert contact(bench, row["result"]["contactId"])["email"] == EMAIL


async def test_an_event_of_nobody_is_bad_input(bench: Bench) -> None:
    row = await bench.run("crm-sync", userId=str(uuid4()), eventType="wizard.started")
    assert (row["state"], row["cause"]) == ("failed", "bad_input")
