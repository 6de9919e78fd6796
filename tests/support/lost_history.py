"""What may befall a store's history, as the tests bring it about."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from dagfoundry.store.tables import DAGS, FOUNDRIES, FoundryTables

if TYPE_CHECKING:
    from probe_foundry import Foundry


def restore(foundry: Foundry, revision: int) -> None:
    """Bring the foundry back to an older revision, as a backup does; 0 empties it."""
    tables = FoundryTables(foundry.name)
    with foundry.store.writing() as connection:
        for table in (tables.changes, tables.revisions, tables.versions):
            connection.execute(delete(table).where(table.c.revision > revision))
        lost = DAGS.c.table_name != "", DAGS.c.dag_id.not_in(select(tables.changes.c.dag_id))
        connection.execute(delete(DAGS).where(*lost))
        is_ours = FOUNDRIES.c.foundry == foundry.name.lower()
        connection.execute(update(FOUNDRIES).where(is_ours).values(head_revision=revision))


def empty(foundry: Foundry, name: str) -> None:
    """Empty one of the tables of the foundry's history, such as ``changes``."""
    with foundry.store.writing() as connection:
        connection.execute(delete(getattr(FoundryTables(foundry.name), name)))


def antedate(foundry: Foundry) -> None:
    """Make all revisions look older: tests write many in one second, people do not."""
    revisions = FoundryTables(foundry.name).revisions
    with foundry.store.writing() as connection:
        connection.execute(update(revisions).values(created_at=datetime(2026, 1, 2)))  # noqa: DTZ001 - the store keeps UTC without a zone


def unregister(foundry: Foundry) -> dict[str, Any]:
    """Take the foundry out of the store's list of foundries, and return its row."""
    with foundry.store.writing() as connection:
        row = dict(connection.execute(select(FOUNDRIES)).one()._mapping)  # noqa: SLF001 - SQLAlchemy's public name
        connection.execute(delete(FOUNDRIES))
    return row


def register(foundry: Foundry, row: dict[str, Any]) -> None:
    """Bring the foundry's row back."""
    with foundry.store.writing() as connection:
        connection.execute(insert(FOUNDRIES).values(row))
