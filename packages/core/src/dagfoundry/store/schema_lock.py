"""One process at a time changes tables, or adds a foundry, in a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select, text

from dagfoundry.errors import StoreUnavailableError

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_LOCK_NUMBER: Final = 0x0DA6F0D9


def lock_schema(connection: Connection) -> None:
    """Wait until no other process creates or alters tables, then hold them off.

    The lock goes with the transaction on PostgreSQL and with the connection on MariaDB,
    which commits at each statement that changes a table. A transaction that writes is
    alone on SQLite already.

    Raises:
        StoreUnavailableError: Another process held the lock all the time.
    """
    dialect = connection.dialect.name
    if dialect == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK_NUMBER)))
    elif dialect in ("mysql", "mariadb"):
        name = f"dagfoundry/{connection.engine.url.database}"[:64]
        take = text("SELECT GET_LOCK(:name, @@SESSION.lock_wait_timeout)")
        if connection.execute(take, {"name": name}).scalar() != 1:
            msg = "another process has been changing the store's tables for too long"
            raise StoreUnavailableError(msg, remedy="See what it does, then try again.")
