"""GoHighLevel: one contact of one location. Tags are added beside it, for an upsert with tags would wipe the others'."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import quote

import httpx2

from bmn.cleaning import identifier
from bmn.errors import Misconfigured
from bmn.providers.base import Measured, OnCall, Provider
from bmn.providers.documented import documented
from bmn.providers.failures import failure_of_status, garbage, retry_after
from bmn.providers.pace import Pace
from bmn.providers.vendor_http import error_body, json_body
from bmn.settings import ProviderAccess, Settings

_SECONDS = 12.0  # two calls within the queue's 30
_PER_SECOND = 9.0  # the vendor allows 100 in 10 seconds
_INTERVAL = 10.0  # what a 429 without a time means
_SANDBOX_LOCATION = "sandbox"


@dataclass(frozen=True, slots=True)
class Contact:
    """Who it is, by one identity: the e-mail. fields: our names, sent where GHL_CUSTOM_FIELDS maps them."""

    email: str
    name: str | None = None
    phone: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


class GoHighLevel(Provider):
    provider: ClassVar[str] = "ghl"
    label: ClassVar[str] = "The CRM"

    def __init__(self, access: ProviderAccess, settings: Settings, on_call: OnCall) -> None:
        from bmn.providers.direct import DirectClient  # noqa: PLC0415 - 7 MB that no process at rest needs

        super().__init__(access, settings, on_call)
        self._location = settings.ghl_location_id or (_SANDBOX_LOCATION if access.sandboxed else "")
        self._fields = custom_fields(settings.ghl_custom_fields)
        self._pace = Pace(self.provider, _PER_SECOND)
        self._http = DirectClient(
            max_bytes=2**20,
            idle=_SECONDS,
            headers={"version": settings.ghl_api_version, "accept": "application/json"},
        )

    async def close(self) -> None:
        """Closes its connections."""
        await self._http.aclose()

    async def upsert(self, contact: Contact) -> str:
        """Creates or updates a contact and leaves its tags alone; returns its id. Raises JobFailure."""
        body: dict[str, Any] = {"locationId": self._location, "email": contact.email, "source": "bmn"}
        body |= {name: value for name, value in (("name", contact.name), ("phone", contact.phone)) if value}
        value_name = "fieldValue" if self.settings.ghl_api_version.startswith("v3") else "field_value"
        mapped = [
            {"id": self._fields[name], value_name: value}
            for name, value in contact.fields.items()
            if name in self._fields
        ]
        if mapped:
            body["customFields"] = mapped
        answer = await self._send("upsert", "POST", "/contacts/upsert", body)
        known = answer.get("contact")
        contact_id = identifier(known.get("id")) if isinstance(known, dict) else None
        if contact_id is None:
            raise garbage(self.label)
        return contact_id

    async def add_tags(self, contact_id: str, tags: Sequence[str]) -> None:
        """Adds tags and keeps the ones there are; adding one twice is harmless. Raises JobFailure."""
        await self._send("add_tags", "POST", _tags_path(contact_id), {"tags": [tag.lower() for tag in tags]})

    async def remove_tags(self, contact_id: str, tags: Sequence[str]) -> None:
        """Removes these tags and keeps the others. Raises JobFailure."""
        await self._send("remove_tags", "DELETE", _tags_path(contact_id), {"tags": [tag.lower() for tag in tags]})

    async def _send(self, operation: str, method: str, path: str, body: Mapping[str, object]) -> Mapping[str, object]:
        await self._pace.wait(self.turns)
        async with self.call(operation, deadline=_SECONDS) as measured:
            measured.units = 1
            headers = {"authorization": f"Bearer {self.access.api_key}"}
            response = await self._http.request(method, self.access.base_url + path, json=body, headers=headers)
            return self._read(response, measured)

    def _read(self, response: httpx2.Response, measured: Measured) -> dict[str, Any]:
        measured.status = response.status_code
        if response.status_code in (200, 201):
            answer = json_body(response)
            measured.request_id = str(answer.get("traceId") or "") or None
            return answer
        status = response.status_code
        body = error_body(response)
        waiting = retry_after(response.headers, body)
        if status == 429 and waiting is None:
            waiting = _INTERVAL
        today = response.headers.get("x-ratelimit-daily-remaining")
        codes = ["daily" if status == 429 and today == "0" else None, str(body.get("error"))]
        message = body.get("message")
        said = "; ".join(map(str, message)) if isinstance(message, list) else message
        raise failure_of_status(
            self.label, status, meaning=documented(self.provider, status, codes), said=said, retry_after=waiting
        )


def is_configured(settings: Settings) -> bool:
    """Whether there is a CRM to tell: a token and a location, or the sandbox."""
    access = settings.provider("ghl")
    return access is not None and (access.sandboxed or bool(settings.ghl_location_id))


def custom_fields(text: str) -> dict[str, str]:
    """`wizard_step=6dvN…,brand_name=…` as a mapping. Raises Misconfigured."""
    pairs = [part.strip().partition("=") for part in text.split(",") if part.strip()]
    if any(not name.strip() or not value.strip() for name, _, value in pairs):
        raise Misconfigured(
            "GHL_CUSTOM_FIELDS cannot be read.", hint="It looks like our_field=their_id,other=their_id."
        )
    return {name.strip(): value.strip() for name, _, value in pairs}


def _tags_path(contact_id: str) -> str:
    return f"/contacts/{quote(contact_id, safe='')}/tags"
