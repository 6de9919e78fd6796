"""A plugin that is gone from a real Airflow, and comes back."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow_client import AIRFLOW_2

from dagfoundry.factories import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from live_airflow import Live

pytestmark = pytest.mark.every_airflow

PARSER = "scheduler" if AIRFLOW_2 else "dag-processor"
EVERY_FIVE_MINUTES = "Every 5 minutes"
NEVER = "Never, external triggers only"


def restart(live: Live, component: str, **environment: str) -> None:
    """Start one of Airflow's processes anew."""
    live.airflow.stop_component(component)
    live.airflow.environment |= environment
    live.airflow.start_component(component)


@contextmanager
def uninstalled(live: Live, component: str) -> Iterator[Callable[[], None]]:
    """Take the plugin ``probe`` from one of Airflow's processes; call what is given to end it."""
    path = live.airflow.environment["PYTHONPATH"]
    kept = [p for p in path.split(os.pathsep) if not (Path(p) / "probe_plugin.py").exists()]
    ended: list[bool] = []

    def install() -> None:
        if not ended:
            ended.append(True)
            restart(live, component, PYTHONPATH=path)

    restart(live, component, PYTHONPATH=os.pathsep.join(kept))
    live.airflow.environment["PYTHONPATH"] = path
    try:
        yield install
    finally:
        install()


def tasks(live: Live, dag_id: str) -> dict[str, list[str]]:
    """Return the tasks of a DAG as Airflow serves it, each with those that follow it."""
    found = live.airflow.api.get(f"/dags/{dag_id}/tasks")["tasks"]
    return {task["task_id"]: task["downstream_task_ids"] for task in found}


def failed_run(live: Live, dag_id: str) -> str:
    """Start a run that fails, and return what its tasks have logged."""
    run_id = live.airflow.api.trigger(dag_id)
    path = f"/dags/{dag_id}/dagRuns/{run_id}"
    live.until(lambda: live.airflow.api.get(path)["state"] == "failed")
    found = live.airflow.api.get(f"{path}/taskInstances")["task_instances"]
    assert max(task["try_number"] for task in found) <= 1
    return live.task_logs(dag_id, run_id)


def errors(live: Live) -> list[str]:
    """Return what Airflow shows as import errors."""
    found: list[dict[str, Any]] = live.airflow.api.get("/importErrors")["import_errors"]
    return [error["stack_trace"] for error in found]


def placeholders(live: Live, expected: set[str]) -> set[str]:
    """Return which DAGs are placeholders; none of the expected ones may be gone meanwhile."""
    dags = live.dags()
    assert expected <= dags.keys()
    return {dag_id for dag_id in expected if "placeholder" in dags[dag_id]["description"]}


def test_an_uninstalled_plugin_takes_nothing_out_of_airflow(live: Live) -> None:
    """Its DAGs keep their tasks, have no schedule, fail with the reason, and come back."""
    live.merge(one={}, two={}, three={})
    live.until(lambda: {*map(live.dag_id, ("one", "two", "three"))} <= live.dags().keys())
    dag_id, before = live.dag_id("one"), set(live.dags())
    shape = tasks(live, dag_id)
    assert live.dags()[live.factory]["timetable_description"] == EVERY_FIVE_MINUTES

    with uninstalled(live, PARSER) as install:
        live.until(lambda: {dag_id, live.factory} <= placeholders(live, before))
        assert tasks(live, dag_id) == shape
        assert live.dags()[live.factory]["timetable_description"] == NEVER
        live.until(lambda: any("dagfoundry-probe 1.0" in error for error in errors(live)))
        log = failed_run(live, dag_id)
        assert "Install or mend dagfoundry-probe" in log
        assert "factory type 'probe' is not installed" in log

        install()
        live.until(lambda: errors(live) == [])
        live.until(lambda: not placeholders(live, before))
    assert live.dags()[live.factory]["timetable_description"] == EVERY_FIVE_MINUTES
    live.run(dag_id)
    head = live.store.head(live.foundry)
    ours = {*map(live.dag_id, ("one", "two", "three")), live.factory}
    rows = {row.dag_id: row.status for row in live.store.rows_at(live.foundry, head.revision)}
    assert {rows[dag_id] for dag_id in ours} == {Status.ACTIVE}


@pytest.mark.skipif(AIRFLOW_2, reason="Airflow 2 parses and runs tasks in the same environment")
def test_a_worker_that_lacks_the_plugin_names_it(live: Live, tmp_path: Path) -> None:
    """The DAG processor has it, so nothing else is amiss."""
    flag, dag_id = tmp_path / "go on", live.dag_id("worker")
    flag.touch()
    live.merge(worker={"until": str(flag)})
    live.until(lambda: dag_id in live.dags())
    with uninstalled(live, "scheduler"):
        log = failed_run(live, dag_id)
    assert "on this worker factory type 'probe' is not installed" in log
    assert "the DAG was last good with dagfoundry-probe 1.0" in log
    live.airflow.wait_healthy()
    live.run(dag_id)
    live.merge(worker=None)
    live.reconcile()
