"""What operators look at and set: queues, alerts, who was told."""

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, String, Table, Text, text

from bmn.db.tables.base import created, index_where, metadata, moment

escalations = Table(
    "escalations",
    metadata,
    Column("key", String(128), primary_key=True),  # cause and window: one ops mail each
    created(),
    Index("escalations_age", "created_at"),
)

queue_settings = Table(
    "queue_settings",
    metadata,
    Column("queue", String(32), primary_key=True),
    Column("paused", Integer, nullable=False, default=0),
    Column("cause", String(32)),
    Column("reason", Text),
    Column("paused_by", String(128)),
    moment("paused_at"),
    moment("probe_at"),  # when a provider that refused us is asked again
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(32), nullable=False),
    Column("subject", String(128), nullable=False),  # which queue, cause or host
    Column("severity", String(16), nullable=False),
    Column("message", Text, nullable=False),
    moment("opened_at", nullable=False),
    moment("seen_at", nullable=False),
    moment("resolved_at"),
    moment("acked_at"),
    Column("acked_by", String(128)),
    Column("ack_reason", Text),
    Column("about", String(32)),  # what is behind it; another one is a change that everybody is told of
    Column("changes", Integer, nullable=False, server_default=text("0")),
    moment("changed_at"),
    index_where("resolved_at IS NOT NULL", "alerts_resolved", "resolved_at"),
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
    moment("claimed_at", nullable=False),  # the last attempt's beginning
    moment("told_at"),
    Column("attempts", Integer, nullable=False, server_default=text("1")),
    PrimaryKeyConstraint("alert_id", "sink", "state"),
)

alert_mutes = Table(
    "alert_mutes",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("muted_by", String(128), nullable=False),
    Column("reason", Text),
    moment("muted_at", nullable=False),
    moment("until", nullable=False),
)
