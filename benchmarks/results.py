"""Figures beside their budgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from measuring import Timing


@dataclass(frozen=True, kw_only=True)
class Result:
    """One figure beside its budget; ``kept`` is None where there is none."""

    name: str
    figure: str
    budget: str = ""
    kept: bool | None = None

    def __str__(self) -> str:
        """Return a row of a Markdown table."""
        word = {True: "yes", False: "NO", None: "-"}[self.kept]
        return f"| {self.name} | {self.figure} | {self.budget} | {word} |"


def compared(
    name: str, ours: Timing, theirs: Timing, budget: float | None, *, clock: str = "wall"
) -> Result:
    """Return a ratio of two timings beside its budget, if it has one."""
    value = getattr(ours, clock) / getattr(theirs, clock)
    figure = f"{value:.2f} ({ours} / {theirs})"
    if budget is None:
        return Result(name=name, figure=figure)
    return Result(name=name, figure=figure, budget=f"<= {budget:g}", kept=value <= budget)


def limited(name: str, timing: Timing, seconds: float) -> Result:
    """Return a timing beside the processor time that it may take."""
    kept = timing.cpu <= seconds
    return Result(name=name, figure=str(timing), budget=f"<= {seconds:g} s CPU", kept=kept)


def counted(name: str, counts: list[int], expected: list[int] | None) -> Result:
    """Return numbers of statements beside those that are expected."""
    figure = " and ".join(map(str, counts))
    if expected is None:
        return Result(name=name, figure=figure)
    budget = " and ".join(map(str, expected))
    return Result(name=name, figure=figure, budget=budget, kept=counts == expected)
