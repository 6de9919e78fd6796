"""The DAGs of the examples: that they build, stay the same and cost little."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagfoundry.plugins import load_plugins
from dagfoundry.testing.conformance.subject import TIMES
from dagfoundry.testing.determinism import check_rows_deterministic

if TYPE_CHECKING:
    from dagfoundry.testing.conformance.subject import Subject


def check_builds(subject: Subject) -> None:
    """Refuse a type of which an example's entry becomes no DAG that Airflow takes."""
    for attempt in subject.attempts:
        if attempt.error:
            problem = f"an entry of its examples cannot be built: {attempt.error}"
            raise subject.failure(problem, "Mend the builder, or correct the example.")


def check_determinism(subject: Subject) -> None:
    """Refuse a type whose DAGs move although their entries do not."""
    check_rows_deterministic(subject.rows, load_plugins())


def check_build_budget(subject: Subject) -> None:
    """Refuse a type of which a DAG takes too long to build; each parse pays for all of them."""
    check_builds(subject)  # what cannot be built takes no time
    budget, timed = subject.build_budget_ms, zip(subject.rows, subject.attempts, strict=True)
    slowest, taken = max(((row, each.cpu_ms) for row, each in timed), key=lambda pair: pair[1])
    if taken > budget:
        problem = (
            f"DAG {slowest.dag_id!r} takes {taken:.1f} ms of CPU time to build and serialise,"
            f" the median of {TIMES} builds; its budget is {budget:g} ms"
        )
        remedy = "Do less in the builder, or give conformance_suite another build_budget_ms."
        raise subject.failure(problem, remedy)
