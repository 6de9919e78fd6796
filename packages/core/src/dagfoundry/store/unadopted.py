"""Rows of a reference deployment that lie in the store and belong to no foundry yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import Column, MetaData, String, Table, inspect, select

from dagfoundry.errors import FoundryUnadoptedError
from dagfoundry.names import table_name
from dagfoundry.store.tables import FOUNDRIES, FoundryTables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Connection

_FACTORIES: Final = "_factory_dags"
_COLUMNS: Final = {"platform_name", "factory_type", "config_json", "status"}


def refuse_unadopted(connection: Connection, foundry: str | None = None) -> None:
    """Refuse to go on where a reference deployment waits to be adopted.

    A foundry's own tables without a row, as ring 1 leaves them, are nothing to adopt.

    Args:
        connection: An open connection.
        foundry: The foundry that is asked for; without it, only a store that holds no
            foundry at all is refused.

    Raises:
        FoundryUnadoptedError: There are rows to adopt.
    """
    if _is_known(connection, foundry):
        return
    existing = set(inspect(connection).get_table_names())
    if foundry is None:
        asked = {table for table in existing if table.endswith(_FACTORIES)}
    else:
        asked = existing.intersection({FoundryTables(foundry).factories.name})
    waiting = [table for table in sorted(asked) if _holds_rows(connection, table)]
    # asked again: a first merge that ended meanwhile has registered what it wrote
    if waiting and not _is_known(connection, foundry):
        raise _unadopted(waiting, foundry)


def possible_foundries(tables: Iterable[str]) -> list[str]:
    """Return the names, in lower case, of foundries whose factories are among these tables."""
    tables = sorted(tables)
    names = [table.removesuffix(_FACTORIES) for table in tables if table.endswith(_FACTORIES)]
    return [name for name in names if table_name(name, "factory_dags") in tables]


def _unadopted(tables: list[str], foundry: str | None) -> FoundryUnadoptedError:
    names = [foundry] if foundry else possible_foundries(tables)
    msg = f"the store holds rows of a DataSurface deployment: {', '.join(tables)}"
    commands = " or ".join(f"`dagfoundry adopt --foundry {name}`" for name in names)
    spelt = "" if foundry else ", with the name as its model spells it"
    return FoundryUnadoptedError(msg, remedy=f"Run {commands} first{spelt}; it changes no row.")


def _is_known(connection: Connection, foundry: str | None) -> bool:
    """Return whether the store holds the foundry, or any at all when none is asked for."""
    if not inspect(connection).has_table(FOUNDRIES.name):
        return False
    names = connection.execute(select(FOUNDRIES.c.foundry)).scalars().all()
    return foundry.lower() in names if foundry else bool(names)


def _holds_rows(connection: Connection, name: str) -> bool:
    columns = {column["name"] for column in inspect(connection).get_columns(name)}
    if not columns >= _COLUMNS:
        return False
    table = Table(name, MetaData(), Column("platform_name", String))
    return connection.execute(select(table).limit(1)).first() is not None
