"""A factory DAG's last report is kept in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Workshop


def test_a_report_takes_the_place_of_the_last_one(workshop: Workshop) -> None:
    """Each factory DAG has its own; the case of the foundry's name does not matter."""
    workshop.greet("a")
    for number in range(3):
        workshop.store.record_report("test", "one", {"revision": number, "created": ["é"]})
    workshop.store.record_report("TEST", "two", {"revision": 1})
    found = {each.dag_id: each.report for each in workshop.store.reports("Test")}
    assert found == {"one": {"revision": 2, "created": ["é"]}, "two": {"revision": 1}}
