"""The plugin as a distribution: what it offers, and what its import does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dagfoundry.plugins import load_plugins
from dagfoundry.testing.imports import import_cpu_ms

if TYPE_CHECKING:
    from dagfoundry.testing.conformance.subject import Subject

_INSIDE: Final = "Import it inside the function that builds DAGs."
_BUDGET: Final = "Or give conformance_suite another import_budget_ms."


def check_loads(subject: Subject) -> None:
    """Refuse a distribution of which anything fails to load."""
    own = subject.installed.distribution
    failed = [each for each in load_plugins().failures if each.distribution == own]
    if failed:
        problem = f"its distribution fails to load in part: {failed[0].headline}"
        raise subject.failure(problem, "Mend it; `dagfoundry plugins` shows what is left.")


def check_imports_no_airflow(subject: Subject) -> None:
    """Refuse a plugin whose import imports Airflow, which the command line has not got."""
    found = subject.imported.airflow
    if found:
        raise subject.failure(f"its module {found[0]} at import time", _INSIDE)


def check_import_does_no_io(subject: Subject) -> None:
    """Refuse a plugin whose own code reads, writes or starts something while it is imported."""
    found = subject.imported.deeds
    if found:
        problem = f"at import time its code {'; '.join(map(str, found))}"
        remedy = "Do it inside draft or build, or in the job; every process imports the plugin."
        raise subject.failure(problem, remedy)


def check_import_budget(subject: Subject) -> None:
    """Refuse a plugin whose import takes too long; each parse and task start pays for it."""
    taken, budget = import_cpu_ms(subject.installed), subject.import_budget_ms
    if taken > budget:
        problem = f"its import takes {taken:.0f} ms of CPU time; its budget is {budget:g} ms"
        remedy = f"Import what is heavy (see `python -X importtime`) where it is used. {_BUDGET}"
        raise subject.failure(problem, remedy)
