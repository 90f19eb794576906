"""Which secret is sent to which address, so that a folder somebody walks into cannot name where their secrets go.

The `.env` of the current folder may be anybody's: it comes with whatever was cloned or unpacked. What is set in the
environment is its user's own. So an address out of the file is refused for a secret that does not stand there as well.
"""

import os
import re
from collections.abc import Collection
from urllib.parse import parse_qsl, urlsplit

from bmn.errors import Misconfigured
from bmn.settings.environment import ENV_FILE, find, where_set
from bmn.settings.model import PROVIDERS, Settings
from bmn.settings.web import is_loopback

_SENT_TO: dict[str, tuple[str, ...]] = {
    "bmn_api_url": ("bmn_token",),
    "bmn_home": ("bmn_token",),  # the server of that home, where no address is set
    "supabase_url": ("supabase_secret_key", "supabase_publishable_key"),
    "s3_endpoint": ("s3_access_key_id", "s3_secret_access_key"),
    "redis_url": ("redis_password",),
    "redis_host": ("redis_password",),
    **{names.base_field: (names.key_field,) for names in PROVIDERS.values()},
    "ghl_base_url": ("ghl_private_token", "ghl_client_secret"),
}
# What libraries send by themselves, which are no settings of ours and stand in the environment alone.
_LIBRARIES = {"database_url": ("PGPASSWORD",), "otel_exporter_otlp_endpoint": ("OTEL_EXPORTER_OTLP_HEADERS",)}
_PORT = re.compile(r":[0-9]+$")


def check_belonging(settings: Settings, given: Collection[str]) -> None:
    """Raises Misconfigured for an address of `.env` that a secret of the environment would be sent to.

    given: settings that the caller has named itself. This machine's own address is nobody else's.
    """
    places = where_set()
    if not places[str(ENV_FILE)]:
        return

    def variable(field: str, place: str) -> str | None:
        found = find(Settings.model_fields[field], field, places)
        return found[0] if found and found[2] == place and field not in given else None

    for field in dict.fromkeys([*_SENT_TO, *_LIBRARIES]):
        address = variable(field, str(ENV_FILE))
        own = [variable(secret, "environment") for secret in _SENT_TO.get(field, ())]
        own += [name for name in _LIBRARIES.get(field, ()) if os.environ.get(name)]
        secret = next(filter(None, own), None)
        if address and secret and not all(map(is_loopback, _hosts(settings, field))):
            raise Misconfigured(
                f"{address} stands in {ENV_FILE} of this folder, and {secret}, which would be sent there, does not.",
                hint=f"If you trust that address, put both into one place, such as: export {address}=… Else remove it.",
            )


def _hosts(settings: Settings, field: str) -> list[str]:
    """Whom the address of a setting leads to; none where it names a file or a socket of this machine."""
    value = settings.api_address if field == "bmn_home" else getattr(settings, field)
    text = value if isinstance(value, str) else str(value.get_secret_value())
    url = urlsplit(text if "://" in text else f"//{text}")
    named = [each for name, each in parse_qsl(url.query) if name in ("host", "hostaddr")]
    places = [*url.netloc.rpartition("@")[2].split(","), *",".join(named).split(",")]
    return [_PORT.sub("", place) for place in places if place and not place.startswith("/")]
