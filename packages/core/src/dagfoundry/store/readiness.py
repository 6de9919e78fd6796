"""Whether a store may be written: its foundry is adopted and its tables are current."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagfoundry.store.schema_version import read_scopes, require_current
from dagfoundry.store.unadopted import refuse_unadopted

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


def require_ready(connection: Connection, foundry: str) -> None:
    """Refuse to go on with tables that are not what this code writes.

    Raises:
        FoundryUnadoptedError: The store holds a reference deployment of this name.
        SchemaMismatchError: The store's tables are older or newer than this code.
    """
    refuse_unadopted(connection, foundry)
    require_current(read_scopes(connection, foundry=foundry))
