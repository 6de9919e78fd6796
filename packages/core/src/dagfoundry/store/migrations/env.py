"""What Alembic runs for one scope of tables, on the connection that it is handed."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["version_table"],
    foundry=context.config.attributes["foundry"],
    render_as_batch=True,
)
context.run_migrations()
