"""A DAG as a model writes it, and as a row stores it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from dagfoundry import ModelPart, SectionItem, refusal
from dagfoundry_dagfactory.arguments import remedy_for_code
from dagfoundry_dagfactory.schedule import Schedule
from dagfoundry_dagfactory.times import Duration, Moment, Zone

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.\-]{1,200}$")]
"""Id of a task or task group, as Airflow takes it."""

_OUTPUT: Final = re.compile(r"([\w.-]+)\.output|XcomArg\(([\w.-]+)\)")
_CONVERT: Final = "`dagfoundry dagfactory convert FILE` writes it from dag-factory's YAML."


def _by_id(value: object) -> object:
    if isinstance(value, (list, tuple)):
        raise refusal("is a list", remedy=f"Write a mapping of id to definition. {_CONVERT}")
    return value


def source_of(value: object) -> str | None:
    """Return the task whose output a value of ``expand`` is, or None."""
    found = _OUTPUT.fullmatch(value) if isinstance(value, str) else None
    return found and (found[1] or found[2])


class TaskGroup(ModelPart):
    """A group of tasks.

    Attributes:
        tooltip: What it is for.
        parent_group_name: The group that it is part of.
        dependencies: Tasks and groups that come before it.
        default_args: Arguments of each of its tasks.
    """

    tooltip: str = ""
    parent_group_name: Id | None = None
    dependencies: tuple[Id, ...] = ()
    default_args: dict[str, Any] = Field(default_factory=dict)


class Task(BaseModel):
    """A task; keys that are not named here are arguments of its operator.

    Attributes:
        operator: Name of an allowed operator.
        dependencies: Tasks and groups that come before it.
        task_group_name: The group that it is part of.
        partial: Arguments of each mapped task.
        expand: Arguments that make one mapped task per value: lists, mappings, or
            ``task.output`` for what a task before it returned.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    operator: Annotated[str, Field(min_length=1)]
    dependencies: tuple[Id, ...] = ()
    task_group_name: Id | None = None
    partial: dict[str, Any] = Field(default_factory=dict)
    expand: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _no_decorator(cls, value: object) -> object:
        if isinstance(value, dict) and "decorator" in value:
            remedy = remedy_for_code("decorator") or ""
            raise refusal("'decorator' would be code in an entry", remedy=remedy)
        return value

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of its operator."""
        return {**(self.model_extra or {}), **self.partial}


Tasks = Annotated[dict[Id, Task], BeforeValidator(_by_id), Field(min_length=1)]
TaskGroups = Annotated[dict[Id, TaskGroup], BeforeValidator(_by_id)]


class DagBody(BaseModel):
    """What an item and a row have in common: all that makes the DAG.

    Attributes:
        description: What it does, in one line.
        doc_md: What it does, as Markdown.
        dag_display_name: Name that Airflow's UI shows instead of the DAG id.
        schedule: Cron expression, dataset URIs or a condition of them.
        timezone: Time zone of its cron expression and of its dates.
        start_date: When its first data interval begins.
        end_date: When it starts no more runs.
        catchup: Whether the intervals since the start date are run as well.
        max_active_runs: How many of its runs may be under way.
        max_active_tasks: How many of its tasks may run.
        dagrun_timeout: How long a run may take.
        render_template_as_native_obj: Whether templates give values instead of text.
        params: Params of its runs, by name.
        default_args: Arguments of each task.
        task_groups: Groups of tasks, by id.
        tasks: Tasks by id.
    """

    description: str = ""
    doc_md: str = ""
    dag_display_name: Annotated[str, Field(min_length=1)] | None = None
    schedule: Schedule = None
    timezone: Zone = "UTC"
    start_date: Moment | None = None
    end_date: Moment | None = None
    catchup: bool = False
    max_active_runs: Annotated[int, Field(ge=1)] = 1
    max_active_tasks: Annotated[int, Field(ge=1)] | None = None
    dagrun_timeout: Duration | None = None
    render_template_as_native_obj: bool = False
    params: dict[str, Any] = Field(default_factory=dict)
    default_args: dict[str, Any] = Field(default_factory=dict)
    task_groups: TaskGroups = Field(default_factory=dict)
    tasks: Tasks

    @property
    def nodes(self) -> dict[str, Task | TaskGroup]:
        """All tasks, then all groups, in their order."""
        return {**self.tasks, **self.task_groups}


class DagConfig(DagBody):
    """A stored row's config_json."""

    model_config = ConfigDict(extra="allow", frozen=True)


@dataclass(frozen=True)
class _Refuse:
    """Refuses a key of dag-factory that cannot be carried over."""

    remedy: str

    def __call__(self, value: object) -> object:
        if value is None:
            return None
        raise refusal("cannot be carried over from dag-factory", remedy=self.remedy)


_HIDDEN: Final = WithJsonSchema({"type": "null"})
_CALLBACK: Final = remedy_for_code("on_failure_callback") or ""
Callback = Annotated[None, BeforeValidator(_Refuse(_CALLBACK)), _HIDDEN]
Text = Annotated[None, BeforeValidator(_Refuse("Write the text itself as `doc_md`.")), _HIDDEN]
Look = Annotated[
    None, BeforeValidator(_Refuse("Leave it out; each user chooses it in Airflow.")), _HIDDEN
]
Files = Annotated[
    None,
    BeforeValidator(_Refuse("Write the text of the template into the task's argument.")),
    _HIDDEN,
]
Macros = Annotated[
    None,
    BeforeValidator(_Refuse("Have an Airflow plugin installed that offers the macros.")),
    _HIDDEN,
]
Access = Annotated[
    None, BeforeValidator(_Refuse("Give the roles access in Airflow's auth manager.")), _HIDDEN
]
Paused = Annotated[
    None,
    BeforeValidator(_Refuse("Write `enabled: false`; it has no schedule until that is removed.")),
    _HIDDEN,
]
Timetable = Annotated[
    None, BeforeValidator(_Refuse("Write a cron expression as `schedule`.")), _HIDDEN
]
Renamed = Annotated[None, BeforeValidator(_Refuse("Name it `schedule`.")), _HIDDEN]
Concurrency = Annotated[None, BeforeValidator(_Refuse("Name it `max_active_tasks`.")), _HIDDEN]


class DagItem(DagBody, SectionItem):
    """An item of the model's section ``dagfactory_dags``.

    The keys below are known so that each is refused with what to write instead.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    on_execute_callback: Callback = None
    on_failure_callback: Callback = None
    on_success_callback: Callback = None
    sla_miss_callback: Callback = None
    doc_md_file_path: Text = None
    doc_md_python_callable_file: Text = None
    doc_md_python_callable_name: Text = None
    default_view: Look = None
    orientation: Look = None
    template_searchpath: Files = None
    user_defined_macros: Macros = None
    access_control: Access = None
    is_paused_upon_creation: Paused = None
    timetable: Timetable = None
    schedule_interval: Renamed = None
    concurrency: Concurrency = None
