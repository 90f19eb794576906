"""The types of the settings: each reads its text once, at the start, and refuses what cannot be meant."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SecretStr

from bmn.settings import files, texts
from bmn.settings.alert_urls import alert_urls
from bmn.settings.budget_setting import Budget, budgets
from bmn.settings.database_url import database_url
from bmn.settings.provider_orders import ProviderOrder, orders
from bmn.settings.redis_url import redis_url
from bmn.settings.web import Networks, networks, origins, web_address

API_ENDS = ("/api/v1", "/api")  # what people copy along with the address of a server


class Verbatim:
    """Marks a field whose blanks and quotes may belong to it."""


def _reads(read: Callable[[str], Any]) -> BeforeValidator:
    """Applies a reader to texts; what is none, or is empty, passes as it is."""

    def validate(value: Any) -> Any:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        return read(text) if isinstance(text, str) and text else value

    return BeforeValidator(validate)


def _project(text: str) -> str:
    """The address of a Supabase project, also out of its dashboard's."""
    if found := re.match(r"https://supabase\.com/dashboard/project/([a-z0-9]{20})(?:/|$)", text):
        return f"https://{found[1]}.supabase.co"
    if text.startswith("postgres"):
        raise ValueError("that is the database's address, for DATABASE_URL; here goes https://REF.supabase.co")
    return web_address(text, drop=("/auth/v1", "/rest/v1", "/storage/v1", "/realtime/v1", "/functions/v1"), bare=True)


def _sentry(text: str) -> str:
    if not re.fullmatch(r"https?://[0-9A-Za-z]+(:[0-9A-Za-z]+)?@[\w.-]+(:[0-9]+)?(/[\w.-]+)*/[0-9]+", text):
        raise ValueError("it has to look like https://KEY@HOST/NUMBER")
    return text


def _issuers(text: str) -> tuple[str, ...]:
    """Issuers as tokens have them: mostly addresses, and sometimes plain words."""
    found = [issuer.strip().strip("'\"").rstrip("/") for issuer in re.split(r"[,\s]+", text)]
    if odd := next((issuer for issuer in found if issuer and not re.fullmatch(r"[!-~]{1,300}", issuer)), None):
        raise ValueError(f"{odd[:60]!r} is not an issuer, such as https://REF.supabase.co/auth/v1")
    return tuple(dict.fromkeys(issuer for issuer in found if issuer))


def custom_fields(text: str) -> str:
    """`our_field=their_id,other=their_id`, checked."""
    for part in filter(None, (part.strip() for part in text.split(","))):
        if not re.fullmatch(r"\w+\s*=\s*[\w-]+", part):
            raise ValueError("it has to look like our_field=their_id,other=their_id")
    return text


def _credits(text: str) -> dict[str, int]:
    """`poster=3,flyer=2`: what a unit of each generator costs."""
    found = [re.fullmatch(r"([a-z_]+)\s*=\s*([0-9]{1,6})", part.strip()) for part in text.split(",") if part.strip()]
    if not all(found):
        raise ValueError("it has to look like poster=3,flyer=2")
    return {match[1]: int(match[2]) for match in found if match}


def versioned(official: str, text: str) -> str:
    """The base of an API whose version belongs to it: the vendor's own host without one gets it."""
    address = web_address(text)
    return official if official.startswith(address) else address


def base_address(*drop: str) -> BeforeValidator:
    """Reads the base of a vendor's API, less the version that we add ourselves."""
    return _reads(partial(web_address, drop=drop))


Budgets = Annotated[tuple[Budget, ...], _reads(budgets)]
Orders = Annotated[tuple[ProviderOrder, ...], _reads(orders)]
Key = Annotated[SecretStr, _reads(texts.key)]
Secret = Annotated[SecretStr, _reads(texts.secret)]
Password = Annotated[SecretStr, _reads(texts.password), Verbatim()]
SentryDsn = Annotated[SecretStr, _reads(_sentry)]
DatabaseUrl = Annotated[SecretStr, _reads(database_url)]
AlertUrls = Annotated[SecretStr, _reads(alert_urls)]
RedisUrl = Annotated[SecretStr, _reads(redis_url)]

Word = Annotated[str, _reads(texts.word)]
Host = Annotated[str, _reads(texts.host)]
Mailbox = Annotated[str, _reads(texts.mailbox)]
Credits = Annotated[dict[str, int], _reads(_credits)]
CustomFields = Annotated[str, _reads(custom_fields)]
SiteAddress = Annotated[str, _reads(partial(web_address, path=False))]
ApiAddress = Annotated[str, _reads(partial(web_address, drop=API_ENDS, bare=True))]
ProjectAddress = Annotated[str, _reads(_project)]
WebAddress = Annotated[str, _reads(web_address)]
OpenAIAddress = Annotated[str, _reads(partial(versioned, "https://api.openai.com/v1"))]
Issuers = Annotated[tuple[str, ...], _reads(_issuers)]
Origins = Annotated[tuple[str, ...], _reads(origins)]
Proxies = Annotated[Networks, _reads(networks)]

Count = Annotated[int, _reads(texts.count)]
Figure = Annotated[float, _reads(texts.figure)]
Port = Annotated[int, _reads(texts.port), Field(ge=0, le=65535)]
Seconds = Annotated[float, _reads(texts.seconds)]
SizeInBytes = Annotated[int, _reads(partial(texts.size, unit=1, name="bytes"))]
Megabytes = Annotated[int, _reads(partial(texts.size, unit=2**20, name="megabytes"))]
Folder = Annotated[Path, _reads(files.folder)]
JsonFile = Annotated[Path, _reads(files.json_file)]
