"""How an entry names another DAG: by the name of an item, or by a DAG id of its platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dagfoundry.names import dag_id_of, is_dag_id, k8s_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dagfoundry_dagfactory.allowed import Allowed
    from dagfoundry_dagfactory.model import DagBody

DAG_ID: Final = "{platform}__{key}_dagfactory"
"""Pattern of an entry's DAG id."""


def referred_dag_id(platform: str, name: str) -> str:
    """Return the DAG id that a name means; it is one of the platform, whatever a row says.

    Args:
        platform: Name of the platform, as the model writes it.
        name: Name of an item of the section, or a DAG id of the platform.
    """
    if name.startswith(f"{k8s_name(platform)}__"):
        return name
    return dag_id_of(DAG_ID, platform, name)


def references(body: DagBody, allowed: Allowed) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield where a DAG names another one, and the name."""
    for task_id, task in body.tasks.items():
        operator = allowed.operators.get(task.operator)
        for name in operator.dags if operator else ():
            value = task.arguments.get(name)
            if isinstance(value, str) and is_dag_id(value):
                part = ("partial",) if name in task.partial else ()
                yield ("tasks", task_id, *part, name), value
