"""Resend: one mail. Its idempotency key makes repeating safe, so no lost answer is ambiguous."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import httpx2

from bmn.cleaning import identifier
from bmn.providers.base import OnCall, Provider
from bmn.providers.documented import documented
from bmn.providers.failures import UnreadableAnswer, failure_of_status, retry_after
from bmn.providers.pace import Pace
from bmn.providers.vendor_http import error_body, json_body
from bmn.settings import ProviderAccess, Settings

_SECONDS = 12.0  # the queue gives a mail 15


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one address. tags: names and values for the vendor's statistics."""

    to: str
    subject: str
    html: str
    text: str
    tags: Mapping[str, str] = field(default_factory=dict)


class Resend(Provider):
    provider: ClassVar[str] = "resend"
    label: ClassVar[str] = "The mail service"

    def __init__(self, access: ProviderAccess, settings: Settings, on_call: OnCall) -> None:
        from bmn.providers.direct import DirectClient  # noqa: PLC0415 - 7 MB that no process at rest needs

        super().__init__(access, settings, on_call)
        self._http = DirectClient(max_bytes=2**20, idle=_SECONDS)
        self._pace = Pace(self.provider, settings.resend_max_rps)

    async def close(self) -> None:
        """Closes its connections."""
        await self._http.aclose()

    async def send(self, mail: Mail, *, idempotency_key: str) -> str:
        """Sends a mail once, however often it is asked within a day; returns the vendor's id. Raises JobFailure.

        The same key with another mail is BAD_INPUT, so a retry must send the same words.
        """
        await self._pace.wait(self.turns)
        async with self.call("send", deadline=_SECONDS) as measured:
            measured.units, measured.usd = 1, self.price("").call
            response = await self._http.post(
                f"{self.access.base_url}/emails",
                json=self._body(mail),
                headers={"authorization": f"Bearer {self.access.api_key}", "idempotency-key": idempotency_key},
            )
            measured.status = response.status_code
            if response.status_code != 200:
                raise self._refusal(response)
            mail_id = identifier(json_body(response).get("id"))
            if mail_id is None:
                raise UnreadableAnswer("no id")
            measured.request_id = mail_id
        return mail_id

    def _body(self, mail: Mail) -> Mapping[str, object]:
        return {
            "from": self.settings.from_email,
            "to": [mail.to],
            "subject": mail.subject,
            "html": mail.html,
            "text": mail.text,
            "reply_to": self.settings.support_email,
            "tags": [{"name": _tag(name), "value": _tag(value)} for name, value in mail.tags.items()],
        }

    def _refusal(self, response: httpx2.Response) -> Exception:
        body = error_body(response)
        name, said = str(body.get("name")), body.get("message")
        return failure_of_status(
            self.label,
            response.status_code,
            meaning=documented(self.provider, response.status_code, [name], text=str(said)),
            said=said,
            retry_after=retry_after(response.headers, body),
        )


def _tag(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)[:256] or "_"
