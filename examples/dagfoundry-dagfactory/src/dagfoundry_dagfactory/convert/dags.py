"""One DAG of dag-factory as an item of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dagfoundry_dagfactory.arguments import remedy_for_code
from dagfoundry_dagfactory.convert.plain import fixed_moment, plain
from dagfoundry_dagfactory.convert.schedules import UnreadableError, schedule
from dagfoundry_dagfactory.convert.tasks import task_groups_of, tasks_of
from dagfoundry_dagfactory.times import seconds_of

if TYPE_CHECKING:
    from dagfoundry_dagfactory.convert.reading import ReadDag
    from dagfoundry_dagfactory.convert.report import Report

    Values = dict[str, Any]

_RENAMED: Final = {"schedule_interval": "schedule", "timetable": "schedule",
                   "concurrency": "max_active_tasks"}  # fmt: skip
_WITHOUT_EFFECT: Final = ("default_view", "orientation", "vars")
_WITHOUT_EFFECT_BY_DEFAULT: Final = ("catchup", "schedule", "schedule_interval", "tags")
_TO_ITEM: Final = ("owner", "retries", "pool", "start_date", "end_date", "timezone")
_ORDER: Final = (
    "name", "description", "owner", "tags", "schedule", "timezone", "start_date", "end_date",
    "retries", "retry_delay", "pool", "default_args", "task_groups", "tasks",
)  # fmt: skip
_NOTHING: Final[tuple[Any, ...]] = (None, {}, [])
_SCHEDULE_REMEDY: Final = "Write a cron expression, or dataset URIs joined by & and |."


def convert_dag(dag: ReadDag, report: Report) -> Values:
    """Return the item that a DAG becomes; what is not understood stays as it is."""
    values = dict(dag.values)
    for name in _WITHOUT_EFFECT:
        if values.pop(name, None) is not None:
            report.note(dag.where, f"{name} is left out, it has no effect")
    for old, new in _RENAMED.items():
        if values.get(old) is not None:
            values.setdefault(new, values[old])
        values.pop(old, None)
    item: Values = {"name": dag.item}
    if dag.item != dag.name:
        item["dag_display_name"] = dag.name
    item |= _scheduled(dag, values, report)
    item["tasks"] = tasks_of(dag, values.pop("tasks", None), report)
    item["task_groups"] = task_groups_of(dag, values.pop("task_groups", None), report)
    _spread_default_args(dag, item, values, report)
    _take_rest(dag, item, values, report)
    _fix_moments(dag, item, report)
    ordered = {key: item[key] for key in _ORDER if item.get(key) not in _NOTHING}
    return ordered | {key: value for key, value in item.items() if value not in _NOTHING}


def _scheduled(dag: ReadDag, values: Values, report: Report) -> Values:
    written = values.pop("schedule", None)
    try:
        found, zone = schedule(written)
    except UnreadableError as error:
        report.refuse(f"{dag.where}: schedule", str(error), _SCHEDULE_REMEDY)
        return {}
    return {"schedule": found} | ({"timezone": zone} if zone else {})


def _spread_default_args(dag: ReadDag, item: Values, values: Values, report: Report) -> None:
    """Take from default_args what is an item's own key."""
    arguments = dict(values.pop("default_args", None) or {})
    for name in _WITHOUT_EFFECT_BY_DEFAULT:
        if arguments.pop(name, None) is not None:
            report.note(dag.where, f"default_args.{name} is left out, it has no effect there")
    for name in _TO_ITEM:
        if arguments.get(name) is not None and values.get(name) is None:
            item.setdefault(name, plain(arguments[name]))
        arguments.pop(name, None)
    if "retry_delay" in arguments:
        delay = arguments.pop("retry_delay")
        try:
            item["retry_delay"] = int(seconds_of(delay))
        except ValueError as error:
            report.refuse(f"{dag.where}: default_args.retry_delay", str(error), "Correct it.")
    item["default_args"] = plain(arguments)


def _take_rest(dag: ReadDag, item: Values, values: Values, report: Report) -> None:
    for name, value in values.items():
        remedy = remedy_for_code(name)
        if remedy is not None and value is not None:
            if name.endswith("_file") and f"{name.removesuffix('_file')}_name" in values:
                continue  # one message is enough
            report.refuse(f"{dag.where}: {name}", "is code, which an entry cannot hold", remedy)
        elif name == "tags":
            item["tags"] = [plain(tag) for tag in value or () if tag != "dagfactory"]
        else:
            item[name] = plain(value)


def _fix_moments(dag: ReadDag, item: Values, report: Report) -> None:
    for name in ("start_date", "end_date"):
        if item.get(name) is not None:
            item[name], moved = fixed_moment(item[name], item.get("timezone") or "UTC")
            if moved:
                report.note(f"{dag.where}: {name}", f"counted from today; it is {item[name]} now")
