"""Observers learn of DAGs that were built, of rows that failed, and of slow builds."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from dagfoundry import BuiltDag, FailedDag, ObservedDag, hookimpl
from dagfoundry.plugins_discovery import InstalledPlugin
from dagfoundry.plugins_loading import LoadedPlugin, load
from dagfoundry_airflow import slow_builds, trial_child
from dagfoundry_airflow.loader import build_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from dagfoundry.plugins import Plugins
    from dagfoundry.store import RowState


def observer(**hooks: Callable[..., Any]) -> LoadedPlugin:
    """Return an installed plugin that only observes."""
    module = SimpleNamespace(**{name: hookimpl(hook) for name, hook in hooks.items()})
    plugin = InstalledPlugin(
        distribution="watcher", version="1.0", entry_point="watch", load=lambda: module
    )
    return load(plugin)


def test_the_dags_of_a_file_are_told_at_once(
    make_row: Callable[..., RowState], hello_plugins: Plugins
) -> None:
    """Each comes with its row and the seconds of its build; a failed one does not."""
    told: list[list[BuiltDag]] = []

    def built(dags: list[BuiltDag]) -> None:
        told.append(dags)

    plugins = replace(hello_plugins, loaded=(observer(dagfoundry_dags_built=built),))
    rows = [
        make_row(config={"greeting": "hi"}, factory_type="hello", key=key, dag_id=f"live__{key}")
        for key in ("one", "two")
    ]
    bad = make_row(config={}, factory_type="hello", key="bad", dag_id="live__bad")
    build_rows([*rows, bad], plugins)
    (dags,) = told
    assert [built.dag.dag_id for built in dags] == ["live__one", "live__two"]
    assert [built.dag.key for built in dags] == ["one", "two"]
    assert all(built.seconds > 0 for built in dags)


def test_a_row_that_fails_its_trial_is_told(
    make_row: Callable[..., RowState], hello_plugins: Plugins
) -> None:
    """The error is the one that Airflow shows, with its remedy."""
    told: list[FailedDag] = []

    def failed(failure: FailedDag) -> None:
        told.append(failure)

    plugins = replace(hello_plugins, loaded=(observer(dagfoundry_dag_failed=failed),))
    row = make_row(config={}, factory_type="hello", key="bad", dag_id="live__bad")
    answer = trial_child._answer(row.to_json(), plugins, set())  # noqa: SLF001 - the process's one step
    (failure,) = told
    assert (failure.dag.dag_id, failure.dag.factory_type) == ("live__bad", "hello")
    assert failure.error == f"{answer['what']}\n  {answer['remedy']}"
    assert "greeting" in failure.error


@pytest.mark.parametrize(("seconds", "is_slow"), [(0.2, False), (1.5, True)])
def test_a_slow_build_is_named(
    capsys: pytest.CaptureFixture[str], seconds: float, *, is_slow: bool
) -> None:
    """The slowest DAG of a file is logged with its factory type, once it takes a second."""
    dag = ObservedDag(
        foundry="Test",
        platform_name="Live",
        factory_type="hello",
        key="one",
        dag_id="live__one",
        revision=1,
    )
    quick = BuiltDag(dag=replace(dag, dag_id="live__quick"), seconds=0.001)
    slow_builds.dagfoundry_dags_built([quick, BuiltDag(dag=dag, seconds=seconds)])
    output = capsys.readouterr().out
    assert ("live__one" in output and "hello" in output) is is_slow
    assert "live__quick" not in output
