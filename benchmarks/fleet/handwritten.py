"""The same DAGs as a person would write them: one file of plain Python for each of our files.

Every value stands in the text as a literal, so running it does nothing but make DAGs.
That they are the same is proved by :func:`require_equal`, not assumed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fleet.airflows import AIRFLOW_2, schedule_text, serialized

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_IMPORTS: Final = """\
from datetime import datetime, timedelta, timezone

from airflow.providers.common.compat.sdk import DAG, Asset
from {standard}.{empty} import EmptyOperator
from {standard}.{trigger} import TriggerDagRunOperator
from dagfoundry_airflow.operators import BranchOnResult, FunctionOperator, JobOperator
"""
_DAG: Final = """\
with DAG(
    dag_id={dag_id!r},
    description={description!r},
    doc_md={doc_md!r},
    schedule={schedule!r},
    start_date=datetime(2025, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    tags={tags!r},
    default_args={{
        "owner": {owner!r},
        "depends_on_past": False,
        "retries": {retries!r},
        "retry_delay": timedelta(seconds=300),
    }},
) as dag_{number}:
"""
_PLACES: Final = ("fileloc", "relative_fileloc", "_processor_dags_folder")
"""What says where a DAG's file is; it differs by nature."""


class DifferentDagError(RuntimeError):
    """The reference makes another DAG than ours, so a ratio of the two would say nothing."""


def write(dags: Iterable[Any]) -> str:
    """Return a file that makes the same DAGs."""
    made = list(dags)
    functions = sorted(
        {
            (task.function.__module__, task.function.__name__)
            for dag in made
            for task in dag.tasks
            if task.task_type == "FunctionOperator"
        }
    )
    imports = [f"from {module} import {name}\n" for module, name in functions]
    return "".join([_head(), *imports, "\n", *map(_block, range(len(made)), made)])


def _head() -> str:
    where = {"standard": "airflow.operators", "empty": "empty", "trigger": "trigger_dagrun"}
    if not AIRFLOW_2:
        where["standard"] = "airflow.providers.standard.operators"
    return _IMPORTS.format(**where)


def _block(number: int, dag: Any) -> str:  # noqa: ANN401 - a DAG; its class differs by version
    head = _DAG.format(
        number=number,
        dag_id=dag.dag_id,
        description=dag.description,
        doc_md=dag.doc_md,
        schedule=schedule_text(dag),
        tags=sorted(dag.tags),
        owner=dag.default_args["owner"],
        retries=dag.default_args["retries"],
    )
    names = {task.task_id: f"task_{place}" for place, task in enumerate(dag.tasks)}
    lines = [f"    {names[task.task_id]} = {_task(task)}" for task in dag.tasks]
    lines += [
        f"    {names[task.task_id]} >> [{', '.join(names[t] for t in sorted(followers))}]"
        for task in dag.tasks
        if (followers := task.downstream_task_ids)
    ]
    return head + "\n".join(lines) + "\n\n"


def _task(task: Any) -> str:  # noqa: ANN401 - an operator
    arguments = _ARGUMENTS[task.task_type](task)
    text = ", ".join(f"{name}={value}" for name, value in arguments.items())
    return f"{task.task_type}(task_id={task.task_id!r}, {text})".replace(", )", ")")


def _job(task: Any) -> dict[str, str]:  # noqa: ANN401 - an operator
    outlets = ", ".join(f"Asset(uri={asset.uri!r})" for asset in task.outlets)
    return {
        "command": repr(task.command),
        "spec": repr(task.spec),
        "platform_name": repr(task.platform_name),
        "entry_key": repr(task.entry_key),
        "outlets": f"[{outlets}]",
        "priority_weight": repr(task.priority_weight),
        "weight_rule": "'absolute'",
    }


def _branch(task: Any) -> dict[str, str]:  # noqa: ANN401 - an operator
    followers = {"done": task.followers["DONE"], "keep_working": task.followers["KEEP_WORKING"]}
    return {"job": repr(task.job)} | {name: repr(value) for name, value in followers.items()}


def _function(task: Any) -> dict[str, str]:  # noqa: ANN401 - an operator
    return {"function": task.function.__name__, "arguments": repr(task.arguments)}


def _trigger(task: Any) -> dict[str, str]:  # noqa: ANN401 - an operator
    return {"trigger_dag_id": repr(task.trigger_dag_id), "conf": repr(task.conf)}


_ARGUMENTS: Final = {
    "JobOperator": _job,
    "BranchOnResult": _branch,
    "FunctionOperator": _function,
    "TriggerDagRunOperator": _trigger,
    "EmptyOperator": lambda _task: {},
}


def require_equal(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
    """Check that Airflow would store the same for both, DAG by DAG.

    Args:
        ours: Our DAGs, by DAG id.
        theirs: Those of the reference.

    Raises:
        DifferentDagError: Names the first DAG that differs, and where.
    """
    if ours.keys() != theirs.keys():
        raise DifferentDagError(f"one side lacks {sorted(ours.keys() ^ theirs.keys())[:5]}")
    for dag_id, dag in ours.items():
        ours_stored, theirs_stored = _stored(dag), _stored(theirs[dag_id])
        if ours_stored != theirs_stored:
            keys = ours_stored.keys() | theirs_stored.keys()
            parts = [k for k in sorted(keys) if ours_stored.get(k) != theirs_stored.get(k)]
            raise DifferentDagError(f"DAG {dag_id!r} differs in {', '.join(parts)}")


def _stored(dag: Any) -> dict[str, Any]:  # noqa: ANN401 - a DAG
    return {key: value for key, value in serialized(dag).items() if key not in _PLACES}
