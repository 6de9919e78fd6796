"""Migrating the store's tables with Alembic, scope after scope."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dagfoundry.store.engine import writing
from dagfoundry.store.schema_lock import lock_schema
from dagfoundry.store.schema_version import (
    STORE_SCOPE,
    SchemaState,
    ScopeVersion,
    foundry_scope,
    read_scopes,
    require_current,
)
from dagfoundry.store.write import lock_foundry

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine import Connection

    from dagfoundry.store import Store

MIGRATIONS: Final = Path(__file__).parent / "migrations"


@dataclass(frozen=True, kw_only=True, slots=True)
class Upgraded:
    """A scope before and after its migrations."""

    before: ScopeVersion
    after: ScopeVersion


def upgrade_store(store: Store) -> list[Upgraded]:
    """Bring the tables of all scopes to the newest migration; safe to repeat.

    Processes that do it at once wait for each other, and merges wait for them. On
    PostgreSQL and SQLite all scopes move or none does; MariaDB commits each statement
    that changes a table, so there an upgrade that was broken off is taken up again.

    Raises:
        SchemaMismatchError: A scope was migrated by a newer version already.
        StoreUnavailableError: The database cannot be used.
    """
    if not store.exists():
        return []
    with writing(store.engine) as connection:
        lock_schema(connection)
        before = read_scopes(connection)
        require_current([version for version in before if version.state is SchemaState.NEWER])
        for version in before:
            if version.scope.foundry is not None:
                lock_foundry(connection, version.scope.foundry)
        for version in before:
            if version.state is not SchemaState.CURRENT:
                _migrate(connection, version)
        after = read_scopes(connection)
    return [Upgraded(before=old, after=new) for old, new in zip(before, after, strict=True)]


def _migrate(connection: Connection, version: ScopeVersion) -> None:
    from alembic import command  # here, so that only an upgrade pays for its import

    command.upgrade(alembic_config(version.scope.foundry, connection), "head")


def alembic_config(foundry: str | None, connection: Connection | None = None) -> Config:
    """Return Alembic's configuration for the tables of the store, or of a foundry."""
    from alembic.config import Config

    scope = foundry_scope(foundry) if foundry else STORE_SCOPE
    config = Config()
    folder = MIGRATIONS / ("foundry" if foundry else "store")
    options = {
        "script_location": str(MIGRATIONS),
        "version_locations": str(folder),
        "path_separator": "os",  # one folder, which may have spaces in its name
        "version_path_separator": "os",  # the same for Alembic before 1.16
    }
    for name, value in options.items():
        config.set_main_option(name, value.replace("%", "%%"))
    config.attributes.update(
        connection=connection, version_table=scope.version_table.name, foundry=foundry
    )
    return config
