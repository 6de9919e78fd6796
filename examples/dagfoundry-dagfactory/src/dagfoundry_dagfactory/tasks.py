"""How a task of a row becomes an operator of Airflow, if it is an allowed one."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from dagfoundry.errors import BuildFailedError
from dagfoundry_dagfactory.allowed import load_allowed
from dagfoundry_dagfactory.model import source_of
from dagfoundry_dagfactory.references import referred_dag_id
from dagfoundry_dagfactory.values import argument

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dagfoundry_dagfactory.allowed import AllowedOperator
    from dagfoundry_dagfactory.model import DagConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskMaker:
    """Makes the operators of one DAG.

    Attributes:
        platform: Name of the entry's platform.
        config: The DAG, of which nothing is wrong.
        groups: Airflow's task groups by id.
        made: The operators made so far, by id without groups.
    """

    platform: str
    config: DagConfig
    groups: Mapping[str, Any]
    made: dict[str, Any] = field(default_factory=dict)

    def make(self, task_id: str) -> None:
        """Make the operator of a task whose upstream tasks are made.

        Raises:
            BuildFailedError: The installed Airflow does not take the task.
        """
        task = self.config.tasks[task_id]
        operator = load_allowed().operators[task.operator]
        kind = _class_of(operator.classes)
        arguments = {
            name: self._argument(operator, name, value) for name, value in task.arguments.items()
        }
        if task.task_group_name:
            arguments["task_group"] = self.groups[task.task_group_name]
        expand = {name: self._expanded(value) for name, value in task.expand.items()}
        try:
            self.made[task_id] = (
                kind.partial(task_id=task_id, **arguments).expand(**expand)
                if expand
                else kind(task_id=task_id, **arguments)
            )
        except Exception as error:
            reason = f"task {task_id!r}: {task.operator}: {type(error).__name__}: {error}"
            remedy = f"Correct tasks.{task_id} in the model and merge again."
            raise BuildFailedError(reason, remedy=remedy) from error

    def _argument(self, operator: AllowedOperator, name: str, value: Any) -> Any:  # noqa: ANN401 - any argument
        if name in operator.callables:
            return load_allowed().callables[value].load()
        if name in operator.dags:
            return referred_dag_id(self.platform, value)
        return argument(name, value, self.config.timezone, durations=operator.durations)

    def _expanded(self, value: Any) -> Any:  # noqa: ANN401 - JSON, or what a task returned
        source = source_of(value)
        return value if source is None else self.made[source].output


@cache
def _class_of(places: tuple[str, ...]) -> Any:  # noqa: ANN401 - a class of operators
    """Return the first of some classes that is installed; places come from allowed operators."""
    for place in places:
        module, _, name = place.partition(":")
        try:
            return getattr(import_module(module), name)
        except (ImportError, AttributeError):
            continue
    raise BuildFailedError(
        f"none of {', '.join(places)} is installed here",
        remedy="Install the Airflow provider that has the operator.",
    )
