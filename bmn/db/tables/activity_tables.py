"""How jobs ended and how many waited, added up by time."""

from sqlalchemy import Column, Float, Integer, PrimaryKeyConstraint, String, Table

from bmn.db.tables.base import metadata, moment

# Ended jobs, counted by the minute, the hour, the day and in all (span 0); see bmn/db/sums/activity.py.
job_activity = Table(
    "job_activity",
    metadata,
    Column("span", Integer, nullable=False),
    moment("bucket", nullable=False),
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
    moment("upto", nullable=False),
)

# How many jobs waited and ran, by the minute, the hour and the day; see bmn/db/sums/lines.py.
queue_samples = Table(
    "queue_samples",
    metadata,
    Column("span", Integer, nullable=False),
    moment("bucket", nullable=False),
    Column("queue", String(32), nullable=False),
    Column("samples", Integer, nullable=False),
    Column("waiting", Integer, nullable=False),
    Column("running", Integer, nullable=False),
    Column("most_waiting", Integer, nullable=False),
    moment("oldest", nullable=False),
    PrimaryKeyConstraint("span", "queue", "bucket"),
)
