"""What the DAG processor's manager prepares, so that its parse processes need not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import airflow
import pytest

if int(airflow.__version__.split(".")[0]) < 3:
    reason = f"Airflow {airflow.__version__} has no bundle to prepare anything in"
    pytest.skip(reason, allow_module_level=True)

if TYPE_CHECKING:
    from pathlib import Path

    from probe_foundry import Foundry

MANAGER = """
import json, os, runpy, sys
import airflow.dag_processing.manager
from dagfoundry_airflow.bundle import DagFoundryBundle

bundle = DagFoundryBundle(name="probes", foundry="Probing")
bundle.initialize()
while bundle.publisher.state().pending:
    bundle.refresh()
before = set(sys.modules)
if os.fork() == 0:
    from dagfoundry_airflow._compat import serialize_dag
    for stub in bundle.path.glob("*.py"):
        made = runpy.run_path(str(stub))
        dags = [value for name, value in made.items() if name.startswith(("live", "probing"))]
        assert dags
        for dag in dags:
            serialize_dag(dag)
    print(json.dumps({"before": sorted(before), "new": sorted(set(sys.modules) - before)}))
    sys.stdout.flush()
    os._exit(0)
assert os.wait()[1] == 0
bundle.publisher.close()
"""
"""Initialises a bundle, then forks a process that builds and serialises all DAGs."""


@pytest.fixture
def modules(foundry: Foundry, tmp_path: Path) -> dict[str, list[str]]:
    """What the manager has loaded, and what a parse process loads besides."""
    foundry.write(a={}, b={})
    url = foundry.store.url.render_as_string(hide_password=False)
    environment = os.environ | {
        "DAGFOUNDRY_STORE_URL": url,
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(tmp_path / "bundles"),
    }
    done = subprocess.run(
        [sys.executable, "-c", MANAGER],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_parse_process_finds_everything_loaded(modules: dict[str, list[str]]) -> None:
    """It loads other people's plugins and nothing of Airflow's or ours."""
    ours = ("dagfoundry", "pydantic", "airflow.providers", "airflow.sdk", "airflow.serialization")
    assert [name for name in modules["new"] if name.startswith(ours)] == []
    assert "probe_plugin" in modules["new"]


def test_the_manager_runs_no_third_party_code(modules: dict[str, list[str]]) -> None:
    """It holds the metadata database."""
    assert "dagfoundry_platform.plugin" in modules["before"]
    assert "probe_plugin" not in modules["before"]
