"""The sections of a model: each belongs to the factory type of an installed plugin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dagfoundry.errors import Finding
from dagfoundry.model.checks import check_items, platform_names
from dagfoundry.model.explain import validate
from dagfoundry.model.paths import path_text
from dagfoundry.model.schema import FoundryModel, SectionItem
from dagfoundry.model.words import nearest, shown

if TYPE_CHECKING:
    from dagfoundry.errors import Place
    from dagfoundry.model.document import Document
    from dagfoundry.model.places import Locator
    from dagfoundry.plugins import InstalledType, Plugins


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedItem:
    """One item of a section, checked.

    Attributes:
        factory_type: Name of the factory type that the section belongs to.
        item: The item, an instance of the type's model.
        section: Key of the section.
        index: Position in the section, counted from 0 over all files.
    """

    factory_type: str
    item: SectionItem
    section: str
    index: int
    _locator: Locator = field(repr=False, compare=False)

    @property
    def path(self) -> str:
        """The item's path in the model, such as ``stores[2]``."""
        return path_text((self.section, self.index))

    def place(self, *path: str | int) -> Place:
        """Return the place of a value inside the item, or of the nearest one there is."""
        return self._locator.follow((self.section, self.index, *path)).place


def check_sections(document: Document, plugins: Plugins) -> tuple[list[LoadedItem], list[Finding]]:
    """Return the items of all sections, and everything that is wrong with them."""
    items: list[LoadedItem] = []
    findings: list[Finding] = []
    for section, values in document.values.items():
        if section in FoundryModel.model_fields:
            continue
        if section not in plugins.sections:
            findings.append(_unknown(section, document.locator, plugins))
        elif values is not None:  # None: all its items are commented out
            loaded, invalid = _check_section(section, values, document, plugins)
            items += loaded
            findings += invalid
    return items, findings


def _unknown(section: str, locator: Locator, plugins: Plugins) -> Finding:
    offers = [f"`{name}` by {plugins.types[kind]}" for name, kind in plugins.sections.items()]
    near = nearest(section, [*plugins.sections, *FoundryModel.model_fields])
    hint = f"Did you mean {near!r}? " if near else ""
    failed = [f" Failed to load: {failure.headline}." for failure in plugins.failures]
    return Finding(
        what=f"unknown section {section!r}: no installed factory type offers it",
        remedy=(
            f"{hint or 'Install the distribution that offers it. '}"
            f"Offered: {', '.join(offers) or 'nothing'}.{''.join(failed)}"
        ),
        path=section,
        place=locator.follow((section,)).key_place,
    )


def _check_section(
    section: str, values: object, document: Document, plugins: Plugins
) -> tuple[list[LoadedItem], list[Finding]]:
    installed = plugins.types[plugins.sections[section]]
    if not isinstance(values, list):
        return [], [_no_list(section, values, document.locator)]
    checked = [
        _check_item((section, index), value, installed, document.locator)
        for index, value in enumerate(values)
    ]
    items = [item for item, _ in checked if item is not None]
    findings = [finding for _, invalid in checked for finding in invalid]
    platforms = platform_names(document.values.get("platforms"))
    findings += check_items(section, values, platforms, document.locator)
    return items, findings


def _no_list(section: str, values: object, locator: Locator) -> Finding:
    return Finding(
        what=f"{shown(values)} should be a list",
        remedy="Write a list of items: each begins with `- name: ...`.",
        path=section,
        place=locator.follow((section,)).place,
    )


def _check_item(
    at: tuple[str, int], value: object, installed: InstalledType, locator: Locator
) -> tuple[LoadedItem | None, list[Finding]]:
    try:
        item, findings = validate(installed.type.item, value, locator, at)
    except Exception as error:  # noqa: BLE001 - a plugin's validator may raise anything
        return None, [_broken_check(at, installed, error, locator)]
    if item is None:
        return None, findings
    section, index = at
    loaded = LoadedItem(
        factory_type=installed.type.name,
        item=item,
        section=section,
        index=index,
        _locator=locator,
    )
    return loaded, []


def _broken_check(
    at: tuple[str, int], installed: InstalledType, error: Exception, locator: Locator
) -> Finding:
    return Finding(
        what=f"factory type {installed} could not check this: {type(error).__name__}: {error}",
        remedy=f"Correct the item, or mend or upgrade {installed.distribution}.",
        path=path_text(at),
        place=locator.follow(at).place,
    )
