"""Run by Alembic: migrates over the connection that `gateway.adapters.sql.migrating` hands in."""

from alembic import context

from gateway.adapters.sql.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
