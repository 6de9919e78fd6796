"""The graph of tasks and groups: who is in which group, and what comes before what."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from dagfoundry_dagfactory.model import source_of

if TYPE_CHECKING:
    from dagfoundry_dagfactory.model import DagBody


def members(body: DagBody) -> dict[str, tuple[str, ...]]:
    """Return the tasks below each group, and each task as its own only member.

    Args:
        body: A DAG whose groups name parents that exist, without a circle.
    """
    found: dict[str, list[str]] = {name: [] for name in body.task_groups}
    for task_id, task in body.tasks.items():
        for group in ancestors(body, task.task_group_name):
            found[group].append(task_id)
    tasks = {task_id: (task_id,) for task_id in body.tasks}
    return {**{name: tuple(tasks) for name, tasks in found.items()}, **tasks}


def ancestors(body: DagBody, group: str | None) -> list[str]:
    """Return a group and all that it is part of, innermost first; it ends where a circle would."""
    found: list[str] = []
    while group in body.task_groups and group not in found:
        found.append(group)
        group = body.task_groups[group].parent_group_name
    return found


def full_id(body: DagBody, task_id: str) -> str:
    """Return a task's id as Airflow knows it, with its groups before it."""
    groups = ancestors(body, body.tasks[task_id].task_group_name)
    return ".".join([*reversed(groups), task_id])


def build_order(body: DagBody) -> list[str]:
    """Return the tasks, each after those that it depends on.

    Raises:
        graphlib.CycleError: There is a circle; its second argument is the circle.
    """
    return list(TopologicalSorter(_before(body)).static_order())


def circle(body: DagBody) -> list[str]:
    """Return the tasks of a circle in their order, or none."""
    try:
        build_order(body)
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def _before(body: DagBody) -> dict[str, set[str]]:
    """Return for each task the tasks that come before it."""
    inside = members(body)
    before: dict[str, set[str]] = {
        task_id: {source for source in map(source_of, task.expand.values()) if source in body.tasks}
        for task_id, task in body.tasks.items()
    }
    for name, node in body.nodes.items():
        for task_id in inside[name]:
            for dependency in node.dependencies:
                before[task_id].update(inside.get(dependency, ()))
    return before
