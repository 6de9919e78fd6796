"""Which DAGs DAG Foundry has paused itself, as the factory DAGs remember it in Airflow."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from dagfoundry.factories import Status
from dagfoundry.names import dag_id_of
from dagfoundry.plugins import load_plugins
from dagfoundry_airflow.airflow_api import AirflowAccessError
from dagfoundry_airflow.memory import Memory, memory_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dagfoundry.store import RowState
    from dagfoundry_airflow.airflow_api import AirflowApi, AirflowDag


def paused_by_us(
    api: AirflowApi, rows: Iterable[RowState], dags: Mapping[str, AirflowDag]
) -> frozenset[str]:
    """Return the DAGs of active rows that their factory DAG paused and will unpause.

    A user who may not read Airflow's Variables learns of none.

    Args:
        api: Airflow.
        rows: The rows.
        dags: What Airflow knows of their DAGs, by DAG id.
    """
    paused = [
        row
        for row in rows
        if row.status is Status.ACTIVE and row.dag_id in dags and dags[row.dag_id].paused
    ]
    ours: frozenset[str] = frozenset()
    for factory in {(row.platform_name, row.factory_type) for row in paused if row.factory_type}:
        with suppress(AirflowAccessError):
            ours |= _remembered(api, *factory)
    return ours


def _remembered(api: AirflowApi, platform_name: str, factory_type: str) -> frozenset[str]:
    installed = load_plugins().types.get(factory_type)
    if installed is None:
        return frozenset()
    dag_id = dag_id_of(installed.type.factory_dag_id, platform_name)
    return Memory.from_text(api.recall(memory_key(dag_id))).paused
