"""What a process that stays looks at before it begins: what must not start, and what cannot be honored."""

from bmn.errors import Misconfigured
from bmn.settings.model import PROVIDERS, Settings
from bmn.settings.production import production_problems
from bmn.settings.proxies import proxies


def check_start(settings: Settings) -> list[str]:
    """Warnings, each a sentence. Raises Misconfigured where nothing may start with these settings."""
    if problems := production_problems(settings):
        raise Misconfigured("Refusing to start in production: " + "; ".join(problems))
    return proxies().check(visited(settings))


def visited(settings: Settings) -> dict[str, str]:
    """The addresses that this process calls by itself, by the name of their setting."""
    keyed = [names for name, names in PROVIDERS.items() if name not in settings.missing_providers()]
    addresses = {names.base_field: str(getattr(settings, names.base_field)) for names in keyed}
    for field in ("supabase_url", "supabase_jwks_url", "otel_exporter_otlp_endpoint"):
        addresses[field] = str(getattr(settings, field))
    if settings.storage_backend == "s3":
        addresses["s3_endpoint"] = settings.s3_endpoint
    return {field.upper(): url for field, url in addresses.items() if url}
