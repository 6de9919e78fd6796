"""The page of figures: its tables are those of the JSON file beside it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from measuring import Sample
from page import FIGURES, PAGE, with_tables
from results import Result

EMPTY = """before
<!-- figures -->
<!-- end of figures -->
between
<!-- buckets -->
<!-- end of buckets -->
after
"""


def figure(name: str, value: float, *, entries: int = 10_000) -> dict[str, object]:
    """Return a record of one figure."""
    return Result(
        name=name, ours=Sample.of([value]), unit="s", entries=entries, airflow="3.3.2"
    ).to_json()


def test_the_page_shows_the_figures_of_its_file() -> None:
    """`nox -s performance` was run after they changed."""
    page = PAGE.read_text(encoding="utf-8")
    assert with_tables(page, FIGURES.read_text(encoding="utf-8")) == page


def test_figures_of_buckets_are_a_table_of_their_own() -> None:
    """A row for each number of buckets, with a dash nowhere and nothing lost around it."""
    figures = [
        figure("task start / with one entry", 7.0),
        figure("parse of the fullest of 16 buckets", 1.5),
        figure("peak memory of it, 16 buckets", 200.0),
        figure("parse of all of 16 buckets", 22.0),
        figure("parse of the fullest of 64 buckets", 0.4),
    ]
    page = with_tables(EMPTY, json.dumps(figures))
    first, second = page.split("between")
    assert "task start / with one entry" in first
    assert "buckets" not in first.split("figures -->")[1]
    assert "| 3.3.2 | 10,000 | 16 | 1.5 | 200 | 22 |  |" in second
    assert "| 3.3.2 | 10,000 | 64 | 0.4 |  |  |  |" in second
    assert second.endswith("after\n")
    assert with_tables(page, json.dumps(figures)) == page
