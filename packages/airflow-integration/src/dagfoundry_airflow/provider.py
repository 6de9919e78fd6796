"""What Airflow's provider manager is told about this package."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any


def get_provider_info() -> dict[str, Any]:
    """Return the provider description that the entry point names."""
    return {
        "package-name": "dagfoundry-airflow",
        "name": "DAG Foundry",
        "description": "Serves the pipelines of a DAG Foundry store as Airflow DAGs.",
        "versions": [version("dagfoundry-airflow")],
    }
