"""Rules that span several items of a model: names that clash, platforms that are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dagfoundry.errors import Finding
from dagfoundry.model.paths import path_text
from dagfoundry.model.words import choices, shown
from dagfoundry.names import k8s_name, table_name
from dagfoundry.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dagfoundry.model.paths import Path
    from dagfoundry.model.places import Locator
    from dagfoundry.plugins import Plugins

Forms = dict[str, str]
"""What a name becomes, and what that is called; no two names may share one."""


def platform_names(platforms: object) -> list[str]:
    """Return the names of a model's platforms, also of those that are wrong otherwise."""
    return [name for _, name in _names(platforms)]


def check_platforms(platforms: object, plugins: Plugins, locator: Locator) -> Iterator[Finding]:
    """Find platforms whose names, DAG ids or tables would be the same."""
    suffixes = [installed.type.table.suffix for installed in plugins.types.values()]

    def forms(name: str) -> Forms:
        tables = (table_name(name, suffix) for suffix in suffixes)
        return {k8s_name(name): "DAG ids"} | dict.fromkeys(tables, "table names")

    yield from _clashes("platforms", platforms, forms, locator)


def check_items(
    section: str, items: object, platforms: Iterable[str], locator: Locator
) -> Iterator[Finding]:
    """Find items of the same name, and items on platforms that the foundry has not got."""
    yield from _clashes(section, items, lambda name: {k8s_name(name): "DAG ids"}, locator)
    known = set(platforms)
    for index, item in enumerate(items if isinstance(items, list) else []):
        wanted = item.get("platforms") if isinstance(item, dict) else None
        if isinstance(wanted, list):
            yield from _check_wanted((section, index, "platforms"), wanted, known, locator)


def _names(items: object) -> Iterator[tuple[int, str]]:
    for index, item in enumerate(items if isinstance(items, list) else []):
        name = item.get("name") if isinstance(item, dict) else None
        if isinstance(name, str):
            yield index, name


def _clashes(
    section: str, items: object, forms_of: Callable[[str], Forms], locator: Locator
) -> Iterator[Finding]:
    first: dict[str, Path] = {}
    taken: dict[str, str] = {}
    for index, name in _names(items):
        path = (section, index, "name")
        forms = forms_of(name)
        clash = next((form for form in forms if form in taken), None)
        what = ""
        if name in first:
            what = f"the name {name!r} is used already, at {locator.follow(first[name]).place}"
        elif clash is not None:
            other = taken[clash]
            place = locator.follow(first[other]).place
            what = f"{name!r} and {other!r} at {place} get the same {forms[clash]} ({clash})"
        if what:
            yield Finding(
                what=what,
                remedy="Give one of them another name.",
                path=path_text(path),
                place=locator.follow(path).place,
                rule=Rule.NAME_CLASH,
                value=shown(name),
            )
        first.setdefault(name, path)
        taken |= {form: name for form in forms if form not in taken}


def _check_wanted(
    path: Path, wanted: list[Any], known: set[str], locator: Locator
) -> Iterator[Finding]:
    for index, name in enumerate(wanted):
        if not isinstance(name, str):
            continue  # the item's own model says so
        what = ""
        if name not in known:
            what, remedy = f"unknown platform {name!r}", choices(name, known)
        elif name in wanted[:index]:
            what, remedy = f"platform {name!r} is named twice", "Remove one of the two."
        if what:
            yield Finding(
                what=what,
                remedy=remedy,
                path=path_text((*path, index)),
                place=locator.follow((*path, index)).place,
                rule=Rule.UNKNOWN_PLATFORM,
                value=shown(name),
            )
