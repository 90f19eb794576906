"""Bringing a database to this release."""

from bmn.db.migrations.run import migrate, pending_migrations, revisions_behind

__all__ = ["migrate", "pending_migrations", "revisions_behind"]
