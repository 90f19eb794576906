"""What production must not start with."""

from urllib.parse import urlsplit

from bmn.settings.model import Settings
from bmn.settings.web import is_loopback

_LEAST_SECRET = 32  # bytes; HS256 signs with no fewer


def production_problems(settings: Settings) -> list[str]:
    """Why production must not start with these settings; empty when it may."""
    if not settings.is_production:
        return []
    secret = settings.supabase_jwt_secret.get_secret_value()
    checks = [
        (
            not settings.database_url.get_secret_value(),
            "DATABASE_URL is not set: production needs PostgreSQL",
        ),
        (not settings.redis_is_configured, "REDIS_URL is not set: the embedded Redis is for development"),
        (_public_without_password(settings), "REDIS_PASSWORD is not set, and Redis is not on this machine"),
        ("*" in settings.origins, "CORS_ORIGINS must name the sites that may call us, not *"),
        (
            not (secret or settings.supabase_url),
            "SUPABASE_URL or SUPABASE_JWT_SECRET is not set: the development signing secret is refused here",
        ),
        (
            0 < len(secret.encode()) < _LEAST_SECRET,
            f"SUPABASE_JWT_SECRET is shorter than {_LEAST_SECRET} bytes: whoever guesses it can sign in as anybody",
        ),
        (not _is_private(settings.public_url), "PUBLIC_URL must be the https address that browsers reach us at"),
        (bool(settings.bmn_sandbox_url), "BMN_SANDBOX_URL is set: the sandbox is for development"),
    ]
    return [text for wrong, text in checks if wrong]


def _is_private(address: str) -> bool:
    """Whether what is sent to an address is read by nobody in between: TLS, or this machine."""
    url = urlsplit(address)
    return url.scheme == "https" or is_loopback(url.hostname)


def _public_without_password(settings: Settings) -> bool:
    url = urlsplit(settings.redis_address)
    hosts = [urlsplit(f"//{place}").hostname for place in url.netloc.rpartition("@")[2].split(",")]
    return bool(url.scheme) and url.scheme != "unix" and not url.password and not all(map(is_loopback, hosts))
