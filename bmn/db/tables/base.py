"""What tables are built of: their metadata, the columns that most of them have, the database's clock."""

from typing import Any

from sqlalchemy import JSON, Column, Double, Index, MetaData, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
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


def identifier(name: str = "id", *constraints: Any, **kwargs: Any) -> Column[str]:
    """A column that holds an id of ours."""
    return Column(name, String(128), *constraints, **kwargs)


def moment(name: str, **kwargs: Any) -> Column[float]:
    """A column that holds a time."""
    return Column(name, Double, **kwargs)


def created() -> Column[float]:
    """When the row was made, by the database's clock."""
    return Column("created_at", Double, nullable=False, default=db_now())


def index_where(condition: str, name: str, *columns: str) -> Index:
    """An index of the rows of which an SQL condition holds."""
    return Index(name, *columns, sqlite_where=text(condition), postgresql_where=text(condition))
