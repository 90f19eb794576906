"""GoHighLevel: contacts, their tags, and OAuth tokens that rotate."""

import re
import secrets
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bmn_sandbox.state import Sandbox
from bmn_sandbox.wire import Refusal, bearer, json_object

PROVIDER = "ghl"

_CONTACT, _INDEX, _ACCESS, _REFRESH = "ghl.contact", "ghl.index", "ghl.access", "ghl.refresh"
_VERSIONS = ("2021-07-28", "2021-04-15", "v3")
_ACCESS_SECONDS = 86_399
_TEXT_FIELDS = (
    "firstName", "lastName", "name", "email", "phone", "source", "address1", "city", "state", "postalCode", "country",
    "website", "timezone", "companyName", "dateOfBirth", "gender", "assignedTo",
)  # fmt: skip
_OTHER_FIELDS = (
    "locationId",
    "tags",
    "customFields",
    "dnd",
    "dndSettings",
    "createNewIfDuplicateAllowed",
    "inboundDndSettings",
)
_ALLOWED = {*_TEXT_FIELDS, *_OTHER_FIELDS}
_WORDS = {
    400: "Bad Request",
    401: "Invalid token: access token is invalid",
    403: "The token does not have access to this location.",
    404: "Contact not found",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
}
_TITLES = {401: "Unauthorized", 403: "Forbidden", 422: "Unprocessable Entity"}

Handler = Callable[[Request], Awaitable[Response]]


def error_body(status: int, message: str | list[str] | None = None) -> dict[str, Any]:
    """The vendor's error body for an HTTP status."""
    title = {"error": _TITLES[status]} if status in _TITLES else {}
    return {"statusCode": status, "message": message or _WORDS.get(status, f"Error {status}"), **title}


def routes(sandbox: Sandbox) -> list[Route]:
    desk = Desk(sandbox)
    return [
        Route("/contacts/upsert", desk.guarded(desk.upsert), methods=["POST"], name="upsert"),
        Route("/contacts/search/duplicate", desk.guarded(desk.duplicate), methods=["GET"], name="duplicate"),
        Route("/contacts/{id}/tags", desk.guarded(desk.add_tags), methods=["POST"], name="add_tags"),
        Route("/contacts/{id}/tags", desk.guarded(desk.remove_tags), methods=["DELETE"], name="remove_tags"),
        Route("/contacts/{id}", desk.guarded(desk.show), methods=["GET"], name="show"),
        Route("/oauth/token", desk.token, methods=["POST"], name="token"),
    ]


class Desk:
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.store = sandbox.store
        self.limiter = sandbox.limiter(PROVIDER, calls=100, seconds=10.0)

    def guarded(self, handler: Handler) -> Handler:
        """The checks that every call but the token's goes through, and the rate headers."""

        async def checked(request: Request) -> Response:
            try:
                self._admit(request)
                response = await handler(request)
            except Refusal as refusal:
                response = JSONResponse(refusal.body, refusal.status)
            except ValueError as problem:
                response = JSONResponse(error_body(400, str(problem)), 400)
            response.headers["x-ratelimit-max"] = str(self.limiter.calls)
            response.headers["x-ratelimit-remaining"] = str(self.limiter.remaining)
            response.headers["x-ratelimit-interval-milliseconds"] = str(round(self.limiter.seconds * 1000))
            response.headers["x-ratelimit-limit-daily"] = "200000"
            return response

        return checked

    async def upsert(self, request: Request) -> Response:
        body = await json_object(request)
        _check(body)
        contact = self._matching(body)
        new = contact is None
        if contact is None:
            contact = {"id": _new_id(), "tags": [], "customFields": [], "dateAdded": _now()}
        other = self._by("phone", body)
        given = {k: v for k, v in body.items() if k in _TEXT_FIELDS or k in ("locationId", "dnd")}
        if other and other["id"] != contact["id"]:  # the vendor says nothing, and does not write it
            given.pop("phone", None)
        contact.update(given, dateUpdated=_now())
        if "tags" in body:  # overwrites the list, whoever set what was in it
            contact["tags"] = _lowered(body["tags"])
        contact["customFields"] = _merged(contact["customFields"], body.get("customFields") or [])
        self._keep(contact)
        return JSONResponse({"new": new, "contact": contact, "traceId": str(uuid.uuid4())})

    async def duplicate(self, request: Request) -> Response:
        query = request.query_params
        if not query.get("locationId"):
            raise Refusal(422, error_body(422, ["locationId must be a string", "locationId should not be empty"]))
        wanted = {"locationId": query["locationId"], "email": query.get("email"), "phone": query.get("number")}
        return JSONResponse({"contact": self._matching(wanted)})

    async def show(self, request: Request) -> Response:
        return JSONResponse({"contact": self._contact(request)})

    async def add_tags(self, request: Request) -> Response:
        contact, tags = self._contact(request), await _tags(request)
        contact["tags"] = list(dict.fromkeys([*contact["tags"], *tags]))
        self._keep(contact)
        return JSONResponse({"tags": contact["tags"]}, 201)

    async def remove_tags(self, request: Request) -> Response:
        contact, tags = self._contact(request), await _tags(request)
        contact["tags"] = [tag for tag in contact["tags"] if tag not in tags]
        self._keep(contact)
        return JSONResponse({"tags": contact["tags"]})

    async def token(self, request: Request) -> Response:
        """A new pair of tokens. A refresh token is good for one use."""
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        if not (form.get("client_id") and form.get("client_secret")):
            return _token_refusal("invalid_client", "Client credentials are missing or invalid.")
        grant = form.get("grant_type")
        if grant == "refresh_token":
            used = form.get("refresh_token", "")
            if not self.store.delete(_REFRESH, used):
                return _token_refusal("invalid_grant", "This refresh token is invalid or has been used.")
        elif grant != "authorization_code" or not form.get("code"):
            return JSONResponse({"error": "unsupported_grant_type", "error_description": "Unknown grant type."}, 400)
        access, refresh = f"at-{secrets.token_urlsafe(24)}", f"rt-{secrets.token_urlsafe(24)}"
        self.store.put(_ACCESS, access, {"expires": time.time() + _ACCESS_SECONDS})
        self.store.put(_REFRESH, refresh, {"created": time.time()})
        return JSONResponse(
            {
                "access_token": access,
                "token_type": "Bearer",
                "expires_in": _ACCESS_SECONDS,
                "refresh_token": refresh,
                "scope": "contacts.readonly contacts.write locations/customFields.readonly",
                "userType": form.get("user_type", "Location"),
                "locationId": "sandbox-location",
                "companyId": "sandbox-company",
                "userId": "sandbox-user",
            }
        )

    def _admit(self, request: Request) -> None:
        token = bearer(request)
        if not token:
            raise Refusal(401, error_body(401))
        if token.startswith("at-"):
            kept = self.store.get(_ACCESS, token)
            if kept is None or kept["expires"] < time.time():
                raise Refusal(401, error_body(401))
        version = request.headers.get("version", "")
        if version not in _VERSIONS:
            raise Refusal(
                401, error_body(401, "version header was not found." if not version else "version is invalid.")
            )
        if self.limiter.wait():
            raise Refusal(429, error_body(429))

    def _contact(self, request: Request) -> dict[str, Any]:
        found = self.store.get(_CONTACT, request.path_params["id"])
        if found is None:
            raise Refusal(400, error_body(400, f"Contact with id {request.path_params['id']} not found"))
        return found

    def _matching(self, wanted: dict[str, Any]) -> dict[str, Any] | None:
        """The contact with this e-mail, else the one with this phone."""
        return self._by("email", wanted) or self._by("phone", wanted)

    def _by(self, name: str, wanted: dict[str, Any]) -> dict[str, Any] | None:
        entry = self.store.get(_INDEX, _place(name, wanted)) if wanted.get(name) else None
        contact = self.store.get(_CONTACT, entry["id"]) if entry else None
        # The index still has an address that the contact has given up.
        return contact if contact and _place(name, contact) == _place(name, wanted) else None

    def _keep(self, contact: dict[str, Any]) -> None:
        self.store.put(_CONTACT, contact["id"], contact)
        for name in ("email", "phone"):
            if contact.get(name):
                self.store.put(_INDEX, _place(name, contact), {"id": contact["id"]})


def _place(name: str, contact: dict[str, Any]) -> str:
    """Where the index has the contact with this e-mail or phone: addresses are compared without regard to case."""
    return f"{contact.get('locationId')}|{name}|{str(contact.get(name)).lower()}"


def _check(body: dict[str, Any]) -> None:
    """Raises Refusal with every fault, as the vendor lists them."""
    faults = [f"property {name} should not exist" for name in body if name not in _ALLOWED]
    if not isinstance(body.get("locationId"), str) or not body["locationId"]:
        faults.append("locationId should not be empty")
    faults += [f"{name} must be a string" for name in _TEXT_FIELDS if not isinstance(body.get(name, ""), str | None)]
    email = body.get("email")
    if isinstance(email, str) and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
        faults.append("email must be an email")
    if not isinstance(body.get("tags", []), list):
        faults.append("tags must be an array")
    for item in body.get("customFields") or []:
        if not isinstance(item, dict) or not (item.get("id") or item.get("key")):
            faults.append("customFields.id or customFields.key should not be empty")
    if faults:
        raise Refusal(422, error_body(422, faults))


def _merged(old: list[dict[str, Any]], given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Custom fields by id or key; the newer API spells `field_value` as `fieldValue`."""
    fields = {str(field["id"]): field["value"] for field in old}
    for item in given:
        value = item.get("field_value", item.get("fieldValue", item.get("value")))
        fields[str(item.get("id") or item.get("key"))] = value
    return [{"id": name, "value": value} for name, value in fields.items()]


async def _tags(request: Request) -> list[str]:
    body = await json_object(request)
    if not isinstance(body.get("tags"), list) or not body["tags"]:
        raise Refusal(422, error_body(422, ["tags must be an array", "tags should not be empty"]))
    return _lowered(body["tags"])


def _lowered(tags: list[Any]) -> list[str]:
    return list(dict.fromkeys(str(tag).strip().lower() for tag in tags))


def _token_refusal(error: str, description: str) -> Response:
    return JSONResponse({"error": error, "error_description": description}, 401)


def _new_id() -> str:
    return secrets.token_urlsafe(15).replace("-", "x").replace("_", "y")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
