"""Alembic's entry: upgrades on the connection that `bmn.db.migrations.run` opened."""

from alembic import context

from bmn.db.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
