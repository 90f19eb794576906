"""Every table. Times are seconds since 1970 in UTC by the database's clock; JSON columns hold camelCase payloads.

`jobs` is the truth about every job; Redis holds the way there, never the only copy.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Double,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    literal_column,
    or_,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement

metadata = MetaData()

Json = JSON().with_variant(JSONB(), "postgresql")


class db_now(FunctionElement[float]):
    """The database's own clock in seconds since 1970, so that no worker's clock decides over a lease."""

    type = Double()
    inherit_cache = True


@compiles(db_now, "sqlite")
def _sqlite_now(_element: Any, _compiler: Any, **_: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(db_now, "postgresql")
def _postgresql_now(_element: Any, _compiler: Any, **_: Any) -> str:
    # Of the statement, not of the moment: only what cannot change within a statement is compared by an index.
    return "extract(epoch from statement_timestamp())::double precision"


def _id(name: str = "id", *constraints: Any, **kwargs: Any) -> Column[str]:
    return Column(name, String(128), *constraints, **kwargs)


def _time(name: str, **kwargs: Any) -> Column[float]:
    return Column(name, Double, **kwargs)


def _created() -> Column[float]:
    return Column("created_at", Double, nullable=False, default=db_now())


deployment = Table(  # one row
    "deployment",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("identity", String(32), nullable=False),
    _time("clock_set_at"),  # when the clock was last found to have been set, by the clock of then
)

brands = Table(
    "brands",
    metadata,
    _id(primary_key=True),
    _id("user_id", nullable=False),
    Column("name", String(200), nullable=False),
    Column("vision", Text),
    Column("archetype", String(200)),
    Column("color_palette", Json),
    Column("logo_style", String(20)),
    Column("status", String(20), nullable=False, default="draft"),
    Column("details", Json, nullable=False, default=dict),  # what the wizard's steps have saved
    _created(),
    _time("updated_at", nullable=False, default=db_now()),
    Column("name_key", String(200)),  # what all spellings of the name have in common; see `bmn.names.key_of`
    Index("brands_of_user", "user_id", "created_at"),
    Index("brands_by_name", "user_id", "name_key"),
)

# Most jobs have ended, and those that have are in none of these indexes: so they stay small, and ending one costs little.
_WAITING = "state IN ('queued', 'retrying')"
_RUNNING = "state = 'active'"


def _index_where(condition: str, name: str, *columns: str) -> Index:
    return Index(name, *columns, sqlite_where=text(condition), postgresql_where=text(condition))


_WARNING = "level = 'warning'"
_BY_SANDBOX = "sandboxed = 1"

# What a query has to say, word for word, to be served by such an index.
is_waiting: ColumnElement[Any] = literal_column(f"jobs.{_WAITING}")
is_running: ColumnElement[Any] = literal_column(f"jobs.{_RUNNING}")
is_warning: ColumnElement[Any] = literal_column(f"job_logs.{_WARNING}")
is_by_sandbox: ColumnElement[Any] = literal_column(f"provider_calls.{_BY_SANDBOX}")
is_completed: ColumnElement[Any] = literal_column("jobs.state = 'completed'")

jobs = Table(
    "jobs",
    metadata,
    _id(primary_key=True),
    Column("queue", String(32), nullable=False),
    _id("user_id"),
    _id("brand_id"),
    Column("payload", Json, nullable=False),
    Column("payload_version", Integer, nullable=False, default=1),
    Column("state", String(16), nullable=False, default="queued"),
    # who runs it: every write of an executor names the fence it claimed with; an older one changes no row
    Column("attempt", Integer, nullable=False, default=0),
    Column("max_attempts", Integer, nullable=False),
    Column("losses", Integer, nullable=False, default=0),
    Column("fence", Integer, nullable=False, default=0),
    Column("lease_owner", String(128)),
    _time("lease_until"),
    # when and in what order: priority, then turn (fairness between users), then age
    Column("priority", Integer, nullable=False),
    Column("turn", Integer, nullable=False, default=0),
    _time("run_at", nullable=False),
    _time("start_by"),  # not begun, or not ended, by then: cancelled
    _time("finish_by"),
    _time("limited_since"),  # first time this job waited for its provider
    # what the user sees
    Column("progress", Integer, nullable=False, default=0),
    Column("stage", String(32)),
    Column("message", Text),
    Column("result", Json),
    Column("error", Text),
    Column("cause", String(32)),
    Column("last_seq", Integer, nullable=False, default=0),
    # money
    Column("credits_reserved", Integer, nullable=False, default=0),
    Column("credits_charged", Integer, nullable=False, default=0),
    Column("credits_refunded", Integer, nullable=False, default=0),
    Column("unit_credits", Integer),  # the price of one unit, as it was agreed at submission
    Column("cost_usd", Float, nullable=False, default=0.0),
    Column("usd_estimated", Double),  # for all of its units, as it was submitted
    # where it comes from
    Column("idempotency_key", String(256)),
    _id("parent_id"),
    _id("collects_id"),  # the cancelled job whose orders this one collects
    _id("group_id"),
    Column("request_id", String(64)),
    Column("trace_parent", String(64)),  # continues the request's trace in the worker
    _time("cancel_requested_at"),
    Column("cancelled_by", String(128)),
    Column("webhooks", Json),  # who hears of it: url, events, endpoint_id
    _created(),
    _time("queued_at", nullable=False),
    _time("started_at"),
    _time("attempt_started_at"),
    _time("completed_at"),
    _index_where(_WAITING, "jobs_line", "queue", "priority", "turn", "created_at"),
    _index_where(_WAITING, "jobs_turn", "user_id", "queue", "turn"),
    _index_where(_WAITING, "jobs_front", "queue", "turn"),
    _index_where(_WAITING, "jobs_due", "run_at"),
    _index_where(f"{_WAITING} AND start_by IS NOT NULL", "jobs_start_by", "start_by"),
    _index_where("completed_at IS NULL AND finish_by IS NOT NULL", "jobs_finish_by", "finish_by"),
    # Not on lease_until: a renewal would have to write every index of its row.
    _index_where(_RUNNING, "jobs_running", "queue"),
    _index_where("state = 'completed'", "jobs_completed", "queue", "completed_at"),
    _index_where("completed_at IS NOT NULL", "jobs_ended", "completed_at"),
    # What lists leave out, so that they are counted without a look at the rows.
    _index_where("cause IS NOT NULL", "jobs_causes", "cause", "created_at", "collects_id", "queue"),
    _index_where(
        "state IN ('failed', 'partial', 'cancelled')", "jobs_troubled", "state", "created_at", "collects_id", "queue"
    ),
    Index("jobs_states", "queue", "state"),
    Index("jobs_newest", "created_at", "id"),
    Index("jobs_of_user", "user_id", "created_at"),
    Index("jobs_of_brand", "brand_id", "created_at"),
    Index("jobs_parent", "parent_id"),
    _index_where("group_id IS NOT NULL", "jobs_of_group", "group_id", "created_at"),
)
is_no_probe: ColumnElement[bool] = or_(jobs.c.user_id.is_not(None), jobs.c.payload["probe"].as_string().is_(None))
"""Not one of the jobs that `doctor --deep` sends by every worker: they carry nothing, and are counted nowhere."""

# Ended jobs, counted by the minute, the hour, the day and in all (span 0); see bmn/db/sums/activity.py.
job_activity = Table(
    "job_activity",
    metadata,
    Column("span", Integer, nullable=False),
    _time("bucket", nullable=False),
    Column("queue", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("cause", String(32), nullable=False, default=""),
    Column("jobs", Integer, nullable=False),
    Column("usd", Float, nullable=False),
    Column("seconds", Float, nullable=False),
    PrimaryKeyConstraint("span", "bucket", "queue", "state", "cause"),
)

# Up to when ended jobs have been counted: one row.
activity_mark = Table(
    "activity_mark",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    _time("upto", nullable=False),
)

# How many jobs waited and ran, by the minute, the hour and the day; see bmn/db/sums/lines.py.
queue_samples = Table(
    "queue_samples",
    metadata,
    Column("span", Integer, nullable=False),
    _time("bucket", nullable=False),
    Column("queue", String(32), nullable=False),
    Column("samples", Integer, nullable=False),
    Column("waiting", Integer, nullable=False),
    Column("running", Integer, nullable=False),
    Column("most_waiting", Integer, nullable=False),
    _time("oldest", nullable=False),
    PrimaryKeyConstraint("span", "queue", "bucket"),
)

job_units = Table(
    "job_units",
    metadata,
    _id("job_id", nullable=False),
    Column("unit", String(64), nullable=False),
    # planned, submitting, submitted, ready, stored, saved; or answered, shown, failed
    Column("state", String(16), nullable=False, default="planned"),
    Column("provider", String(32)),
    Column("request_hash", String(64)),
    Column("provider_task_id", String(256)),
    Column("polling_url", Text),
    Column("storage_key", String(512)),
    Column("sha256", String(64)),
    Column("mime_type", String(100)),
    Column("asset_id", String(128)),
    Column("ambiguous", Integer, nullable=False, default=0),
    Column("credits", Integer, nullable=False, default=0),
    Column("cost_usd", Float, nullable=False, default=0.0),
    Column("cause", String(32)),
    Column("error", Text),
    Column("data", Json, nullable=False, default=dict),
    _time("updated_at", nullable=False, default=db_now()),
    PrimaryKeyConstraint("job_id", "unit"),
    _index_where("storage_key IS NOT NULL", "job_units_storage", "storage_key"),
)

job_events = Table(
    "job_events",
    metadata,
    _id("job_id", nullable=False),
    Column("seq", Integer, nullable=False),
    Column("event", String(32), nullable=False),
    Column("payload", Json, nullable=False),
    _time("at", nullable=False, default=db_now()),
    PrimaryKeyConstraint("job_id", "seq"),
    Index("job_events_at", "at"),
)

job_logs = Table(
    "job_logs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _id("job_id", nullable=False),
    Column("attempt", Integer, nullable=False, default=0),
    Column("level", String(10), nullable=False),
    Column("message", Text, nullable=False),
    Column("fields", Json, nullable=False, default=dict),
    _time("at", nullable=False, default=db_now()),
    Index("job_logs_of_job", "job_id", "id"),
    _index_where(_WARNING, "job_logs_warnings", "at"),
)

brand_assets = Table(
    "brand_assets",
    metadata,
    _id(primary_key=True),
    _id("brand_id", ForeignKey("brands.id"), nullable=False),
    _id("job_id"),
    Column("asset_type", String(32), nullable=False),
    Column("url", Text, nullable=False),
    Column("thumbnail_url", Text),
    Column("storage_key", String(512), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("mime_type", String(100), nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("metadata", Json, nullable=False, default=dict),
    Column("is_selected", Integer, nullable=False, default=0),
    _created(),
    Column("is_favorite", Integer, nullable=False, default=0, server_default="0"),
    UniqueConstraint("storage_key"),
    Index("assets_of_brand", "brand_id", "created_at"),
    Index("assets_of_job", "job_id"),
)

generation_credits = Table(
    "generation_credits",
    metadata,
    _id("user_id", primary_key=True),
    Column("email", String(254)),
    Column("credits_remaining", Integer, nullable=False),
    Column("credits_used", Integer, nullable=False, default=0),
    Column("credits_reserved", Integer, nullable=False, default=0),
    _created(),
    _time("job_mails_off_at"),  # since when they want none about jobs that ended unwatched
)
Index("accounts_by_mail", func.lower(generation_credits.c.email))

credit_ledger = Table(
    "credit_ledger",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _id("user_id", nullable=False),
    _id("job_id", nullable=False, default=""),
    Column("unit", String(64), nullable=False, default=""),
    Column("kind", String(16), nullable=False),  # reserve, settle, refund, grant, start
    Column("amount", Integer, nullable=False),
    Column("actor", String(128)),
    Column("reason", Text),
    _created(),
    UniqueConstraint("user_id", "job_id", "unit", "kind", name="credit_ledger_once"),
    Index("credit_ledger_of_user", "user_id", "created_at"),
    Index("credit_ledger_age", "created_at"),
)

provider_calls = Table(
    "provider_calls",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _id("job_id"),
    Column("unit", String(64)),
    Column("attempt", Integer),
    _id("user_id"),
    Column("queue", String(32)),
    Column("provider", String(32), nullable=False),
    Column("operation", String(32), nullable=False),
    Column("model", String(64)),
    Column("units", Float, nullable=False, default=0.0),
    Column("usd", Float, nullable=False, default=0.0),
    Column("sandboxed", Integer, nullable=False, default=0),
    Column("ms", Integer, nullable=False, default=0),
    Column("outcome", String(32), nullable=False),  # ok, or a cause
    Column("status", Integer),
    Column("request_id", String(128)),
    _time("at", nullable=False, default=db_now()),
    Index("provider_calls_at", "at"),
    Index("provider_calls_of_job", "job_id"),
    _index_where(_BY_SANDBOX, "provider_calls_of_sandbox", "job_id"),
    Index("provider_calls_of_queue", "queue", "at"),
    Index("provider_calls_of_user", "user_id", "at"),
)

# What calls cost, by the hour, the day and in all (span 0), by kind, provider, model and user; see bmn/db/sums/spending.py.
provider_spending = Table(
    "provider_spending",
    metadata,
    Column("span", Integer, nullable=False),
    _time("bucket", nullable=False),
    Column("dimension", String(16), nullable=False),
    Column("key", String(128), nullable=False),
    Column("sandboxed", Integer, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("units", Float, nullable=False),
    Column("usd", Float, nullable=False),
    PrimaryKeyConstraint("span", "dimension", "bucket", "key", "sandboxed"),
)

# Up to when calls have been added up: one row.
spending_mark = Table(
    "spending_mark",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    _time("upto", nullable=False),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    _id(primary_key=True),
    _id("job_id", nullable=False, unique=True),
    Column("queue", String(32), nullable=False),
    _id("user_id"),
    Column("cause", String(32), nullable=False),
    Column("error", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("replays", Integer, nullable=False, default=0),  # how often this lineage was replayed before
    Column("state", String(16), nullable=False, default="open"),  # open, replayed, purged
    _id("replay_job_id"),
    Column("resolved_by", String(128)),
    _time("resolved_at"),
    _created(),
    Index("dead_letters_open", "state", "created_at"),
    _index_where("resolved_at IS NOT NULL", "dead_letters_resolved", "resolved_at"),
)

escalations = Table(
    "escalations",
    metadata,
    Column("key", String(128), primary_key=True),  # cause and window: one ops mail each
    _created(),
    Index("escalations_age", "created_at"),
)

products = Table(
    "products",
    metadata,
    _id(primary_key=True),
    Column("slug", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("category", String(100), nullable=False),
    Column("instructions", Text),
    Column("base_cost_usd", Float, nullable=False, default=0.0),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    _id("user_id", nullable=False),
    Column("key", String(256), nullable=False),
    Column("request_hash", String(64), nullable=False),
    Column("response", Json, nullable=False),
    _created(),
    PrimaryKeyConstraint("user_id", "key"),
    Index("idempotency_keys_age", "created_at"),
)

agent_sessions = Table(
    "agent_sessions",
    metadata,
    _id(primary_key=True),
    _id("user_id", nullable=False),
    _id("brand_id", nullable=False),
    Column("step", String(32), nullable=False),
    Column("messages", Json, nullable=False, default=list),
    Column("turns", Integer, nullable=False, default=0),
    Column("cost_usd", Float, nullable=False, default=0.0),
    Column("state", Json, nullable=False, default=dict),
    _created(),
    _time("updated_at", nullable=False, default=db_now()),
    _time("reminded_at"),  # when the user was told that the wizard waits for them
    Index("agent_sessions_of_brand", "brand_id"),
    Index("agent_sessions_age", "updated_at"),
)

queue_settings = Table(
    "queue_settings",
    metadata,
    Column("queue", String(32), primary_key=True),
    Column("paused", Integer, nullable=False, default=0),
    Column("cause", String(32)),
    Column("reason", Text),
    Column("paused_by", String(128)),
    _time("paused_at"),
    _time("probe_at"),  # when a provider that refused us is asked again
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("actor", String(128), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(256), nullable=False),
    Column("reason", Text),
    Column("before", Json),
    Column("after", Json),
    _time("at", nullable=False, default=db_now()),
    Column("key_id", String(32)),  # the API key it was done with
    Column("address", String(64)),  # where the request came from
    Index("audit_log_at", "at"),
    Index("audit_log_subject", "subject", "id"),
)

# Of a key only its digest is kept: whoever reads this table signs nobody in.
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(32), primary_key=True),  # stands in the key itself, so that its holder can name it
    Column("digest", String(64), nullable=False),
    Column("name", String(200), nullable=False),
    Column("role", String(16), nullable=False),
    _id("user_id", nullable=False),  # whom it acts as
    Column("created_by", String(128), nullable=False),
    _created(),
    _time("expires_at"),
    _time("last_used_at"),
    _time("revoked_at"),
    Column("revoked_by", String(128)),
    Index("api_keys_newest", "created_at"),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(32), nullable=False),
    Column("subject", String(128), nullable=False),  # which queue, cause or host
    Column("severity", String(16), nullable=False),
    Column("message", Text, nullable=False),
    _time("opened_at", nullable=False),
    _time("seen_at", nullable=False),
    _time("resolved_at"),
    _time("acked_at"),
    Column("acked_by", String(128)),
    Column("ack_reason", Text),
    Column("about", String(32)),  # what is behind it; another one is a change that everybody is told of
    Column("changes", Integer, nullable=False, server_default=text("0")),
    _time("changed_at"),
    _index_where("resolved_at IS NOT NULL", "alerts_resolved", "resolved_at"),
    Index(
        "alerts_open",
        "kind",
        "subject",
        unique=True,
        sqlite_where=text("resolved_at IS NULL"),
        postgresql_where=text("resolved_at IS NULL"),
    ),
)

alert_tellings = Table(
    "alert_tellings",
    metadata,
    Column("alert_id", Integer, nullable=False),
    Column("sink", String(32), nullable=False),
    Column("state", String(16), nullable=False),  # open, open-1 after a change, resolved
    _time("claimed_at", nullable=False),  # the last attempt's beginning
    _time("told_at"),
    Column("attempts", Integer, nullable=False, server_default=text("1")),
    PrimaryKeyConstraint("alert_id", "sink", "state"),
)

alert_mutes = Table(
    "alert_mutes",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("muted_by", String(128), nullable=False),
    Column("reason", Text),
    _time("muted_at", nullable=False),
    _time("until", nullable=False),
)

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    _id(primary_key=True),
    _id("user_id", nullable=False),
    Column("url", Text, nullable=False),
    Column("secret", String(128), nullable=False),
    Column("events", Json, nullable=False),
    _time("listening_until"),
    _created(),
    Index("webhook_endpoints_of_user", "user_id", "created_at"),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    _id(primary_key=True),  # the `webhook-id`
    _id("user_id", nullable=False),
    _id("job_id", nullable=False),
    _id("endpoint_id"),
    Column("url", Text, nullable=False),
    Column("event", String(32), nullable=False),
    Column("payload", Json, nullable=False),
    Column("state", String(16), nullable=False, default="pending"),
    Column("attempts", Integer, nullable=False, default=0),
    Column("status", Integer),
    Column("error", Text),
    _id("delivery_job"),
    _created(),
    _time("attempted_at"),
    _time("ended_at"),
    Index("webhook_deliveries_of_user", "user_id", "created_at"),
    Index("webhook_deliveries_of_job", "job_id"),
    Index("webhook_deliveries_of_endpoint", "endpoint_id", "created_at"),
    Index("webhook_deliveries_age", "created_at"),
    _index_where("state = 'pending' AND delivery_job IS NULL", "webhook_deliveries_waiting", "created_at"),
    _index_where("state = 'pending' AND delivery_job IS NOT NULL", "webhook_deliveries_handed", "delivery_job"),
)

# An action on many jobs, which the sweeper carries out one by one; see bmn/jobs/bulk.py.
bulk_actions = Table(
    "bulk_actions",
    metadata,
    _id(primary_key=True),
    Column("action", String(16), nullable=False),  # retry, cancel, replay, purge
    Column("state", String(16), nullable=False),  # running, paused; then done, stopped or aborted
    Column("selection_key", String(64), nullable=False),  # of what was asked for: one is open for each
    Column("selection", Json, nullable=False),
    _id("owner_id"),  # whose jobs alone; null for anybody's
    Column("changes", Json, nullable=False, default=dict),
    Column("asked_by", String(128), nullable=False),
    Column("key_id", String(32)),
    Column("address", String(64)),
    Column("reason", Text),
    Column("rate", Double),  # jobs a second
    Column("stop_at", Double),  # share of failures
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False, default=0),
    Column("refused", Integer, nullable=False, default=0),
    Column("failed_again", Integer, nullable=False, default=0),
    Column("credits_estimated", Integer, nullable=False),
    Column("usd_estimated", Double, nullable=False),
    Column("credits", Integer, nullable=False, default=0),
    Column("message", Text),
    _time("due_at", nullable=False, default=db_now()),  # when the next job may be acted on
    _time("checked_at", nullable=False, default=db_now()),  # when failures were counted
    _created(),
    _time("ended_at"),
    Index(
        "bulk_actions_open",
        "selection_key",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("bulk_actions_newest", "created_at"),
    _index_where("ended_at IS NOT NULL", "bulk_actions_ended", "ended_at"),
)

bulk_items = Table(
    "bulk_items",
    metadata,
    _id("bulk_id", nullable=False),
    Column("number", Integer, nullable=False),
    _id("job_id", nullable=False),
    Column("state", String(16), nullable=False, default="waiting"),  # waiting, done, refused
    _id("new_job_id"),
    Column("credits", Integer, nullable=False, default=0),
    Column("detail", Text),
    _time("at"),
    PrimaryKeyConstraint("bulk_id", "number"),
    Index("bulk_items_by_state", "bulk_id", "state", "number"),
    Index("bulk_items_of_job", "job_id"),
)

# A link that shows something to whoever holds it: a job, or pictures of a brand.
shares = Table(
    "shares",
    metadata,
    _id(primary_key=True),
    _id("user_id", nullable=False),
    _id("brand_id"),
    _id("job_id"),
    Column("asset_ids", Json, nullable=False, default=list),
    _created(),
    _time("expires_at", nullable=False),
    _time("revoked_at"),
    Index("shares_of_user", "user_id", "created_at"),
    Index("shares_age", "expires_at"),
)

# A whole brand as one group of jobs, which the sweeper carries on step by step; see bmn/work/kits.
kits = Table(
    "kits",
    metadata,
    _id(primary_key=True),  # the group of its jobs
    _id("user_id", nullable=False),
    _id("brand_id", nullable=False),
    Column("state", String(16), nullable=False),  # running, picking, held; then done or cancelled
    Column("step", String(16), nullable=False),  # logos, pick, mockups, bundle, video
    Column("plan", Json, nullable=False),
    _id("logo_id"),  # the one that was picked
    Column("message", Text, nullable=False),
    Column("cause", String(32)),  # why it is held
    Column("credits_estimated", Integer, nullable=False),
    Column("usd_estimated", Double, nullable=False),
    Column("credits_left", Integer, nullable=False),  # of the estimate, what no step has reserved yet
    Column("credits_short", Integer, nullable=False, default=0),  # what the next step needs, where that was not there
    Column("idempotency_key", String(256)),
    Column("request_hash", String(64)),
    Column("request_id", String(64)),
    _created(),
    _time("changed_at", nullable=False, default=db_now()),
    _time("ended_at"),
    UniqueConstraint("user_id", "idempotency_key", name="kits_once"),
    _index_where("ended_at IS NULL", "kits_open", "state", "created_at"),
    Index("kits_of_user", "user_id", "created_at"),
    Index("kits_of_brand", "brand_id", "created_at"),
    _index_where("ended_at IS NOT NULL", "kits_ended", "ended_at"),
)

# Which steps were begun: no step of a kit is ordered twice.
kit_steps = Table(
    "kit_steps",
    metadata,
    _id("kit_id", nullable=False),
    Column("step", String(16), nullable=False),
    _created(),
    PrimaryKeyConstraint("kit_id", "step"),
)

# What was brought back from the archive, and for how long it is left alone; see bmn/db/keeping/archiving.py.
archive_holds = Table(
    "archive_holds",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("book", String(32), nullable=False),
    _time("since", nullable=False),  # ages of the rows, both included
    _time("upto", nullable=False),
    _time("held_until", nullable=False),
    Index("archive_holds_age", "held_until"),
)
