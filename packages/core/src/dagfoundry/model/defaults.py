"""Defaults: values that items take over from the foundry, their platform and their factory.

The more special wins: foundry, platform, the foundry's factory type, the platform's factory
type, and last the item itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from dagfoundry.errors import Finding
from dagfoundry.model.explain import validate
from dagfoundry.model.overlay import Part, laid_over, listed, mapped, name_of, position_of
from dagfoundry.model.paths import path_text
from dagfoundry.model.schema import ItemOptions, SectionItem
from dagfoundry.model.words import choices, shown
from dagfoundry.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dagfoundry.errors import Place
    from dagfoundry.model.document import Document
    from dagfoundry.model.paths import Path
    from dagfoundry.plugins import Plugins

DEFAULTS: Final = "defaults"
NO_DEFAULTS: Final = frozenset({"name", "platforms"})
"""Keys of an item that are its own."""

_OPTIONS: Final = frozenset(ItemOptions.model_fields)


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """Where an item takes a value from if it does not write it.

    Attributes:
        title: What it is, for people.
        path: Where it stands in the model, with the platform's name.
    """

    title: str
    path: Path


def layers(section: str, platform: str) -> tuple[Layer, ...]:
    """Return the layers below the items of a section on a platform, the weakest first."""
    own: Path = ("platforms", platform, DEFAULTS)
    return (
        Layer(title="foundry default", path=(DEFAULTS,)),
        Layer(title=f"default of platform {platform}", path=own),
        Layer(title=f"default of {section}", path=(DEFAULTS, section)),
        Layer(title=f"default of {section} of platform {platform}", path=(*own, section)),
    )


def documents_by_platform(
    document: Document, section: str
) -> list[tuple[frozenset[str] | None, Document]]:
    """Return the model with the defaults of a section in its items.

    Returns:
        One model for all platforms (None) where they have the same defaults, else one
        for each group of platforms.
    """
    shared = _layers_of(document.part.child(DEFAULTS), section)
    platforms = document.part.child("platforms")
    own = [
        (name_of(platform.value) or "", _layers_of(platform.child(DEFAULTS), section))
        for platform in (platforms.items() if platforms else [])
    ]
    without = frozenset(name for name, parts in own if not any(p.value for p in parts))
    if len(without) == len({name for name, _ in own}):
        return [(None, _with(document, section, shared))]
    groups: list[tuple[frozenset[str] | None, Document]] = []
    groups += [(without, _with(document, section, shared))] if without else []
    for name, parts in own:
        if name not in without:
            mixed = [part for pair in zip(shared, parts, strict=True) for part in pair]
            groups.append((frozenset({name}), _with(document, section, mixed)))
    return groups


def _layers_of(defaults: Part | None, section: str) -> list[Part]:
    """Return the options for all sections, then the keys of one; empty where there are none."""
    empty = Part({}, 0)
    if defaults is None or not isinstance(defaults.value, dict):
        return [empty, empty]
    options = {k: child for k, child in defaults.children().items() if k in _OPTIONS}
    special = defaults.child(section)
    if special is None or not isinstance(special.value, dict):
        special = empty
    keys = {k: child for k, child in special.children().items() if k not in NO_DEFAULTS}
    return [mapped(options, at=defaults), mapped(keys, at=special)]


def _with(document: Document, section: str, parts: Iterable[Part]) -> Document:
    filled = [part for part in parts if part.value]
    items = document.part.child(section)
    if not filled or items is None:
        return document
    below = filled[0]
    for part in filled[1:]:
        below = laid_over(below, part)
    merged = [
        laid_over(below, item, at_over=True) if isinstance(item.value, dict) else item
        for item in items.items()
    ]
    root = document.part
    return document.rooted(mapped({**root.children(), section: listed(merged, at=items)}, at=root))


def check_defaults(document: Document, plugins: Plugins) -> list[Finding]:
    """Return what is wrong with the defaults of the foundry and of each platform."""
    paths = [path for path, _ in _blocks(document)]
    return [finding for path in paths for finding in _check_block(document, path, plugins)]


def at_defaults(document: Document, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Give what is found in an item, but stands in a default, the path of the default."""
    paths: dict[Place, str] = {}
    for path, block in _blocks(document):
        for inside, part in _parts(block, path):
            paths[document.locator.files.place(position_of(part))] = path_text(inside)
    for finding in findings:
        text = paths.get(finding.place) if finding.place else None
        yield replace(finding, path=text) if text else finding


def _blocks(document: Document) -> Iterator[tuple[Path, Part]]:
    root = document.part
    if block := root.child(DEFAULTS):
        yield (DEFAULTS,), block
    platforms = root.child("platforms")
    for index, platform in enumerate(platforms.items() if platforms else []):
        if block := platform.child(DEFAULTS):
            yield ("platforms", index, DEFAULTS), block


def _parts(part: Part, path: Path) -> Iterator[tuple[Path, Part]]:
    yield path, part
    for key, child in part.children().items():
        yield from _parts(child, (*path, key))
    for index, child in enumerate(part.items()):
        yield from _parts(child, (*path, index))


def _check_block(document: Document, path: Path, plugins: Plugins) -> Iterator[Finding]:
    block = _at(document.values, path)
    if not isinstance(block, dict):
        return  # the foundry's own model says so
    options = {key: value for key, value in block.items() if key in _OPTIONS}
    yield from validate(ItemOptions, options, document.locator, path)[1]
    for key, value in block.items():
        if key in plugins.sections:
            item = plugins.types[plugins.sections[key]].type.item
            yield from _check_section(document, (*path, key), value, item)
        elif key not in _OPTIONS:
            known = [*_OPTIONS, *plugins.sections]
            yield _unknown(document, (*path, key), choices(key, known))


def _check_section(
    document: Document, path: Path, value: object, item: type[SectionItem]
) -> Iterator[Finding]:
    if not isinstance(value, dict):
        if value is not None:
            yield Finding(
                what=f"{shown(value)} should be a mapping",
                remedy="Write a mapping of keys that the items of the section have.",
                path=path_text(path),
                place=document.locator.follow(path).place,
                rule=Rule.WRONG_TYPE,
                value=shown(value),
            )
        return
    known = {field.alias or name for name, field in item.model_fields.items()} - NO_DEFAULTS
    for key in value:
        if key in NO_DEFAULTS:
            remedy = "Write it at each item: it has no default."
            yield _unknown(document, (*path, key), remedy)
        elif key not in known:
            yield _unknown(document, (*path, key), choices(key, known))


def _unknown(document: Document, path: Path, remedy: str) -> Finding:
    return Finding(
        what=f"unknown default {path[-1]!r}",
        remedy=remedy,
        path=path_text(path),
        place=document.locator.follow(path).key_place,
        rule=Rule.UNKNOWN_KEY,
        value=shown(path[-1]),
    )


def _at(value: object, path: Path) -> object:
    for part in path:
        if isinstance(value, dict) and isinstance(part, str):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part]
        else:
            return None
    return value
