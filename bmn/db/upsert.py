"""Inserts that may meet a row which is there already."""

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_once(conn: Connection, table: Table) -> Any:
    """An insert of the connection's dialect, for `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return (postgresql if conn.dialect.name == "postgresql" else sqlite).insert(table)
