"""The DAG that stands for one which was good and cannot be built any more.

It is built without any plugin. It keeps the tasks and edges, so that Airflow keeps the
DAG's history and state; it has no schedule, and its tasks fail and say what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dagfoundry_airflow.documentation import as_code
from dagfoundry_airflow.kit import Kit
from dagfoundry_airflow.problem import subject

if TYPE_CHECKING:
    from dagfoundry.store import Placeholder, RowState


def build_placeholder(row: RowState, placeholder: Placeholder) -> Any:  # noqa: ANN401 - an Airflow DAG, imported only where it is built
    """Return the DAG that stands for a row.

    Args:
        row: The row, which was good.
        placeholder: What it looked like, and why it cannot be built.

    Raises:
        ValueError: The row's config_json is no JSON object.
    """
    from dagfoundry_airflow.operators import PlaceholderOperator

    shape = placeholder.shape
    problem = f"{subject(row)} cannot be built: {placeholder.reason}\n  {_remedy(placeholder)}"
    kit = Kit(row, placeholder=_note(placeholder))
    with kit.dag(schedule=None, tags=shape.tags) as dag:
        tasks = {
            task_id: PlaceholderOperator(task_id=task_id, problem=problem)
            for task_id, _ in shape.tasks
        }
        for task_id, followers in shape.tasks:
            tasks[task_id].set_downstream([tasks[follower] for follower in followers])
    return dag


def _note(placeholder: Placeholder) -> list[str]:
    return [
        "**This is a placeholder: the DAG cannot be built. It has no schedule; its tasks fail.**",
        "",
        f"- Reason: {as_code(placeholder.reason)}",
        f"- What to do: {as_code(_remedy(placeholder))}",
    ]


def _remedy(placeholder: Placeholder) -> str:
    builder = placeholder.shape.builder
    if not builder:
        return "Install or mend the distribution that offers the factory type."
    return (
        f"Install or mend {placeholder.shape.distribution}; the DAG was last good with {builder}."
    )
