"""Tables for what DAGs looked like when they were last good, and for reports of factory DAGs."""

from __future__ import annotations

from alembic import op

from dagfoundry.store.tables import DAG_SHAPES, REPORTS, SHAPES

revision = "s0002"
down_revision = "s0001"


def upgrade() -> None:
    """Create the tables, unless a merge of the newer release has begun to."""
    for table in (SHAPES, DAG_SHAPES, REPORTS):
        table.create(op.get_bind(), checkfirst=True)
