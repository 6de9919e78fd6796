"""Rows become DAGs; a row that a hand edited gets no further than a merge would let it."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

import pytest

if importlib.util.find_spec("airflow") is None:
    pytest.skip("needs Airflow", allow_module_level=True)

from dagfoundry.errors import BuildFailedError
from dagfoundry.plugins import load_plugins
from dagfoundry.testing import check_deterministic, rows_of_config
from dagfoundry_airflow.build import build_dag

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = [pytest.mark.every_airflow, pytest.mark.usefixtures("installed")]


def built(config: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a DAG; its class differs by version
    """Return the DAG of a row's config."""
    plugins = load_plugins()
    (row,) = rows_of_config("dagfactory", config, plugins)
    return build_dag(row, plugins)


def test_the_examples_are_deterministic() -> None:
    """The same entry gives the same DAG in every process, with all that an entry may have."""
    model = {
        "dagfactory_dags": [
            {**example, "start_date": "2024-05-06"}
            for example in load_plugins().types["dagfactory"].type.examples
        ]
    }
    check_deterministic("dagfactory", model=model, processes=2)


def test_a_dag_has_what_its_row_says() -> None:
    """Time zone, limits, params, arguments, groups and edges reach Airflow."""
    dag = built(
        {
            "description": "Loads.",
            "dag_display_name": "Load it",
            "schedule": "0 6 * * *",
            "timezone": "Europe/Amsterdam",
            "start_date": "2024-05-06T00:00:00",
            "max_active_runs": 3,
            "dagrun_timeout": 3600,
            "params": {"size": 5},
            "default_args": {"priority_weight": 4},
            "task_groups": {"g": {"dependencies": ["a"], "default_args": {"retries": 7}}},
            "tasks": {
                "a": {"operator": "EmptyOperator", "outlets": ["s3://x/y"]},
                "b": {"operator": "airflow.operators.dummy_operator.DummyOperator",
                      "task_group_name": "g", "execution_timeout": 60},
            },
        }
    )  # fmt: skip
    assert (dag.dag_display_name, dag.max_active_runs, dag.params["size"]) == ("Load it", 3, 5)
    assert str(dag.timezone) == "Europe/Amsterdam"
    assert "Loads." in dag.doc_md
    first, second = dag.get_task("a"), dag.get_task("g.b")
    assert first.downstream_task_ids == {"g.b"}
    assert [outlet.uri for outlet in first.outlets] == ["s3://x/y"]
    assert (second.retries, second.priority_weight) == (7, 4)
    assert second.execution_timeout.total_seconds() == 60


@pytest.mark.parametrize(
    "schedule",
    [["s3://a/x", "s3://b/x"], {"__or__": [{"__and__": ["s3://a/x", "s3://b/x"]}, "s3://c/x"]}],
)
def test_a_dag_waits_for_datasets(schedule: object) -> None:
    """A list waits for all, a condition for what it says."""
    dag = built({"schedule": schedule, "tasks": {"a": {"operator": "EmptyOperator"}}})
    timetable = dag.timetable
    condition = getattr(timetable, "asset_condition", None) or timetable.dataset_condition
    assert "Any" in type(condition).__name__ or "All" in type(condition).__name__
    assert ("Any" in type(condition).__name__) is isinstance(schedule, dict)


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ({"operator": "os.system"}, "'os.system' is not allowed"),
        ({"operator": "PythonOperator", "python_callable": "os.system"}, "'os.system'"),
        ({"operator": "EmptyOperator", "retries": "many"}, "task 't': EmptyOperator:"),
        (
            {"operator": "BashOperator", "bash_command": "ls", "skip_on_exit_code": {"a": 1},
             "priority_weight": "x"},
            "task 't': BashOperator:",
        ),
    ],
)  # fmt: skip
def test_a_row_that_is_not_allowed_is_not_built(task: dict[str, Any], words: str) -> None:
    """Neither what is not allowed is imported, nor does Airflow's own error lack its task."""
    with pytest.raises(BuildFailedError) as caught:
        built({"tasks": {"t": task}})
    assert words in str(caught.value)


def test_a_dag_of_another_platform_is_never_triggered() -> None:
    """Whatever a row says, what it triggers is a DAG of its own platform."""
    task = {"operator": "TriggerDagRunOperator", "trigger_dag_id": "secret__x_dagfactory"}
    trigger = built({"tasks": {"t": task}}).get_task("t")
    assert trigger.trigger_dag_id == "testing__secret__x_dagfactory_dagfactory"
