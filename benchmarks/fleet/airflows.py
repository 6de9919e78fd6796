"""What differs between Airflow 2 and 3 for the benchmarks."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path

AIRFLOW: Final = importlib.metadata.version("apache-airflow")
AIRFLOW_2: Final = AIRFLOW.startswith("2.")


def serialized(dag: Any) -> dict[str, Any]:  # noqa: ANN401 - a DAG; its class differs by version
    """Return what Airflow stores of a DAG."""
    from airflow.serialization import serialized_objects

    name = "SerializedDAG" if AIRFLOW_2 else "DagSerialization"
    encoded: dict[str, Any] = getattr(serialized_objects, name).to_dict(dag)["dag"]
    return encoded


def schedule_text(dag: Any) -> str | None:  # noqa: ANN401 - a DAG; its class differs by version
    """Return the schedule that a person would write for a DAG."""
    schedule = dag.schedule_interval if AIRFLOW_2 else dag.schedule
    if schedule is None or isinstance(schedule, str):
        return schedule
    return str(getattr(schedule, "summary", None) or schedule.expression)  # of core, of the SDK


def bag(file: Path, bundle: str = "foundry") -> dict[str, Any]:
    """Return the DAGs of a file as every process of Airflow gets them.

    Raises:
        RuntimeError: The file has an import error.
    """
    found = _bag_2(file) if AIRFLOW_2 else _bag_3(file, bundle)
    if found.import_errors:
        raise RuntimeError(f"{file}: {found.import_errors}")
    dags: dict[str, Any] = found.dags
    return dags


def _bag_2(file: Path) -> Any:  # noqa: ANN401 - Airflow's
    from airflow.models.dagbag import DagBag

    return DagBag(str(file), include_examples=False)


def _bag_3(file: Path, bundle: str) -> Any:  # noqa: ANN401 - Airflow's
    from airflow.dag_processing.dagbag import BundleDagBag

    return BundleDagBag(
        dag_folder=str(file),
        safe_mode=False,
        load_op_links=False,
        bundle_path=file.parent,
        bundle_name=bundle,
    )
