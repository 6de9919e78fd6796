"""How far the store's tables have been migrated, and whether that suits this code.

Tables are migrated by scope: those of the whole store, and those of each foundry with
its platforms. Each scope has a version table of Alembic's own, so that a foundry which is
adopted late starts at the beginning while the others stay where they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

from sqlalchemy import insert, inspect, select

from dagfoundry.errors import SchemaMismatchError
from dagfoundry.store.tables import FOUNDRIES, PLATFORMS, SCHEMA_VERSION, WITNESS, FoundryTables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

STORE_MIGRATIONS: Final = ("s0001", "s0002")
"""Migrations of the tables that serve the whole store, oldest first."""

FOUNDRY_MIGRATIONS: Final = ("f0001", "f0002")
"""Migrations of the tables of a foundry and its platforms, oldest first."""

ADOPTED: Final = FOUNDRY_MIGRATIONS[0]
"""Where a reference deployment's tables are."""


class SchemaState(str, Enum):
    """How tables compare with the code."""

    CURRENT = "current"
    OLDER = "older"
    NEWER = "newer"


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """Tables that are migrated together.

    Attributes:
        foundry: The foundry, or none for the tables of the whole store.
        version_table: Where Alembic keeps the scope's migration.
        migrations: Ids of the migrations this code knows, oldest first.
    """

    foundry: str | None
    version_table: Table = field(repr=False, compare=False)
    migrations: tuple[str, ...]

    @property
    def name(self) -> str:
        """What a person calls the scope."""
        return f"foundry {self.foundry}" if self.foundry else "store"


@dataclass(frozen=True, kw_only=True, slots=True)
class ScopeVersion:
    """Where a scope stands.

    Attributes:
        scope: The scope.
        migration: The migration it is at; none where its tables are older than the first.
        platforms: The platforms whose tables belong to it.
    """

    scope: Scope
    migration: str | None
    platforms: tuple[str, ...] = ()

    @property
    def head(self) -> str:
        """The migration that this code wants."""
        return self.scope.migrations[-1]

    @property
    def state(self) -> SchemaState:
        """How the tables compare with the code."""
        if self.migration == self.head:
            return SchemaState.CURRENT
        known = self.migration is None or self.migration in self.scope.migrations
        return SchemaState.OLDER if known else SchemaState.NEWER


STORE_SCOPE: Final = Scope(
    foundry=None,
    version_table=SCHEMA_VERSION,
    migrations=STORE_MIGRATIONS,
)


def foundry_scope(foundry: str) -> Scope:
    """Return the scope of a foundry's tables."""
    return Scope(
        foundry=foundry,
        version_table=FoundryTables(foundry).schema_version,
        migrations=FOUNDRY_MIGRATIONS,
    )


def read_scopes(connection: Connection, *, foundry: str | None = None) -> list[ScopeVersion]:
    """Return where each scope of the store stands; none for a store without tables.

    Args:
        connection: An open connection.
        foundry: Only the scopes of the whole store and of this foundry.
    """
    existing = set(inspect(connection).get_table_names())
    if not existing.issuperset({FOUNDRIES.name, PLATFORMS.name}):
        return []  # nothing there, or on MariaDB a creation that was killed half-way
    owned = select(PLATFORMS.c.foundry, PLATFORMS.c.name)
    platforms = [tuple(row) for row in connection.execute(owned)]
    names = sorted(connection.execute(select(FOUNDRIES.c.name)).scalars())
    return [
        ScopeVersion(
            scope=scope,
            migration=_read_migration(connection, scope, existing),
            platforms=tuple(sorted(name for owner, name in platforms if owner == scope.foundry)),
        )
        for scope in (STORE_SCOPE, *map(foundry_scope, names))
        if foundry is None or scope.foundry in {None, foundry}
    ]


def require_current(versions: Sequence[ScopeVersion]) -> None:
    """Refuse to work with tables that this code was not made for.

    Raises:
        SchemaMismatchError: Tables of a scope are older or newer.
    """
    for state, remedy in (
        (SchemaState.NEWER, "Install the version of dagfoundry that migrated them."),
        (SchemaState.OLDER, "Run `dagfoundry db upgrade`; it loses no row and may be repeated."),
    ):
        wrong = [version for version in versions if version.state is state]
        if wrong:
            where = "; ".join(
                f"{v.scope.name} is at {v.migration or 'no migration'}, not at {v.head}"
                for v in wrong
            )
            msg = f"the store's tables are {state.value} than this dagfoundry: {where}"
            raise SchemaMismatchError(msg, remedy=remedy)


def is_version_table(table: Table) -> bool:
    """Return whether Alembic keeps a scope's migration in a table."""
    return WITNESS in table.info


def stamp_new_tables(
    connection: Connection, tables: Sequence[Table], missing: Sequence[Table]
) -> None:
    """Note that the scopes whose tables are created just now need no migration."""
    fresh = {table.name for table in missing}
    for table in tables:
        if table.info.get(WITNESS) in fresh:
            is_store = table.name == SCHEMA_VERSION.name
            stamp(connection, table, (STORE_MIGRATIONS if is_store else FOUNDRY_MIGRATIONS)[-1])


def stamp(connection: Connection, table: Table, migration: str) -> None:
    """Note in a scope's version table that its tables are at a migration, if nothing is noted."""
    if connection.execute(select(table.c.version_num)).first() is None:
        connection.execute(insert(table).values(version_num=migration))


def _read_migration(connection: Connection, scope: Scope, existing: set[str]) -> str | None:
    if scope.version_table.name not in existing:
        return None
    return connection.execute(select(scope.version_table.c.version_num)).scalars().first()
