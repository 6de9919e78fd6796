"""The life of pipelines in a real Airflow: they appear, run, change and go."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import airflow
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from live_airflow import Live

pytestmark = pytest.mark.every_airflow


def task_ids(live: Live, dag_id: str) -> set[str]:
    """Return the task ids of a DAG as Airflow serves it."""
    return {task["task_id"] for task in live.airflow.api.get(f"/dags/{dag_id}/tasks")["tasks"]}


def test_pipelines_appear_run_change_and_go(live: Live) -> None:
    """One comes, runs, gets another task, runs again and leaves; its neighbours stay."""
    dag_id = live.dag_id("passing")
    live.merge(passing={"number": 1})
    live.until(lambda: dag_id in live.dags())
    neighbours = {live.factory, *map(live.dag_id, ("one", "two", "three"))}
    live.merge(one={}, two={}, three={})
    live.until(lambda: neighbours <= live.dags().keys())
    first = live.run(dag_id)
    assert task_ids(live, dag_id) == {"first", "second_1"}

    live.merge(passing={"number": 2})
    live.until(lambda: "second_2" in task_ids(live, dag_id))
    second = live.run(dag_id)
    runs = live.airflow.api.get(f"/dags/{dag_id}/dagRuns")["dag_runs"]
    assert {run["dag_run_id"]: run["state"] for run in runs} == {
        first: "success",
        second: "success",
    }

    live.merge(passing=None)
    assert dag_id in live.reconcile()["retired"]
    live.until(lambda: dag_id not in live.dags())
    assert neighbours <= live.dags().keys()
    assert live.airflow.api.get("/importErrors")["import_errors"] == []


@pytest.mark.skipif(
    not airflow.__version__.startswith("2."),
    reason="Airflow 3 sets the parsing context for every executor",
)
def test_a_task_without_a_parsing_context_runs_from_the_snapshot(
    live: Live, tmp_path: Path
) -> None:
    """So starts the SequentialExecutor's and a Kubernetes pod's; the store may be away."""
    dag_id = live.dag_id("three")
    live.merge(three={})
    live.until(lambda: dag_id in live.dags())
    run_id = live.run(dag_id)
    task = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/first"
    before = live.airflow.api.get(task)
    path = live.airflow.api.get(f"/dags/{dag_id}")["fileloc"]
    store = f"sqlite:///{tmp_path / 'away.db'}"
    command = ["tasks", "run", dag_id, "first", run_id, "--local", "--force", "--subdir", path]
    done = subprocess.run(
        [sys.executable, "-m", "airflow", *command, "--ignore-all-dependencies"],
        env=live.airflow.environment | {"DAGFOUNDRY_STORE_URL": store},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    after = live.airflow.api.get(task)
    assert after["state"] == "success"
    assert after["start_date"] > before["end_date"]
