"""The page of faults: its table is that of the JSON file beside it."""

from __future__ import annotations

import json

from chaos.outcome import Outcome
from chaos.page import FIGURES, PAGE, merged, with_table

EMPTY = "before\n<!-- faults -->\n<!-- end of faults -->\nafter\n"


def outcome(
    fault: str, airflow: str, *, seconds: float | None = 3.2, problems: tuple[str, ...] = ()
) -> dict[str, object]:
    """Return the record of an outcome."""
    return Outcome(
        fault=fault,
        airflow=airflow,
        showed="all DAGs",
        dags=202,
        of=202,
        demanded=5,
        lost=0,
        twice=0,
        seconds=seconds,
        problems=problems,
    ).to_json()


def test_the_page_shows_the_outcomes_of_its_file() -> None:
    """Nothing in the table was written by hand."""
    page = PAGE.read_text(encoding="utf-8")
    assert with_table(page, FIGURES.read_text(encoding="utf-8")) == page


def test_a_broken_promise_is_seen() -> None:
    """Also that Airflow never recovered."""
    bad = outcome("fire", "3.3.2", seconds=None, problems=("2 DAGs were lost",))
    page = with_table(EMPTY, json.dumps([bad]))
    assert "| fire | 3.3.2 | all DAGs; **2 DAGs were lost** | 5 | 0 | 0 | never |" in page
    assert with_table(page, json.dumps([bad])) == page


def test_a_version_takes_the_place_of_its_older_result_only() -> None:
    """Each version may run by itself, and so may each fault."""
    known = [outcome("fire", "3.3.2"), outcome("fire", "2.11.2"), outcome("flood", "3.3.2")]
    new = [outcome("fire", "2.11.3", seconds=9.0), outcome("flood", "2.11.3")]
    found = [(one["fault"], one["airflow"]) for one in merged(known, new)]
    assert found == [
        ("fire", "3.3.2"),
        ("fire", "2.11.3"),
        ("flood", "3.3.2"),
        ("flood", "2.11.3"),
    ]


def test_a_fault_that_is_no_more_leaves_the_table() -> None:
    """And the others stand in the order of the suite."""
    known = [outcome("flood", "3.3.2"), outcome("hail", "3.3.2")]
    found = merged(known, [outcome("fire", "3.3.2")], ["fire", "flood"])
    assert [one["fault"] for one in found] == ["fire", "flood"]
