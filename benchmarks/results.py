"""Figures beside their budgets: as rows of a table, and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from measuring import Sample

if TYPE_CHECKING:
    from measuring import Timing

HEAD = (
    "| what | Airflow | entries | ours | reference | ratio | budget | kept |\n"
    "|---|---|---|---|---|---|---|---|"
)
_CPU = "ms CPU"
_WALL = "ms"


@dataclass(frozen=True, kw_only=True)
class Result:
    """One figure.

    Attributes:
        name: What is measured.
        ours: Our side.
        unit: Unit of both sides.
        reference: The other side; None where there is none.
        budget: The most that is allowed; None where nothing is said.
        budget_of: What the budget limits: ``ratio`` or ``ours``.
        entries: How many entries the foundry has.
        airflow: Version of Airflow; None without it.
        note: What a reader has to know.
    """

    name: str
    ours: Sample
    unit: str
    reference: Sample | None = None
    budget: float | None = None
    budget_of: str = "ratio"
    entries: int | None = None
    airflow: str | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Our median, as a multiple of the reference's."""
        if self.reference is None or not self.reference.median:
            return None
        return self.ours.median / self.reference.median

    @property
    def kept(self) -> bool | None:
        """Whether the budget is kept; None where there is none."""
        value = self.ratio if self.budget_of == "ratio" else self.ours.median
        return None if self.budget is None or value is None else value <= self.budget

    def to_json(self) -> dict[str, Any]:
        """Return the record that ``--json`` writes."""
        reference = self.reference
        return {
            "name": self.name,
            "airflow": self.airflow,
            "entries": self.entries,
            "ours": _rounded(self.ours.median),
            "reference": None if reference is None else _rounded(reference.median),
            "unit": self.unit,
            "ratio": None if self.ratio is None else _rounded(self.ratio),
            "budget": self.budget,
            "budget_of": self.budget_of,
            "kept": self.kept,
            "ours_range": _range(self.ours),
            "reference_range": None if reference is None else _range(reference),
            "note": self.note,
        }

    def __str__(self) -> str:
        """Return a row of a Markdown table."""
        return table_row(self.to_json())


def table_row(record: dict[str, Any]) -> str:
    """Return a record as a row of a Markdown table under :data:`HEAD`."""
    entries = "" if record["entries"] is None else f"{record['entries']:,}"
    cells = [record["name"], record["airflow"] or "", entries]
    cells += [_side(record, "ours"), _side(record, "reference"), shown(record["ratio"])]
    cells += [_budget(record), {True: "yes", False: "NO", None: "-"}[record["kept"]]]
    return f"| {' | '.join(cells)} |"


def shown(value: float | None) -> str:
    """Return a number with three digits that count."""
    if value is None:
        return ""
    if abs(value) >= 100:  # noqa: PLR2004 - three digits before the point
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _side(record: dict[str, Any], side: str) -> str:
    if record[side] is None:
        return ""
    low, high = record[f"{side}_range"]
    spread = f" ({shown(low)} to {shown(high)})" if low != high else ""
    return f"{shown(record[side])}{spread} {record['unit']}"


def _budget(record: dict[str, Any]) -> str:
    if record["budget"] is None:
        return ""
    unit = "" if record["budget_of"] == "ratio" else f" {record['unit']}"
    return f"<= {record['budget']:g}{unit}"


def _range(sample: Sample) -> list[float]:
    return [_rounded(sample.low), _rounded(sample.high)]


def _rounded(value: float) -> float:
    return float(f"{value:.5g}")


def compared(
    name: str, ours: Timing, theirs: Timing, budget: float | None, *, clock: str = "wall"
) -> Result:
    """Return two timings beside the budget of their ratio, if it has one."""
    sides = [getattr(timing, clock).scaled(1000) for timing in (ours, theirs)]
    unit = _CPU if clock == "cpu" else _WALL
    return Result(name=name, ours=sides[0], reference=sides[1], unit=unit, budget=budget)


def limited(name: str, timing: Timing, seconds: float) -> Result:
    """Return a timing beside the processor time that it may take."""
    ours, budget = timing.cpu.scaled(1000), seconds * 1000
    return Result(name=name, ours=ours, unit=_CPU, budget=budget, budget_of="ours")


def counted(name: str, counts: list[int], expected: int | None) -> Result:
    """Return numbers of statements, for few entries and for all, beside what is expected."""
    few, many = counts[0], counts[-1]
    reference = Sample.of([few]) if len(counts) > 1 else None
    return Result(
        name=name,
        ours=Sample.of([many]),
        reference=reference,
        unit="statements",
        budget=expected,
        budget_of="ours",
    )
