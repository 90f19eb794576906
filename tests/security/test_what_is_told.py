"""What errors and files give away."""

import stat
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bmn.db.engine import make_engine
from bmn.local.home import home_lock
from bmn.settings import load_settings


def test_a_failing_statement_does_not_tell_the_values_it_was_given(database_url: str) -> None:
    engine = make_engine(database_url, size=1)
    with pytest.raises(SQLAlchemyError) as caught, engine.connect() as conn:
        conn.execute(text("SELECT * FROM nowhere WHERE a = :a"), {"a": "private words"})
    engine.dispose()
    assert "nowhere" in str(caught.value) and "private words" not in str(caught.value)


def test_what_a_stack_writes_is_its_owners_alone_though_others_may_enter_the_folder(home: Path) -> None:
    home.chmod(0o755)
    with home_lock(load_settings(bmn_home=home), "test"):
        (home / "bmn.sqlite3").write_text("rows")
    assert stat.S_IMODE((home / "bmn.sqlite3").stat().st_mode) == 0o600
