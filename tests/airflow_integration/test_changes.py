"""Two states of a foundry differ by what was created, changed and retired."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagfoundry.factories import Status
from dagfoundry_airflow.changes import changes_between

if TYPE_CHECKING:
    from collections.abc import Callable

    from dagfoundry.store import RowState


def test_changes_are_sorted_into_created_changed_and_retired(
    make_row: Callable[..., RowState],
) -> None:
    """A retiring entry is no longer in the model; one that comes back is created."""

    def rows(**states: tuple[int, Status]) -> list[RowState]:
        return [make_row(dag_id=d, revision=r, status=s) for d, (r, s) in states.items()]

    active, inactive = Status.ACTIVE, Status.INACTIVE
    before = rows(
        same=(1, active), edited=(1, active), leaving=(1, active), back=(1, Status.RETIRED)
    )
    now = rows(
        same=(1, active),
        edited=(2, inactive),
        leaving=(2, Status.RETIRING),
        back=(2, active),
        new=(2, active),
        never=(1, Status.PURGED),
    )
    changes = changes_between(before, now)
    assert changes.created == ("back", "new")
    assert changes.changed == ("edited",)
    assert changes.retired == ("leaving",)
