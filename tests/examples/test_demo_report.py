"""The demo's tables show what a person wants to know first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from report import ChangeReport, DagReport, change_table, dag_table, save_picture

if TYPE_CHECKING:
    from pathlib import Path

    from rich.table import Table


def shown(table: Table) -> list[tuple[str, ...]]:
    """Return the cells of a table, line by line."""
    return list(zip(*([str(cell) for cell in c.cells] for c in table.columns), strict=True))


def test_row_counts_of_all_runs_are_shown() -> None:
    """The first run's rows and then the next ones'; runs that write nothing are said once."""
    stream = DagReport(
        dag_id="weather_ingestion", layer="stream", rows=[26115, 0, 0], seconds=[2.04, 1, 1.0]
    )
    (row,) = shown(dag_table([stream]))
    assert row == ("weather_ingestion", "stream", "3", "26,115, then 0", "4.0")


def test_dag_that_moves_no_rows_has_no_row_count() -> None:
    """A factory DAG runs, and writes no row."""
    factory = DagReport(dag_id="yellowlive_factory_dag", layer="factory", rows=[], seconds=[3.0])
    (row,) = shown(dag_table([factory]))
    assert row == ("yellowlive_factory_dag", "factory", "1", "", "3.0")


def test_change_is_shown_with_its_seconds() -> None:
    """A change, what Airflow shows now, and how long that took."""
    change = ChangeReport(change="added stream aircraft", seen="listed", seconds=2.345)
    (row,) = shown(change_table([change]))
    assert row == ("added stream aircraft", "listed", "2.3")


def test_failed_runs_are_not_hidden() -> None:
    """Runs that failed are counted beside those that did not."""
    report = DagReport(dag_id="x", layer="transformer", rows=[185], seconds=[5.0], failed=1)
    (row,) = shown(dag_table([report]))
    assert row[2] == "1, 1 failed"


def test_picture_fetches_nothing(tmp_path: Path) -> None:
    """The picture shows the tables and names no font that a reader would load."""
    change = ChangeReport(change="added stream aircraft", seen="listed", seconds=2.345)
    save_picture(tmp_path / "demo.svg", [change_table([change])])
    picture = (tmp_path / "demo.svg").read_text(encoding="utf-8")
    assert "aircraft" in picture
    assert "url(http" not in picture
