"""Starting a job again is no way to get something for nothing, nor to make our own jobs do what a user wants."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import insert

from bmn.db import transitions
from bmn.db.claims import claim
from bmn.db.library import asset_store
from bmn.db.records import NewAsset
from bmn.db.tables import job_units
from tests.security.target import Target


def _stopped(target: Target, job_id: str, *saved: str, asset: str | None = "asset") -> None:
    """The job is cancelled, some of its units being saved."""
    queue = job_id[:-37]

    def write(conn: Any) -> None:
        (row,) = claim(conn, queue, 1, "worker", 10)
        assert row.id == job_id
        for unit in saved:
            conn.execute(insert(job_units).values(job_id=job_id, unit=unit, state="saved", asset_id=asset, credits=1))
        transitions.cancel(conn, row)

    target.write(write)


@pytest.fixture
def user(target: Target) -> httpx.Client:
    return target.client(str(uuid4()))


@pytest.mark.parametrize(
    ("saved", "count", "credits"),
    [
        (("logo-1", "logo-2", "logo-3"), 1, 1),  # the one that is asked for now was not made
        (("logo-2", "logo-3"), 2, 2),
        (("logo-0", "logo-3"), 2, 1),
        (("logo-0", "logo-1"), 8, 6),
        (("logo-0", "logo-1", "logo-2"), 2, 0),
    ],
)
def test_fewer_logos_than_before_are_paid_for_unless_they_are_the_ones_that_were_made(
    target: Target, user: httpx.Client, saved: tuple[str, ...], count: int, credits: int
) -> None:
    job_id = target.logos(user, 4)
    _stopped(target, job_id, *saved)
    balance = user.get("/api/v1/credits").json()["creditsRemaining"]
    answer = user.post(f"/api/v1/jobs/{job_id}/retry", json={"changes": {"count": count}})
    assert (answer.status_code, answer.json()["credits"]) == (202, credits)
    assert user.get("/api/v1/credits").json()["creditsRemaining"] == balance - credits
    user.post(f"/api/v1/jobs/{answer.json()['jobId']}/cancel")


def test_a_wizard_that_was_paid_for_and_cancelled_behind_its_work_does_not_run_again_for_nothing(
    target: Target, user: httpx.Client
) -> None:
    body = {"brandId": target.brand(user), "step": "social-analysis"}
    job_id = user.post("/api/v1/generation/wizard", json=body).json()["jobId"]
    _stopped(target, job_id, "step", asset=None)
    assert user.post(f"/api/v1/jobs/{job_id}/retry").status_code == 409
    assert user.get(f"/api/v1/jobs/{job_id}/why").json()["try"]["command"] == f"bmn jobs show {job_id}"
    page = user.get(f"/g/job/{job_id}")
    assert page.status_code == 200 and f"/g/job/{job_id}/retry" not in page.text


def test_a_user_cannot_make_our_mails_say_something_else_to_somebody_else(target: Target) -> None:
    user_id = str(uuid4())
    user = target.client(user_id, email="ana@example.com")
    user.get("/api/v1/credits")  # the first sight of a user sends the welcome mail
    mail = f"email-send-{user_id}"
    assert user.post(f"/api/v1/jobs/{mail}/cancel").status_code == 200
    forged = {"changes": {"to": "victim@example.com", "template": "ops-alert", "data": {"error": "pay here"}}}
    assert user.post(f"/api/v1/jobs/{mail}/retry", json=forged).status_code == 403
    again = user.post(f"/api/v1/jobs/{mail}/retry")
    assert again.status_code == 202
    payload = user.get(f"/api/v1/jobs/{again.json()['jobId']}").json()["payload"]
    assert (payload["to"], payload["template"]) == ("ana@example.com", "welcome")
    user.post(f"/api/v1/jobs/{again.json()['jobId']}/cancel")


def test_an_admin_may_mend_a_mail_that_has_a_wrong_address(target: Target) -> None:
    user_id = str(uuid4())
    user = target.client(user_id, email="ana@example.con")
    user.get("/api/v1/credits")
    user.post(f"/api/v1/jobs/email-send-{user_id}/cancel")
    admin = target.client(str(uuid4()), "admin")
    mended = {"changes": {"to": "ana@example.com"}}
    answer = admin.post(f"/api/v1/jobs/email-send-{user_id}/retry", json=mended)
    assert answer.status_code == 202
    admin.post(f"/api/v1/jobs/{answer.json()['jobId']}/cancel")


def test_a_thumbnail_is_noted_only_with_a_picture_of_its_own_brand(target: Target, user: httpx.Client) -> None:
    brand, other, asset_id = target.brand(user), target.brand(user), str(uuid4())
    fields = NewAsset(
        id=asset_id,
        brand_id=brand,
        asset_type="logo",
        url="http://127.0.0.1/files/a.png",
        storage_key=f"brands/{brand}/logo/a.png",
        sha256="0" * 64,
        mime_type="image/png",
        size_bytes=1,
    )
    target.write(lambda conn: asset_store.add(conn, fields))
    assert not target.write(lambda conn: asset_store.set_thumbnail(conn, asset_id, other, "http://127.0.0.1/foreign"))
    assert user.get(f"/api/v1/assets/{asset_id}").json()["thumbnailUrl"] is None
    assert target.write(lambda conn: asset_store.set_thumbnail(conn, asset_id, brand, "http://127.0.0.1/own"))
