"""What a model may not take because somebody else in the same store has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from dagfoundry.errors import Finding
from dagfoundry.names import infrastructure_dag_id
from dagfoundry.rules import Rule
from dagfoundry.store.read import read_foundry
from dagfoundry.store.tables import DAGS, PLATFORMS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection

    from dagfoundry.desired import DesiredRow
    from dagfoundry.model import LoadedModel


def find_clashes(
    connection: Connection, model: LoadedModel, desired: Sequence[DesiredRow]
) -> Iterator[Finding]:
    """Yield a finding for every name of the model that is owned by another foundry."""
    yield from _foundry_clashes(connection, model)
    yield from _platform_clashes(connection, model)
    yield from _dag_id_clashes(connection, model, desired)


def _foundry_clashes(connection: Connection, model: LoadedModel) -> Iterator[Finding]:
    foundry = model.foundry
    stored = read_foundry(connection, foundry.foundry)
    if stored is None:
        return
    if stored.foundry != foundry.foundry:
        what = f"foundry {foundry.foundry!r} takes the tables of foundry {stored.foundry!r}"
        yield _finding(model, what, "Write it the same, or choose another name.", "foundry")
    if "buckets" in foundry.model_fields_set and foundry.buckets != stored.buckets:
        what = f"the foundry was created with {stored.buckets} buckets, not {foundry.buckets}"
        yield _finding(model, what, "Keep the number: a DAG never changes its file.", "buckets")


def _platform_clashes(connection: Connection, model: LoadedModel) -> Iterator[Finding]:
    owners = {row.platform: row for row in connection.execute(select(PLATFORMS))}
    for index, platform in enumerate(model.foundry.platforms):
        owner = owners.get(platform.name.lower())
        mine = (platform.name, model.foundry.foundry)
        if owner is not None and (owner.name, owner.foundry) != mine:
            what = (
                f"platform {platform.name!r} takes the tables of platform {owner.name!r} "
                f"of foundry {owner.foundry!r}"
            )
            remedy = "Choose another platform name, or another store."
            yield _finding(model, what, remedy, "platforms", index, "name")


def _dag_id_clashes(
    connection: Connection, model: LoadedModel, desired: Sequence[DesiredRow]
) -> Iterator[Finding]:
    foundry = model.foundry.foundry
    statement = select(DAGS.c.dag_id, DAGS.c.foundry).where(DAGS.c.foundry != foundry)
    taken = {row.dag_id: row.foundry for row in connection.execute(statement)}
    infrastructure = infrastructure_dag_id(foundry)
    if infrastructure in taken:
        what = f"DAG id {infrastructure!r} belongs to foundry {taken[infrastructure]!r}"
        yield _finding(model, what, "Choose another name for the foundry.", "foundry")
    for row in desired:
        if row.dag_id in taken:
            what = f"DAG id {row.dag_id!r} belongs to foundry {taken[row.dag_id]!r} of this store"
            yield row.finding(what, "Rename the item or the platform.", Rule.STORE_CLASH)


def _finding(model: LoadedModel, what: str, remedy: str, *path: str | int) -> Finding:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return Finding(
        what=what,
        remedy=remedy,
        path=text.lstrip("."),
        place=model.place(*path),
        rule=Rule.STORE_CLASH,
    )
