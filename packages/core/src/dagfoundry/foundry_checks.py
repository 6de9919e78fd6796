"""Asking each factory type what it has against a foundry as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagfoundry.factories import Objection, PlannedEntry
from dagfoundry.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dagfoundry.drafts import Drafted
    from dagfoundry.errors import Finding
    from dagfoundry.factories import FactoryType


def find_objections(drafts: Sequence[Drafted]) -> Iterator[Finding]:
    """Yield what the factory types of a model find, each at the entry that it names."""
    planned = [_planned(drafted) for drafted in drafts]
    drafted_of = {id(entry): drafted for entry, drafted in zip(planned, drafts, strict=True)}
    types = {drafted.factory_type.name: drafted for drafted in drafts}
    for first in types.values():
        yield from _asked(first, planned, drafted_of)


def _asked(
    first: Drafted, planned: Sequence[PlannedEntry], drafted_of: Mapping[int, Drafted]
) -> list[Finding]:
    try:
        found = first.factory_type.check(tuple(planned))
        return [_finding(first.factory_type, objection, drafted_of) for objection in found]
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises becomes a located finding
        return [_broken(first, error)]


def _planned(drafted: Drafted) -> PlannedEntry:
    return PlannedEntry(
        platform_name=drafted.platform.name,
        factory_type=drafted.factory_type.name,
        dag_id=drafted.dag_id,
        item=drafted.loaded.item,
        draft=drafted.draft,
    )


def _finding(
    factory_type: FactoryType, objection: Objection, drafted_of: Mapping[int, Drafted]
) -> Finding:
    drafted = drafted_of.get(id(objection.entry))
    if drafted is None or drafted.factory_type is not factory_type:
        msg = "it objects to an entry that is not one of its own"
        raise ValueError(msg)
    return drafted.finding(objection.what, objection.remedy, Rule.OBJECTION, objection.path)


def _broken(drafted: Drafted, error: Exception) -> Finding:
    name = drafted.factory_type.name
    what = f"the check of factory type {name!r} raised {type(error).__name__}: {error}"
    remedy = "Report it to the author of the factory type (`dagfoundry plugins` names it)."
    return drafted.finding(what, remedy, Rule.REFUSED)
