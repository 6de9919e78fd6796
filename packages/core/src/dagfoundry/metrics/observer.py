"""Counts what the observer hooks tell, as any installed plugin could."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagfoundry import metrics
from dagfoundry.hookspecs import hookimpl

if TYPE_CHECKING:
    from dagfoundry.observations import AppliedRevision, FailedDag, ObservedDag


@hookimpl
def dagfoundry_revision_applied(revision: AppliedRevision) -> None:
    """Count a revision."""
    metrics.revision_applied(revision.foundry, revision.source)


@hookimpl
def dagfoundry_dag_failed(failure: FailedDag) -> None:
    """Count a trial build that failed."""
    metrics.dag_failed(failure.dag.factory_type)


@hookimpl
def dagfoundry_dag_retired(dag: ObservedDag) -> None:
    """Count an entry that was retired."""
    metrics.dag_retired(dag.factory_type)
