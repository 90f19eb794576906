"""What each vendor documents of its errors, and which cause it is: one table, read by every client and by the docs.

A row applies where the vendor says its code, whatever the status, unless the code has a meaning for each status. A row
without a code is what a status alone means. A vendor's sentences (`PROSE`) are read only where its codes say little.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bmn.errors import Cause

AUTH, CREDIT, BUSY, DOWN = (
    Cause.PROVIDER_AUTH,
    Cause.PROVIDER_CREDIT,
    Cause.PROVIDER_RATE_LIMITED,
    Cause.PROVIDER_OVERLOADED,
)
BAD, LATE, MODERATED = Cause.BAD_INPUT, Cause.PROVIDER_TIMEOUT, Cause.MODERATED


@dataclass(frozen=True, slots=True)
class Documented:
    """One documented error. words: what we say of it, after the vendor's label, where the cause's own words mislead."""

    vendor: str
    status: int
    code: str
    cause: Cause
    words: str | None = None


def _rows(vendor: str, status: int, cause: Cause, *codes: str, words: str | None = None) -> list[Documented]:
    return [Documented(vendor, status, code, cause, words) for code in codes]


_OPENAI = [
    *_rows(
        "openai", 400, MODERATED, "moderation_blocked", "content_policy_violation", "image_content_policy_violation"
    ),
    *_rows("openai", 400, CREDIT, "billing_hard_limit_reached"),
    *_rows("openai", 429, CREDIT, "credit_balance_exhausted", "billing_not_active", "insufficient_quota"),
    *_rows(
        *("openai", 429, CREDIT, "organization_usage_limit_exceeded", "organization_spend_limit_exceeded"),
        *("project_spend_limit_exceeded",),
        words="says that a spending limit of ours is reached",
    ),
    *_rows("openai", 429, BUSY, "rate_limit_exceeded", "slow_down", "requests", "tokens", "rate_limit_error"),
    *_rows("openai", 401, AUTH, "invalid_api_key", "invalid_organization", "mismatched_project", "account_deactivated"),
    *_rows("openai", 401, AUTH, "ip_not_authorized", words="does not let our address in"),
    *_rows(
        "openai", 403, AUTH, "unsupported_country_region_territory", words="does not serve the country we call from"
    ),
    *_rows("openai", 404, AUTH, "model_not_found"),
    *_rows(
        "openai", 400, BAD, "invalid_image_file", "invalid_value", "unknown_parameter", "missing_required_parameter"
    ),
    *_rows("openai", 400, BAD, "string_above_max_length", "image_too_large", "invalid_request_error"),
    *_rows("openai", 503, DOWN, "server_is_overloaded", "service_unavailable_error"),
    *_rows("openai", 500, DOWN, "server_error", "internal_error", "image_generation_server_error"),
]
_GOOGLE = [
    *_rows("google", 400, AUTH, "API_KEY_INVALID"),
    *_rows(
        *(
            "google",
            403,
            AUTH,
            "API_KEY_SERVICE_BLOCKED",
            "API_KEY_HTTP_REFERRER_BLOCKED",
            "API_KEY_IP_ADDRESS_BLOCKED",
        ),
        *("API_KEY_ANDROID_APP_BLOCKED", "API_KEY_IOS_APP_BLOCKED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
        *("USER_PROJECT_DENIED", "CONSUMER_INVALID", "SERVICE_NOT_VISIBLE", "USER_BLOCKED_BY_ADMIN"),
        *("SECURITY_POLICY_VIOLATED", "ORG_RESTRICTION_VIOLATION", "RESOURCE_USAGE_RESTRICTION_VIOLATED"),
    ),
    *_rows("google", 403, AUTH, "SERVICE_DISABLED", words="is not enabled for our project"),
    *_rows("google", 403, AUTH, "CONSUMER_SUSPENDED", "GCP_SUSPENDED", words="has suspended our project"),
    *_rows(
        *("google", 403, AUTH, "LOCATION_POLICY_VIOLATED", "LOCATION_TAX_POLICY_VIOLATED"),
        words="does not serve the place we call from",
    ),
    *_rows("google", 401, AUTH, "ACCESS_TOKEN_EXPIRED", "ACCESS_TOKEN_TYPE_UNSUPPORTED", "CREDENTIALS_MISSING"),
    *_rows("google", 401, AUTH, "ACCOUNT_STATE_INVALID", "UNAUTHENTICATED"),
    *_rows("google", 403, CREDIT, "BILLING_DISABLED"),
    *_rows("google", 429, CREDIT, "quota:day", words="says that our quota of the day is used up"),
    *_rows("google", 429, CREDIT, "quota:none", words="gives our plan no quota for the model"),
    *_rows("google", 429, BUSY, "quota:minute", "RATE_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED"),
    *_rows("google", 400, AUTH, "FAILED_PRECONDITION", words="does not serve us from here, or not without billing"),
    *_rows("google", 403, AUTH, "PERMISSION_DENIED"),
    *_rows("google", 404, AUTH, "NOT_FOUND"),
    *_rows("google", 501, AUTH, "UNIMPLEMENTED"),
    *_rows("google", 400, BAD, "field", "OUT_OF_RANGE"),
    *_rows("google", 409, DOWN, "ABORTED"),
    *_rows("google", 499, DOWN, "CANCELLED"),
    *_rows("google", 500, DOWN, "INTERNAL", "UNKNOWN", "DATA_LOSS"),
    *_rows("google", 503, DOWN, "UNAVAILABLE"),
    *_rows("google", 504, LATE, "DEADLINE_EXCEEDED"),
]
_ANTHROPIC = [
    *_rows(
        *("anthropic", 429, CREDIT, "enforced_spend_limit_reached"),
        words="says that a spending limit of ours is reached",
    ),
    *_rows("anthropic", 402, CREDIT, "billing_error"),
    *_rows("anthropic", 401, AUTH, "authentication_error"),
    *_rows("anthropic", 403, AUTH, "permission_error"),
    *_rows("anthropic", 404, AUTH, "not_found_error"),
    *_rows("anthropic", 413, BAD, "request_too_large"),
    *_rows("anthropic", 429, BUSY, "rate_limit_error"),
    *_rows("anthropic", 500, DOWN, "api_error"),
    *_rows("anthropic", 504, LATE, "timeout_error"),
    *_rows("anthropic", 529, DOWN, "overloaded_error"),
]
_BFL = [
    *_rows("bfl", 400, BAD, ""),
    *_rows("bfl", 402, CREDIT, "insufficient_credits", ""),
    *_rows("bfl", 403, AUTH, "invalid_api_key", ""),
    *_rows("bfl", 422, BAD, "validation_error", ""),
    *_rows("bfl", 429, BUSY, "rate_limit_exceeded", ""),
    *_rows("bfl", 500, DOWN, ""),
    *_rows("bfl", 503, DOWN, ""),
]
_RESEND = [
    *_rows("resend", 400, BAD, "invalid_idempotency_key"),
    *_rows("resend", 400, BAD, "validation_error"),
    *_rows("resend", 401, AUTH, "missing_api_key", "restricted_api_key", "validation_error"),
    *_rows("resend", 403, AUTH, "invalid_api_key", "suspended_api_key", "invalid_permission"),
    *_rows(
        *("resend", 403, AUTH, "validation_error"),
        words="does not send from the domain of FROM_EMAIL, or not yet to everybody",
    ),
    *_rows("resend", 404, BAD, "not_found"),
    *_rows("resend", 405, BAD, "method_not_allowed"),
    *_rows("resend", 409, BAD, "invalid_idempotent_request"),
    *_rows("resend", 409, DOWN, "concurrent_idempotent_requests", "resource_locked"),
    *_rows("resend", 422, AUTH, "invalid_from_address", words="does not accept the address in FROM_EMAIL"),
    *_rows("resend", 422, BAD, "invalid_attachment", "invalid_access", "invalid_parameter", "invalid_region"),
    *_rows("resend", 422, BAD, "missing_required_field", "validation_error"),
    *_rows("resend", 429, CREDIT, "daily_quota_exceeded", words="says that our quota of the day is used up"),
    *_rows("resend", 429, CREDIT, "monthly_quota_exceeded", words="says that our quota of the month is used up"),
    *_rows("resend", 429, BUSY, "rate_limit_exceeded"),
    *_rows("resend", 451, BAD, "security_error"),
    *_rows("resend", 500, DOWN, "application_error", "internal_server_error"),
    *_rows("resend", 503, DOWN, "service_unavailable"),
]
_GHL = [
    *_rows("ghl", 429, CREDIT, "daily", words="says that our requests of the day are used up"),
    *_rows("ghl", 400, AUTH, "invalid_grant"),
    *_rows("ghl", 400, BAD, ""),
    *_rows("ghl", 401, AUTH, ""),
    *_rows("ghl", 403, AUTH, "", words="gives our token no right to it"),
    *_rows("ghl", 404, BAD, ""),  # a contact or a location that is not there, not a model
    *_rows("ghl", 422, BAD, ""),
    *_rows("ghl", 429, BUSY, ""),
]

DOCUMENTED: tuple[Documented, ...] = (*_OPENAI, *_GOOGLE, *_ANTHROPIC, *_BFL, *_RESEND, *_GHL)

# Where a vendor has no word for it but a sentence: vendor, status, the sentence, what it means.
PROSE: tuple[tuple[str, int, str, Cause], ...] = (
    (
        "google",
        400,
        r"(?i)\bsafety\b|\bprohibited\b|\bpolicy\b",
        MODERATED,
    ),
    ("google", 400, r"(?i)api key not (?:valid|found)", AUTH),
    ("google", 429, r"(?i)per ?day\b|credits? (?:are|is) depleted|prepa(?:id|yment) credit", CREDIT),
    ("anthropic", 400, r"(?i)credit balance is too low|reached your specified api usage limits?", CREDIT),
    ("bfl", 403, r"(?i)insufficient credits?", CREDIT),
    ("resend", 400, r"(?i)^api key is invalid", AUTH),
)

# Codes that a vendor says for everything: its sentence may say more.
_SAYS_LITTLE = frozenset({"", "RESOURCE_EXHAUSTED", "validation_error"})
# Codes that mean what they mean with their status alone.
_OF_A_STATUS = frozenset({"", "invalid_request_error", "validation_error", "UNKNOWN", "INTERNAL"})

_BY_CODE: dict[tuple[str, str], list[Documented]] = {}
for _row in DOCUMENTED:
    _BY_CODE.setdefault((_row.vendor, _row.code), []).append(_row)


def documented(vendor: str, status: int, codes: Sequence[str | None], text: str | None = None) -> Documented | None:
    """What an error means by the vendor's reference; None where only its status speaks.

    codes: what the answer says in machine words, the most telling one first. text: its sentence.
    """
    rows = (_row_of(vendor, status, code) for code in (*(code for code in codes if code), ""))
    found = next((row for row in rows if row is not None), None)
    if found is None or found.code in _SAYS_LITTLE:
        for of, at, pattern, cause in PROSE:
            if (of, at) == (vendor, status) and re.search(pattern, text or ""):
                return Documented(vendor, status, "", cause)
    return found


def _row_of(vendor: str, status: int, code: str) -> Documented | None:
    rows = _BY_CODE.get((vendor, code), [])
    exact = next((row for row in rows if row.status == status), None)
    return exact or (rows[0] if rows and code not in _OF_A_STATUS else None)
