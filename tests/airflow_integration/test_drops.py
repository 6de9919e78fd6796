"""Which DAGs would go although no revision removed them, and how many are too many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagfoundry.factories import Status
from dagfoundry.store import RowKind, RowState
from dagfoundry_airflow.drops import DropLimit, ServedDag, find_loss

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

pytestmark = pytest.mark.every_airflow

DAG_IDS = tuple(f"dag_{number}" for number in range(12))
FACTORIES = ("", "factory 'a'", "factory 'b'")
SERVED = st.dictionaries(
    st.sampled_from(DAG_IDS), st.tuples(st.sampled_from(FACTORIES), st.integers(1, 9)), max_size=12
).map(lambda found: tuple(ServedDag(dag_id, *rest) for dag_id, rest in found.items()))
NEWEST = st.dictionaries(
    st.sampled_from(DAG_IDS), st.tuples(st.sampled_from(Status), st.integers(1, 9)), max_size=12
)


def rows(newest: Mapping[str, tuple[Status, int]]) -> dict[str, RowState]:
    """Return rows of history."""
    return {
        dag_id: RowState(
            kind=RowKind.ENTRY,
            foundry="Probing",
            table_name="a_probe_entries",
            platform_name="A",
            factory_type="probe",
            key=dag_id,
            dag_id=dag_id,
            bucket=0,
            status=status,
            config_json="{}",
            revision=revision,
        )
        for dag_id, (status, revision) in newest.items()
    }


@given(
    served=SERVED,
    dropped=st.sets(st.sampled_from(DAG_IDS)),
    newest=NEWEST,
    share=st.floats(0, 1),
)
def test_a_step_that_passes_loses_little(
    served: tuple[ServedDag, ...],
    dropped: set[str],
    newest: dict[str, tuple[Status, int]],
    share: float,
) -> None:
    """Whatever the store holds: no factory is emptied and no share exceeded without a revision."""
    loss = find_loss(served, dropped, rows(newest))
    unexplained = {
        dag.dag_id
        for dag in served
        if dag.dag_id in dropped
        and (
            dag.dag_id not in newest
            or newest[dag.dag_id][0].in_bucket
            or newest[dag.dag_id][1] <= dag.revision
        )
    }
    assert loss.dag_ids == unexplained
    assert sum(factory.lost for factory in loss.factories) == len(unexplained)
    assert sum(factory.had for factory in loss.factories) == len(served)
    few = len(unexplained) < 2
    small = len(unexplained) <= share * len(served)
    emptied = any(
        {d.dag_id for d in served if d.factory == name} <= dropped
        and len({d.dag_id for d in served if d.factory == name} & unexplained) > 1
        for name in FACTORIES[1:]
    )
    assert loss.exceeds(share) == (not few and (not small or emptied))


@given(served=SERVED, dropped=st.sets(st.sampled_from(DAG_IDS)), newest=NEWEST)
def test_removals_in_history_are_never_too_many(
    served: tuple[ServedDag, ...],
    dropped: set[str],
    newest: dict[str, tuple[Status, int]],
) -> None:
    """They passed the guards when they were written; more history never makes a loss larger."""
    removed = {dag.dag_id: (Status.RETIRED, dag.revision + 1) for dag in served}
    assert not find_loss(served, dropped, rows(removed)).exceeds(0)
    known = find_loss(served, dropped, rows(newest)).dag_ids
    assert known <= find_loss(served, dropped, {}).dag_ids


@pytest.mark.parametrize(
    ("lost", "had", "share", "too_many"),
    [
        (1, 1, 0.0, False),
        (2, 8, 0.25, False),
        (3, 8, 0.25, True),
        (2, 2, 1.0, True),
        (2, 3, 1.0, False),
        (2, 100, 0.0, True),
    ],
)
def test_where_the_limit_is(*, lost: int, had: int, share: float, too_many: bool) -> None:
    """More than the share, or all entries of a factory; a single DAG never."""
    served = [ServedDag(dag_id=f"dag_{n}", factory="factory 'a'", revision=1) for n in range(had)]
    loss = find_loss(served, {dag.dag_id for dag in served[:lost]}, {})
    assert loss.exceeds(share) == too_many


def test_only_entries_make_a_factory(make_row: Callable[..., RowState]) -> None:
    """A factory DAG and the infrastructure DAG count for the share alone."""
    assert "'hello' of platform 'YellowLive'" in ServedDag.of(make_row()).factory
    assert ServedDag.of(make_row(kind=RowKind.FACTORY)).factory == ""


def test_an_allowance_is_for_one_foundry_and_revision() -> None:
    """The foundry's name is the same in any case, as everywhere."""
    limit = DropLimit(allowed=frozenset({"probing@5"}))
    assert limit.allows("Probing", 5)
    assert not limit.allows("Probing", 6)
    assert not limit.allows("Other", 5)
