"""What a benchmark says: a row of a table, and a record of a JSON file."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from measuring import Sample
from results import HEAD, Result, counted, table_row

FIGURE = Result(
    name="task start / with one entry",
    ours=Sample.of([10.0, 11.0, 15.0]),
    reference=Sample.of([10.0]),
    unit="ms",
    budget=1.2,
    entries=10_000,
    airflow="3.3.2",
)


def test_a_figure_is_a_record_of_plain_values() -> None:
    """The promised names are among them, and the ratio is that of the medians."""
    record = json.loads(json.dumps(FIGURE.to_json()))
    promised = {"name", "airflow", "entries", "ours", "reference", "unit", "ratio", "budget"}
    assert promised <= record.keys()
    assert (record["ours"], record["reference"], record["ratio"]) == (11.0, 10.0, 1.1)
    assert record["ours_range"] == [10.0, 15.0]
    assert record["kept"] is True


def test_a_record_is_a_row_under_the_head() -> None:
    """The spread stands beside the median where there is one."""
    row = table_row(FIGURE.to_json())
    assert row.count("|") == HEAD.splitlines()[0].count("|")
    assert "| 11 (10 to 15) ms | 10 ms | 1.1 | <= 1.2 | yes |" in row


@pytest.mark.parametrize(
    ("ours", "budget", "budget_of", "kept"),
    [
        (12.0, 1.2, "ratio", True),
        (12.1, 1.2, "ratio", False),
        (12.1, 13.0, "ours", True),
        (13.1, 13.0, "ours", False),
        (99.0, None, "ratio", None),
    ],
)
def test_a_budget_is_of_the_ratio_or_of_our_side(
    ours: float, budget: float | None, budget_of: str, *, kept: bool | None
) -> None:
    """Without a budget nothing is said."""
    result = Result(
        name="x",
        ours=Sample.of([ours]),
        reference=Sample.of([10.0]),
        unit="s",
        budget=budget,
        budget_of=budget_of,
    )
    assert result.kept is kept


def test_statements_are_counted_for_few_and_for_many() -> None:
    """Their number must not grow with the entries."""
    assert counted("x", [23, 23], 23).kept is True
    assert counted("x", [23, 24], 23).kept is False
