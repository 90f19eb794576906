"""Every setting once: its name in the environment, its type, its default, and what it is for.

A field's name in capitals is its variable: `redis_url` is `REDIS_URL`. Precedence: environment, `.env` (development only),
the addresses a running `bmn serve` left in its home, default. Secrets are `SecretStr`, so printing one shows stars.
A field's type reads its text, brings it into one form and refuses what cannot be meant: nothing else has to look again.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bmn.settings import redis_url, texts
from bmn.settings.environment import Surroundings, default_home
from bmn.settings.running import STATE_FILE, Running, running
from bmn.settings.types import (
    AlertUrls,
    ApiAddress,
    Budgets,
    Count,
    Credits,
    CustomFields,
    DatabaseUrl,
    Figure,
    Folder,
    Host,
    Issuers,
    JsonFile,
    Key,
    Mailbox,
    Megabytes,
    OpenAIAddress,
    Orders,
    Origins,
    Password,
    Port,
    ProjectAddress,
    Proxies,
    RedisUrl,
    Seconds,
    Secret,
    SentryDsn,
    SiteAddress,
    SizeInBytes,
    Verbatim,
    WebAddress,
    Word,
    base_address,
)
from bmn.settings.web import bracketed, reachable

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


# One of a few words, as other ecosystems write it.
_WORDS = {
    "bmn_env": {"prod": "production"} | dict.fromkeys(("dev", "local", "test", "testing"), "development"),
    "bmn_log_level": {"warn": "warning", "err": "error"},
    "bmn_log_format": {"text": "console", "pretty": "console"},
    "storage_backend": {"r2": "s3", "supabase": "s3", "file": "local", "filesystem": "local"},
}


GROUPS = {
    "bmn_env": "Where we are",
    "bmn_host": "Server",
    "redis_url": "Redis",
    "database_url": "Records",
    "supabase_url": "Supabase",
    "bfl_api_key": "Providers",
    "storage_backend": "Objects",
    "bmn_credits_logo": "Money",
    "bmn_requests_per_minute": "Limits",
    "bmn_lease_seconds": "Engine",
}
"""The first setting of each group, and what the group is called; the groups follow each other as the fields do."""


_GENERATIONS = {"production": 10, "development": 60}
"""How many a user may ask for in a minute: who develops is alone, and tries one thing after the other."""


def _generations_per_minute(chosen: dict[str, Any]) -> int:
    return _GENERATIONS[chosen["bmn_env"]]


class Settings(BaseSettings):
    model_config = SettingsConfigDict(extra="ignore", populate_by_name=True, allow_inf_nan=False)

    # Where we are
    bmn_env: Literal["development", "production"] = Field(
        "development", validation_alias=AliasChoices("BMN_ENV", "NODE_ENV", "bmn_env")
    )
    bmn_home: Folder = Field(default_factory=default_home)
    bmn_api_url: ApiAddress = ""  # where the command line finds the server; empty: the running `bmn serve`, else PORT
    bmn_token: Key = SecretStr("")
    bmn_log_level: Literal["debug", "info", "jobs", "warning", "error"] = "info"  # jobs: one line a job
    bmn_log_format: Literal["auto", "console", "json"] = "auto"

    # Server
    bmn_host: Host = "127.0.0.1"
    port: Port = 3000
    cors_origins: Origins = ("http://localhost:5173", "http://localhost:3000")
    public_url: SiteAddress = ""  # how browsers reach us; empty: http://127.0.0.1:PORT
    # Signs file and share links. Empty: derived from the Supabase secret, else kept in BMN_HOME.
    bmn_signing_secret: Secret = SecretStr("")
    bmn_metrics_token: Secret = SecretStr("")  # who scrapes /metrics sends it as a bearer; production needs one
    bmn_mcp_token: Secret = SecretStr("")  # what clients of `bmn mcp --port` send as a bearer; empty: a new one a run
    bmn_keep_alive_seconds: Seconds = Field(75, ge=5)  # of an idle connection; longer than your load balancer keeps one
    # Addresses or nets of proxies of yours: theirs stand for many callers, and their X-Forwarded-For is believed.
    bmn_trusted_proxies: Proxies = ()
    bmn_connections: Count = Field(
        10_000, ge=1
    )  # open at once, in all; one process keeps no more than its descriptors allow
    bmn_connections_per_address: Count = Field(1_000, ge=1)  # open at once, of one address that is no trusted proxy
    sentry_dsn: SentryDsn = SecretStr("")
    otel_exporter_otlp_endpoint: WebAddress = ""
    # Who is told what is wrong, and when it is over; by commas: json(s)://HOST/PATH, slack://A/B/C, discord://ID/TOKEN,
    # pagerduty://KEY, mailto://NAME@HOST. SUPPORT_EMAIL and Sentry are told in any case.
    bmn_alert_urls: AlertUrls = SecretStr("")

    # Redis: the URL, or the parts; neither: the embedded one
    redis_url: RedisUrl = SecretStr("")
    redis_host: Host = ""
    redis_port: Port = Field(6379, ge=1)
    redis_username: Word = Field("", validation_alias=AliasChoices("REDIS_USERNAME", "REDIS_USER", "redis_username"))
    redis_password: Password = SecretStr("")
    redis_db: Count = Field(0, ge=0)

    # Records; empty: SQLite in BMN_HOME
    database_url: DatabaseUrl = SecretStr("")

    # Supabase
    supabase_url: ProjectAddress = ""
    supabase_publishable_key: Key = SecretStr("")
    supabase_secret_key: Key = Field(
        SecretStr(""),
        validation_alias=AliasChoices("SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY", "supabase_secret_key"),
    )
    supabase_jwt_secret: Secret = SecretStr("")
    # What stands as `iss` in access tokens, where it is not SUPABASE_URL/auth/v1; several by commas.
    supabase_jwt_issuer: Issuers = Field(
        (),
        validation_alias=AliasChoices("SUPABASE_JWT_ISSUER", "GOTRUE_JWT_ISSUER", "JWT_ISSUER", "supabase_jwt_issuer"),
    )
    supabase_jwks_url: WebAddress = ""  # empty: the well-known address below SUPABASE_URL

    # Providers
    bfl_api_key: Key = SecretStr("")
    bfl_base_url: Annotated[str, base_address("/v1")] = "https://api.bfl.ai"
    bfl_model: Word = "flux-2-pro"
    bfl_max_concurrent: Count = Field(20, ge=1)  # the account allows 24 tasks in flight
    openai_api_key: Key = SecretStr("")
    openai_base_url: OpenAIAddress = "https://api.openai.com/v1"
    openai_image_model: Word = "gpt-image-2.6-sunburst"
    google_api_key: Key = SecretStr("")
    google_gemini_base_url: Annotated[str, base_address("/v1beta", "/v1")] = "https://generativelanguage.googleapis.com"
    gemini_image_model: Word = "gemini-3-pro-image"
    video_model: Word = "gemini-omni-1.2-flash"
    anthropic_api_key: Key = SecretStr("")
    anthropic_base_url: Annotated[str, base_address("/v1/messages", "/v1")] = "https://api.anthropic.com"
    anthropic_model: Word = "claude-sonnet-5-5"
    agent_max_turns: Count = Field(30, ge=1)
    agent_max_usd: Figure = Field(2.0, gt=0)
    resend_api_key: Key = SecretStr("")
    resend_api_url: Annotated[str, base_address("/emails")] = "https://api.resend.com"
    resend_max_rps: Figure = Field(2, gt=0)
    from_email: Mailbox = "hello@brandmenow.com"
    support_email: Mailbox = "support@brandmenow.com"
    ghl_private_token: Key = SecretStr("")
    ghl_client_id: Word = ""
    ghl_client_secret: Key = SecretStr("")
    ghl_location_id: Word = ""
    ghl_base_url: WebAddress = "https://services.leadconnectorhq.com"
    ghl_api_version: Word = "2021-07-28"
    ghl_custom_fields: CustomFields = ""  # our field=their field id, comma separated: wizard_step=6dvN…,brand_name=…
    # Who makes a queue's pictures, by turns where one is out: logo-generation=bfl,openai,google. Empty: the first of each.
    bmn_providers: Orders = ()
    price_table: JsonFile | None = None  # a JSON file that overrides bmn.providers.prices
    bmn_sandbox_url: WebAddress = ""  # where the sandbox answers; `bmn serve` sets it for its own children
    bmn_sandbox_speed: Figure = Field(1.0, ge=0)  # 1 takes a vendor's time, 0 none

    # Objects
    storage_backend: Literal["local", "s3"] = "local"
    s3_endpoint: WebAddress = ""
    s3_region: Word = "auto"
    s3_bucket: Word = "brand-assets"
    s3_access_key_id: Key = SecretStr("")
    s3_secret_access_key: Key = SecretStr("")
    public_base_url: WebAddress = ""  # where public objects are read; empty: signed URLs of our own API
    # Rows are written to the archive before retention deletes them, and kept there for so many days. 0: there is none.
    bmn_archive_days: Count = Field(0, ge=0)
    bmn_archive_bucket: Word = ""  # empty: S3_BUCKET, unless PUBLIC_BASE_URL opens that to everybody

    # Money: credits a unit, and what a new user starts with
    bmn_credits_logo: Count = Field(1, ge=0)
    bmn_credits_mockup: Count = Field(1, ge=0)
    bmn_credits_bundle: Count = Field(2, ge=0)
    bmn_credits_video: Count = Field(5, ge=0)
    bmn_credits_wizard: Count = Field(1, ge=0)
    bmn_credits: Credits = Field(default_factory=dict)  # of a generator without one of its own: poster=3,flyer=2
    bmn_credits_new_user: Count = Field(20, ge=0)
    bmn_credits_dev_user: Count = Field(100, ge=0)
    bmn_alert_usd_per_hour: Figure = Field(10.0, gt=0)
    # What a queue may cost within an hour, and a user within a day: video-generation=20usd,user=100credits. At 80 % there is
    # a warning; at 100 % the queue pauses, the user is refused, and both go on by themselves.
    bmn_budgets: Budgets = ()

    # Limits a user and minute; 0 lifts one
    bmn_requests_per_minute: Count = Field(60, ge=0)
    bmn_generations_per_minute: Count = Field(default_factory=_generations_per_minute, ge=0)  # 60 in development
    bmn_mails_per_day: Count = Field(20, ge=0)  # to one user, whoever asks for them; 0 lifts it

    # Engine, in seconds. Tests and benches shorten them; the ratios matter more than the figures.
    bmn_lease_seconds: Seconds = Field(10, gt=0)
    bmn_renew_seconds: Seconds = Field(3, gt=0)
    bmn_sweep_seconds: Seconds = Field(1, gt=0)
    bmn_grace_seconds: Seconds = Field(120, gt=0)
    bmn_redis_down_seconds: Seconds = Field(30, ge=0)  # away longer than this: submissions get 503
    bmn_rate_wait_seconds: Seconds = Field(3600, gt=0)  # a job that waited this long for its provider fails
    bmn_webhook_seconds: Seconds = Field(15, gt=0)  # how long the receiver of a webhook may take to answer
    bmn_outage_jobs: Count = Field(5, ge=0)  # so many jobs in a row without an answer pause their queue; 0: never
    bmn_backoff_scale: Figure = Field(1.0, ge=0)  # multiplies every backoff
    bmn_timeout_scale: Figure = Field(1.0, gt=0)  # multiplies every queue's timeout
    bmn_escalation_seconds: Seconds = Field(3600, gt=0)  # at most one ops mail per cause in this window
    bmn_queue_window: Count = Field(10_000, ge=1)  # ids that RQ holds per queue; the rest wait in SQL
    bmn_recovery_seconds: Seconds = Field(120, gt=0)  # how long a broken socket can be resumed
    bmn_stream_maxlen: Count = Field(50_000, ge=100)  # events kept in Redis for all sockets together
    bmn_max_body_bytes: SizeInBytes = Field(1_000_000, ge=1)
    bmn_worker_memory_mb: Megabytes = Field(1024, ge=64)  # a worker above this finishes what it has and is replaced

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, Surroundings(settings_cls)

    @model_validator(mode="before")
    @classmethod
    def _clean(cls, given: Any) -> Any:
        """What surrounds a value in files and shells goes; what is empty then is not set."""
        return {name: text for name, value in dict(given).items() if (text := _plain(name, value)) != ""}

    @field_validator(*_WORDS, mode="before")
    @classmethod
    def _fold(cls, value: Any, info: ValidationInfo) -> Any:
        text = value.lower() if isinstance(value, str) else value
        return _WORDS[str(info.field_name)].get(text, text)

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.bmn_renew_seconds >= self.bmn_lease_seconds:
            raise ValueError("BMN_RENEW_SECONDS: it has to be less than BMN_LEASE_SECONDS, or every lease runs out")
        return self

    @property
    def is_production(self) -> bool:
        """Whether this is a production environment, where nothing is taken for granted."""
        return self.bmn_env == "production"

    @property
    def origins(self) -> list[str]:
        """Whose pages may call the API from a browser."""
        return list(self.cors_origins)

    @property
    def state_file(self) -> Path:
        """Where a running `bmn serve` says of itself."""
        return self.bmn_home / STATE_FILE

    @cached_property
    def running(self) -> Running:
        """What a running `bmn serve` of this home says of itself."""
        return running(self.bmn_home)

    @property
    def redis_is_configured(self) -> bool:
        """Whether a Redis is named, so that none is embedded."""
        return bool(self.redis_url.get_secret_value() or self.redis_host)

    @property
    def redis_address(self) -> str:
        """The URL of the Redis to talk to; empty where none is configured and no `bmn serve` runs."""
        password = self.redis_password.get_secret_value()
        if url := self.redis_url.get_secret_value():
            return redis_url.with_credentials(url, self.redis_username, password) if password else url
        if self.redis_host:
            return redis_url.from_parts(self.redis_host, self.redis_port, self.redis_username, password, self.redis_db)
        return self.running.redis_url

    @property
    def database_address(self) -> str:
        """An SQLAlchemy URL: SQLite in the home, or PostgreSQL through psycopg."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.bmn_home / 'bmn.sqlite3'}"

    @property
    def api_address(self) -> str:
        """Where the command line finds the server."""
        return self.bmn_api_url or self.own_address

    @property
    def public_address(self) -> str:
        """How browsers reach the server; it stands in links."""
        return self.public_url or self.own_address

    @property
    def own_address(self) -> str:
        """Where programs on this machine reach the server of this home: the running one, else the one that would run."""
        host = bracketed(reachable(self.bmn_host))
        return self.running.api_url or f"http://{host}:{self.port}"

    @property
    def sandbox_address(self) -> str:
        """Empty in production: the sandbox never stands in there."""
        if self.is_production:
            return ""
        return self.bmn_sandbox_url or self.running.sandbox_url

    def provider(self, name: str) -> ProviderAccess | None:
        """How to reach a provider of `PROVIDERS`; None where it has neither a key nor a sandbox."""
        names = PROVIDERS[name]
        key = getattr(self, names.key_field).get_secret_value()
        if key:
            return ProviderAccess(getattr(self, names.base_field), key, sandboxed=False)
        if self.sandbox_address:
            return ProviderAccess(self.sandbox_address + names.sandbox_path, SANDBOX_KEY, sandboxed=True)
        return None

    def credits_of(self, job_type: str, default: int) -> int:
        """Credits for one unit of a generator, by its word in `generation_jobs`."""
        return int(getattr(self, f"bmn_credits_{job_type}", self.bmn_credits.get(job_type, default)))

    def order_of(self, queue: str) -> tuple[str, ...]:
        """The providers of a queue in the order that BMN_PROVIDERS gives it; empty where that says nothing."""
        return next((order.providers for order in self.bmn_providers if order.queue == queue), ())

    def missing_providers(self) -> list[str]:
        """Providers without a key: the ones the sandbox has to stand in for."""
        return [name for name, names in PROVIDERS.items() if not getattr(self, names.key_field).get_secret_value()]

    def secrets(self) -> list[str]:
        """Everything that must not be printed: keys, tokens, passwords, also those inside of addresses."""
        values = [value.get_secret_value() for value in self.__dict__.values() if isinstance(value, SecretStr)]
        inside = [part for value in values if "://" in value for part in _secrets_of(value)]
        return [*(value for value in values if value and "://" not in value), *inside]


def _secrets_of(address: str) -> list[str]:
    url = urlsplit(address)
    hidden = [value for name, value in parse_qsl(url.query) if "password" in name or "secret" in name]
    return [part for part in (unquote(url.password or ""), *hidden) if part]


def _plain(name: str, value: Any) -> Any:
    field = Settings.model_fields.get(name)
    if not isinstance(value, str):
        return value
    if field is not None and any(isinstance(mark, Verbatim) for mark in field.metadata):
        return value if value.strip() else ""
    return texts.plain(value, name.upper())
