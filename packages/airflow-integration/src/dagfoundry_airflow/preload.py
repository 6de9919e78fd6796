"""Does once, in the DAG processor's manager, what each of its parse processes would do.

Airflow 3 forks a process for each parse, so whatever the manager has imported and
prepared is there for nothing. A DAG of each kind that is ours is built and serialised,
which loads operators, serialisers and the JSON schema. Of the plugins only those that are
released with this package are imported: third-party code must not run beside the metadata
database.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import structlog

from dagfoundry.factories import Status
from dagfoundry.plugins_discovery import installed_plugins
from dagfoundry.store import Head, RowKind, RowState
from dagfoundry.store.read import infrastructure_row

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOUNDRY: Final = "Preloaded"
_RELEASED_TOGETHER: Final = (
    "dagfoundry",
    "dagfoundry-airflow",
    "dagfoundry-datatransformer",
    "dagfoundry-platform",
)
_DATASETS: Final = ("Store#dataset",)

_log = structlog.stdlib.get_logger(__name__)


@cache
def preload() -> None:
    """Import and build, once a process; a failure only costs time later."""
    from dagfoundry_airflow._compat import serialize_dag

    plugins, _ = installed_plugins()
    try:
        for plugin in plugins:
            if plugin.distribution in _RELEASED_TOGETHER:
                plugin.load()
        for dag in _samples():
            serialize_dag(dag)
    except Exception as error:  # noqa: BLE001 - the parses will show what is wrong, if anything is
        _log.debug("nothing is preloaded", reason=str(error))


def _samples() -> Iterator[Any]:
    from dagfoundry_airflow.infrastructure_dag import build_infrastructure_dag
    from dagfoundry_airflow.kit import Kit
    from dagfoundry_airflow.reconcile import reconcile_factory  # noqa: F401 - a factory DAG's task

    row = infrastructure_row(Head(foundry=_FOUNDRY, revision=1, buckets=1))
    yield build_infrastructure_dag(row, Kit(row))
    yield _build_entry(_entry_row(row))


def _entry_row(row: RowState) -> RowState:
    return row._replace(kind=RowKind.ENTRY, key="entry", dag_id="entry", status=Status.ACTIVE)


def _build_entry(row: RowState) -> Any:  # noqa: ANN401 - an Airflow DAG
    """Build what entries are made of."""
    from dagfoundry_airflow.kit import Kit

    kit = Kit(row)
    with kit.dag(schedule="0 * * * *", tags=("tag",)) as dag:
        job = kit.job("job", ("-c", "pass"), spec={}, outlets=_DATASETS)
        check = kit.branch_on_result("check", job="job", done="wait", keep_working="again")
        kit.empty("start") >> job >> check >> [kit.retrigger("again"), kit.empty("wait")]
    return dag
