"""Resend: mails are checked as the vendor checks them, kept, and shown in a mailbox instead of being sent."""

import hashlib
import json
import re
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from bmn_sandbox.state import Sandbox
from bmn_sandbox.wire import Refusal, bearer

PROVIDER = "resend"

_MAIL, _KEY = "resend.mail", "resend.key"
_KEY_SECONDS = 24 * 3600
_USD = 0.0004
_MOST_RECIPIENTS, _MOST_IN_BATCH = 50, 100
_NAMES = {
    400: ("validation_error", "The request is invalid."),
    401: ("missing_api_key", "Missing API key in the authorization header."),
    403: ("invalid_api_key", "API key is invalid"),
    404: ("not_found", "The requested endpoint does not exist."),
    409: ("concurrent_idempotent_requests", "Another request with the same idempotency key is in progress."),
    422: ("validation_error", "The request is invalid."),
    429: ("rate_limit_exceeded", "Too many requests. You can only make 5 requests per second."),
    500: ("application_error", "An unexpected error occurred."),
    503: ("service_unavailable", "The service is unavailable."),
}
_ADDRESS = re.compile(r"(?:[^<>\n]*<)?[^<>@\s,]+@[^<>@\s,]+\.[^<>@\s,]+>?")
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")


def error_body(status: int, name: str | None = None, message: str | None = None) -> dict[str, Any]:
    """The vendor's error body for an HTTP status."""
    usual_name, words = _NAMES.get(status, ("application_error", f"Error {status}"))
    return {"statusCode": status, "name": name or usual_name, "message": message or words}


def routes(sandbox: Sandbox) -> list[Route]:
    post = PostOffice(sandbox)
    return [
        Route("/emails", post.send, methods=["POST"], name="send"),
        Route("/emails/batch", post.send_batch, methods=["POST"], name="batch"),
        Route("/emails/{id}", post.show, methods=["GET"], name="show"),
    ]


def control_routes(sandbox: Sandbox) -> list[Route]:
    """`GET /_sandbox/mails`: every mail, oldest first; `GET /_sandbox/mails/{id}`: one as a browser shows it."""

    async def mails(request: Request) -> Response:
        to = request.query_params.get("to")
        found = [mail for mail in sandbox.store.all(_MAIL) if to is None or to in mail["to"]]
        return JSONResponse(found)

    async def mail(request: Request) -> Response:
        found = sandbox.store.get(_MAIL, request.path_params["id"])
        if found is None:
            return JSONResponse({"error": "no such mail"}, 404)
        # A mail's scripts must not run with the rights of this address.
        policy = {"content-security-policy": "sandbox; default-src 'none'; img-src * data:; style-src 'unsafe-inline'"}
        return HTMLResponse(found["html"] or f"<pre>{_escaped(found['text'])}</pre>", headers=policy)

    return [Route("/_sandbox/mails", mails), Route("/_sandbox/mails/{id}", mail)]


class PostOffice:
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.limiter = sandbox.limiter(PROVIDER, calls=5, seconds=1.0)

    async def send(self, request: Request) -> Response:
        return await self._once(request, batch=False)

    async def send_batch(self, request: Request) -> Response:
        return await self._once(request, batch=True)

    async def show(self, request: Request) -> Response:
        try:
            self._admit(request)
        except Refusal as refusal:
            return JSONResponse(refusal.body, refusal.status, headers=refusal.headers)
        mail = self.sandbox.store.get(_MAIL, request.path_params["id"])
        if mail is None:
            return JSONResponse(error_body(404, message="Email not found"), 404)
        wire = {**mail, "object": "email", "created_at": mail["time"], "last_event": "delivered"}
        return JSONResponse({k: v for k, v in wire.items() if k != "time"})

    async def _once(self, request: Request, *, batch: bool) -> Response:
        """Answers a repeated idempotency key as before, and refuses it with another body."""
        raw = await request.body()
        try:
            headers = self._admit(request)
            key = request.headers.get("idempotency-key")
            if key is not None and not 1 <= len(key) <= 256:
                words = "The idempotency key must be between 1 and 256 characters."
                raise Refusal(400, error_body(400, "invalid_idempotency_key", words))
            digest = hashlib.sha256(raw).hexdigest()
            kept = self.sandbox.store.get(_KEY, key) if key else None
            if kept and kept["time"] > time.time() - _KEY_SECONDS:
                if kept["body"] != digest:
                    words = "This idempotency key has been used with a different request body."
                    raise Refusal(409, error_body(409, "invalid_idempotent_request", words))
                return JSONResponse(kept["answer"], headers=headers)
            answer = self._taken(request, raw, batch=batch)
        except Refusal as refusal:
            return JSONResponse(refusal.body, refusal.status, headers=refusal.headers)
        if key:
            self.sandbox.store.put(_KEY, key, {"time": time.time(), "body": digest, "answer": answer})
        return JSONResponse(answer, headers=headers)

    def _admit(self, request: Request) -> dict[str, str]:
        """The rate headers. Raises Refusal."""
        key = bearer(request)
        if not key:
            raise Refusal(401, error_body(401))
        if key.startswith("invalid"):
            raise Refusal(403, error_body(403))
        wait = self.limiter.wait()
        headers = {
            "ratelimit-limit": str(self.limiter.calls),
            "ratelimit-remaining": str(self.limiter.remaining),
            "ratelimit-reset": str(max(1, round(wait))),
        }
        if wait:
            raise Refusal(429, error_body(429), {**headers, "retry-after": str(max(1, round(wait)))})
        return headers

    def _taken(self, request: Request, raw: bytes, *, batch: bool) -> dict[str, Any]:
        try:
            body = json.loads(raw)
        except ValueError as problem:
            raise Refusal(400, error_body(400, message="The request body is not valid JSON.")) from problem
        if not batch:
            _check(body)
            return {"id": self._keep(body, raw)}
        if not isinstance(body, list) or not 1 <= len(body) <= _MOST_IN_BATCH:
            raise _unfit("validation_error", f"A batch has 1 to {_MOST_IN_BATCH} emails.")
        errors: list[dict[str, Any]] = []
        good: list[dict[str, Any]] = []
        permissive = request.headers.get("x-batch-validation") == "permissive"
        for index, mail in enumerate(body):
            try:
                _check(mail, batch=True)
                good.append(mail)
            except Refusal as refusal:
                if not permissive:
                    raise
                errors.append({"index": index, "message": refusal.body["message"]})
        sent = {"data": [{"id": self._keep(mail, raw)} for mail in good]}
        return {**sent, "errors": errors} if permissive else sent

    def _keep(self, mail: dict[str, Any], raw: bytes) -> str:
        mail_id = str(uuid.uuid4())
        self.sandbox.ledger.bill(
            PROVIDER,
            "email",
            unit="mail",
            units=1,
            usd=_USD,
            request_body=raw,
            prompt=str(mail["subject"]),
            task_id=mail_id,
        )
        kept = {
            "id": mail_id,
            "from": mail["from"],
            "to": _addresses(mail["to"]),
            "cc": _addresses(mail.get("cc")),
            "bcc": _addresses(mail.get("bcc")),
            "reply_to": _addresses(mail.get("reply_to")),
            "subject": mail["subject"],
            "html": mail.get("html") or "",
            "text": mail.get("text") or "",
            "tags": mail.get("tags") or [],
            "headers": mail.get("headers") or {},
            "attachments": [str(one.get("filename", "")) for one in mail.get("attachments") or []],
            "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        self.sandbox.store.put(_MAIL, mail_id, kept)
        return mail_id


def _unfit(name: str, message: str) -> Refusal:
    return Refusal(422, error_body(422, name, message))


def _check(mail: Any, *, batch: bool = False) -> None:
    """Raises Refusal for a mail that the vendor would not take."""
    if not isinstance(mail, dict):
        raise _unfit("validation_error", "An email must be an object.")
    for name in ("from", "to", "subject"):
        if not mail.get(name):
            raise _unfit("missing_required_field", f"Missing `{name}` field.")
    if not (mail.get("html") or mail.get("text") or mail.get("template")):
        raise _unfit("missing_required_field", "Missing `html` or `text` field.")
    if not isinstance(mail["from"], str) or not _ADDRESS.fullmatch(mail["from"]):
        raise _unfit(
            "invalid_from_address", "Invalid `from` field. Use `email@example.com` or `Name <email@example.com>`."
        )
    recipients = _addresses(mail["to"])
    if len(recipients) > _MOST_RECIPIENTS:
        raise _unfit("validation_error", f"At most {_MOST_RECIPIENTS} recipients.")
    if not all(_ADDRESS.fullmatch(address) for address in recipients):
        raise _unfit("invalid_to_address", "Invalid `to` field. The email address needs to follow `email@example.com`.")
    for tag in mail.get("tags") or []:
        if not all(_TAG.fullmatch(str(tag.get(part, ""))) for part in ("name", "value")):
            words = "Tags should only contain ASCII letters, numbers, underscores, or dashes."
            raise _unfit("validation_error", words)
    if batch and any(mail.get(name) for name in ("attachments", "scheduled_at")):
        raise _unfit("validation_error", "`attachments` and `scheduled_at` are not supported in a batch.")


def _addresses(given: Any) -> list[str]:
    return [] if not given else [given] if isinstance(given, str) else [str(one) for one in given]


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
