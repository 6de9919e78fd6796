"""Draws measured figures: a line or a group of bars for each Airflow and contender."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

TASK_START: Final = "task start / one file from the table"
PASSES: Final = "first pass, trial builds included / hand-written files"
BUILDS: Final = {
    "DAG Foundry": ("full build, files to DAGs in a bag / hand-written", "ours"),
    "hand-written": ("full build, files to DAGs in a bag / hand-written", "reference"),
    "dag-factory": ("full build / dag-factory from YAML", "reference"),
}
_WIDTH_INCHES: Final = 13.0
_HEIGHT_INCHES: Final = 4.2
_OURS: Final = "#1f77b4"
_THEIRS: Final = "#d62728"
_THIRD: Final = "#7f7f7f"
_STYLES: Final = ("-", "--", ":")


def draw(records: Sequence[dict[str, Any]], file: Path) -> None:
    """Write an SVG of three panels; the same figures give the same bytes.

    Args:
        records: Figures, as ``bench.py --json`` writes them.
        file: Where the SVG goes.
    """
    figure = Figure(figsize=(_WIDTH_INCHES, _HEIGHT_INCHES), layout="constrained")
    starts, builds, passes = figure.subplots(1, 3)
    _lines(starts, records, TASK_START, theirs="one file from the table")
    starts.set(title="One task's start", ylabel="milliseconds")
    _bars(builds, records)
    _lines(passes, records, PASSES, theirs="hand-written files")
    passes.set(title="First pass of the DAG processor", ylabel="CPU seconds")
    with mpl.rc_context({"svg.hashsalt": "dagfoundry"}):
        figure.savefig(file, format="svg", metadata={"Date": None})


def _lines(axes: Axes, records: Iterable[dict[str, Any]], name: str, *, theirs: str) -> None:
    """Draw both sides of a ratio over the number of entries."""
    found = [record for record in records if record["name"] == name]
    for style, airflow in zip(_STYLES, _airflows(found), strict=False):
        points = sorted(
            (record["entries"], record["ours"], record["reference"])
            for record in found
            if record["airflow"] == airflow
        )
        entries, ours, reference = zip(*points, strict=True)
        label = f"Airflow {airflow}"
        axes.plot(entries, ours, style, marker="o", color=_OURS, label=f"DAG Foundry, {label}")
        axes.plot(entries, reference, style, marker="s", color=_THEIRS, label=f"{theirs}, {label}")
    axes.set(xscale="log", yscale="log", xlabel="entries")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize="small")


def _bars(axes: Axes, records: Sequence[dict[str, Any]]) -> None:
    """Draw the contenders' builds beside each other, for the largest number of entries."""
    names = {name for name, _side in BUILDS.values()}
    found = [record for record in records if record["name"] in names]
    largest = max(record["entries"] for record in found)
    airflows = _airflows(found)
    width = 0.8 / len(BUILDS)
    for place, ((label, (name, side)), color) in enumerate(
        zip(BUILDS.items(), (_OURS, _THEIRS, _THIRD), strict=True)
    ):
        wanted = [(name, airflow, largest) for airflow in airflows]
        heights = [_one(found, key, side) for key in wanted]
        bars = axes.bar(
            [number + place * width for number in range(len(airflows))],
            heights,
            width,
            label=label,
            color=color,
        )
        axes.bar_label(bars, fmt="%.2g", fontsize="small")
    axes.set_xticks(
        [number + width for number in range(len(airflows))],
        [f"Airflow {airflow}" for airflow in airflows],
    )
    axes.margins(y=0.35)  # room for the legend
    axes.set(title=f"Build of {largest:,} DAGs", ylabel="CPU milliseconds a DAG")
    axes.legend(fontsize="small")


def _one(found: Iterable[dict[str, Any]], key: tuple[str, str, int], side: str) -> float:
    by_key = {(r["name"], r["airflow"], r["entries"]): float(r[side]) for r in found}
    return by_key.get(key, float("nan"))


def _airflows(records: Iterable[dict[str, Any]]) -> list[str]:
    """Return the versions of Airflow, the newest first."""
    versions = {record["airflow"] for record in records}
    return sorted(versions, key=lambda text: [int(part) for part in text.split(".")], reverse=True)
