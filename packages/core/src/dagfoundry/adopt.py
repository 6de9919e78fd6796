"""Adopting the database of a DataSurface deployment: its rows become revision 1, untouched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import inspect, select

from dagfoundry.adoption_rows import read_adoptable
from dagfoundry.errors import FoundryMissingError, StoreConflictError
from dagfoundry.factories import Status
from dagfoundry.names import infrastructure_dag_id
from dagfoundry.store.narrow_columns import narrow_columns
from dagfoundry.store.read import read_foundry, read_revisions
from dagfoundry.store.records import RowKind, Source
from dagfoundry.store.ring1 import create_tables, foundry_tables
from dagfoundry.store.schema_lock import lock_schema
from dagfoundry.store.schema_version import (
    ADOPTED,
    foundry_scope,
    read_scopes,
    require_current,
    stamp,
)
from dagfoundry.store.tables import DAGS, PLATFORMS, FoundryTables
from dagfoundry.store.unadopted import possible_foundries
from dagfoundry.store.write import (
    RowChange,
    claim_platforms,
    create_foundry,
    lock_foundry,
    record_revision,
)

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from dagfoundry.adoption import AdoptionFinding
    from dagfoundry.adoption_rows import Adoptable
    from dagfoundry.plugins import Plugins
    from dagfoundry.store import Store
    from dagfoundry.store.records import Head
    from dagfoundry.store.write import Origin


@dataclass(frozen=True, kw_only=True, slots=True)
class Adoption:
    """What an adoption recorded.

    Attributes:
        head: The foundry at revision 1.
        rows: The rows of that revision.
        ignored: Number of rows that were left out because their status is not active.
        findings: What is wrong with single rows or tables.
        needs_upgrade: Whether columns are too narrow for a merge until ``db upgrade``.
    """

    head: Head
    rows: tuple[RowChange, ...]
    ignored: int
    findings: tuple[AdoptionFinding, ...]
    needs_upgrade: bool

    def count(self, kind: RowKind) -> int:
        """Return how many rows of a kind were adopted."""
        return sum(row.kind is kind for row in self.rows)


def adopt(
    store: Store, foundry: str, plugins: Plugins, *, origin: Origin, buckets: int
) -> Adoption:
    """Record the rows of a reference deployment as revision 1, without changing one.

    A row that is broken stops no other: it becomes a finding.

    Args:
        store: The database that holds the deployment's tables.
        foundry: Name of the foundry (the reference's PSP), spelt as it is to be known.
        plugins: The installed factory types.
        origin: Who adopts it and why.
        buckets: Number of the foundry's bundle files, fixed for its life.

    Raises:
        FoundryMissingError: There are no such tables, or there is nothing in them to adopt.
        SchemaMismatchError: The store's own tables are older or newer than this code.
        StoreConflictError: The foundry is in the store already, or a platform's tables
            belong to another one.
        StoreUnavailableError: The store cannot be reached.
    """
    with store.reading() as connection:
        _checked(connection, foundry, plugins)
    create_tables(store, foundry_tables(foundry, [], []))
    with store.writing() as connection:
        lock_schema(connection)
        found = _checked(connection, foundry, plugins)
        create_foundry(connection, foundry, buckets)
        head = lock_foundry(connection, foundry)
        claim_platforms(connection, foundry, found.platforms)
        changes = [
            row.change(head, Status.ACTIVE, before=None, config_json=row.config_json or "")
            for row in found.rows
        ]
        moved = record_revision(connection, head, changes, origin)
        is_narrow = bool(narrow_columns(connection, foundry))
        scope = foundry_scope(foundry)
        migration = ADOPTED if is_narrow else scope.migrations[-1]
        stamp(connection, scope.version_table, migration)
    return Adoption(
        head=moved,
        rows=tuple(changes),
        ignored=found.ignored,
        findings=tuple(found.findings),
        needs_upgrade=is_narrow,
    )


def _checked(connection: Connection, foundry: str, plugins: Plugins) -> Adoptable:
    """Return what can be adopted, or refuse before anything is written."""
    existing = set(inspect(connection).get_table_names())
    _refuse_known(connection, foundry, existing)
    require_current(read_scopes(connection, foundry=foundry))
    _require_factories(foundry, existing)
    found = read_adoptable(connection, foundry, plugins)
    _refuse_owned_platforms(connection, foundry, existing, found)
    if not found.rows:
        table = FoundryTables(foundry).factories.name
        msg = f"there is nothing to adopt in table {table!r}: no active row can be used"
        reasons = "".join(f"\n  {each}" for each in found.findings)
        raise FoundryMissingError(msg + reasons, remedy="Check the name, or merge a model.")
    return found


def _refuse_known(connection: Connection, foundry: str, existing: set[str]) -> None:
    if PLATFORMS.name not in existing:
        return
    head = read_foundry(connection, foundry)
    if head is not None:
        msg = f"foundry {head.foundry!r} is in the store already, at revision {head.revision}"
        first = read_revisions(connection, head, revision=1)
        if first and first[0].source is Source.ADOPT:
            msg = f"foundry {head.foundry!r} was adopted already, by {first[0].author}"
        remedy = (
            f"There is nothing to adopt: see `dagfoundry list --foundry {head.foundry}`; "
            "`dagfoundry drift --record` records rows that were edited by hand."
        )
        raise StoreConflictError(msg, remedy=remedy)
    infrastructure = infrastructure_dag_id(foundry)
    statement = select(DAGS.c.foundry).where(DAGS.c.dag_id == infrastructure)
    owner = connection.execute(statement).scalars().first()
    if owner is not None:
        msg = f"DAG id {infrastructure!r} belongs to foundry {owner!r}"
        raise StoreConflictError(msg, remedy="Adopt it into a store of its own.")


def _require_factories(foundry: str, existing: set[str]) -> None:
    table = FoundryTables(foundry).factories.name
    if table in existing:
        return
    msg = f"there is no table {table!r} to adopt foundry {foundry!r} from"
    others = ", ".join(possible_foundries(existing))
    remedy = f"Name one of these: {others}." if others else "Check DAGFOUNDRY_STORE_URL."
    raise FoundryMissingError(msg, remedy=remedy)


def _refuse_owned_platforms(
    connection: Connection, foundry: str, existing: set[str], found: Adoptable
) -> None:
    if PLATFORMS.name not in existing:
        return
    owners = {row.platform: row.foundry for row in connection.execute(select(PLATFORMS))}
    for platform in sorted(found.named):
        owner = owners.get(platform.lower(), foundry)
        if owner != foundry:
            msg = f"the tables of platform {platform!r} belong to foundry {owner!r} already"
            remedy = "Two foundries never share a platform; remove its rows from one of them."
            raise StoreConflictError(msg, remedy=remedy)
