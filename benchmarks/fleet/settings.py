"""Airflow's settings for the benchmarks: the recommended ones, and what a rival needs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from fleet.airflows import AIRFLOW_2

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MEASURED_INTERVAL: Final = 7200
"""Seconds between two parses of an unchanged file; longer than anything is measured, so that
a pass is made when we ask for one. A change is found by its file's time."""

DEFAULT_INTERVAL: Final = 30
"""Airflow's own default, which a file that reads a table has to keep: nothing else tells it
of a change."""

_SECTION: Final = "SCHEDULER" if AIRFLOW_2 else "DAG_PROCESSOR"


def ours(*foundries: str) -> dict[str, str]:
    """Return the recommended settings, with a bundle for each foundry."""
    bundles = [
        {
            "name": bundle_name(foundry),
            "classpath": "dagfoundry_airflow.bundle.DagFoundryBundle",
            "kwargs": {"foundry": foundry, "refresh_interval": 5},
        }
        for foundry in foundries
    ]
    return _common(MEASURED_INTERVAL) | _bundles(*bundles)


def of_buckets(buckets: int) -> str:
    """Return the name of the foundry that is divided into so many buckets."""
    return f"Of{buckets}"


def bundle_name(foundry: str) -> str:
    """Return the name of a foundry's bundle, which is also that of its folder."""
    return f"{foundry.lower()}_dags"


def files(folder: Path, interval: int) -> dict[str, str]:
    """Return settings for plain files in a folder.

    Args:
        folder: The DAG folder.
        interval: Seconds between two parses of an unchanged file.
    """
    bundle = {
        "name": "files",
        "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
        "kwargs": {"path": str(folder), "refresh_interval": 5},
    }
    return _common(interval) | {"AIRFLOW__CORE__DAGS_FOLDER": str(folder)} | _bundles(bundle)


def _common(interval: int) -> dict[str, str]:
    common = {
        f"AIRFLOW__{_SECTION}__MIN_FILE_PROCESS_INTERVAL": str(interval),
        "AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "0",
    }
    if AIRFLOW_2:
        common["AIRFLOW__SCHEDULER__STANDALONE_DAG_PROCESSOR"] = "True"
    return common


def _bundles(*bundles: Mapping[str, Any]) -> dict[str, str]:
    if AIRFLOW_2:
        return {}
    return {"AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles)}
