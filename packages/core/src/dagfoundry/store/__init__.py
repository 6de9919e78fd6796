"""The store: rows, revisions and versions in a database.

Readers (DAG processor, workers) use :class:`Store`; merges use :mod:`dagfoundry.merge`.
What writes is imported by the methods that write: most processes parse a file and end.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect
from sqlalchemy.exc import IntegrityError

from dagfoundry.errors import StoreUnavailableError
from dagfoundry.store import applied, read
from dagfoundry.store.engine import has_file, reading, require_file, store_engine, writing
from dagfoundry.store.placeholders import DagShape, Placeholder
from dagfoundry.store.records import (
    Head,
    RevisionRecord,
    RowKind,
    RowState,
    Source,
    VersionRecord,
)
from dagfoundry.store.tables import FOUNDRIES
from dagfoundry.store.unadopted import refuse_unadopted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy.engine import URL, Connection

    from dagfoundry.store.reports import FactoryReport
    from dagfoundry.store.schema_version import ScopeVersion
    from dagfoundry.store.shapes import ShapeSeen

__all__ = [
    "DagShape",
    "Head",
    "Placeholder",
    "RevisionRecord",
    "RowKind",
    "RowState",
    "Source",
    "Store",
    "VersionRecord",
    "open_store",
]


class Store:
    """One store; opens a connection for each call and keeps none.

    Every method raises :class:`~dagfoundry.errors.StoreUnavailableError` when the
    database cannot be used, and those that take a foundry
    :class:`~dagfoundry.errors.FoundryMissingError` when the store does not hold it.
    """

    def __init__(self, url: URL, *, timeout_seconds: float) -> None:
        self.url = url
        self.engine = store_engine(url, timeout_seconds)

    def reading(self) -> AbstractContextManager[Connection]:
        """Open a transaction that reads."""
        return reading(self.engine)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open the one transaction of a write; observers learn of a revision that it made.

        It makes no database: :func:`dagfoundry.store.ring1.create_tables` does, and where a
        store has been moved away, a write would leave an empty one in its place.
        """
        require_file(self.url)
        with writing(self.engine) as connection, applied.noted(connection) as notes:
            yield connection
        if notes:
            applied.tell(notes)

    def exists(self) -> bool:
        """Return False when the store is a SQLite file that nobody has made yet."""
        return has_file(self.url)

    def schema_versions(self) -> list[ScopeVersion]:
        """Return where the migrations of the store's tables stand; none without tables."""
        from dagfoundry.store.schema_version import read_scopes

        with self.reading() as connection:
            return read_scopes(connection)

    def refuse_unadopted(self) -> None:
        """Raise FoundryUnadoptedError where there is no foundry, but one to adopt."""
        if self.exists():
            with self.reading() as connection:
                refuse_unadopted(connection)

    def head(self, foundry: str) -> Head:
        """Return the foundry's newest revision and its number of buckets; one statement."""
        with self._reading_foundry(foundry) as connection:
            return read.read_head(connection, foundry)

    def foundries(self) -> list[str]:
        """Return the names of all foundries of the store, sorted."""
        with self.reading() as connection:
            if not _has_registry(connection):
                return []
            return read.read_foundries(connection)

    def rows_at(
        self,
        foundry: str,
        revision: int,
        *,
        bucket: int | None = None,
        dag_id: str | None = None,
    ) -> list[RowState]:
        """Return every row's last state up to a revision, of all statuses, by DAG id."""
        with self._reading_foundry(foundry) as connection:
            head = read.read_head(connection, foundry)
            return read.read_rows(connection, head, revision, bucket=bucket, dag_id=dag_id)

    def changes(self, foundry: str, *, after: int, until: int) -> list[RowState]:
        """Return the rows that changed in ``(after, until]``, as they were at ``until``."""
        with self._reading_foundry(foundry) as connection:
            head = read.read_head(connection, foundry)
            return read.read_changes(connection, head, after=after, until=until)

    def revisions(self, foundry: str) -> list[RevisionRecord]:
        """Return the foundry's revisions, oldest first."""
        with self._reading_foundry(foundry) as connection:
            return read.read_revisions(connection, read.read_head(connection, foundry))

    def revision(self, foundry: str, revision: int) -> RevisionRecord | None:
        """Return one revision, or None when there is none of this number."""
        with self._reading_foundry(foundry) as connection:
            head = read.read_head(connection, foundry)
            found = read.read_revisions(connection, head, revision=revision)
            return found[0] if found else None

    def unrecorded(self, foundry: str) -> dict[str, str]:
        """Return the DAGs that history has lost, with the tables of their rows."""
        with self._reading_foundry(foundry) as connection:
            return read.read_unrecorded(connection, read.read_head(connection, foundry))

    def version(self, foundry: str, version: str) -> VersionRecord | None:
        """Return a recorded version, or None."""
        with self._reading_foundry(foundry) as connection:
            return read.read_version(connection, read.read_head(connection, foundry), version)

    def latest_version(self, foundry: str) -> VersionRecord | None:
        """Return the version recorded for the newest revision, or None."""
        with self._reading_foundry(foundry) as connection:
            return read.read_version(connection, read.read_head(connection, foundry))

    def record_version(self, foundry: str, record: VersionRecord) -> None:
        """Record what a DAG processor is about to serve; recording it twice is harmless."""
        from dagfoundry.store import write

        try:
            with self.writing() as connection:
                write.write_version(connection, read.read_head(connection, foundry), record)
        except IntegrityError:
            return  # another DAG processor recorded the same content at the same moment

    def shapes(self, foundry: str, dag_ids: Collection[str]) -> dict[str, DagShape]:
        """Return what DAGs looked like when they were last good, as far as that is known."""
        from dagfoundry.store import shapes

        with self._reading_foundry(foundry) as connection:
            name = read.read_head(connection, foundry).foundry
            if not dag_ids or not shapes.keeps_shapes(connection):
                return {}
            return shapes.read_shapes(connection, name, dag_ids)

    def record_shapes(self, foundry: str, seen: Mapping[str, ShapeSeen]) -> None:
        """Record what DAGs look like; nothing is written of what is recorded already.

        Args:
            foundry: Name of the foundry.
            seen: DAG id to the shape of a DAG that was built.
        """
        from dagfoundry.store import shapes

        with self._reading_foundry(foundry) as connection:
            name = read.read_head(connection, foundry).foundry
            if not shapes.keeps_shapes(connection):
                return
            fresh = shapes.new_shapes(connection, name, seen)
        if fresh:
            with self.writing() as connection:
                shapes.write_shapes(connection, name, fresh)

    def record_report(self, foundry: str, dag_id: str, report: Mapping[str, Any]) -> None:
        """Record a factory DAG's report in place of its last one."""
        from dagfoundry.store import reports

        with suppress(IntegrityError), self.writing() as connection:  # two recorded their first
            if reports.keeps_reports(connection):
                name = read.read_head(connection, foundry).foundry
                reports.write_report(connection, name, dag_id, report)

    def reports(self, foundry: str) -> list[FactoryReport]:
        """Return the last report of each factory DAG, by its id."""
        from dagfoundry.store import reports

        with self._reading_foundry(foundry) as connection:
            name = read.read_head(connection, foundry).foundry
            return (
                reports.read_reports(connection, name) if reports.keeps_reports(connection) else []
            )

    def retire(self, foundry: str, dag_ids: Sequence[str], *, author: str, message: str) -> int:
        """Move rows from retiring to retired in a new revision; others stay as they are.

        Returns:
            The head revision, new or old.
        """
        from dagfoundry.store import lifecycle, write

        origin = write.Origin(author=author, message=message, source=Source.LIFECYCLE)
        with self.writing() as connection:
            return lifecycle.retire(connection, foundry, dag_ids, origin).revision

    def purge(self, foundry: str, retired: Mapping[str, int], *, author: str, message: str) -> int:
        """Move rows from retired to purged in a new revision; others stay as they are.

        Args:
            foundry: Name of the foundry.
            retired: DAG id to the revision that retired the row; retired anew, it stays.
            author: Who does it.
            message: Why.

        Returns:
            The head revision, new or old.
        """
        from dagfoundry.store import lifecycle, write

        origin = write.Origin(author=author, message=message, source=Source.LIFECYCLE)
        with self.writing() as connection:
            return lifecycle.purge(connection, foundry, retired, origin).revision

    def close(self) -> None:
        """Forget the engine; there is no open connection."""
        self.engine.dispose()

    @contextmanager
    def _reading_foundry(self, foundry: str) -> Iterator[Connection]:
        try:
            with self.reading() as connection:
                yield connection
        except StoreUnavailableError:
            with self.reading() as connection:
                if _has_registry(connection):
                    raise
                refuse_unadopted(connection, foundry)
            raise read.foundry_missing(foundry) from None


def _has_registry(connection: Connection) -> bool:
    return inspect(connection).has_table(FOUNDRIES.name)


def open_store(url: URL, *, timeout_seconds: float = 5.0) -> Store:
    """Return the store at a URL; opens no connection.

    Args:
        url: The store's database.
        timeout_seconds: How long to wait for a connection, a statement or a lock.
    """
    return Store(url, timeout_seconds=timeout_seconds)
