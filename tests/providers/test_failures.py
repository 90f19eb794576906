"""From a vendor's words to ours."""

import time
from email.utils import formatdate

import pytest

from bmn.errors import Cause
from bmn.providers.failures import cause_of_status, failure_of_status, retry_after
from bmn.server.edge.conditions import http_date, is_current


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (400, Cause.BAD_INPUT),
        (413, Cause.BAD_INPUT),
        (422, Cause.BAD_INPUT),
        (401, Cause.PROVIDER_AUTH),
        (403, Cause.PROVIDER_AUTH),
        (402, Cause.PROVIDER_CREDIT),
        (429, Cause.PROVIDER_RATE_LIMITED),
        (500, Cause.PROVIDER_OVERLOADED),
        (503, Cause.PROVIDER_OVERLOADED),
        (529, Cause.PROVIDER_OVERLOADED),
        (504, Cause.PROVIDER_TIMEOUT),
        (302, Cause.PROVIDER_GARBAGE),
    ],
)
def test_every_status_has_one_cause(status: int, cause: Cause) -> None:
    assert cause_of_status(status) is cause


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "999999999"}, 120.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "9" * 400}, 120.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
    ],
)
def test_a_wait_is_read_and_never_longer_than_two_minutes(headers: dict[str, str], expected: float | None) -> None:
    assert retry_after(headers) == expected


def test_a_wait_may_be_a_date() -> None:
    seconds = retry_after({"retry-after": formatdate(time.time() + 30, usegmt=True)})
    assert seconds is not None
    assert 25 < seconds <= 30
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin"])
def test_a_date_without_a_zone_is_in_utc(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        for date in (time.asctime(time.gmtime(time.time() + 30)), formatdate(time.time() + 30)):
            assert 25 < (retry_after({"retry-after": date}) or 0) <= 30
            modified = http_date(time.time() + 29)  # a second before the date, whatever the clocks here show
            assert is_current({"if-modified-since": date}, "", modified)
            assert not is_current({"if-modified-since": date}, "", http_date(time.time() + 60))
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_wait_may_stand_in_the_body() -> None:
    assert retry_after({}, {"retry_after": 5}) == 5.0


def test_a_message_names_field_and_request_but_nothing_else_of_the_vendors() -> None:
    failure = failure_of_status("Vendor", 422, field="body.prompt<script>", request_id="req_1\r\nX: y")
    assert (
        failure.message
        == "The service does not accept the request (HTTP 422, field body.promptscript, request req_1Xy)."
    )


def test_only_a_lost_answer_of_a_paid_request_is_ambiguous() -> None:
    assert failure_of_status("V", 504, paid=True).ambiguous
    assert not failure_of_status("V", 504).ambiguous
    assert not failure_of_status("V", 500, paid=True).ambiguous
