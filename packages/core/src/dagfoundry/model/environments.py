"""Environments: partial models that are laid over the model when they are chosen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from dagfoundry.errors import Finding
from dagfoundry.model.overlay import keys_of, laid_over, listed, mapped, name_of, named_items
from dagfoundry.model.paths import path_text
from dagfoundry.model.schema import FoundryModel
from dagfoundry.model.words import choices, nearest, shown
from dagfoundry.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dagfoundry.model.document import Document
    from dagfoundry.model.overlay import Part
    from dagfoundry.model.paths import Path

ENVIRONMENTS: Final = "environments"
WITHOUT: Final = "without"
"""Key of an environment: names of the items that it has not got, by section."""


def environment_names(document: Document) -> list[str]:
    """Return the names of a model's environments."""
    known = document.values.get(ENVIRONMENTS)
    return sorted(known) if isinstance(known, dict) else []


def apply_environment(document: Document, name: str | None) -> tuple[Document, list[Finding]]:
    """Return the model as it is in an environment, and what is wrong with that.

    Args:
        document: The model as its files say.
        name: The environment; the model stays as it is when none is chosen.
    """
    if name is None:
        return document, []
    if name not in environment_names(document):
        return document, [_unknown(document, name)]
    path = (ENVIRONMENTS, name)
    overlay = document.part.child(ENVIRONMENTS).child(name)  # type: ignore[union-attr]
    if overlay is None or not isinstance(overlay.value, dict):
        return document, []  # the foundry's own model says so
    findings = [*_misplaced(document, overlay, path), *_undeclared(document, overlay, path)]
    kept, unknown = _without(document, overlay, path)
    whole, added = _laid_over(kept, overlay)
    return replace(document.rooted(whole), added=added), findings + unknown


def _unknown(document: Document, name: str) -> Finding:
    known = environment_names(document)
    remedy = choices(name, known) if known else "Leave --env and DAGFOUNDRY_ENV out."
    return Finding(
        what=f"the model has no environment {name!r}",
        remedy=remedy,
        path=ENVIRONMENTS,
        place=document.locator.follow((ENVIRONMENTS,)).key_place if known else None,
        rule=Rule.ENVIRONMENT_UNKNOWN,
        value=shown(name),
    )


def _misplaced(document: Document, overlay: Part, path: Path) -> Iterator[Finding]:
    if ENVIRONMENTS in overlay.value:
        what = "an environment holds no environments"
        yield _finding(document, (*path, ENVIRONMENTS), what, "Write it one level up.")


def _undeclared(document: Document, overlay: Part, path: Path) -> Iterator[Finding]:
    declared = document.values.get("variables")
    known = declared if isinstance(declared, dict) else {}
    given = overlay.value.get("variables")
    for name in given if isinstance(given, dict) else ():
        if name not in known:
            remedy = f"{choices(name, known)} Declare it in the model's own `variables`."
            what = f"variable {name!r} is not declared"
            where = (*path, "variables", name)
            yield _finding(document, where, what, remedy, rule=Rule.VARIABLE_UNDECLARED)


def _without(document: Document, overlay: Part, path: Path) -> tuple[Part, list[Finding]]:
    """Return the model without the items that the environment takes away."""
    root = document.part
    children = root.children()
    taken = overlay.value.get(WITHOUT)
    if taken is None:
        return root, []
    at = (*path, WITHOUT)
    if not isinstance(taken, dict):
        remedy = "Write a mapping of section to a list of names."
        what = f"{shown(taken)} should be a mapping"
        return root, [_finding(document, at, what, remedy, rule=Rule.WRONG_TYPE)]
    findings: list[Finding] = []
    for section, names in taken.items():
        part = children.get(section)
        items = part.items() if part else []
        findings += _unknown_names(document, (*at, section), names, items)
        if part is not None and items and isinstance(names, list):
            left = [item for item in items if name_of(item.value) not in names]
            children[section] = listed(left, at=part)
    return mapped(children, at=root), findings


def _unknown_names(
    document: Document, at: Path, names: object, items: Iterable[Part]
) -> Iterator[Finding]:
    known = {name for item in items if (name := name_of(item.value))}
    if not isinstance(names, list):
        what, remedy = f"{shown(names)} should be a list", "Write a list of names."
        yield _finding(document, at, what, remedy, rule=Rule.WRONG_TYPE)
        return
    for index, name in enumerate(names):
        if name not in known:
            what = f"there is no {shown(name)} in {at[-1]} to take away"
            yield _finding(document, (*at, index), what, choices(str(name), known))


def _laid_over(root: Part, overlay: Part) -> tuple[Part, Mapping[str, str]]:
    added: dict[str, str] = {}
    children = root.children()
    for key, over in overlay.children().items():
        base = children.get(key)
        if key in {ENVIRONMENTS, WITHOUT}:
            continue
        if base is None:
            children[key] = over
        elif key == "variables" and isinstance(base.value, dict):
            declared = {k: child for k, child in over.children().items() if k in base.value}
            children[key] = laid_over(base, mapped(declared, at=over))
        elif _is_section(key) and isinstance(base.value, list):
            if over.value is not None:  # an empty key says nothing of the items
                children[key] = _section(key, base, over, added)
        else:
            children[key] = laid_over(base, over)
    return mapped(children, at=root, keys=keys_of(overlay)), added


def _is_section(key: str) -> bool:
    return key == "platforms" or key not in FoundryModel.model_fields


def _section(key: str, base: Part, over: Part, added: dict[str, str]) -> Part:
    if not over.value or not isinstance(over.value, list):
        return over
    names = [name for item in base.items() if (name := name_of(item.value))]
    merged = named_items(base, over)
    for index, item in enumerate(merged.value[len(base.value) :], start=len(base.value)):
        name = name_of(item)
        if name and name not in names:
            near = nearest(name, names)
            hint = f" Did you mean {near!r}?" if near else ""
            added[path_text((key, index))] = f"{key} has no {name!r} to change.{hint}"
    return merged


def explain_added(document: Document, finding: Finding) -> Finding:
    """Return a finding of a missing key that says that the environment adds the item."""
    hint = document.added.get(finding.path.rpartition(".")[0])
    if hint is None or finding.rule is not Rule.MISSING_KEY:
        return finding
    return replace(finding, remedy=f"The environment adds this item: {hint} {finding.remedy}")


def _finding(
    document: Document,
    path: Path,
    what: str,
    remedy: str,
    *,
    rule: Rule = Rule.ENVIRONMENT_KEY,
) -> Finding:
    spot = document.locator.follow(path)
    place = spot.place if isinstance(path[-1], int) else spot.key_place
    return Finding(
        what=what,
        remedy=remedy,
        path=path_text(path),
        place=place,
        rule=rule,
        value=shown(path[-1]) if rule is Rule.VARIABLE_UNDECLARED else "",
    )
