"""Every setting once: its name in the environment, its default, and what it is for.

A field's name in capitals is its variable: `redis_url` is `REDIS_URL`. Precedence: environment, `.env` (development only),
the addresses a running `bmn serve` left in its home, default. Secrets are `SecretStr`, so printing one shows stars.
"""

import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bmn.errors import Misconfigured

DEV_USER_ID = "00000000-0000-4000-8000-000000000001"
DEV_USER_EMAIL = "developer@localhost.test"

# What a provider's client is told where no key is set and the sandbox answers instead.
SANDBOX_KEY = "sandbox"


@dataclass(frozen=True, slots=True)
class ProviderAccess:
    """Where a provider answers and with which key. sandboxed: it is our sandbox, and costs nothing."""

    base_url: str
    api_key: str
    sandboxed: bool


@dataclass(frozen=True, slots=True)
class _ProviderNames:
    key_field: str
    base_field: str
    sandbox_path: str


PROVIDERS: dict[str, _ProviderNames] = {
    "bfl": _ProviderNames("bfl_api_key", "bfl_base_url", ""),
    "openai": _ProviderNames("openai_api_key", "openai_base_url", "/v1"),
    "google": _ProviderNames("google_api_key", "google_gemini_base_url", ""),
    "anthropic": _ProviderNames("anthropic_api_key", "anthropic_base_url", ""),
    "resend": _ProviderNames("resend_api_key", "resend_api_url", ""),
    "ghl": _ProviderNames("ghl_private_token", "ghl_base_url", ""),
}


class Settings(BaseSettings):
    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True, populate_by_name=True)

    # Where we are
    bmn_env: Literal["development", "production"] = Field(
        "development", validation_alias=AliasChoices("BMN_ENV", "NODE_ENV", "bmn_env")
    )
    bmn_home: Path = Path(platformdirs.user_data_dir("bmn"))
    bmn_api_url: str = ""  # where the command line finds the server; empty: the running `bmn serve`, else PORT
    bmn_token: SecretStr = SecretStr("")
    bmn_log_level: Literal["debug", "info", "warning", "error"] = "info"
    bmn_log_format: Literal["auto", "console", "json"] = "auto"

    # Server
    bmn_host: str = "127.0.0.1"
    port: int = Field(3000, ge=0, le=65535)
    cors_origins: str = "http://localhost:5173,http://localhost:3000"
    public_url: str = ""  # how browsers reach us; empty: http://127.0.0.1:PORT
    # Signs file and share links. Empty: derived from the Supabase secret, else kept in BMN_HOME.
    bmn_signing_secret: SecretStr = SecretStr("")
    sentry_dsn: SecretStr = SecretStr("")
    otel_exporter_otlp_endpoint: str = ""

    # Redis: the URL, or the parts; neither: the embedded one
    redis_url: SecretStr = SecretStr("")
    redis_host: str = ""
    redis_port: int = Field(6379, ge=1, le=65535)
    redis_password: SecretStr = SecretStr("")
    redis_db: int = Field(0, ge=0, le=15)

    # Records; empty: SQLite in BMN_HOME
    database_url: SecretStr = SecretStr("")

    # Supabase
    supabase_url: str = ""
    supabase_publishable_key: SecretStr = SecretStr("")
    supabase_secret_key: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY", "supabase_secret_key"),
    )
    supabase_jwt_secret: SecretStr = SecretStr("")
    supabase_jwks_url: str = ""  # empty: the well-known address below SUPABASE_URL

    # Providers
    bfl_api_key: SecretStr = SecretStr("")
    bfl_base_url: str = "https://api.bfl.ai"
    bfl_model: str = "flux-2-pro"
    bfl_max_concurrent: int = Field(20, ge=1)  # the account allows 24 tasks in flight
    openai_api_key: SecretStr = SecretStr("")
    openai_base_url: str = "https://api.openai.com/v1"
    openai_image_model: str = "gpt-image-2.6-sunburst"
    google_api_key: SecretStr = SecretStr("")
    google_gemini_base_url: str = "https://generativelanguage.googleapis.com"
    gemini_image_model: str = "gemini-3-pro-image"
    video_model: str = "gemini-omni-1.2-flash"
    anthropic_api_key: SecretStr = SecretStr("")
    anthropic_base_url: str = "https://api.anthropic.com"
    anthropic_model: str = "claude-sonnet-5-5"
    agent_max_turns: int = Field(30, ge=1)
    agent_max_usd: float = Field(2.0, gt=0)
    resend_api_key: SecretStr = SecretStr("")
    resend_api_url: str = "https://api.resend.com"
    resend_max_rps: float = Field(2, gt=0)
    from_email: str = "hello@brandmenow.com"
    support_email: str = "support@brandmenow.com"
    ghl_private_token: SecretStr = SecretStr("")
    ghl_client_id: str = ""
    ghl_client_secret: SecretStr = SecretStr("")
    ghl_location_id: str = ""
    ghl_base_url: str = "https://services.leadconnectorhq.com"
    ghl_api_version: str = "2021-07-28"
    ghl_custom_fields: str = ""  # our field=their field id, comma separated: wizard_step=6dvN…,brand_name=…
    price_table: Path | None = None  # a JSON file that overrides bmn.providers.prices
    bmn_sandbox_url: str = ""  # where the sandbox answers; `bmn serve` sets it for its own children
    bmn_sandbox_speed: float = Field(1.0, ge=0, allow_inf_nan=False)  # 1 takes a vendor's time, 0 none

    # Objects
    storage_backend: Literal["local", "s3"] = "local"
    s3_endpoint: str = ""
    s3_region: str = "auto"
    s3_bucket: str = "brand-assets"
    s3_access_key_id: SecretStr = SecretStr("")
    s3_secret_access_key: SecretStr = SecretStr("")
    public_base_url: str = ""  # where public objects are read; empty: signed URLs of our own API

    # Money: credits a unit, and what a new user starts with
    bmn_credits_logo: int = Field(1, ge=0)
    bmn_credits_mockup: int = Field(1, ge=0)
    bmn_credits_bundle: int = Field(2, ge=0)
    bmn_credits_video: int = Field(5, ge=0)
    bmn_credits_wizard: int = Field(1, ge=0)
    bmn_credits_new_user: int = Field(20, ge=0)
    bmn_credits_dev_user: int = Field(100, ge=0)
    bmn_alert_usd_per_hour: float = Field(10.0, gt=0)

    # Limits a user and minute; 0 lifts one
    bmn_requests_per_minute: int = Field(60, ge=0)
    bmn_generations_per_minute: int = Field(10, ge=0)
    bmn_wizard_starts_per_second: int = Field(2, ge=0)
    bmn_mails_per_day: int = Field(20, ge=0)  # to one user, whoever asks for them; 0 lifts it

    # Engine, in seconds. Tests and benches shorten them; the ratios matter more than the figures.
    bmn_lease_seconds: float = Field(10, gt=0)
    bmn_renew_seconds: float = Field(3, gt=0)
    bmn_sweep_seconds: float = Field(1, gt=0)
    bmn_grace_seconds: float = Field(120, gt=0)
    bmn_redis_down_seconds: float = Field(30, ge=0)  # away longer than this: submissions get 503
    bmn_rate_wait_seconds: float = Field(3600, gt=0)  # a job that waited this long for its provider fails
    bmn_outage_jobs: int = Field(5, ge=0)  # so many jobs in a row without an answer pause their queue; 0: never
    bmn_backoff_scale: float = Field(1.0, ge=0)  # multiplies every backoff
    bmn_timeout_scale: float = Field(1.0, gt=0)  # multiplies every queue's timeout
    bmn_escalation_seconds: float = Field(3600, gt=0)  # at most one ops mail per cause in this window
    bmn_queue_window: int = Field(200, ge=1)  # ids that RQ holds per queue; the rest wait in SQL
    bmn_recovery_seconds: float = Field(120, gt=0)  # how long a broken socket can be resumed
    bmn_stream_maxlen: int = Field(50_000, ge=100)  # events kept in Redis for all sockets together
    bmn_max_body_bytes: int = Field(1_000_000, ge=1)
    bmn_worker_memory_mb: int = Field(1024, ge=64)  # a worker above this finishes what it has and is replaced

    @field_validator("bmn_env", mode="before")
    @classmethod
    def _accept_test(cls, value: str) -> str:
        """NODE_ENV=test is what Node's test runners set; it means development."""
        return "development" if value == "test" else value

    @property
    def is_production(self) -> bool:
        return self.bmn_env == "production"

    @property
    def origins(self) -> list[str]:
        return [origin.strip() for origin in self.cors_origins.split(",") if origin.strip()]

    @property
    def state_file(self) -> Path:
        return self.bmn_home / "serve.json"

    @cached_property
    def running(self) -> dict[str, Any]:
        """What a running `bmn serve` of this home says of itself: api_url, redis_url, sandbox_url, pid. Empty: none runs."""
        try:
            state: dict[str, Any] = json.loads(self.state_file.read_text())
            os.kill(int(state["pid"]), 0)
        except (OSError, ValueError, KeyError, TypeError):
            return {}
        return state

    @property
    def redis_is_configured(self) -> bool:
        return bool(self.redis_url.get_secret_value() or self.redis_host)

    @property
    def redis_address(self) -> str:
        """The URL of the Redis to talk to; empty where none is configured and no `bmn serve` runs."""
        if url := self.redis_url.get_secret_value():
            return url
        if self.redis_host:
            password = self.redis_password.get_secret_value()
            return f"redis://{f':{password}@' if password else ''}{self.redis_host}:{self.redis_port}/{self.redis_db}"
        return str(self.running.get("redis_url", ""))

    @property
    def database_address(self) -> str:
        """An SQLAlchemy URL: SQLite in the home, or PostgreSQL through psycopg."""
        url = self.database_url.get_secret_value()
        if not url:
            return f"sqlite:///{self.bmn_home / 'bmn.sqlite3'}"
        for prefix in ("postgres://", "postgresql://"):
            if url.startswith(prefix):
                return "postgresql+psycopg://" + url.removeprefix(prefix)
        return url

    @property
    def api_address(self) -> str:
        return (self.bmn_api_url or str(self.running.get("api_url", "")) or f"http://127.0.0.1:{self.port}").rstrip("/")

    @property
    def public_address(self) -> str:
        return (self.public_url or str(self.running.get("api_url", "")) or f"http://127.0.0.1:{self.port}").rstrip("/")

    @property
    def sandbox_address(self) -> str:
        """Empty in production: the sandbox never stands in there."""
        if self.is_production:
            return ""
        return (self.bmn_sandbox_url or str(self.running.get("sandbox_url", ""))).rstrip("/")

    def provider(self, name: str) -> ProviderAccess | None:
        """How to reach a provider of `PROVIDERS`; None where it has neither a key nor a sandbox."""
        names = PROVIDERS[name]
        key = getattr(self, names.key_field).get_secret_value()
        if key:
            return ProviderAccess(getattr(self, names.base_field).rstrip("/"), key, sandboxed=False)
        if self.sandbox_address:
            return ProviderAccess(self.sandbox_address + names.sandbox_path, SANDBOX_KEY, sandboxed=True)
        return None

    def missing_providers(self) -> list[str]:
        """Providers without a key: the ones the sandbox has to stand in for."""
        return [name for name, names in PROVIDERS.items() if not getattr(self, names.key_field).get_secret_value()]


def _env_file() -> Path | None:
    """`.env` of the current folder, in development only."""
    environment = os.environ.get("BMN_ENV") or os.environ.get("NODE_ENV") or "development"
    path = Path(".env")
    return path if environment != "production" and path.is_file() else None


def load_settings(**overrides: Any) -> Settings:
    """Reads the settings. Raises Misconfigured, which names the variable and what it may be."""
    try:
        return Settings(_env_file=_env_file(), **overrides)
    except ValidationError as error:
        problems = "; ".join(f"{_variable(issue['loc'])}: {issue['msg']}" for issue in error.errors())
        raise Misconfigured(
            f"A setting cannot be used. {problems}", hint="`bmn config` lists every setting."
        ) from error


def _variable(location: tuple[int | str, ...]) -> str:
    return str(location[0]).upper() if location else "?"


def origin_of(field: str) -> str:
    """Where a setting's value comes from: `environment`, `.env`, `running bmn serve` or `default`."""
    choices = Settings.model_fields[field].validation_alias
    names = [str(c) for c in choices.choices] if isinstance(choices, AliasChoices) else [field]
    upper = {name.upper() for name in names}
    if any(os.environ.get(name) for name in upper):
        return "environment"
    if (path := _env_file()) is not None:
        for line in path.read_text().splitlines():
            if line.split("=", 1)[0].strip().removeprefix("export ").upper() in upper:
                return ".env"
    return "default"


def production_problems(settings: Settings) -> list[str]:
    """Why production must not start with these settings; empty when it may."""
    if not settings.is_production:
        return []
    checks = [
        (
            not settings.database_url.get_secret_value(),
            "DATABASE_URL is not set: production needs PostgreSQL",
        ),
        (not settings.redis_is_configured, "REDIS_URL is not set: the embedded Redis is for development"),
        (_public_without_password(settings), "REDIS_PASSWORD is not set, and Redis is not on this machine"),
        ("*" in settings.origins, "CORS_ORIGINS must name the sites that may call us, not *"),
        (
            not (settings.supabase_jwt_secret.get_secret_value() or settings.supabase_url),
            "SUPABASE_URL or SUPABASE_JWT_SECRET is not set: the development signing secret is refused here",
        ),
        (bool(settings.bmn_sandbox_url), "BMN_SANDBOX_URL is set: the sandbox is for development"),
    ]
    return [text for wrong, text in checks if wrong]


def _public_without_password(settings: Settings) -> bool:
    address = settings.redis_address
    local = any(part in address for part in ("unix://", "127.0.0.1", "localhost", "[::1]"))
    return bool(address) and not local and "@" not in address and not settings.redis_password.get_secret_value()
