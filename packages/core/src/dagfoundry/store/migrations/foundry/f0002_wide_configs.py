"""Every ``config_json`` holds a text of any length.

A reference deployment's columns end at 2048, 4096 or 8192 characters, which a store with
many datasets exceeds. SQLite enforces no length, so nothing is to be done there.
"""

from __future__ import annotations

from alembic import op

from dagfoundry.store.narrow_columns import narrow_columns
from dagfoundry.store.tables import long_text

revision = "f0002"
down_revision = "f0001"


def upgrade() -> None:
    """Widen the columns that are narrow; those that are wide stay as they are."""
    connection, foundry = op.get_bind(), op.get_context().opts["foundry"]
    for column in narrow_columns(connection, foundry):
        op.alter_column(
            column.table,
            column.name,
            type_=long_text(),
            existing_type=column.type,
            existing_nullable=column.nullable,
        )
