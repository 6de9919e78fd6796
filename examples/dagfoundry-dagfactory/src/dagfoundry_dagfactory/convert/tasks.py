"""Tasks and task groups of dag-factory as those of an item."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from dagfoundry_dagfactory.convert.plain import plain, relative_duration
from dagfoundry_dagfactory.convert.schedules import UnreadableError, datasets

if TYPE_CHECKING:
    from dagfoundry_dagfactory.convert.reading import ReadDag
    from dagfoundry_dagfactory.convert.report import Report

    Values = dict[str, Any]

_KEYS: Final = {"tasks": "task_id", "task_groups": "group_name"}
_ONE_ID: Final = "Write a mapping of id to definition, or a list whose members have the key {}."


def tasks_of(dag: ReadDag, written: object, report: Report) -> Values:
    """Return the tasks by id."""
    found = _by_id(dag, "tasks", written, report)
    return {task_id: _task(dag, task_id, task, report) for task_id, task in found.items()}


def task_groups_of(dag: ReadDag, written: object, report: Report) -> Values:
    """Return the task groups by id."""
    return {
        name: plain(group) for name, group in _by_id(dag, "task_groups", written, report).items()
    }


def _by_id(dag: ReadDag, section: str, written: object, report: Report) -> Values:
    key = _KEYS[section]
    if isinstance(written, dict):
        return {str(name): value or {} for name, value in written.items()}
    found: Values = {}
    for member in written if isinstance(written, list) else ():
        if not isinstance(member, dict) or key not in member:
            remedy = _ONE_ID.format(key)
            report.refuse(f"{dag.where}: {section}", f"a member has no {key}", remedy)
        elif member[key] in found:
            where = f"{dag.where}: {section}.{member[key]}"
            report.refuse(where, "is there twice", "Give one of the two another id.")
        else:
            found[member[key]] = {name: v for name, v in member.items() if name != key}
    return found


def _task(dag: ReadDag, task_id: str, written: Values, report: Report) -> Values:
    where = f"{dag.where}: tasks.{task_id}"
    task = {
        name: _argument(f"{where}.{name}", name, value, report) for name, value in written.items()
    }
    file, name = task.pop("python_callable_file", None), task.pop("python_callable_name", None)
    if file and name:
        task["python_callable"] = f"{PurePath(file).stem}.{name}"
        report.note(
            where,
            f"function {name} of {file} is the allowed callable {task['python_callable']!r} now",
        )
    return task


def _argument(where: str, name: str, value: Any, report: Report) -> Any:  # noqa: ANN401 - what YAML holds
    if name in {"inlets", "outlets"} and isinstance(value, dict) and "datasets" in value:
        try:
            return datasets(value)
        except UnreadableError as error:
            report.refuse(where, str(error), "Write a list of URIs.")
    if name == "execution_delta" and (delta := relative_duration(value)) is not None:
        return delta.total_seconds()
    return plain(value)
