"""What a merge refuses unless it is told that it is meant."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from dagfoundry.errors import PruneRefusedError
from dagfoundry.factories import Status
from dagfoundry.plan import Action
from dagfoundry.store.records import RowKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dagfoundry.plan import Plan
    from dagfoundry.store.live import LiveRow

PRUNE_SHARE: Final = 0.2
"""Share of a foundry's entries that a merge may retire without ``--allow-prune``."""

PRUNE_COUNT: Final = 5
"""Number of retired entries below which the share does not matter."""

_REMEDY: Final = "Check the model; if it is meant, merge with --allow-prune."


def refuse_prune(plan: Plan, live: Sequence[LiveRow]) -> None:
    """Refuse a plan that retires a large share of a foundry, or all of a factory.

    Raises:
        PruneRefusedError: It would retire more than a fifth and at least 5 entries, or
            every entry of a factory that has more than one.
    """
    living = Counter(
        (row.platform_name, row.factory_type)
        for row in live
        if row.kind is RowKind.ENTRY and row.status in (Status.ACTIVE.value, Status.INACTIVE.value)
    )
    retired = Counter(
        (change.row.platform_name, change.row.factory_type)
        for change in plan.changes
        if change.action is Action.RETIRE and change.row.kind is RowKind.ENTRY
    )
    gone, total = sum(retired.values()), sum(living.values())
    if is_large_share(gone, total):
        msg = f"the merge would retire {gone} of {total} entries of foundry {plan.foundry!r}"
        raise PruneRefusedError(msg, remedy=_REMEDY)
    for (platform, factory_type), count in retired.items():
        if count == living[platform, factory_type] > 1:
            msg = (
                f"the merge would retire all {count} entries "
                f"of factory {factory_type!r} of platform {platform!r}"
            )
            raise PruneRefusedError(msg, remedy=_REMEDY)


def is_large_share(gone: int, total: int) -> bool:
    """Return whether so many entries may leave only when it is said to be meant."""
    return gone >= PRUNE_COUNT and gone > PRUNE_SHARE * total
