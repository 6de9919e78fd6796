"""What a transaction wrote, told to the observers once it is committed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from dagfoundry.factories import Status
from dagfoundry.observations import AppliedRevision, ObservedDag
from dagfoundry.store.records import RowKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from dagfoundry.store.records import Head
    from dagfoundry.store.write import Origin, RowChange

_KEY: Final = "dagfoundry.applied"

Note = tuple[AppliedRevision, tuple[ObservedDag, ...]]
"""A revision, and the DAGs of the entries that it retired."""


@contextmanager
def noted(connection: Connection) -> Iterator[list[Note]]:
    """Collect what :func:`note` notes of a connection."""
    notes: list[Note] = []
    info = connection.info  # a connection that breaks meanwhile has none any more
    info[_KEY] = notes
    try:
        yield notes
    finally:
        info.pop(_KEY, None)


def note(
    connection: Connection,
    moved: Head,
    changes: Sequence[RowChange],
    *,
    origin: Origin,
    now: datetime,
) -> None:
    """Note a revision that is being written, where somebody collects."""
    if _KEY not in connection.info:
        return
    entries = [change for change in changes if change.kind is RowKind.ENTRY]
    revision = AppliedRevision(
        foundry=moved.foundry,
        revision=moved.revision,
        source=origin.source.value,
        author=origin.author,
        message=origin.message,
        created_at=now,
        model_commit=origin.model_commit,
        environment=origin.environment,
        dag_ids=tuple(change.dag_id for change in entries),
    )
    retired = [change for change in entries if change.status is Status.RETIRED]
    dags = tuple(_observed(change, moved, origin) for change in retired)
    connection.info[_KEY].append((revision, dags))


def _observed(change: RowChange, moved: Head, origin: Origin) -> ObservedDag:
    return ObservedDag(
        foundry=moved.foundry,
        platform_name=change.platform_name,
        factory_type=change.factory_type,
        key=change.key,
        dag_id=change.dag_id,
        revision=moved.revision,
        author=origin.author,
    )


def tell(notes: Sequence[Note]) -> None:
    """Tell the observers of revisions that are committed."""
    from dagfoundry import observers
    from dagfoundry.plugins import load_plugins

    plugins = load_plugins()
    for revision, retired in notes:
        observers.tell(plugins, "dagfoundry_revision_applied", revision=revision)
        for dag in retired:
            observers.tell(plugins, "dagfoundry_dag_retired", dag=dag)
