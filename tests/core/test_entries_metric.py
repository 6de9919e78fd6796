"""Entries are counted from the store, by the labels that their factory type asks for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry

from dagfoundry.errors import StoreUnavailableError
from dagfoundry.metrics.entries import EntriesCollector
from dagfoundry.plugins import Plugins

if TYPE_CHECKING:
    from tests.core.conftest import Workshop


@pytest.fixture
def labelled(plugins: Plugins) -> Plugins:
    """The factory type of these tests, with its text as a label."""
    known = plugins.types["greeting"]
    return Plugins(
        types={"greeting": replace(known, type=replace(known.type, metric_labels=("text",)))}
    )


def counted(collector: EntriesCollector) -> dict[tuple[str, ...], float]:
    """Return the numbers that are shown, by the values of their labels."""
    registry = CollectorRegistry()
    registry.register(collector)
    (family,) = registry.collect()
    assert family.name == "dagfoundry_greeting_entries"
    assert all(list(s.labels) == ["foundry", "platform", "status", "text"] for s in family.samples)
    return {tuple(sample.labels.values()): sample.value for sample in family.samples}


def test_entries_are_counted_by_status_and_label(workshop: Workshop, labelled: Plugins) -> None:
    """A value that is gone is not shown any more."""
    collector = EntriesCollector(workshop.store, labelled)
    assert counted(collector) == {}
    workshop.greet("A", "B", C="hi")
    live = ("Test", "Live", "active")
    assert counted(collector) == {(*live, "hello"): 2, (*live, "hi"): 1}
    workshop.greet("A", "B", allow_prune=True)
    gone = ("Test", "Live", "retiring", "hi")
    assert counted(collector) == {(*live, "hello"): 2, gone: 1}


def test_a_purged_entry_is_not_counted(workshop: Workshop, labelled: Plugins) -> None:
    """The store holds its row no more; only history knows it."""
    workshop.greet("A", "B")
    workshop.greet("A", allow_prune=True)
    gone = "live__B_greeting"
    retired = workshop.store.retire("Test", [gone], author="factory", message="ran out")
    workshop.store.purge("Test", {gone: retired}, author="factory", message="long ago")
    shown = counted(EntriesCollector(workshop.store, labelled))
    assert shown == {("Test", "Live", "active", "hello"): 1}


def test_an_unchanged_store_is_not_read_again(
    workshop: Workshop, labelled: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the number of the revision is asked for, however often Prometheus asks."""
    workshop.greet("A")
    collector = EntriesCollector(workshop.store, labelled)
    shown = counted(collector)
    monkeypatch.setattr(type(workshop.store), "rows_at", None)
    assert counted(collector) == shown


def test_a_store_that_is_away_leaves_the_last_numbers(
    workshop: Workshop, labelled: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scrape does not fail, and is told so in the log."""
    workshop.greet("A")
    collector = EntriesCollector(workshop.store, labelled)
    shown = counted(collector)

    def refuse() -> list[str]:
        raise StoreUnavailableError("it is away", remedy="Wait.")

    monkeypatch.setattr(workshop.store, "foundries", refuse)
    assert counted(collector) == shown
