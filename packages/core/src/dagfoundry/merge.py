"""Merging a model into the store: check it, plan, and apply the plan in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dagfoundry.apply import MergeResult, apply_plan, locked_foundry
from dagfoundry.clashes import find_clashes
from dagfoundry.collector import collector_paused
from dagfoundry.desired import desired_rows
from dagfoundry.errors import ModelInvalidError
from dagfoundry.guards import Guards, count_living, objections, refuse_newer_rows
from dagfoundry.model.commit import is_older
from dagfoundry.plan import make_plan
from dagfoundry.store.live import live_rows
from dagfoundry.store.read import read_foundry, read_last_merge, read_recorded
from dagfoundry.store.readiness import require_ready
from dagfoundry.store.records import Head
from dagfoundry.store.ring1 import create_tables, foundry_tables, missing_tables
from dagfoundry.store.tables import DAGS, FOUNDRIES, PLATFORMS

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from sqlalchemy.engine import Connection

    from dagfoundry.desired import DesiredRow
    from dagfoundry.guards import Factory
    from dagfoundry.model import LoadedModel
    from dagfoundry.plan import Plan
    from dagfoundry.plugins import Plugins
    from dagfoundry.store import Store
    from dagfoundry.store.live import LiveRow
    from dagfoundry.store.records import RevisionRecord
    from dagfoundry.store.write import Origin


__all__ = ["Guards", "MergeResult", "create_model_tables", "merge", "plan_merge"]


@collector_paused()
def plan_merge(
    store: Store,
    model: LoadedModel,
    plugins: Plugins,
    *,
    rows: Sequence[DesiredRow] | None = None,
) -> Plan:
    """Return what a merge of the model would do now; writes nothing.

    Args:
        store: The store.
        model: The model.
        plugins: The installed factory types.
        rows: What the model asks for, where :func:`~dagfoundry.desired.desired_rows` has
            been asked already.

    Raises:
        ConfigTooNewError: It would write over rows of a newer config version.
        FoundryUnadoptedError: The store holds a reference deployment of this name.
        ModelInvalidError: The model breaks rules, or clashes with another foundry.
        SchemaMismatchError: The store's tables are older or newer than this code.
        StoreUnavailableError: The store cannot be reached.
    """
    desired = desired_rows(model, plugins) if rows is None else rows
    if not store.exists():
        return _plan(model, desired, _Stored(head=_new_head(model)))
    with store.reading() as connection:
        require_ready(connection, model.foundry.foundry)
        if missing_tables(connection, [FOUNDRIES, PLATFORMS, DAGS]):
            live = _live(connection, model, plugins)
            return _plan(model, desired, _Stored(head=_new_head(model), live=live))
        plan, _stored = _checked_plan(connection, model, plugins, desired)
        return plan


@collector_paused()
def merge(
    store: Store,
    model: LoadedModel,
    plugins: Plugins,
    *,
    origin: Origin,
    guards: Guards,
    rows: Sequence[DesiredRow] | None = None,
) -> MergeResult:
    """Write the rows that the model asks for, as one new revision.

    Either everything is written or nothing: rows, history and head move in one
    transaction, and two merges of a foundry wait for each other.

    Args:
        store: The store.
        model: The model.
        plugins: The installed factory types.
        origin: Who merges, why and from what.
        guards: Which guards are lifted.
        rows: What the model asks for, where :func:`~dagfoundry.desired.desired_rows` has
            been asked already.

    Raises:
        ConfigTooNewError: It would write over rows of a newer config version.
        FoundryUnadoptedError: The store holds a reference deployment of this name.
        ModelInvalidError: The model breaks rules, or clashes with another foundry.
        SchemaMismatchError: The store's tables are older or newer than this code.
        PruneRefusedError: It would retire too much, see :class:`Guards`.
        OlderModelError: Its commit is older than the one merged last.
        OtherEnvironmentError: The last merge was of another environment.
        StoreUnavailableError: The store cannot be reached.
    """
    desired = desired_rows(model, plugins) if rows is None else rows
    create_model_tables(store, model, plugins, rows=desired)
    own = model.foundry
    with locked_foundry(store, own.foundry, own.buckets) as (connection, head):
        plan, stored = _checked_plan(connection, model, plugins, desired)
        moved = apply_plan(
            connection,
            head,
            plan,
            stored.live,
            living=stored.living,
            origin=origin,
            guards=guards,
        )
    return MergeResult(plan=plan, head=moved)


def create_model_tables(
    store: Store,
    model: LoadedModel,
    plugins: Plugins,
    *,
    rows: Sequence[DesiredRow] | None = None,
) -> list[str]:
    """Create the tables that a model needs and the store lacks; safe to repeat.

    Args:
        store: The store.
        model: The model.
        plugins: The installed factory types.
        rows: What the model asks for, where it has been asked already.

    Returns:
        The names of the tables that were created.

    Raises:
        ModelInvalidError: The model clashes with another foundry; nothing is created.
        StoreUnavailableError: The store cannot be reached.
    """
    types = [plugins.type(name) for name in sorted({item.factory_type for item in model.items})]
    platforms = [platform.name for platform in model.foundry.platforms]
    tables = foundry_tables(model.foundry.foundry, platforms, types)
    if store.exists():
        with store.reading() as connection:
            if not missing_tables(connection, tables):
                return []
    plan_merge(store, model, plugins, rows=rows)
    return create_tables(store, tables)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Stored:
    """What the store holds of a foundry.

    Attributes:
        head: Where the foundry stands.
        live: Its rows as they stand in their tables.
        recorded: Table and key of the rows that history knows.
        last_merge: The newest revision that a merge made.
    """

    head: Head
    live: Sequence[LiveRow] = ()
    recorded: Container[tuple[str, str]] = frozenset()
    last_merge: RevisionRecord | None = None

    @property
    def living(self) -> Mapping[Factory, int]:
        """How many living entries each factory has."""
        return count_living(self.live, self.recorded)


def _checked_plan(
    connection: Connection,
    model: LoadedModel,
    plugins: Plugins,
    desired: Sequence[DesiredRow],
) -> tuple[Plan, _Stored]:
    """Return the plan, and the rows that it was made from."""
    findings = list(find_clashes(connection, model, desired))
    if findings:
        raise ModelInvalidError(findings)
    head = read_foundry(connection, model.foundry.foundry) or _new_head(model)
    stored = _Stored(
        head=head,
        live=_live(connection, model, plugins),
        recorded=read_recorded(connection, head.foundry),
        last_merge=read_last_merge(connection, head) if head.revision else None,
    )
    refuse_newer_rows(desired, stored.live, plugins)
    return _plan(model, desired, stored), stored


def _plan(model: LoadedModel, desired: Sequence[DesiredRow], stored: _Stored) -> Plan:
    last = stored.last_merge
    plan = replace(
        make_plan(stored.head, desired, stored.live, recorded=stored.recorded),
        platforms=tuple(platform.name for platform in model.foundry.platforms),
        older_than=_newer_commit(model, last) if last else None,
        other_environment=_other_environment(model, last) if last else None,
    )
    found = objections(plan, stored.living)
    return replace(plan, objections={name: error.what for name, error in found.items()})


def _newer_commit(model: LoadedModel, last: RevisionRecord) -> str | None:
    commit = last.model_commit
    return commit if commit and is_older(model, commit) else None


def _other_environment(model: LoadedModel, last: RevisionRecord) -> str | None:
    if model.environment == last.environment:
        return None
    before, now = (
        f"environment {name!r}" if name else "no environment"
        for name in (last.environment, model.environment)
    )
    return f"was merged from {before} last, and this merge is of {now}"


def _new_head(model: LoadedModel) -> Head:
    return Head(foundry=model.foundry.foundry, revision=0, buckets=model.foundry.buckets)


def _live(connection: Connection, model: LoadedModel, plugins: Plugins) -> list[LiveRow]:
    platforms = [platform.name for platform in model.foundry.platforms]
    types = [installed.type for installed in plugins.types.values()]
    return live_rows(connection, model.foundry.foundry, platforms, types)
