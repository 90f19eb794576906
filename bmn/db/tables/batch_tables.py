"""Many jobs as one thing: actions on a selection, and kits."""

from sqlalchemy import Column, Double, Index, Integer, PrimaryKeyConstraint, String, Table, Text, UniqueConstraint, text

from bmn.db.tables.base import Json, created, db_now, identifier, index_where, metadata, moment

# An action on many jobs, which the sweeper carries out one by one; see bmn/jobs/bulk_duty.py.
bulk_actions = Table(
    "bulk_actions",
    metadata,
    identifier(primary_key=True),
    Column("action", String(16), nullable=False),  # retry, cancel, replay, purge
    Column("state", String(16), nullable=False),  # running, paused; then done, stopped or aborted
    Column("selection_key", String(64), nullable=False),  # of what was asked for: one is open for each
    Column("selection", Json, nullable=False),
    identifier("owner_id"),  # whose jobs alone; null for anybody's
    Column("changes", Json, nullable=False, default=dict),
    Column("asked_by", String(128), nullable=False),
    Column("key_id", String(32)),
    Column("address", String(64)),
    identifier("on_behalf_of"),  # the user for whom a service asked
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
    moment("due_at", nullable=False, default=db_now()),  # when the next job may be acted on
    moment("checked_at", nullable=False, default=db_now()),  # when failures were counted
    created(),
    moment("ended_at"),
    Index(
        "bulk_actions_open",
        "selection_key",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("bulk_actions_newest", "created_at"),
    index_where("ended_at IS NOT NULL", "bulk_actions_ended", "ended_at"),
)

bulk_items = Table(
    "bulk_items",
    metadata,
    identifier("bulk_id", nullable=False),
    Column("number", Integer, nullable=False),
    identifier("job_id", nullable=False),
    Column("state", String(16), nullable=False, default="waiting"),  # waiting, done, refused
    identifier("new_job_id"),
    Column("credits", Integer, nullable=False, default=0),
    Column("detail", Text),
    moment("at"),
    PrimaryKeyConstraint("bulk_id", "number"),
    Index("bulk_items_by_state", "bulk_id", "state", "number"),
    Index("bulk_items_of_job", "job_id"),
)

# A whole brand as one group of jobs, which the sweeper carries on step by step; see bmn/work/kits.
kits = Table(
    "kits",
    metadata,
    identifier(primary_key=True),  # the group of its jobs
    identifier("user_id", nullable=False),
    identifier("brand_id", nullable=False),
    Column("state", String(16), nullable=False),  # running, picking, held; then done or cancelled
    Column("step", String(16), nullable=False),  # logos, pick, mockups, bundle, video
    Column("plan", Json, nullable=False),
    identifier("logo_id"),  # the one that was picked
    Column("message", Text, nullable=False),
    Column("cause", String(32)),  # why it is held
    Column("credits_estimated", Integer, nullable=False),
    Column("usd_estimated", Double, nullable=False),
    Column("credits_left", Integer, nullable=False),  # of the estimate, what no step has reserved yet
    Column("credits_short", Integer, nullable=False, default=0),  # what the next step needs, where that was not there
    Column("idempotency_key", String(256)),
    Column("request_hash", String(64)),
    Column("request_id", String(64)),
    created(),
    moment("changed_at", nullable=False, default=db_now()),
    moment("ended_at"),
    UniqueConstraint("user_id", "idempotency_key", name="kits_once"),
    index_where("ended_at IS NULL", "kits_open", "state", "created_at"),
    Index("kits_of_user", "user_id", "created_at"),
    Index("kits_of_brand", "brand_id", "created_at"),
    index_where("ended_at IS NOT NULL", "kits_ended", "ended_at"),
)

# Which steps were begun: no step of a kit is ordered twice.
kit_steps = Table(
    "kit_steps",
    metadata,
    identifier("kit_id", nullable=False),
    Column("step", String(16), nullable=False),
    created(),
    PrimaryKeyConstraint("kit_id", "step"),
)
