"""Extension points: what an installed package may add to DAG Foundry.

A package offers a module under the ``dagfoundry`` entry-point group. Each function in
it that is named after a hook below and decorated with :data:`hookimpl` is called. An
implementation may accept any subset of a hook's arguments. A plugin that fails is
reported by ``dagfoundry plugins`` with its distribution and version, and takes nobody
else's factory types with it.

The first hook registers; the others observe. An observer only looks: what it returns is
ignored, and one that raises or takes longer than 2 seconds is logged with its
distribution and version, counted (``dagfoundry_plugin_errors``) and not called again in
that process; what it was told of stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dagfoundry.factories import FactoryType
    from dagfoundry.observations import AppliedRevision, BuiltDag, FailedDag, ObservedDag

ENTRY_POINT_GROUP = "dagfoundry"

hookspec = pluggy.HookspecMarker("dagfoundry")
hookimpl = pluggy.HookimplMarker("dagfoundry")

# --- Registration: once per process ---------------------------------------


@hookspec
def dagfoundry_register_factory_types() -> list[FactoryType]:
    """Offer the factory types that this package implements.

    When: once per process, before the first model or row is read.
    Where: the command line, the DAG processor and its children, and tasks.
    Import Airflow inside ``FactoryType.build``, never at module level.
    If it fails: only this package's types are missing; ``dagfoundry plugins`` names it.

    Returns:
        One record per type, as a list. Names are unique over all installed
        packages; a clash raises ``DuplicateFactoryTypeError``, naming both owners.

    Example::

        @dagfoundry.hookimpl
        def dagfoundry_register_factory_types():
            return [dagfoundry.FactoryType(name="hello", section="greetings", ...)]
    """
    raise NotImplementedError


# --- Observation: after something happened --------------------------------


@hookspec
def dagfoundry_revision_applied(revision: AppliedRevision) -> None:
    """Learn that a revision was written.

    When: after its transaction: of a merge, a rollback, an adoption, a recorded hand edit, or
        of entries that were retired or purged.
    Where: the command line, and tasks of the infrastructure and factory DAGs.
    If it fails: the revision stands, and the command or task goes on.

    Args:
        revision: The revision, and which DAGs it changed.

    Example::

        @dagfoundry.hookimpl
        def dagfoundry_revision_applied(revision):
            log.info("revision applied", number=revision.revision, author=revision.author)
    """
    raise NotImplementedError


@hookspec
def dagfoundry_dags_built(dags: Sequence[BuiltDag]) -> None:
    """Learn that the DAGs of a file were built.

    When: at each parse of a file, and at each task start for the one DAG of the task. It
        delays both, so do next to nothing.
    Where: the DAG processor's children, and tasks.
    If it fails: the DAGs are there.

    Args:
        dags: The DAGs of entries; not those that a placeholder stands for.

    Example::

        @dagfoundry.hookimpl
        def dagfoundry_dags_built(dags):
            slowest = max(dags, key=lambda built: built.seconds)
    """
    raise NotImplementedError


@hookspec
def dagfoundry_dag_failed(failure: FailedDag) -> None:
    """Learn that a changed row could not be built.

    When: once for each trial build that fails; a row is tried again when it or an
        installed plugin changed, and every few minutes where the reason may pass.
    Where: the child process of the DAG processor that tries builds.
    If it fails: Airflow shows the failed row's import error all the same.

    Args:
        failure: Which DAG, and why.

    Example::

        @dagfoundry.hookimpl
        def dagfoundry_dag_failed(failure):
            page(failure.dag.author, failure.error)
    """
    raise NotImplementedError


@hookspec
def dagfoundry_dag_retired(dag: ObservedDag) -> None:
    """Learn that an entry is retired: its DAG ran out and is gone from Airflow's list.

    When: once, after the factory DAG moved the entry from retiring to retired.
    Where: a task of the factory DAG.
    If it fails: the entry is retired.

    Args:
        dag: Which DAG.

    Example::

        @dagfoundry.hookimpl
        def dagfoundry_dag_retired(dag):
            dashboards.archive(dag.dag_id)
    """
    raise NotImplementedError
