"""What tests of the doctor say to Airflow."""

from __future__ import annotations

from airflow_client import AIRFLOW_2


def bundle_item(name: str, foundry: str = "Probing", **kwargs: object) -> dict[str, object]:
    """Return an item of ``dag_bundle_config_list``."""
    return {
        "name": name,
        "classpath": "dagfoundry_airflow.bundle.DagFoundryBundle",
        "kwargs": {"foundry": foundry, **kwargs},
    }


def parsing_variable(option: str) -> str:
    """Return the environment variable of an option of the DAG processor."""
    section = "SCHEDULER" if AIRFLOW_2 else "DAG_PROCESSOR"
    if AIRFLOW_2 and option == "dag_file_processor_timeout":
        section = "CORE"
    return f"AIRFLOW__{section}__{option.upper()}"
