"""Rows about the database itself: which deployment it is, and what came back from the archive."""

from sqlalchemy import Column, Index, Integer, String, Table

from bmn.db.tables.base import metadata, moment

deployment = Table(  # one row
    "deployment",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("identity", String(32), nullable=False),
    moment("clock_set_at"),  # when the clock was last found to have been set, by the clock of then
)

# What was brought back from the archive, and for how long it is left alone; see bmn/db/keeping/archiving.py.
archive_holds = Table(
    "archive_holds",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("book", String(32), nullable=False),
    moment("since", nullable=False),  # ages of the rows, both included
    moment("upto", nullable=False),
    moment("held_until", nullable=False),
    Index("archive_holds_age", "held_until"),
)
