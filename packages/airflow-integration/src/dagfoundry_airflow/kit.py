"""The DAG kit: what every DAG of DAG Foundry has in common, on every Airflow version.

A row is data. Nothing of it is ever evaluated as a template or imported, and what goes
into a DAG is plain JSON in a fixed order, so that the same row gives the same serialised
DAG in every process.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.errors import BuildFailedError
from dagfoundry.factories import OWN_KEY, DagDetails, OnDatasets, Status
from dagfoundry.names import dataset_asset_uri
from dagfoundry.store.records import RowKind
from dagfoundry_airflow.documentation import description, document
from dagfoundry_airflow.plain import plain_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from dagfoundry.factories import Schedule
    from dagfoundry.store.records import RowState

START_DATE: Final = datetime(2025, 1, 1, tzinfo=timezone.utc)
"""The reference's start date; with no catch-up it never causes a run."""

_OWNER: Final = "datasurface"
_RETRY_SECONDS: Final = 300
_LOCAL_RUNNER: Final = "local"
_UNSET: Final = (None, "")
_NO_DETAILS: Final = DagDetails()


class Kit:
    """The :class:`~dagfoundry.DagKit` of one row.

    Args:
        row: The row to build; infrastructure and factory rows use a kit as well.
        config: The row's parsed config_json, where that is at hand.
        placeholder: What a placeholder's documentation says; None for the real DAG.

    Raises:
        ValueError: The row's config_json is no JSON object, or holds half a character.
    """

    def __init__(
        self,
        row: RowState,
        config: Mapping[str, Any] | None = None,
        *,
        placeholder: Sequence[str] | None = None,
    ) -> None:
        stored = row.config() if config is None else config
        own = stored.get(OWN_KEY, {})
        self._row = row
        self._description = description(row, is_placeholder=placeholder is not None)
        self._document = document(row, stored, placeholder or ())
        self._options: Mapping[str, Any] = _copied(own) if isinstance(own, dict) else {}

    def dag(
        self,
        *,
        schedule: Schedule,
        tags: Sequence[str],
        retries: int = 0,
        details: DagDetails | None = None,
    ) -> AbstractContextManager[Any]:
        """Open the row's DAG; see :meth:`dagfoundry.DagKit.dag`."""
        from dagfoundry_airflow._compat import DAG, site_defaults

        wanted = details or _NO_DETAILS
        start_date = wanted.start_date or START_DATE
        dag: AbstractContextManager[Any] = DAG(
            dag_id=self._row.dag_id,
            description=self._description,
            doc_md=self._document + _paragraph(wanted.documentation),
            schedule=self._schedule(schedule, start_date),
            start_date=start_date,
            catchup=wanted.catchup,
            max_active_runs=wanted.max_active_runs,
            is_paused_upon_creation=self._row.status is Status.INACTIVE,
            tags=sorted({*tags, *self._options.get("tags", ())}),
            default_args=self._default_args(retries, wanted.default_args),
            auto_register=False,  # a DAG whose builder fails half-way must not show
            **{**site_defaults(), **_arguments(wanted)},
        )
        return dag

    def empty(self, task_id: str, *, trigger_rule: str = "all_success") -> Any:  # noqa: ANN401 - the protocol's type
        """Make a task that does nothing."""
        from dagfoundry_airflow._compat import empty_operator

        return empty_operator(task_id, trigger_rule=trigger_rule)

    def job(
        self,
        task_id: str,
        command: Sequence[str],
        *,
        spec: Mapping[str, Any],
        outlets: Sequence[str] = (),
        priority: int = 1,
    ) -> Any:  # noqa: ANN401 - the protocol's type
        """Make a task that runs a job; see :meth:`dagfoundry.DagKit.job`.

        Raises:
            BuildFailedError: The platform asks for a runner that is not known.
        """
        from dagfoundry_airflow.operators import JobOperator

        self._require_local_runner()
        return JobOperator(
            task_id=task_id,
            command=tuple(command),
            spec=plain_json(spec),
            platform_name=self._row.platform_name,
            entry_key=self._row.key,
            outlets=self._assets(outlets),
            priority_weight=priority,
            weight_rule="absolute",
        )

    def branch_on_result(
        self,
        task_id: str,
        *,
        job: str,
        done: str,
        keep_working: str,
        trigger_rule: str = "all_success",
    ) -> Any:  # noqa: ANN401 - the protocol's type
        """Make a task that reads a job's result and chooses what follows."""
        from dagfoundry_airflow.operators import BranchOnResult

        return BranchOnResult(
            task_id=task_id,
            job=job,
            done=done,
            keep_working=keep_working,
            trigger_rule=trigger_rule,
        )

    def retrigger(self, task_id: str) -> Any:  # noqa: ANN401 - the protocol's type
        """Make a task that starts the next run; it does nothing unless the row is active."""
        from dagfoundry_airflow._compat import empty_operator, trigger_operator

        if self._row.status is not Status.ACTIVE:
            return empty_operator(task_id)
        return trigger_operator(task_id, self._row.dag_id, {"triggered_by": "reschedule"})

    def _schedule(self, schedule: Schedule, start_date: datetime) -> Any:  # noqa: ANN401 - cron text, assets or None
        """Return what Airflow is told; only an active entry starts runs by itself.

        An entry that is inactive or retiring has no schedule from the moment that Airflow
        parses it: the factory DAG pauses it only when its running runs have finished,
        since Airflow stops the runs of a paused DAG. A retiring factory works on until
        its last entry is retired.
        """
        if self._row.kind is RowKind.ENTRY and self._row.status is not Status.ACTIVE:
            return None
        if isinstance(schedule, OnDatasets):
            return self._assets(schedule.datasets)
        return _timetable(schedule, start_date)

    def _assets(self, datasets: Iterable[str]) -> list[Any]:
        from dagfoundry_airflow._compat import assets

        names = sorted(set(datasets))
        return assets(
            dataset_asset_uri(self._row.foundry, self._row.platform_name, name) for name in names
        )

    def _default_args(self, retries: int, wanted: Mapping[str, Any]) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "owner": _OWNER,
            "depends_on_past": False,
            "retries": retries,
            "retry_delay": timedelta(seconds=_RETRY_SECONDS),
            **wanted,
        }
        for name in ("owner", "retries", "pool"):
            if self._options.get(name) not in _UNSET:
                arguments[name] = self._options[name]
        if "retry_delay" in self._options:
            arguments["retry_delay"] = timedelta(seconds=self._options["retry_delay"])
        return arguments

    def _require_local_runner(self) -> None:
        runner = self._options.get("runner", _LOCAL_RUNNER)
        if runner != _LOCAL_RUNNER:
            msg = f"platform {self._row.platform_name!r} asks for runner {runner!r}"
            raise BuildFailedError(msg, remedy=f"Set the platform's runner to {_LOCAL_RUNNER!r}.")


def _copied(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options that no builder can change by changing its entry."""
    tags = options.get("tags")
    return {**options, "tags": tuple(tags)} if isinstance(tags, list) else dict(options)


def _arguments(details: DagDetails) -> dict[str, Any]:
    """Return the arguments of a DAG that are left out unless somebody asks for them."""
    asked = {
        "dag_display_name": details.display_name,
        "end_date": details.end_date,
        "max_active_tasks": details.max_active_tasks,
        "dagrun_timeout": details.dagrun_timeout,
        "render_template_as_native_obj": details.render_template_as_native_obj or None,
        "params": dict(details.params) or None,
    }
    return {name: value for name, value in asked.items() if value is not None}


def _paragraph(text: str) -> str:
    """Return text to append; Airflow takes documentation that ends in ``.md`` for a file."""
    return f"\n{text.strip()}\n" if text.strip() else ""


def _timetable(schedule: object, start_date: datetime) -> Any:  # noqa: ANN401 - a timetable, or what was given
    """Return a cron expression's timetable; a preset stays the text that Airflow 2 shows.

    In another time zone than UTC it is Airflow that makes it, of the DAG's start date.
    """
    from dagfoundry_airflow._compat import cron_timetable

    is_utc = start_date.tzinfo is timezone.utc
    if not isinstance(schedule, str) or schedule.startswith("@") or not is_utc:
        return schedule
    return cron_timetable(schedule)
