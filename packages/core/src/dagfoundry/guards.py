"""What a merge or rollback refuses unless it is told that it is meant."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dagfoundry.errors import (
    ConfigTooNewError,
    OlderModelError,
    OtherEnvironmentError,
    PruneRefusedError,
)
from dagfoundry.factories import LIVING
from dagfoundry.plan import Action
from dagfoundry.store.records import RowKind
from dagfoundry.upcast import VERSION_KEY, stored_version

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from dagfoundry.desired import DesiredRow
    from dagfoundry.errors import FoundryError
    from dagfoundry.plan import Plan
    from dagfoundry.plugins import Plugins
    from dagfoundry.store.live import LiveRow
    from dagfoundry.store.records import RowState


Factory = tuple[str, str]
"""A platform and a factory type."""

PRUNE_SHARE: Final = 0.2
"""Share of a foundry's entries that may be retired at once without ``--allow-prune``."""

PRUNE_COUNT: Final = 5
"""Number of retired entries below which the share does not matter."""

_PRUNE_REMEDY: Final = "Check that it covers what you mean; if it does, use --allow-prune."
_ENVIRONMENT_REMEDY: Final = (
    "Choose the right one with --env or DAGFOUNDRY_ENV, or give each environment a store or a "
    "foundry name of its own; if it is to take over, use --allow-environment."
)
_OLDER_REMEDY: Final = "Merge the newest commit; if going back is meant, use --allow-older."


@dataclass(frozen=True, kw_only=True, slots=True)
class Guards:
    """Which guards are lifted; a field is named as the option of the command line."""

    allow_prune: bool = False
    allow_older: bool = False
    allow_environment: bool = False

    def __or__(self, other: Guards) -> Guards:
        """Return the guards that either of two lifts."""
        return Guards(
            allow_prune=self.allow_prune or other.allow_prune,
            allow_older=self.allow_older or other.allow_older,
            allow_environment=self.allow_environment or other.allow_environment,
        )


def count_living(
    rows: Iterable[LiveRow | RowState], recorded: Container[tuple[str, str]] | None = None
) -> Mapping[Factory, int]:
    """Return how many living entries each factory has, by platform and type.

    Args:
        rows: The rows.
        recorded: Table and key of the rows that history knows; only these count.
            All rows when not given.
    """
    return Counter(
        (row.platform_name, row.factory_type)
        for row in rows
        if row.kind is RowKind.ENTRY and row.status in LIVING
        if recorded is None or (row.table_name, row.row_key) in recorded
    )


def objections(plan: Plan, living: Mapping[Factory, int]) -> dict[str, FoundryError]:
    """Return what each guard has against a plan, by the guard's name.

    Args:
        plan: The plan.
        living: How many entries each factory has, see :func:`count_living`.
    """
    found: dict[str, FoundryError] = {}
    pruned = _pruned(plan, living)
    if pruned:
        found["allow_prune"] = PruneRefusedError(pruned, remedy=_PRUNE_REMEDY)
    if plan.older_than:
        older = f"the model's commit is older than {plan.older_than}, which was merged last"
        found["allow_older"] = OlderModelError(older, remedy=_OLDER_REMEDY)
    if plan.other_environment:
        other = f"foundry {plan.foundry!r} {plan.other_environment}"
        found["allow_environment"] = OtherEnvironmentError(other, remedy=_ENVIRONMENT_REMEDY)
    return found


def refuse(plan: Plan, living: Mapping[Factory, int], guards: Guards) -> None:
    """Refuse a plan that a guard objects to, unless that guard is lifted.

    Raises:
        PruneRefusedError: It would retire more than a fifth and at least 5 entries, or
            every entry of a factory that has more than one.
        OlderModelError: The model's commit is older than the one merged last.
        OtherEnvironmentError: The last merge was of another environment.
    """
    for name, error in objections(plan, living).items():
        if not getattr(guards, name):
            raise error


def _pruned(plan: Plan, living: Mapping[Factory, int]) -> str | None:
    retired = Counter(
        (change.row.platform_name, change.row.factory_type)
        for change in plan.changes
        if change.action is Action.RETIRE and change.row.kind is RowKind.ENTRY
    )
    gone, total = sum(retired.values()), sum(living.values())
    if is_large_share(gone, total):
        return f"this would retire {gone} of {total} entries of foundry {plan.foundry!r}"
    for (platform, factory_type), count in retired.items():
        if count == living.get((platform, factory_type)) and count > 1:
            factory = f"factory {factory_type!r} of platform {platform!r}"
            return f"this would retire all {count} entries of {factory}"
    return None


def is_large_share(gone: int, total: int) -> bool:
    """Return whether so many entries may leave only when it is said to be meant."""
    return gone >= PRUNE_COUNT and gone > PRUNE_SHARE * total


def refuse_newer_rows(
    desired: Sequence[DesiredRow], live: Sequence[LiveRow], plugins: Plugins
) -> None:
    """Refuse to write rows of the model over rows of a newer config version.

    Raises:
        ConfigTooNewError: Somebody merged with a newer release of a factory type.
    """
    wanted = {row.address: row.factory_type for row in desired if row.kind is RowKind.ENTRY}
    newer = [
        row
        for row in live
        if row.address in wanted and _is_newer(row, wanted[row.address].config_version)
    ]
    if newer:
        name = newer[0].factory_type
        msg = (
            f"{len(newer)} rows, such as {newer[0].key!r} of platform {newer[0].platform_name!r}, "
            f"are of a newer config version than the installed factory type {name!r} knows "
            f"({plugins.type(name).config_version})"
        )
        raise ConfigTooNewError(msg, remedy=f"Upgrade {plugins.owner(name)}.")


def _is_newer(row: LiveRow, known: int) -> bool:
    if VERSION_KEY not in (row.config_json or ""):
        return False  # spares a merge of unchanged rows the parsing
    version = stored_version(row.config())
    return isinstance(version, int) and version > known
