"""Everything that can be wrong with one DAG and is seen without Airflow.

A merge reports all of it; a build refuses a row (which a hand may have edited) with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dagfoundry_dagfactory import graph
from dagfoundry_dagfactory.allowed import OPERATOR_GROUP
from dagfoundry_dagfactory.argument_rules import (
    argument_problems,
    default_argument_problems,
    mapped_problems,
)
from dagfoundry_dagfactory.problems import Problem, not_allowed, unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dagfoundry_dagfactory.allowed import Allowed
    from dagfoundry_dagfactory.model import DagBody
    from dagfoundry_dagfactory.problems import Path

_MAX_ID: Final = 250


def problems(body: DagBody, allowed: Allowed) -> Iterator[Problem]:
    """Yield everything that is wrong with a DAG.

    Args:
        body: The DAG.
        allowed: What this installation allows.
    """
    unsound = list(_in_groups(body))
    yield from unsound
    for task_id in body.tasks:
        yield from _in_task(body, task_id, allowed)
    yield from default_argument_problems(body)
    if not unsound and (tasks := graph.circle(body)):
        yield Problem(
            path=("tasks", tasks[0], "dependencies"),
            what=f"tasks wait for each other in a circle: {' -> '.join(tasks)}",
            remedy="Remove one of these dependencies.",
        )


def _in_groups(body: DagBody) -> Iterator[Problem]:
    for name, group in body.task_groups.items():
        path: Path = ("task_groups", name)
        parent = group.parent_group_name
        if name in body.tasks:
            yield Problem(
                path=path,
                what=f"a task is named {name!r} as well",
                remedy="Give one of the two another name.",
            )
        if parent is not None and parent not in body.task_groups:
            yield unknown((*path, "parent_group_name"), "task group", parent, body.task_groups)
        elif parent is not None and name in graph.ancestors(body, parent):
            yield Problem(
                path=(*path, "parent_group_name"),
                what=f"task group {name!r} is part of itself",
                remedy="Remove one of these parents.",
            )
        yield from _dependencies(body, path, group.dependencies)


def _in_task(body: DagBody, task_id: str, allowed: Allowed) -> Iterator[Problem]:
    task = body.tasks[task_id]
    path: Path = ("tasks", task_id)
    group = task.task_group_name
    if group is not None and group not in body.task_groups:
        yield unknown((*path, "task_group_name"), "task group", group, body.task_groups)
    if len(graph.full_id(body, task_id)) > _MAX_ID:
        what = f"with its groups its id has more than {_MAX_ID} characters"
        yield Problem(path=path, what=what, remedy="Shorten the ids.")
    yield from _dependencies(body, path, task.dependencies)
    operator = allowed.operators.get(task.operator)
    if operator is None:
        what = f"operator {task.operator!r}"
        at: Path = (*path, "operator")
        yield not_allowed(
            at, what, known=allowed.operators, group=OPERATOR_GROUP, failures=allowed.failures
        )
        return
    yield from argument_problems(path, task, operator, allowed)
    yield from mapped_problems(body, path, task)


def _dependencies(body: DagBody, path: Path, names: Iterable[str]) -> Iterator[Problem]:
    known = body.nodes
    for index, name in enumerate(names):
        if name not in known:
            yield unknown((*path, "dependencies", index), "task or task group", name, known)
