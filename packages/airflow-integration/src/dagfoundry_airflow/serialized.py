"""What Airflow makes of a row's DAG, for checks in a plugin's own tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagfoundry.testing.builds import SerializedDag

if TYPE_CHECKING:
    from dagfoundry.plugins import Plugins
    from dagfoundry.store.records import RowState


def serialize_row(row: RowState, plugins: Plugins) -> SerializedDag:
    """Build a row's DAG and return it as the installed Airflow stores it.

    Raises:
        FoundryError: It cannot be built, or Airflow refuses it.
    """
    from dagfoundry.errors import BuildFailedError
    from dagfoundry_airflow._compat import check_dag, hashed_dag
    from dagfoundry_airflow.build import build_dag
    from dagfoundry_airflow.problem import problem

    try:
        dag = build_dag(row, plugins)
        check_dag(dag)
    except (Exception, SystemExit) as error:
        what, remedy = problem(row, error)
        raise BuildFailedError(what, remedy=remedy) from error
    dag_hash, content = hashed_dag(dag)
    return SerializedDag(hash=dag_hash, content=content)
