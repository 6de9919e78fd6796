"""Plugins that are broken in every way, one that hangs among them, beside one that works."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from airflow_client import AIRFLOW_2

from dagfoundry.metrics import render

if TYPE_CHECKING:
    from collections.abc import Iterator

    from live_airflow import Live

BROKEN = Path(__file__).parents[1] / "plugins" / "data" / "broken"
UNREADABLE = ("bad_metadata-*", "stranger-*")
"""With a broken entry_points.txt in its environment Airflow itself does not start."""

COMPONENTS = ["scheduler"] if AIRFLOW_2 else ["dag-processor", "scheduler"]


@pytest.fixture
def beside_broken_plugins(live: Live, tmp_path: Path) -> Iterator[Path]:
    """Install all broken plugins where DAGs are parsed and tasks run; gives the metrics folder."""
    before = dict(live.airflow.environment)
    shutil.copytree(BROKEN, tmp_path / "broken", ignore=shutil.ignore_patterns(*UNREADABLE))
    path = os.pathsep.join([before["PYTHONPATH"], str(tmp_path / "broken")])
    installed = {
        "PYTHONPATH": path,
        "DAGFOUNDRY_METRICS_DIR": str(tmp_path / "metrics"),
        "TMPDIR": str(tmp_path),
    }
    restart(live, installed)
    yield tmp_path / "metrics"
    restart(live, {**dict.fromkeys(installed.keys() - before.keys(), ""), **before})


def restart(live: Live, environment: dict[str, str]) -> None:
    """Start the processes that load plugins anew."""
    live.airflow.environment.update(environment)
    for component in COMPONENTS:
        live.airflow.stop_component(component)
        live.airflow.start_component(component)


def test_the_plugin_that_works_is_not_harmed(live: Live, beside_broken_plugins: Path) -> None:
    """Its new DAG appears and runs, without an import error; a metric names the others."""
    dag_id = live.dag_id("beside")
    live.merge(beside={})
    live.until(lambda: dag_id in live.dags())
    live.run(dag_id)
    assert live.airflow.api.get("/importErrors")["import_errors"] == []
    shown = render(beside_broken_plugins).decode()
    assert 'dagfoundry_plugin_up{distribution="dagfoundry-probe"} 1.0' in shown
    for name in ("bad-hangs", "bad-raises", "bad-misfit", "bad-importerror"):
        assert f'dagfoundry_plugin_up{{distribution="{name}"}} 0.0' in shown
    began = time.monotonic()
    live.run(dag_id)
    assert time.monotonic() - began < 60
    live.merge(beside=None)
