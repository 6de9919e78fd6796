"""The one place that looks at Airflow's version, from 2.10 to 3.3.

Importing it imports Airflow, so it is imported where a DAG is built or a task runs. Most
names come from ``apache-airflow-providers-common-compat``; what that does not cover in
every version is chosen here.
"""

from __future__ import annotations

import os
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

import airflow
from airflow.providers.common.compat.sdk import (
    DAG,
    Asset,
    BaseHook,
    BaseOperator,
    get_parsing_context,
)
from sqlalchemy import event

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow.providers.standard.operators.branch import BaseBranchOperator
    from airflow.sdk import CronDataIntervalTimetable, CronTriggerTimetable
    from airflow.sdk.exceptions import AirflowException, AirflowFailException

    from dagfoundry_airflow.airflow_api import AirflowApi

_Bundle = TypeVar("_Bundle")
_of_parent: Final[list[Any]] = []

AIRFLOW_VERSION: Final = tuple(int(part) for part in airflow.__version__.split(".")[:2])
"""Major and minor version of the installed Airflow."""

AIRFLOW_MINOR: Final = ".".join(map(str, AIRFLOW_VERSION))
"""The same as text, such as ``3.3``."""

AIRFLOW_2: Final = AIRFLOW_VERSION < (3, 0)
"""Whether tasks may use the metadata database, and datasets are not yet assets."""

if not TYPE_CHECKING:
    from airflow.exceptions import AirflowException

    # The standard provider is part of every 3.x; 2.x has its own.
    # The library has it since 1.9, which is more than 2.10 can have.
    if AIRFLOW_2:
        from airflow.exceptions import AirflowFailException
    else:
        from airflow.providers.common.compat.sdk import AirflowFailException

    if AIRFLOW_2:
        from airflow.operators.branch import BaseBranchOperator
    else:
        from airflow.providers.standard.operators.branch import BaseBranchOperator

    if AIRFLOW_VERSION < (3, 2):
        from airflow.timetables.interval import CronDataIntervalTimetable
        from airflow.timetables.trigger import CronTriggerTimetable
    else:
        from airflow.sdk import CronDataIntervalTimetable, CronTriggerTimetable

__all__ = [
    "AIRFLOW_2",
    "AIRFLOW_MINOR",
    "AIRFLOW_VERSION",
    "DAG",
    "AirflowException",
    "AirflowFailException",
    "BaseBranchOperator",
    "BaseHook",
    "BaseOperator",
    "assets",
    "bundle_arguments",
    "bundle_version",
    "check_dag",
    "cron_timetable",
    "cron_timetable_class",
    "dag_files_in",
    "empty_operator",
    "forget_metadata_database",
    "hashed_dag",
    "may_read_dags",
    "open_airflow_api",
    "parsing_dag_id",
    "parsing_section",
    "parsing_task_id",
    "serialize_dag",
    "site_defaults",
    "stale_dag_threshold",
    "stored_connection",
    "trigger_operator",
    "web_address",
    "with_view_url",
]


def assets(uris: Iterable[str]) -> list[Any]:
    """Return assets (datasets in 2.x), for outlets or as a schedule that waits for all."""
    return [Asset(uri=uri) for uri in uris]


@cache
def site_defaults() -> dict[str, Any]:
    """Return what a DAG of 3.x takes from Airflow's settings unless it is told.

    It would look for each of them anew, which took a tenth of a build. 3.0 asks for one of
    them only.
    """
    from airflow.configuration import conf

    if AIRFLOW_2:
        return {}
    unversioned = "disable_bundle_versioning"
    defaults: dict[str, Any] = {unversioned: conf.getboolean("dag_processor", unversioned)}
    if AIRFLOW_VERSION >= (3, 1):
        for limit in ("max_active_tasks", "max_consecutive_failed_dag_runs"):
            defaults[limit] = conf.getint("core", f"{limit}_per_dag")
    return defaults


@lru_cache(maxsize=4096)
def cron_timetable(expression: str) -> Any:  # noqa: ANN401 - the class differs by version
    """Return the timetable that Airflow makes of a cron expression, one for all DAGs that have it.

    Making it took a quarter of a build on 2.x, where it describes itself in words.
    """
    return cron_timetable_class()(expression, timezone="UTC")


@cache
def cron_timetable_class() -> type[CronDataIntervalTimetable | CronTriggerTimetable]:
    """Return the timetable that Airflow's settings give a cron expression."""
    from airflow.configuration import conf

    if conf.getboolean("scheduler", "create_cron_data_intervals"):
        return CronDataIntervalTimetable
    return CronTriggerTimetable


def empty_operator(task_id: str, *, trigger_rule: str = "all_success") -> Any:  # noqa: ANN401 - the class differs by version
    """Make a task that does nothing."""
    if AIRFLOW_2:
        from airflow.operators.empty import EmptyOperator  # type: ignore[import-not-found]
    else:
        from airflow.providers.standard.operators.empty import EmptyOperator
    return EmptyOperator(task_id=task_id, trigger_rule=trigger_rule)


def trigger_operator(task_id: str, dag_id: str, conf: dict[str, Any]) -> Any:  # noqa: ANN401 - the class differs by version
    """Make a task that starts a run of a DAG and does not wait for it."""
    if AIRFLOW_2:
        from airflow.operators.trigger_dagrun import (  # type: ignore[import-not-found]
            TriggerDagRunOperator,
        )
    else:
        from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
    return TriggerDagRunOperator(task_id=task_id, trigger_dag_id=dag_id, conf=conf)


def open_airflow_api() -> AirflowApi:
    """Return how this Airflow is asked about its DAGs.

    Raises:
        AirflowAccessError: The connection that 3.x needs is missing or incomplete.
    """
    if AIRFLOW_2:
        from dagfoundry_airflow.airflow_orm import AirflowOrm

        return AirflowOrm()
    from dagfoundry_airflow.airflow_rest import connect

    return connect()


def parsing_dag_id() -> str | None:
    """Return the one DAG that this process parses a file for; None when it wants all.

    Only an optimisation may rest on it: Airflow never unsets it, so a task's own child
    processes see it as well (all versions).
    """
    dag_id: str | None = get_parsing_context().dag_id
    return dag_id


def parsing_task_id() -> str | None:
    """Return the one task that this process parses a file for; None when it runs no task."""
    task_id: str | None = get_parsing_context().task_id
    return task_id


def stale_dag_threshold() -> int:
    """Return for how many seconds Airflow still believes in a DAG that its file lacks."""
    from airflow.configuration import conf

    option = "stale_dag_threshold"
    return int(conf.getint(parsing_section(option), option, fallback=50))


def parsing_section(option: str) -> str:
    """Return the section of an option of the DAG processor, which got its own with 3.0."""
    if not AIRFLOW_2:
        return "dag_processor"
    return "core" if option == "dag_file_processor_timeout" else "scheduler"


def dag_files_in(folder: str) -> list[str]:
    """Return the paths below a folder that Airflow's own search takes for DAG files."""
    from airflow.configuration import conf
    from airflow.utils.file import list_py_file_paths

    arguments: dict[str, Any] = {"include_examples": False} if AIRFLOW_2 else {}
    safe_mode = conf.getboolean("core", "dag_discovery_safe_mode")
    return list(list_py_file_paths(folder, safe_mode=safe_mode, **arguments))


def forget_metadata_database() -> None:
    """Give a fork of a 2.x process an empty database.

    The parent's session and engine are kept, for a driver that let go of a connection here
    would end it for the parent as well. Whoever imported them by name gets the empty
    database from the one and an error from the other.
    """
    from airflow import settings

    sessions: Any = settings.Session
    engine: Any = settings.engine
    if engine is None:
        return  # Airflow itself keeps its database from this process
    _of_parent.append((sessions(), engine))
    sessions.registry.clear()
    settings.SQL_ALCHEMY_CONN = "sqlite://"
    settings.configure_orm(disable_connection_pool=True)  # type: ignore[no-untyped-call]
    sessions.configure(bind=settings.engine)
    event.listen(engine, "do_connect", _refuse_connection)


def _refuse_connection(*_arguments: object) -> None:
    raise AirflowException("A builder must not use Airflow's database.")


def stored_connection(connection_id: str) -> Any:  # noqa: ANN401 - its class differs by version
    """Return a connection from where Airflow's own processes find it, outside of a task.

    There ``BaseHook`` of 3.x never asks the metadata database.

    Raises:
        AirflowException: There is none.
    """
    from airflow.models.connection import Connection

    return Connection.get_connection_from_secrets(connection_id)


def check_dag(dag: Any) -> dict[str, Any]:  # noqa: ANN401 - a DAG; its class differs by version
    """Do what Airflow does with a DAG after it has run the DAG's file.

    Returns:
        The DAG in the form that Airflow stores; empty when a site's policy skips it.

    Raises:
        Exception: What Airflow would show as the file's import error.
    """
    from airflow.exceptions import AirflowClusterPolicySkipDag

    dag.validate()
    try:
        _bag(dag)
    except AirflowClusterPolicySkipDag:
        return {}  # a site's policy keeps the DAG out of Airflow, which is no error
    return serialize_dag(dag)


def _bag(dag: Any) -> None:  # noqa: ANN401 - see check_dag
    arguments: dict[str, Any] = {"dag_folder": os.devnull, "collect_dags": False}
    if AIRFLOW_2:
        from airflow.models.dagbag import DagBag

        DagBag(**arguments, load_op_links=False).bag_dag(dag, root_dag=dag)
    elif AIRFLOW_VERSION < (3, 2):
        from airflow.models.dagbag import DagBag

        DagBag(**arguments).bag_dag(dag)
    else:
        from airflow.dag_processing.dagbag import DagBag, _validate_executor_fields

        _validate_executor_fields(dag)
        DagBag(**arguments).bag_dag(dag)


def serialize_dag(dag: Any) -> dict[str, Any]:  # noqa: ANN401 - see check_dag
    """Return a DAG in the form that Airflow stores."""
    from airflow.serialization import serialized_objects

    name = "SerializedDAG" if AIRFLOW_VERSION < (3, 2) else "DagSerialization"
    data: dict[str, Any] = getattr(serialized_objects, name).to_dict(dag)
    return data


def hashed_dag(dag: Any) -> tuple[str, Any]:  # noqa: ANN401 - see check_dag
    """Return the hash by which Airflow tells whether a DAG changed, and what it is made of.

    The hash is that of ``models/serialized_dag.py``: 3.x takes the file's path out and
    sorts what it may (a 3.3 deadline gets its ids later, which stay when it does not
    change); 2.x takes all as it is.
    """
    from airflow.models.serialized_dag import SerializedDagModel

    data = serialize_dag(dag)
    if AIRFLOW_2:
        return str(SerializedDagModel(dag).dag_hash), data["dag"]
    content = SerializedDagModel._sort_serialized_dag_dict(data)["dag"]  # noqa: SLF001 - the hash's own order
    del content["fileloc"]
    return SerializedDagModel.hash(data), content  # type: ignore[no-untyped-call]


def may_read_dags() -> Any:  # noqa: ANN401 - a FastAPI dependency
    """Return what lets a web request pass only for a user who may read DAGs (3.x)."""
    from airflow.api_fastapi.core_api.security import requires_access_dag

    return requires_access_dag(method="GET")


def web_address() -> str | None:
    """Return where a browser finds Airflow's UI (3.x), as ``[api] base_url`` says; or None."""
    from airflow.configuration import conf

    address: str | None = conf.get("api", "base_url", fallback=None)
    return address.rstrip("/") if address and address.startswith("http") else None


def bundle_version(version: str) -> Any:  # noqa: ANN401 - a record since 3.3, text before
    """Return a bundle version as the installed Airflow wants it."""
    if AIRFLOW_VERSION < (3, 3):
        return version
    from airflow.dag_processing.bundles.base import BundleVersion

    return BundleVersion(version=version)


def bundle_arguments(arguments: dict[str, Any], view_url_template: str | None) -> dict[str, Any]:
    """Return the arguments of a bundle's base class; 3.0 knows no template."""
    if AIRFLOW_VERSION < (3, 1):
        return arguments
    return arguments | {"view_url_template": view_url_template}


def with_view_url(bundle: type[_Bundle]) -> type[_Bundle]:
    """Give a bundle class the method by which 3.0 asks for a version's address.

    Later versions warn when they find it.
    """
    if AIRFLOW_VERSION < (3, 1):

        def view_url(self: Any, version: str | None = None) -> str | None:  # noqa: ANN401 - a bundle
            template = self._view_url_template
            return template.format_map({**vars(self), "version": version}) if template else None

        bundle.view_url = view_url  # type: ignore[attr-defined]
    return bundle
