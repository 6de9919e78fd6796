"""Faults, one after the other, in one real Airflow that has to be whole after each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chaos.bad_rows import poison
from chaos.experiment import experiment
from chaos.faults import ALL

if TYPE_CHECKING:
    from collections.abc import Callable

    from chaos.faults.record import Fault
    from chaos.outcome import Outcome
    from chaos.site import Site


def test_a_bad_row_harms_nobody(site: Site, keep: Callable[[Outcome], None]) -> None:
    """Its DAG stays as it was, its neighbours are untouched, and Airflow says what is wrong."""
    outcomes = poison(site)
    for outcome in outcomes:
        keep(outcome)
    assert not [outcome for outcome in outcomes if outcome.problems]


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.name)
def test_nothing_is_lost(site: Site, fault: Fault, keep: Callable[[Outcome], None]) -> None:
    """No DAG, no run; nothing twice, nothing half-done; and Airflow follows the store again."""
    if reason := fault.impossible(site):
        pytest.skip(f"{fault.name}: {reason}")
    outcome = experiment(site, fault)
    keep(outcome)
    assert not outcome.problems
