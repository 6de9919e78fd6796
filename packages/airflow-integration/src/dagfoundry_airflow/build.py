"""From a row to its DAG: the one function that the bundle, the trial build and tests call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from dagfoundry.errors import BuildFailedError, FoundryError, WrongDagError
from dagfoundry.store.records import RowKind
from dagfoundry.upcast import entry_of
from dagfoundry_airflow.factory_dag import build_factory_dag
from dagfoundry_airflow.infrastructure_dag import build_infrastructure_dag
from dagfoundry_airflow.kit import Kit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dagfoundry.factories import Entry, FactoryType
    from dagfoundry.plugins import Plugins
    from dagfoundry.store.records import RowState

_MEND_ROW = "Correct it in the model and merge again."


def build_dag(row: RowState, plugins: Plugins) -> Any:  # noqa: ANN401 - an Airflow DAG, imported only where it is built
    """Return the Airflow DAG that a row stands for.

    It is registered nowhere: a DAG file has to put it among its globals.

    Args:
        row: A row of any kind whose status keeps it in its bucket.
        plugins: The installed factory types.

    Raises:
        FactoryTypeMissingError: No working plugin offers the row's factory type.
        BuildFailedError: The row or its plugin is wrong; names the platform, type,
            key, field, value, revision and author, and what to do.
    """
    if row.kind is RowKind.INFRASTRUCTURE:
        return build_infrastructure_dag(row, _kit(row, _config(row)))
    factory_type = plugins.type(row.factory_type)
    if row.kind is RowKind.FACTORY:
        return build_factory_dag(row, factory_type, _kit(row, _config(row)))
    return _build_entry(row, factory_type, plugins)


def _build_entry(row: RowState, factory_type: FactoryType, plugins: Plugins) -> Any:  # noqa: ANN401 - see build_dag
    config = _config(row)
    kit = _kit(row, config)
    entry = _entry(row, plugins, config)
    _check_config(row, entry, factory_type)
    try:
        dag = factory_type.build(entry, kit)
    except FoundryError as error:
        raise _failed(row, error.what, error.remedy) from error
    except Exception as error:
        reason = f"the builder raised {type(error).__name__}: {error}"
        raise _failed(row, reason, _mend_plugin(row, plugins)) from error
    _check_dag(row, dag, plugins)
    return dag


def _kit(row: RowState, config: Mapping[str, Any]) -> Kit:
    try:
        return Kit(row, config)
    except ValueError as error:
        raise _failed(row, f"config_json cannot be shown: {error}", _MEND_ROW) from error


def _config(row: RowState) -> dict[str, Any]:
    try:
        return row.config()
    except ValueError as error:
        raise _failed(row, f"config_json cannot be read: {error}", _MEND_ROW) from error


def _entry(row: RowState, plugins: Plugins, config: Mapping[str, Any]) -> Entry:
    try:
        return entry_of(row, plugins, config)
    except FoundryError as error:
        raise _failed(row, error.what, error.remedy) from error


def _check_config(row: RowState, entry: Entry, factory_type: FactoryType) -> None:
    try:
        entry.config_as(factory_type.config)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'config_json'}:"
            f" {problem['msg']} (is {problem['input']!r})"
            for problem in error.errors(include_url=False)
        )
        raise _failed(row, problems, _MEND_ROW) from error


def _check_dag(row: RowState, dag: object, plugins: Plugins) -> None:
    from dagfoundry_airflow._compat import DAG

    if not isinstance(dag, DAG):
        reason = f"the builder returned {type(dag).__name__}, not the DAG of its kit"
    elif dag.dag_id != row.dag_id:
        reason = f"the builder made DAG {dag.dag_id!r} instead"
    else:
        return
    raise _failed(row, reason, _mend_plugin(row, plugins), WrongDagError)


def _failed(
    row: RowState, reason: str, remedy: str, kind: type[BuildFailedError] = BuildFailedError
) -> BuildFailedError:
    who = f" by {row.author}" if row.author else ""
    what = f"entry {row.key!r}, " if row.key else ""
    return kind(
        f"DAG {row.dag_id!r} (platform {row.platform_name!r}, factory type {row.factory_type!r},"
        f" {what}revision {row.revision}{who}) cannot be built: {reason}",
        remedy=remedy,
    )


def _mend_plugin(row: RowState, plugins: Plugins) -> str:
    owner = plugins.types[row.factory_type]
    return f"Mend or upgrade {owner.distribution} (installed: {owner.version})."
