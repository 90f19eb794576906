"""Reads the settings once, and says in a sentence what is wrong with one."""

from typing import Any

from pydantic import ValidationError

from bmn import redaction
from bmn.errors import Misconfigured
from bmn.issues import RefusedValue, issues
from bmn.settings.authorities import check_library_files, share_authorities
from bmn.settings.belonging import check_belonging
from bmn.settings.environment import find
from bmn.settings.model import Settings
from bmn.settings.proxies import except_loopback, proxies

_FOLLOWS = "default_factory_not_called"  # a default that depends on what is wrong: no problem of its own


def load_settings(**overrides: Any) -> Settings:
    """Reads the settings. Raises Misconfigured, which names the variable and what it may be."""
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        problems = "; ".join(_problem(issue) for issue in issues(error) if issue.kind != _FOLLOWS)
        raise Misconfigured(
            f"A setting cannot be used. {problems}", hint="`bmn help environment` lists them all."
        ) from None
    redaction.hide(settings.secrets())
    check_belonging(settings, overrides)
    proxies()  # a proxy whose address cannot be read is refused here
    except_loopback()
    share_authorities()  # certificates that cannot be read likewise
    check_library_files(
        postgresql=not settings.database_address.startswith("sqlite"), traces=bool(settings.otel_exporter_otlp_endpoint)
    )
    return settings


def _problem(issue: RefusedValue) -> str:
    """`PORT: what is wrong`, by the variable that was read; never with the value, which may be secret."""
    text = issue.words.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    field = str(issue.place[0]).lower() if issue.place else ""
    if field not in Settings.model_fields:
        return text
    return f"{variable_of(field)}: {text}"


def variable_of(field: str) -> str:
    """The variable that a setting was read from, and the file if it stands in one: `NODE_ENV`, `SUPABASE_URL (.env)`."""
    found = find(Settings.model_fields[field], field)
    where = f" ({found[2]})" if found and found[2] != "environment" else ""
    return f"{found[0] if found else field.upper()}{where}"


def origin_of(field: str) -> str:
    """Where a setting's value comes from: `environment`, `.env` or `default`."""
    found = find(Settings.model_fields[field], field)
    return found[2] if found else "default"
