"""`bmn db`: the database's shape."""

import os

from bmn.cli.base import examples, group
from bmn.cli.terminal.console import console
from bmn.settings import load_settings

app = group("The database's shape.", "bmn db upgrade")


@app.command(cls=examples("bmn db upgrade", "DATABASE_URL=postgresql://… bmn db upgrade"))
def upgrade() -> None:
    """Brings the database to this release. Safe to run twice; `bmn serve` does it by itself on SQLite."""
    from bmn import logs
    from bmn.db.migrations import migrate
    from bmn.redaction import redact

    os.umask(0o077)
    settings = load_settings()
    logs.configure("warning", settings.bmn_log_format)
    settings.bmn_home.mkdir(parents=True, exist_ok=True, mode=0o700)
    applied = migrate(settings.database_address)
    where = redact(settings.database_address)
    if console.json:
        console.document({"database": where, "applied": applied})
        return
    console.answer(f"✓ {where}: " + (f"applied {', '.join(applied)}" if applied else "was up to date"))
    console.next_step("bmn serve", "bmn doctor")
