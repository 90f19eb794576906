"""What an upgrade makes of records that an earlier release has written."""

import subprocess
import sys
from typing import Any

from alembic.script import ScriptDirectory
from sqlalchemy import update

from bmn.db import event_store, job_store
from bmn.db.engine import Database
from bmn.db.migrations import migrate
from bmn.db.migrations.run import _config, newest_revision
from bmn.db.tables import job_events
from bmn.db.tables import jobs as job_table
from tests.kit.releases import as_of
from tests.kit.rows import add_event, insert

OLD = 1_795_879_147.58
NEW = "2026-11-28T15:19:07.580Z"


def row(created_at: object) -> dict[str, Any]:
    return {"id": "a", "asset_type": "logo", "created_at": created_at, "metadata": {"created_at": 5}}


async def test_times_of_assets_become_texts(db: Database, database_url: str) -> None:
    job_id = await db.write(insert)
    await db.write(lambda conn: add_event(conn, job_id))
    result, payload = {"logos": [row(OLD)] * 2}, {"jobId": job_id, "seq": 2, "asset": row(OLD)}
    await db.write(lambda conn: conn.execute(update(job_table).values(result=result)))
    await db.write(lambda conn: conn.execute(update(job_events).where(job_events.c.seq == 2).values(payload=payload)))
    as_of(database_url, "0003")
    assert "0004" in migrate(database_url)
    stored = await db.read(lambda conn: job_store.get_job(conn, job_id))
    assert stored.result == {"logos": [row(NEW)] * 2}
    first, second = await db.read(lambda conn: event_store.after(conn, job_id, 0))
    assert second.payload["asset"] == row(NEW)
    assert first.payload["message"] == "Waiting in line"


def test_the_newest_revision_is_known_without_loading_what_upgrades() -> None:
    assert newest_revision() == ScriptDirectory.from_config(_config()).get_current_head()
    code = "import sys, bmn.db.migrations, bmn.server.app, bmn.work.wiring; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"alembic", "psycopg", "av", "flask", "rq_dashboard", "openai", "anthropic"} & set(loaded)
