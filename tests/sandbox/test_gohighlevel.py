"""GoHighLevel's wire, over HTTP."""

from typing import Any

import httpx
import pytest

from tests.kit.sandbox import RunningSandbox

PLACE = "ve9EPM428h8vShlRW1KT"


@pytest.fixture
def crm(sandbox: RunningSandbox) -> httpx.Client:
    headers = {"Authorization": "Bearer pit-test", "Version": "2021-07-28"}
    return httpx.Client(base_url=sandbox.url, headers=headers)


def upsert(crm: httpx.Client, **fields: Any) -> Any:
    answer = crm.post("/contacts/upsert", json={"locationId": PLACE, "email": "ana@example.org", **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_an_upsert_creates_once_and_updates_after(crm: httpx.Client) -> None:
    first, second = upsert(crm, firstName="Ana"), upsert(crm, email="ANA@example.org", lastName="Li")
    assert (first["new"], second["new"]) == (True, False)
    assert second["contact"]["id"] == first["contact"]["id"]
    assert second["contact"]["firstName"] == "Ana" and second["contact"]["lastName"] == "Li"


def test_tags_in_an_upsert_overwrite_the_list(crm: httpx.Client) -> None:
    contact = upsert(crm, tags=["Lead", "vip"])["contact"]
    assert contact["tags"] == ["lead", "vip"]
    assert upsert(crm, firstName="Ana")["contact"]["tags"] == ["lead", "vip"]
    assert upsert(crm, tags=["new"])["contact"]["tags"] == ["new"]


def test_tags_are_added_and_removed_on_their_own(crm: httpx.Client) -> None:
    contact = upsert(crm, tags=["lead"])["contact"]
    path = f"/contacts/{contact['id']}/tags"
    for _ in range(2):
        added = crm.post(path, json={"tags": ["logo-complete"]})
        assert (added.status_code, added.json()) == (201, {"tags": ["lead", "logo-complete"]})
    removed = crm.request("DELETE", path, json={"tags": ["lead"]})
    assert (removed.status_code, removed.json()) == (200, {"tags": ["logo-complete"]})
    assert crm.get(f"/contacts/{contact['id']}").json()["contact"]["tags"] == ["logo-complete"]


def test_custom_fields_go_by_id_or_key_in_both_spellings(crm: httpx.Client) -> None:
    upsert(crm, customFields=[{"id": "f1", "field_value": "completed"}])
    contact = upsert(crm, customFields=[{"key": "brand_name", "fieldValue": "Foxly"}])["contact"]
    assert contact["customFields"] == [{"id": "f1", "value": "completed"}, {"id": "brand_name", "value": "Foxly"}]


def test_unknown_fields_are_listed(crm: httpx.Client) -> None:
    answer = crm.post("/contacts/upsert", json={"locationId": PLACE, "wizard_step": "logo", "email": "nobody"})
    assert answer.status_code == 422
    assert answer.json()["message"] == ["property wizard_step should not exist", "email must be an email"]


def test_another_contacts_phone_is_silently_not_written(crm: httpx.Client) -> None:
    upsert(crm)
    upsert(crm, email="bob@example.org", phone="+14155550100")
    contact = upsert(crm, phone="+14155550100")["contact"]
    assert contact["email"] == "ana@example.org" and "phone" not in contact


def test_an_unknown_email_with_a_known_phone_is_that_contact(crm: httpx.Client) -> None:
    bob = upsert(crm, email="bob@example.org", phone="+14155550100")["contact"]
    again = upsert(crm, email="new@example.org", phone="+14155550100")
    assert (again["new"], again["contact"]["id"]) == (False, bob["id"])


def test_duplicates_are_found_by_email(crm: httpx.Client) -> None:
    contact = upsert(crm)["contact"]
    query = {"locationId": PLACE, "email": "ana@example.org"}
    assert crm.get("/contacts/search/duplicate", params=query).json()["contact"]["id"] == contact["id"]
    query["email"] = "nobody@example.org"
    assert crm.get("/contacts/search/duplicate", params=query).json() == {"contact": None}


def test_the_version_header_and_the_token_are_needed(sandbox: RunningSandbox) -> None:
    bare = httpx.post(f"{sandbox.url}/contacts/upsert", json={}, headers={"Authorization": "Bearer pit-test"})
    assert (bare.status_code, bare.json()["message"]) == (401, "version header was not found.")
    assert httpx.post(f"{sandbox.url}/contacts/upsert", json={}, headers={"Version": "v3"}).status_code == 401


def test_a_refresh_token_is_good_for_one_use(sandbox: RunningSandbox) -> None:
    client = {"client_id": "c", "client_secret": "s", "user_type": "Location"}

    def token(**form: str) -> httpx.Response:
        return httpx.post(f"{sandbox.url}/oauth/token", data={**client, **form})

    first = token(grant_type="authorization_code", code="abc").json()
    second = token(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert second.status_code == 200 and second.json()["refresh_token"] != first["refresh_token"]
    again = token(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert (again.status_code, again.json()["error"]) == (401, "invalid_grant")
    headers = {"Authorization": f"Bearer {second.json()['access_token']}", "Version": "v3"}
    good = httpx.get(f"{sandbox.url}/contacts/search/duplicate?locationId={PLACE}", headers=headers)
    assert good.status_code == 200
    headers["Authorization"] += "x"
    assert httpx.get(f"{sandbox.url}/contacts/x", headers=headers).status_code == 401


def test_more_than_the_limit_is_refused(sandbox: RunningSandbox, crm: httpx.Client) -> None:
    httpx.post(f"{sandbox.url}/_sandbox/limits", json={"provider": "ghl", "calls": 2, "seconds": 60})
    answers = [crm.get("/contacts/none") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [400, 400, 429]
    assert answers[0].headers["x-ratelimit-remaining"] == "1"
