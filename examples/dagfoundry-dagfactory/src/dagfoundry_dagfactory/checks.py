"""What a merge checks besides the form of an item: the graph, what is allowed, other DAGs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagfoundry import Objection
from dagfoundry_dagfactory.allowed import load_allowed
from dagfoundry_dagfactory.model import DagItem
from dagfoundry_dagfactory.references import references, referred_dag_id
from dagfoundry_dagfactory.rules import problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dagfoundry import PlannedEntry


def check_dags(entries: Sequence[PlannedEntry]) -> Iterator[Objection]:
    """Yield what is wrong with the DAGs of a model, each problem of an item once."""
    known = {entry.dag_id for entry in entries}
    seen: set[int] = set()
    for entry in entries:
        item = entry.item
        if not isinstance(item, DagItem):
            continue
        if id(item) not in seen:
            seen.add(id(item))
            yield from _alone(entry, item)
        yield from _beside_others(entry, item, known)


def _alone(entry: PlannedEntry, item: DagItem) -> Iterator[Objection]:
    for problem in problems(item, load_allowed()):
        yield Objection(entry=entry, what=problem.what, remedy=problem.remedy, path=problem.path)


def _beside_others(entry: PlannedEntry, item: DagItem, known: set[str]) -> Iterator[Objection]:
    for path, name in references(item, load_allowed()):
        dag_id = referred_dag_id(entry.platform_name, name)
        if dag_id not in known:
            yield Objection(
                entry=entry,
                what=f"no entry of this foundry makes the DAG {dag_id!r} that {name!r} means",
                remedy="Name an item of this section, or a DAG id of the same platform.",
                path=path,
            )
