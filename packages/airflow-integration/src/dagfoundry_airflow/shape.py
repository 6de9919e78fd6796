"""What a DAG looks like: enough to keep it visible when it cannot be built any more."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.factories import OWN_KEY
from dagfoundry.store import DagShape, RowKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dagfoundry.plugins import Plugins
    from dagfoundry.store import RowState

_OWN: Final = "dagfoundry-airflow"
"""Offers what belongs to no factory type."""

UNKNOWN: Final = DagShape(tasks=(("placeholder", ()),))
"""What is shown of a DAG that was good before shapes were kept: one task, which fails."""


def shape_of(dag: Any, row: RowState, plugins: Plugins) -> DagShape:  # noqa: ANN401 - an Airflow DAG
    """Return what a DAG looks like that was built from a row.

    Tasks of task groups stand among the others, under their whole ids. The row's own tags
    are left out: it keeps them.
    """
    distribution, installed = _builder(row, plugins)
    return DagShape(
        tasks=tuple(sorted((t.task_id, tuple(sorted(t.downstream_task_ids))) for t in dag.tasks)),
        tags=tuple(sorted(set(dag.tags) - set(_own_tags(row)))),
        distribution=distribution,
        version=installed,
    )


def _builder(row: RowState, plugins: Plugins) -> tuple[str, str]:
    if row.kind is RowKind.INFRASTRUCTURE:
        return _OWN, version(_OWN)
    owner = plugins.types[row.factory_type]
    return owner.distribution, owner.version


def _own_tags(row: RowState) -> Iterable[str]:
    own = row.config().get(OWN_KEY)
    tags = own.get("tags") if isinstance(own, dict) else None
    return tags if isinstance(tags, list) else ()
