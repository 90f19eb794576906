"""Jobs, and what is kept of each: paid steps, events, log, its dead letter."""

from typing import Any

from sqlalchemy import (
    Column,
    Double,
    Float,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    literal_column,
    or_,
)
from sqlalchemy.sql.elements import ColumnElement

from bmn.db.tables.base import Json, created, db_now, identifier, index_where, metadata, moment

# Most jobs have ended, and those that have are in none of these indexes: so they stay small, and ending one costs little.
_WAITING = "state IN ('queued', 'retrying')"

_RUNNING = "state = 'active'"

_WARNING = "level = 'warning'"

# What a query has to say, word for word, to be served by such an index.
is_waiting: ColumnElement[Any] = literal_column(f"jobs.{_WAITING}")

is_running: ColumnElement[Any] = literal_column(f"jobs.{_RUNNING}")

is_warning: ColumnElement[Any] = literal_column(f"job_logs.{_WARNING}")

is_completed: ColumnElement[Any] = literal_column("jobs.state = 'completed'")

jobs = Table(
    "jobs",
    metadata,
    identifier(primary_key=True),
    Column("queue", String(32), nullable=False),
    identifier("user_id"),
    identifier("brand_id"),
    Column("payload", Json, nullable=False),
    Column("payload_version", Integer, nullable=False, default=1),
    Column("state", String(16), nullable=False, default="queued"),
    # who runs it: every write of an executor names the fence it claimed with; an older one changes no row
    Column("attempt", Integer, nullable=False, default=0),
    Column("max_attempts", Integer, nullable=False),
    Column("losses", Integer, nullable=False, default=0),
    Column("fence", Integer, nullable=False, default=0),
    Column("lease_owner", String(128)),
    moment("lease_until"),
    # when and in what order: priority, then turn (fairness between users), then age
    Column("priority", Integer, nullable=False),
    Column("turn", Integer, nullable=False, default=0),
    moment("run_at", nullable=False),
    moment("start_by"),  # not begun, or not ended, by then: cancelled
    moment("finish_by"),
    moment("limited_since"),  # first time this job waited for its provider
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
    identifier("parent_id"),
    identifier("collects_id"),  # the cancelled job whose orders this one collects
    identifier("group_id"),
    Column("request_id", String(64)),
    Column("trace_parent", String(64)),  # continues the request's trace in the worker
    moment("cancel_requested_at"),
    Column("cancelled_by", String(128)),
    Column("webhooks", Json),  # who hears of it: url, events, endpoint_id
    created(),
    moment("queued_at", nullable=False),
    moment("started_at"),
    moment("attempt_started_at"),
    moment("completed_at"),
    index_where(_WAITING, "jobs_line", "queue", "priority", "turn", "created_at"),
    index_where(_WAITING, "jobs_turn", "user_id", "queue", "turn"),
    index_where(_WAITING, "jobs_front", "queue", "turn"),
    index_where(_WAITING, "jobs_due", "run_at"),
    index_where(f"{_WAITING} AND start_by IS NOT NULL", "jobs_start_by", "start_by"),
    index_where("completed_at IS NULL AND finish_by IS NOT NULL", "jobs_finish_by", "finish_by"),
    # Not on lease_until: a renewal would have to write every index of its row.
    index_where(_RUNNING, "jobs_running", "queue"),
    index_where("state = 'completed'", "jobs_completed", "queue", "completed_at"),
    index_where("completed_at IS NOT NULL", "jobs_ended", "completed_at"),
    # What lists leave out, so that they are counted without a look at the rows.
    index_where("cause IS NOT NULL", "jobs_causes", "cause", "created_at", "collects_id", "queue"),
    index_where(
        "state IN ('failed', 'partial', 'cancelled')", "jobs_troubled", "state", "created_at", "collects_id", "queue"
    ),
    Index("jobs_states", "queue", "state"),
    Index("jobs_newest", "created_at", "id"),
    Index("jobs_of_user", "user_id", "created_at"),
    Index("jobs_of_brand", "brand_id", "created_at"),
    Index("jobs_parent", "parent_id"),
    index_where("group_id IS NOT NULL", "jobs_of_group", "group_id", "created_at"),
)

is_no_probe: ColumnElement[bool] = or_(jobs.c.user_id.is_not(None), jobs.c.payload["probe"].as_string().is_(None))
"""Not one of the jobs that `doctor --deep` sends by every worker: they carry nothing, and are counted nowhere."""

job_units = Table(
    "job_units",
    metadata,
    identifier("job_id", nullable=False),
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
    moment("updated_at", nullable=False, default=db_now()),
    PrimaryKeyConstraint("job_id", "unit"),
    index_where("storage_key IS NOT NULL", "job_units_storage", "storage_key"),
)

job_events = Table(
    "job_events",
    metadata,
    identifier("job_id", nullable=False),
    Column("seq", Integer, nullable=False),
    Column("event", String(32), nullable=False),
    Column("payload", Json, nullable=False),
    moment("at", nullable=False, default=db_now()),
    PrimaryKeyConstraint("job_id", "seq"),
    Index("job_events_at", "at"),
)

job_logs = Table(
    "job_logs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    identifier("job_id", nullable=False),
    Column("attempt", Integer, nullable=False, default=0),
    Column("level", String(10), nullable=False),
    Column("message", Text, nullable=False),
    Column("fields", Json, nullable=False, default=dict),
    moment("at", nullable=False, default=db_now()),
    Index("job_logs_of_job", "job_id", "id"),
    index_where(_WARNING, "job_logs_warnings", "at"),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    identifier(primary_key=True),
    identifier("job_id", nullable=False, unique=True),
    Column("queue", String(32), nullable=False),
    identifier("user_id"),
    Column("cause", String(32), nullable=False),
    Column("error", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("replays", Integer, nullable=False, default=0),  # how often this lineage was replayed before
    Column("state", String(16), nullable=False, default="open"),  # open, replayed, purged
    identifier("replay_job_id"),
    Column("resolved_by", String(128)),
    moment("resolved_at"),
    created(),
    Index("dead_letters_open", "state", "created_at"),
    index_where("resolved_at IS NOT NULL", "dead_letters_resolved", "resolved_at"),
)
