"""The infrastructure DAG has the reference's tasks and order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dagfoundry.store.records import RowKind
from dagfoundry_airflow.build import build_dag

if TYPE_CHECKING:
    from collections.abc import Callable

    from live_airflow import Live

    from dagfoundry.plugins import Plugins
    from dagfoundry.store.records import RowState
    from dagfoundry_airflow._compat import DAG


@pytest.fixture
def dag(make_row: Callable[..., RowState], hello_plugins: Plugins) -> DAG:
    """The infrastructure DAG of foundry Testing."""
    row = make_row(
        kind=RowKind.INFRASTRUCTURE,
        platform_name="",
        factory_type="",
        key="",
        dag_id="testing_infrastructure",
        revision=1,
        config={},
    )
    return build_dag(row, hello_plugins)


def test_it_runs_daily_under_the_references_tags(
    dag: DAG, serialized: Callable[[object], dict[str, Any]]
) -> None:
    """Its retries are the reference's as well."""
    assert set(dag.tags) == {"datasurface", "infrastructure", "testing"}
    assert "@daily" in json.dumps(serialized(dag)) or "0 0 * * *" in json.dumps(serialized(dag))
    assert {task.retries for task in dag.tasks} == {1}


def test_its_tasks_follow_each_other_as_in_the_reference(dag: DAG) -> None:
    """Merge, wait for Airflow, then security and metrics, then the end."""
    edges = {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks}
    assert edges == {
        "start_infrastructure_tasks": ["infrastructure_merge_task"],
        "infrastructure_merge_task": ["create_factory_dags"],
        "create_factory_dags": ["apply_security_task", "metrics_collector_task"],
        "apply_security_task": ["table_removal_task"],
        "metrics_collector_task": ["end_infrastructure_tasks"],
        "table_removal_task": ["end_infrastructure_tasks"],
        "end_infrastructure_tasks": [],
    }


def test_the_merge_is_a_job(dag: DAG) -> None:
    """It runs the command line that a person would."""
    merge = dag.get_task("infrastructure_merge_task")
    assert merge.command == ("-m", "dagfoundry", "merge", "--as-job")


def test_a_run_merges_the_model_and_looks_after_the_foundry(live: Live) -> None:
    """In a real Airflow, with a model that nobody has merged by hand."""
    live.merge(leaving={})
    live.reconcile()
    live.write_model(arriving={}, leaving=None)
    dag_id = "living_infrastructure"
    run_id = live.run(dag_id)
    head = live.store.head(live.foundry).revision
    report = live.result(dag_id, run_id, "create_factory_dags")
    assert live.dag_id("arriving") in report["created"]
    assert live.dag_id("leaving") in report["retired"]
    assert report["revision"] >= report["since"] + 1
    assert head >= report["revision"]
    assert live.dag_id("arriving") in live.dags()
    grants = live.result(dag_id, run_id, "apply_security_task")["grants"]
    assert "GRANT SELECT ON living_changes TO dagfoundry_reader" in grants
    assert live.result(dag_id, run_id, "table_removal_task") == {"tables": {}}
    assert live.result(dag_id, run_id, "metrics_collector_task") == {"streams": []}


def test_it_serialises_the_same_twice(
    serialized: Callable[[object], dict[str, Any]], dag: DAG
) -> None:
    """So that Airflow makes no new version of it."""
    text = json.dumps(serialized(dag), sort_keys=True)
    assert text == json.dumps(serialized(dag), sort_keys=True)
