"""Merging a model into the store: check, compare, guard, and write in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagfoundry.clashes import find_clashes
from dagfoundry.collector import collector_paused
from dagfoundry.desired import desired_rows
from dagfoundry.errors import ModelInvalidError, OlderModelError
from dagfoundry.guards import refuse_prune
from dagfoundry.model.commit import is_older
from dagfoundry.plan import make_plan
from dagfoundry.store.live import live_rows
from dagfoundry.store.read import read_foundry, read_model_commit
from dagfoundry.store.records import Head
from dagfoundry.store.ring1 import create_tables, foundry_tables, missing_tables
from dagfoundry.store.tables import DAGS, FOUNDRIES, PLATFORMS
from dagfoundry.store.write import claim_platforms, create_foundry, lock_foundry, write_revision

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

    from dagfoundry.desired import DesiredRow
    from dagfoundry.model import LoadedModel
    from dagfoundry.plan import Plan
    from dagfoundry.plugins import Plugins
    from dagfoundry.store import Store
    from dagfoundry.store.live import LiveRow
    from dagfoundry.store.write import Origin


@dataclass(frozen=True, kw_only=True, slots=True)
class Guards:
    """Which of a merge's guards are lifted."""

    allow_prune: bool = False
    allow_older: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class MergeResult:
    """What a merge did: its plan and the head it left."""

    plan: Plan
    head: Head


@collector_paused()
def plan_merge(store: Store, model: LoadedModel, plugins: Plugins) -> Plan:
    """Return what a merge of the model would do now; writes nothing.

    Raises:
        ModelInvalidError: The model breaks rules, or clashes with another foundry.
        StoreUnavailableError: The store cannot be reached.
    """
    desired = desired_rows(model, plugins)
    if not store.exists():
        return make_plan(_new_head(model), desired, [])
    with store.reading() as connection:
        if missing_tables(connection, [FOUNDRIES, PLATFORMS, DAGS]):
            return make_plan(_new_head(model), desired, _live(connection, model, plugins))
        plan, _live_rows = _checked_plan(connection, model, plugins, desired)
        return plan


@collector_paused()
def merge(
    store: Store, model: LoadedModel, plugins: Plugins, *, origin: Origin, guards: Guards
) -> MergeResult:
    """Write the rows that the model asks for, as one new revision.

    Either everything is written or nothing: rows, history and head move in one
    transaction, and two merges of a foundry wait for each other.

    Raises:
        ModelInvalidError: The model breaks rules, or clashes with another foundry.
        PruneRefusedError: It would retire too much, see :class:`Guards`.
        OlderModelError: Its commit is older than the one merged last.
        StoreUnavailableError: The store cannot be reached.
    """
    desired = desired_rows(model, plugins)
    create_model_tables(store, model, plugins)
    with store.writing() as connection:
        create_foundry(connection, model.foundry.foundry, model.foundry.buckets)
        head = lock_foundry(connection, model.foundry.foundry)
        plan, live = _checked_plan(connection, model, plugins, desired)
        if not guards.allow_prune:
            refuse_prune(plan, live)
        if not guards.allow_older:
            _refuse_older(connection, model, head)
        claim_platforms(connection, head.foundry, [p.name for p in model.foundry.platforms])
        moved = write_revision(connection, head, [change.row for change in plan.changes], origin)
    return MergeResult(plan=plan, head=moved)


def create_model_tables(store: Store, model: LoadedModel, plugins: Plugins) -> list[str]:
    """Create the tables that a model needs and the store lacks; safe to repeat.

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
    plan_merge(store, model, plugins)
    return create_tables(store, tables)


def _checked_plan(
    connection: Connection,
    model: LoadedModel,
    plugins: Plugins,
    desired: Sequence[DesiredRow],
) -> tuple[Plan, list[LiveRow]]:
    findings = list(find_clashes(connection, model, desired))
    if findings:
        raise ModelInvalidError(findings)
    head = read_foundry(connection, model.foundry.foundry) or _new_head(model)
    live = _live(connection, model, plugins)
    return make_plan(head, desired, live), live


def _new_head(model: LoadedModel) -> Head:
    return Head(foundry=model.foundry.foundry, revision=0, buckets=model.foundry.buckets)


def _live(connection: Connection, model: LoadedModel, plugins: Plugins) -> list[LiveRow]:
    platforms = [platform.name for platform in model.foundry.platforms]
    types = [installed.type for installed in plugins.types.values()]
    return live_rows(connection, model.foundry.foundry, platforms, types)


def _refuse_older(connection: Connection, model: LoadedModel, head: Head) -> None:
    last = read_model_commit(connection, head)
    if last and model.commit and is_older(model, last):
        msg = f"the model's commit {model.commit} is older than {last}, which was merged last"
        remedy = "Merge the newest commit; if going back is meant, use --allow-older."
        raise OlderModelError(msg, remedy=remedy)
