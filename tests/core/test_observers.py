"""Observers learn what happened, and can neither undo it nor take another with them."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import REGISTRY

from dagfoundry import AppliedRevision, ObservedDag, hookimpl, observers
from dagfoundry.merge import Guards
from dagfoundry.plugins import Plugins, load_plugins
from dagfoundry.plugins_discovery import InstalledPlugin
from dagfoundry.plugins_loading import LoadedPlugin, load
from dagfoundry.rollback import Target, rollback
from dagfoundry.selection import Selection
from dagfoundry.store import Source
from dagfoundry.store.lifecycle import retire
from dagfoundry.store.write import Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.core.conftest import Workshop


@pytest.fixture(autouse=True)
def _nobody_is_silenced() -> Iterator[None]:
    """Begin with observers of which none has failed yet."""
    observers._silenced.clear()  # noqa: SLF001 - a process has its own
    yield
    observers._silenced.clear()  # noqa: SLF001 - as above


def observer(name: str, **hooks: Callable[..., Any]) -> LoadedPlugin:
    """Return a plugin that implements these hooks, as if it were installed."""
    module = SimpleNamespace(**{hook: hookimpl(function) for hook, function in hooks.items()})
    return load(
        InstalledPlugin(distribution=name, version="1.0", entry_point=name, load=lambda: module)
    )


def test_all_observers_are_told() -> None:
    """Each gets the arguments that it names."""
    told: list[object] = []

    def with_argument(failure: object) -> None:
        told.append(failure)

    def without_argument() -> None:
        told.append("me")

    plugins = Plugins(
        types={},
        loaded=(
            observer("one", dagfoundry_dag_failed=with_argument),
            observer("two", dagfoundry_dag_failed=without_argument),
        ),
    )
    observers.tell(plugins, "dagfoundry_dag_failed", failure="the failure")
    assert told == ["the failure", "me"]


def test_an_observer_that_raises_is_named_and_not_called_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The others are told; the failure is logged and counted once."""
    told: list[str] = []

    def bad() -> None:
        told.append("bad")
        raise ValueError("no such channel")

    def good() -> None:
        told.append("good")

    plugins = Plugins(
        types={},
        loaded=(
            observer("bad-one", dagfoundry_dag_failed=bad),
            observer("good-one", dagfoundry_dag_failed=good),
        ),
    )
    observers.tell(plugins, "dagfoundry_dag_failed", failure=None)
    observers.tell(plugins, "dagfoundry_dag_failed", failure=None)
    assert told == ["bad", "good", "good"]
    line = capsys.readouterr().out
    assert all(word in line for word in ("bad-one", "1.0", "ValueError: no such channel"))
    labels = {"distribution": "bad-one", "version": "1.0"}
    assert REGISTRY.get_sample_value("dagfoundry_plugin_errors_total", labels) == 1


def test_an_observer_that_hangs_is_ended(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What waits for it goes on after the limit."""
    monkeypatch.setattr(observers, "OBSERVER_SECONDS", 0.1)

    def hang() -> None:
        time.sleep(60)

    plugins = Plugins(types={}, loaded=(observer("slow", dagfoundry_dag_failed=hang),))
    began = time.monotonic()
    observers.tell(plugins, "dagfoundry_dag_failed", failure=None)
    assert time.monotonic() - began < 30
    assert "not done after 0.1 s" in capsys.readouterr().out


def test_a_plugin_may_only_observe() -> None:
    """A plugin without a factory type is no failure."""
    plugin = observer("watcher", dagfoundry_dag_retired=lambda: None)
    assert plugin.offer == []
    assert plugin.observes == {"dagfoundry_dag_retired"}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What an installed observer is told of revisions and retired DAGs."""
    heard: list[Any] = []

    def revision_applied(revision: AppliedRevision) -> None:
        heard.append(revision)

    def dag_retired(dag: ObservedDag) -> None:
        heard.append(dag)

    watcher = observer(
        "watcher",
        dagfoundry_revision_applied=revision_applied,
        dagfoundry_dag_retired=dag_retired,
    )
    installed = replace(load_plugins(), loaded=(watcher,))
    monkeypatch.setattr("dagfoundry.plugins.load_plugins", lambda: installed)
    return heard


def test_a_merge_is_told_once_it_is_written(workshop: Workshop, told: list[Any]) -> None:
    """A merge that changes nothing is no revision; one that does names its DAGs."""
    workshop.greet("A", "B")
    workshop.greet("A", "B")
    (revision,) = told
    assert (revision.foundry, revision.revision, revision.source) == ("Test", 1, "merge")
    assert revision.author == "Ada"
    assert revision.dag_ids == ("live__A_greeting", "live__B_greeting")


def test_a_rollback_is_told(workshop: Workshop, told: list[Any]) -> None:
    """Its source says what it was."""
    workshop.greet("A")
    workshop.greet(A="changed")
    origin = Origin(author="Bob", message="back", source=Source.ROLLBACK)
    target = Target(revision=1, rows=Selection())
    rollback(workshop.store, "Test", target, origin=origin, guards=Guards())
    assert [(each.source, each.author) for each in told][-1] == ("rollback", "Bob")


def test_a_write_that_fails_is_not_told(workshop: Workshop, told: list[Any]) -> None:
    """Observers hear of what is committed, and of nothing else."""
    workshop.greet("A")
    workshop.greet(allow_prune=True)
    origin = Origin(author="Ada", message="", source=Source.LIFECYCLE)
    with suppress(ZeroDivisionError), workshop.store.writing() as connection:
        assert retire(connection, "Test", ["live__A_greeting"], origin).revision == 3
        raise ZeroDivisionError
    assert [each.revision for each in told] == [1, 2]


def test_a_retired_entry_is_told(workshop: Workshop, told: list[Any]) -> None:
    """An entry whose DAG ran out is named with the revision that retired it."""
    workshop.greet("A", "B")
    workshop.greet("A", allow_prune=True)
    workshop.store.retire("Test", ["live__B_greeting"], author="factory", message="ran out")
    revision, dag = told[-2:]
    assert (revision.source, revision.dag_ids) == ("lifecycle", ("live__B_greeting",))
    assert (dag.dag_id, dag.key, dag.revision) == ("live__B_greeting", "B", 3)
