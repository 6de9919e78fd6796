"""What can be wrong with the arguments of a task."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import PydanticCustomError

from dagfoundry.names import is_dag_id
from dagfoundry_dagfactory.allowed import CALLABLE_GROUP
from dagfoundry_dagfactory.arguments import (
    ASSETS,
    BY_DEFAULT,
    CHOICES,
    COMMON,
    DURATIONS,
    MOMENTS,
    remedy_for_code,
)
from dagfoundry_dagfactory.model import source_of
from dagfoundry_dagfactory.problems import Problem, not_allowed, unknown
from dagfoundry_dagfactory.schedule import uri_of
from dagfoundry_dagfactory.templates import REMEDY, is_plain
from dagfoundry_dagfactory.times import TYPE_KEY, moment_of, seconds_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dagfoundry_dagfactory.allowed import Allowed, AllowedOperator
    from dagfoundry_dagfactory.model import DagBody, Task
    from dagfoundry_dagfactory.problems import Path

_OBJECT: Final = (
    "An entry is data, so no object is made of it: write plain values, or have an operator "
    "allowed that makes the object itself."
)


def argument_problems(
    path: Path, task: Task, operator: AllowedOperator, allowed: Allowed
) -> Iterator[Problem]:
    """Yield what is wrong with the arguments of a task."""
    known = COMMON.union(operator.arguments)
    plain, mapped = task.arguments, task.expand
    for name, value in plain.items():
        at: Path = (*path, "partial", name) if name in task.partial else (*path, name)
        yield from _argument(at, value, operator, allowed)
    for name, value in mapped.items():
        at = (*path, "expand", name)
        if name in {*operator.callables, *operator.dags}:
            remedy = "Write it as an argument of the task itself."
            yield Problem(path=at, what=f"{name!r} cannot be expanded", remedy=remedy)
        elif name not in known:
            yield _no_argument(at, name, operator.names[0], known)
        elif not operator.any_template:
            yield from _templates(at, value)
    for name in operator.required:
        if name not in plain and name not in mapped:
            what = f"operator {task.operator!r} needs the argument {name!r}"
            yield Problem(path=path, what=what, remedy=f"Write `{name}: ...`.")


def _argument(
    path: Path, value: object, operator: AllowedOperator, allowed: Allowed
) -> Iterator[Problem]:
    """Yield what is wrong with an argument that is not expanded."""
    name, known = str(path[-1]), COMMON.union(operator.arguments)
    if name not in known:
        yield _no_argument(path, name, operator.names[0], known)
    elif name in operator.callables:
        if not isinstance(value, str) or value not in allowed.callables:
            what = f"Python callable {value!r}"
            yield not_allowed(
                path,
                what,
                known=allowed.callables,
                group=CALLABLE_GROUP,
                failures=allowed.failures,
            )
    elif name in operator.dags:
        if not isinstance(value, str) or not is_dag_id(value):
            remedy = "Write the name of an item, or the DAG id of an entry of this platform."
            yield Problem(path=path, what=f"{value!r} names no DAG", remedy=remedy)
    else:
        yield from _value(path, value, is_duration=name in DURATIONS.union(operator.durations))
        if not operator.any_template:
            yield from _templates(path, value)


def _no_argument(path: Path, name: str, operator: str, known: Iterable[str]) -> Problem:
    remedy = remedy_for_code(name)
    if remedy is not None:
        return Problem(path=path, what=f"{name!r} would be code in an entry", remedy=remedy)
    near = get_close_matches(name, sorted(known), n=1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    return Problem(
        path=path,
        what=f"operator {operator!r} is not allowed an argument {name!r}",
        remedy=f"{hint}It may have: {', '.join(sorted(known))}.",
    )


def _value(path: Path, value: object, *, is_duration: bool) -> Iterator[Problem]:
    """Yield what is wrong with the value of an argument."""
    name = str(path[-1])
    try:
        if is_duration:
            seconds_of(value)
        elif name in MOMENTS:
            moment_of(value)
        elif name in ASSETS:
            for uri in value if isinstance(value, (list, tuple)) else [value]:
                uri_of(uri)
        elif name in CHOICES and value not in CHOICES[name]:
            what = f"{value!r} is no {name.replace('_', ' ')}"
            remedy = f"Write one of {', '.join(CHOICES[name])}."
            yield Problem(path=path, what=what, remedy=remedy)
        else:
            yield from _objects(path, value)
    except PydanticCustomError as error:
        details: dict[str, Any] = error.context or {}
        what = f"{value!r} {details['problem']}"
        yield Problem(path=path, what=what, remedy=details["remedy"])


def _objects(path: Path, value: object) -> Iterator[Problem]:
    for at, _, key in _walk(path, value):
        if key == TYPE_KEY:
            yield Problem(path=at, what=f"{TYPE_KEY!r} would make an object", remedy=_OBJECT)


def _templates(path: Path, value: object) -> Iterator[Problem]:
    for at, text, _ in _walk(path, value):
        if isinstance(text, str) and not is_plain(text):
            yield Problem(
                path=at, what=f"the template in {text!r} is not allowed here", remedy=REMEDY
            )


def _walk(path: Path, value: object) -> Iterator[tuple[Path, object, object]]:
    """Yield each value inside a value with its path and key; a key is a value as well."""
    yield path, value, None
    children: Iterable[tuple[Any, object]] = ()
    if isinstance(value, dict):
        children = value.items()
    elif isinstance(value, (list, tuple)):
        children = enumerate(value)
    for key, child in children:
        yield (*path, key), key, key
        yield from _walk((*path, key), child)


def mapped_problems(body: DagBody, path: Path, task: Task) -> Iterator[Problem]:
    """Yield what is wrong with the values that a task is expanded over."""
    for name, value in task.expand.items():
        source, at = source_of(value), (*path, "expand", name)
        if source is not None and source not in body.tasks:
            yield unknown(at, "task", source, body.tasks)
        elif source is None and not isinstance(value, (list, tuple, dict)):
            remedy = "Write a list, a mapping, or `task.output` of a task before it."
            yield Problem(path=at, what=f"{value!r} cannot be expanded", remedy=remedy)
        else:
            yield from _objects(at, value)


def default_argument_problems(body: DagBody) -> Iterator[Problem]:
    """Yield what is wrong with the arguments that all tasks have, or those of a group."""
    places: list[tuple[Path, dict[str, Any]]] = [(("default_args",), body.default_args)]
    places += [
        (("task_groups", name, "default_args"), group.default_args)
        for name, group in body.task_groups.items()
    ]
    for path, arguments in places:
        for name, value in arguments.items():
            at: Path = (*path, name)
            if name not in BY_DEFAULT:
                yield _no_argument(at, name, "default_args", BY_DEFAULT)
            else:
                yield from _value(at, value, is_duration=name in DURATIONS)
                yield from _templates(at, value)
