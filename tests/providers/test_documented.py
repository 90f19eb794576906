"""What every vendor documents of its errors, each said over HTTP and read by the client that meets it."""

from typing import Any

import pytest

from bmn.errors import Cause
from bmn.providers.base import OnCall, ProviderCall
from bmn.providers.documented import DOCUMENTED, Documented
from bmn.settings import ProviderAccess, Settings
from tests.kit.sandbox import SandboxControl
from tests.kit.vendors import VENDORS
from tests.kit.wire import Wire, answer, failing

# The vendor's own sentence: it speaks of billing, quotas and policies whatever happened, as theirs do.
SENTENCE = "See billing, quota per minute, your plan, and the API key of https://user:hunter22@example.com/x"
CLIENTS = {"google": ("gemini", "video"), "ghl": ("gohighlevel",)}
ROWS = [
    (row, client)
    for row in DOCUMENTED
    for client in CLIENTS.get(row.vendor, (row.vendor,))
    if row.code != "daily"  # said in a header; a test of its own
]


def _google(code: str) -> list[dict[str, Any]]:
    quotas = {
        "quota:day": {"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "quotaValue": "50"},
        "quota:minute": {"quotaId": "GenerateRequestsPerMinutePerProjectPerModel", "quotaValue": "10"},
        "quota:none": {"quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "quotaValue": "0"},
    }
    kind = "type.googleapis.com/google.rpc."
    if code in quotas:
        return [{"@type": f"{kind}QuotaFailure", "violations": [quotas[code]]}]
    if code == "field":
        return [{"@type": f"{kind}BadRequest", "fieldViolations": [{"field": "safety_settings"}]}]
    return [{"@type": f"{kind}ErrorInfo", "reason": code, "domain": "googleapis.com"}] if code != code.lower() else []


# Words of google.rpc.Code come as the status, the reasons of google.api.ErrorReason as a detail.
_STATUS_WORDS = {
    *("FAILED_PRECONDITION", "PERMISSION_DENIED", "NOT_FOUND", "UNIMPLEMENTED", "OUT_OF_RANGE", "ABORTED", "CANCELLED"),
    *("INTERNAL", "UNKNOWN", "DATA_LOSS", "UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "UNAUTHENTICATED"),
}


def _body(row: Documented, text: str) -> Any:
    """An error answer in the shape of the vendor's wire."""
    match row.vendor:
        case "openai":
            return {"error": {"message": text, "type": "odd_error", "param": None, "code": row.code}}
        case "google" if row.code in _STATUS_WORDS:
            return {"error": {"code": row.status, "message": text, "status": row.code}}
        case "google":
            status = "RESOURCE_EXHAUSTED" if row.status == 429 else "INVALID_ARGUMENT"
            return {"error": {"code": row.status, "message": text, "status": status, "details": _google(row.code)}}
        case "anthropic" if row.code == "enforced_spend_limit_reached":
            error = {"type": "rate_limit_error", "message": text, "details": {"error_code": row.code}}
            return {"type": "error", "error": error}
        case "anthropic":
            return {"type": "error", "error": {"type": row.code, "message": text}, "request_id": "req_1"}
        case "bfl":
            return {"error": row.code, "message": text} if row.code else {"detail": text}
        case "resend":
            return {"statusCode": row.status, "name": row.code, "message": text}
    return {"statusCode": row.status, "message": text, "error": row.code}


def _id(value: Any) -> str:
    return f"{value.status}-{value.code or 'status'}" if isinstance(value, Documented) else str(value)


@pytest.mark.parametrize(("row", "client"), ROWS, ids=_id)
async def test_a_documented_error_is_read_by_its_code_and_not_by_its_sentence(
    settings: Settings,
    on_call: OnCall,
    calls: list[ProviderCall],
    sandbox: SandboxControl,
    row: Documented,
    client: str,
) -> None:
    vendor = VENDORS[client]
    sandbox.fault(vendor.sandbox, status=row.status, body=_body(row, SENTENCE))
    open_client = vendor.open(sandbox.access(vendor.path), settings, on_call)
    failure = await failing(vendor.ask(open_client))
    await open_client.close()
    assert failure.cause is row.cause
    assert SENTENCE[:12] not in failure.message and (row.words is None or row.words in failure.message)
    assert failure.said is not None and failure.said.startswith("See billing")  # operators read it
    assert "hunter22" not in failure.said
    assert calls[-1].outcome == row.cause.value and calls[-1].status in (row.status, None)


@pytest.mark.parametrize(
    ("client", "status", "body", "cause"),
    [
        # Machine words win where the sentence says otherwise.
        (
            "gemini",
            429,
            {
                "error": {
                    "code": 429,
                    "status": "RESOURCE_EXHAUSTED",
                    "message": "You exceeded your current quota, please check your plan and billing details.",
                    "details": [*_google("quota:minute"), {"@type": "x.RetryInfo", "retryDelay": "26s"}],
                }
            },
            Cause.PROVIDER_RATE_LIMITED,
        ),
        (
            "gemini",
            429,
            {"error": {"code": 429, "message": "Your prepayment credits are depleted."}},
            Cause.PROVIDER_CREDIT,
        ),
        (
            "gemini",
            429,
            {"error": {"code": 429, "message": "Check your billing details."}},
            Cause.PROVIDER_RATE_LIMITED,
        ),
        ("gemini", 400, {"error": {"message": "API key not valid. Please pass a valid one."}}, Cause.PROVIDER_AUTH),
        ("gemini", 400, [{"error": {"code": 400, "details": _google("API_KEY_INVALID")}}], Cause.PROVIDER_AUTH),
        ("gemini", 400, {"error": {"message": "Blocked by our safety policy."}}, Cause.MODERATED),
        (
            "gemini",
            400,
            {"error": {"message": "Invalid value at 'safety policy'", "details": _google("field")}},
            Cause.BAD_INPUT,
        ),
        (
            "openai",
            429,
            {"error": {"message": "billing quota", "type": "insufficient_quota", "code": "a_new_limit_exceeded"}},
            Cause.PROVIDER_CREDIT,
        ),
        (
            "openai",
            429,
            {"error": {"message": "See your billing quota", "type": "tokens", "code": "rate_limit_exceeded"}},
            Cause.PROVIDER_RATE_LIMITED,
        ),
        (
            "openai",
            403,
            {"error": {"message": "Verify", "type": "invalid_request_error", "code": None}},
            Cause.PROVIDER_AUTH,
        ),
        (
            "anthropic",
            400,
            {"type": "error", "error": {"type": "invalid_request_error", "message": "Your credit balance is too low"}},
            Cause.PROVIDER_CREDIT,
        ),
        (
            "anthropic",
            429,
            {"type": "error", "error": {"type": "rate_limit_error", "message": "Your credit balance is too low"}},
            Cause.PROVIDER_RATE_LIMITED,
        ),
        ("resend", 400, {"name": "validation_error", "message": "API key is invalid"}, Cause.PROVIDER_AUTH),
        ("resend", 400, {"name": "validation_error", "message": "Invalid `to` field."}, Cause.BAD_INPUT),
    ],
)
async def test_sentences_decide_only_where_no_word_does(
    settings: Settings, on_call: OnCall, sandbox: SandboxControl, client: str, status: int, body: Any, cause: Cause
) -> None:
    vendor = VENDORS[client]
    sandbox.fault(vendor.sandbox, status=status, body=body)
    open_client = vendor.open(sandbox.access(vendor.path), settings, on_call)
    failure = await failing(vendor.ask(open_client))
    await open_client.close()
    assert failure.cause is cause


@pytest.mark.parametrize(("left", "cause"), [("0", Cause.PROVIDER_CREDIT), ("199000", Cause.PROVIDER_RATE_LIMITED)])
async def test_a_header_says_whether_a_day_or_ten_seconds_are_used_up(
    settings: Settings, on_call: OnCall, wire: Wire, left: str, cause: Cause
) -> None:
    wire.answers = [answer(b"{}", 429, x_ratelimit_daily_remaining=left)]
    vendor = VENDORS["gohighlevel"]
    client = vendor.open(ProviderAccess(wire.url, "key", sandboxed=False), settings, on_call)
    assert (await failing(vendor.ask(client))).cause is cause
    await client.close()


async def test_an_unverified_domain_is_not_called_a_bad_key(
    settings: Settings, on_call: OnCall, sandbox: SandboxControl
) -> None:
    said = "The example.org domain is not verified. Please, add and verify your domain."
    sandbox.fault("resend", status=403, body={"statusCode": 403, "name": "validation_error", "message": said})
    client = VENDORS["resend"].open(sandbox.access(), settings, on_call)
    failure = await failing(VENDORS["resend"].ask(client))
    await client.close()
    assert failure.message == (
        "The mail service does not send from the domain of FROM_EMAIL, or not yet to everybody (HTTP 403)."
    )
    assert f"It says: {said}" in failure.for_operators
