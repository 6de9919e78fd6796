"""The records that observer hooks are handed: what happened, to which DAG or foundry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from dagfoundry.store.records import RowState


@dataclass(frozen=True, kw_only=True, slots=True)
class AppliedRevision:
    """A revision that was just written.

    Attributes:
        foundry: Name of the foundry.
        revision: Its number.
        source: What made it: ``merge``, ``rollback``, ``external`` (a hand edit), ``adopt``
            or ``lifecycle`` (entries that were retired or purged).
        author: Who made it.
        message: Why.
        created_at: When, UTC.
        model_commit: Commit of the model it was merged from; None where there is none.
        environment: Environment of that model; None where there is none.
        dag_ids: DAG ids of the entries whose rows it changed.
    """

    foundry: str
    revision: int
    source: str
    author: str
    message: str
    created_at: datetime
    model_commit: str | None = None
    environment: str | None = None
    dag_ids: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ObservedDag:
    """The DAG of an entry, as a row of one revision stands for it.

    Attributes:
        foundry: Name of the foundry.
        platform_name: Name of the platform as the model writes it.
        factory_type: Name of the factory type.
        key: Key of the row.
        dag_id: DAG id of the entry.
        revision: Revision that last changed the row.
        author: Who made that revision.
    """

    foundry: str
    platform_name: str
    factory_type: str
    key: str
    dag_id: str
    revision: int
    author: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class BuiltDag:
    """A DAG that was just built in a parse or a task.

    Attributes:
        dag: Which.
        seconds: How long the build took.
    """

    dag: ObservedDag
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class FailedDag:
    """A DAG whose row could not be built, so that its last good state goes on.

    Attributes:
        dag: Which.
        error: What is wrong, and what to do.
    """

    dag: ObservedDag
    error: str


def observed_dag(row: RowState) -> ObservedDag:
    """Return the DAG that a row stands for, as observers see it."""
    return ObservedDag(
        foundry=row.foundry,
        platform_name=row.platform_name,
        factory_type=row.factory_type,
        key=row.key,
        dag_id=row.dag_id,
        revision=row.revision,
        author=row.author,
    )
