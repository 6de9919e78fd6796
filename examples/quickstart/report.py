"""The two tables that the demo ends with."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_PICTURE_WIDTH: Final = 112
"""Columns of the picture, in characters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DagReport:
    """What a DAG did.

    Attributes:
        dag_id: The DAG.
        layer: Infrastructure, factory, stream or transformer.
        rows: Rows that each of its runs wrote, the first run first; none for a DAG
            that moves no rows.
        seconds: How long each of its runs took.
        failed: How many of its runs failed; they are none of those above.
    """

    dag_id: str
    layer: str
    rows: Sequence[int]
    seconds: Sequence[float]
    failed: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeReport:
    """How a change of the model arrived.

    Attributes:
        change: What was changed.
        seen: What Airflow shows now.
        seconds: Seconds from the end of ``dagfoundry merge`` until it showed it.
    """

    change: str
    seen: str
    seconds: float


def dag_table(reports: Iterable[DagReport]) -> Table:
    """Return the table of DAGs."""
    table = _table("What ran")
    table.add_column("DAG", overflow="fold")
    table.add_column("layer")
    for name in ("runs", "rows written", "seconds"):
        table.add_column(name, justify="right")
    for report in reports:
        rows = ", then ".join(f"{n:,}" for n in _squeezed(report.rows))
        runs = str(len(report.seconds)) + (f", {report.failed} failed" if report.failed else "")
        table.add_row(report.dag_id, report.layer, runs, rows, f"{sum(report.seconds):.1f}")
    return table


def change_table(reports: Iterable[ChangeReport]) -> Table:
    """Return the table of changes."""
    table = _table("What changed, and when Airflow showed it")
    table.add_column("change in the model", overflow="fold")
    table.add_column("seen in Airflow", overflow="fold")
    table.add_column("seconds", justify="right")
    for report in reports:
        table.add_row(report.change, report.seen, f"{report.seconds:.1f}")
    return table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)


def save_picture(path: Path, tables: Iterable[Table]) -> None:
    """Save tables as an SVG file that fetches nothing, not even a font."""
    console = Console(record=True, width=_PICTURE_WIDTH, file=io.StringIO(), force_terminal=True)
    for table in tables:
        console.print(table)
    picture = console.export_svg(title="nox -s demo")
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    path.write_text(picture, encoding="utf-8")


def _squeezed(rows: Sequence[int]) -> list[int]:
    """Return the numbers without repetitions of the last one."""
    kept = list(rows)
    while len(kept) > 1 and kept[-1] == kept[-2] == 0:
        kept.pop()
    return kept
