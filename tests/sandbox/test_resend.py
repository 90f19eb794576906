"""Resend's wire, over HTTP."""

from typing import Any

import httpx
import pytest

from tests.kit.sandbox import RunningSandbox

MAIL: dict[str, Any] = {
    "from": "Brand Studio <hello@example.com>",
    "to": ["ana@example.org"],
    "subject": "Welcome",
    "html": "<p>Hi</p>",
    "text": "Hi",
    "tags": [{"name": "template", "value": "welcome"}],
}


def send(sandbox: RunningSandbox, mail: Any = None, *, path: str = "/emails", **headers: str) -> httpx.Response:
    sent = {"Authorization": "Bearer re_test", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return httpx.post(f"{sandbox.url}{path}", json=MAIL if mail is None else mail, headers=sent)


def mailbox(sandbox: RunningSandbox) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{sandbox.url}/_sandbox/mails").json()
    return found


def test_a_mail_is_kept_for_the_mailbox(sandbox: RunningSandbox) -> None:
    answer = send(sandbox)
    assert answer.status_code == 200
    [mail] = mailbox(sandbox)
    assert mail["id"] == answer.json()["id"]
    assert {name: mail[name] for name in MAIL} == MAIL
    page = httpx.get(f"{sandbox.url}/_sandbox/mails/{mail['id']}")
    assert page.text == "<p>Hi</p>" and "sandbox" in page.headers["content-security-policy"]
    shown = httpx.get(f"{sandbox.url}/emails/{mail['id']}", headers={"Authorization": "Bearer re_test"}).json()
    assert (shown["subject"], shown["last_event"]) == ("Welcome", "delivered")


def test_the_same_key_and_body_is_one_mail(sandbox: RunningSandbox) -> None:
    first, second = (send(sandbox, Idempotency_Key="email/1") for _ in range(2))
    assert first.json() == second.json()
    assert len(mailbox(sandbox)) == len(sandbox.ledger("resend")) == 1


def test_the_same_key_with_another_body_is_refused(sandbox: RunningSandbox) -> None:
    send(sandbox, Idempotency_Key="email/1")
    answer = send(sandbox, {**MAIL, "subject": "Other"}, Idempotency_Key="email/1")
    assert (answer.status_code, answer.json()["name"]) == (409, "invalid_idempotent_request")
    assert len(mailbox(sandbox)) == 1


def test_a_refused_mail_does_not_use_its_key_up(sandbox: RunningSandbox) -> None:
    assert send(sandbox, {**MAIL, "subject": ""}, Idempotency_Key="email/1").status_code == 422
    assert send(sandbox, Idempotency_Key="email/1").status_code == 200


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"to": ""}, "missing_required_field"),
        ({"subject": None}, "missing_required_field"),
        ({"html": "", "text": ""}, "missing_required_field"),
        ({"from": "nobody"}, "invalid_from_address"),
        ({"to": ["nobody"]}, "invalid_to_address"),
        ({"tags": [{"name": "mail", "value": "ana@example.org"}]}, "validation_error"),
    ],
)
def test_what_the_vendor_does_not_take_is_refused(sandbox: RunningSandbox, change: dict[str, Any], name: str) -> None:
    answer = send(sandbox, {**MAIL, **change})
    assert (answer.status_code, answer.json()["statusCode"], answer.json()["name"]) == (422, 422, name)
    assert mailbox(sandbox) == []


def test_keys_are_looked_at(sandbox: RunningSandbox) -> None:
    assert httpx.post(f"{sandbox.url}/emails", json=MAIL).json()["name"] == "missing_api_key"
    answer = send(sandbox, Authorization="Bearer invalid_key")
    assert (answer.status_code, answer.json()["name"]) == (403, "invalid_api_key")


def test_a_batch_is_all_or_nothing(sandbox: RunningSandbox) -> None:
    batch = [MAIL, {**MAIL, "to": []}]
    assert send(sandbox, batch, path="/emails/batch").status_code == 422
    assert mailbox(sandbox) == []
    answer = send(sandbox, batch, path="/emails/batch", x_batch_validation="permissive")
    assert len(answer.json()["data"]) == 1 and answer.json()["errors"][0]["index"] == 1
    assert len(send(sandbox, [MAIL, MAIL], path="/emails/batch").json()["data"]) == 2


def test_the_rate_limit_can_be_set(sandbox: RunningSandbox) -> None:
    limit = {"provider": "resend", "calls": 2, "seconds": 60}
    assert httpx.post(f"{sandbox.url}/_sandbox/limits", json=limit).status_code == 201
    answers = [send(sandbox) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].json()["name"] == "rate_limit_exceeded" and int(answers[-1].headers["retry-after"]) > 50


def test_an_instant_sandbox_has_no_rate_limit(sandbox: RunningSandbox) -> None:
    assert {send(sandbox).status_code for _ in range(12)} == {200}
