"""The same tasks as YAML for dag-factory, as its own documentation writes them.

It comes from PyPI and is imported from a folder of its own, since as an installed plugin
it would be part of every Airflow process here.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import yaml
from fleet.airflows import schedule_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_MODULES: Final = {
    "EmptyOperator": "{standard}.empty.EmptyOperator",
    "TriggerDagRunOperator": "{standard}.trigger_dagrun.TriggerDagRunOperator",
}
_OWN: Final = "dagfoundry_airflow.operators"


def write(dags: Iterable[Any], *, is_airflow_2: bool) -> str:
    """Return YAML that makes DAGs of the same ids, schedules, tags, tasks and edges.

    It leaves out what makes dag-factory's work harder: documentation and assets.
    """
    place = "airflow.operators" if is_airflow_2 else "airflow.providers.standard.operators"
    made = {dag.dag_id: _dag(dag, place) for dag in dags}
    return yaml.dump(made, Dumper=yaml.CSafeDumper, sort_keys=False)


def _dag(dag: Any, place: str) -> dict[str, Any]:  # noqa: ANN401 - a DAG
    return {
        "default_args": {"owner": dag.default_args["owner"], "start_date": "2025-01-01"},
        "description": dag.description,
        "schedule": schedule_text(dag),
        "catchup": False,
        "max_active_runs": 1,
        "tags": sorted(dag.tags),
        "tasks": [_task(task, place) for task in dag.tasks],
    }


def _task(task: Any, place: str) -> dict[str, Any]:  # noqa: ANN401 - an operator
    operator = _MODULES.get(task.task_type, f"{_OWN}.{task.task_type}").format(standard=place)
    return {
        "task_id": task.task_id,
        "operator": operator,
        "dependencies": sorted(task.upstream_task_ids),
        **_ARGUMENTS[task.task_type](task),
    }


_ARGUMENTS: Final = {
    "EmptyOperator": lambda _task: {},
    "JobOperator": lambda task: {
        "command": list(task.command),
        "spec": task.spec,
        "platform_name": task.platform_name,
        "entry_key": task.entry_key,
    },
    "BranchOnResult": lambda task: {
        "job": task.job,
        "done": task.followers["DONE"],
        "keep_working": task.followers["KEEP_WORKING"],
    },
    "TriggerDagRunOperator": lambda task: {
        "trigger_dag_id": task.trigger_dag_id,
        "conf": task.conf,
    },
}


def load(folder: Path, file: Path) -> dict[str, Any]:
    """Return the DAGs that dag-factory makes of a YAML file, by DAG id.

    Args:
        folder: Where dag-factory is installed.
        file: The YAML.
    """
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    from dagfactory import load_yaml_dags

    found: dict[str, Any] = {}
    load_yaml_dags(globals_dict=found, config_filepath=str(file))
    return {name: dag for name, dag in found.items() if hasattr(dag, "task_dict")}
