"""The sections of a model: each belongs to the factory type of an installed plugin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dagfoundry.errors import Finding
from dagfoundry.model.checks import check_items, platform_names
from dagfoundry.model.defaults import documents_by_platform
from dagfoundry.model.explain import validate
from dagfoundry.model.paths import path_text
from dagfoundry.model.schema import FoundryModel, SectionItem
from dagfoundry.model.words import nearest, shown
from dagfoundry.rules import Rule

if TYPE_CHECKING:
    from dagfoundry.errors import Place
    from dagfoundry.model.document import Document
    from dagfoundry.model.places import Locator
    from dagfoundry.plugins import InstalledType, Plugins

    _Form = tuple[frozenset[str] | None, Document]


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedItem:
    """One item of a section, checked; one for each set of defaults that platforms have.

    Attributes:
        factory_type: Name of the factory type that the section belongs to.
        item: The item, an instance of the type's model, defaults included.
        section: Key of the section.
        index: Position in the section, counted from 0 over all files.
        platforms: Platforms whose defaults it has; none where all have the same.
    """

    factory_type: str
    item: SectionItem
    section: str
    index: int
    platforms: frozenset[str] | None = None
    _locator: Locator = field(repr=False, compare=False)

    def runs_on(self, platform: str) -> bool:
        """Return whether the item is to run on a platform, in this form."""
        wanted = self.item.platforms
        return (self.platforms is None or platform in self.platforms) and (
            wanted is None or platform in wanted
        )

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
        rule=Rule.UNKNOWN_SECTION,
        value=section,
    )


def _check_section(
    section: str, values: object, document: Document, plugins: Plugins
) -> tuple[list[LoadedItem], list[Finding]]:
    installed = plugins.types[plugins.sections[section]]
    if not isinstance(values, list):
        return [], [_no_list(section, values, document.locator)]
    forms = documents_by_platform(document, section)
    checked = [
        _check_item((section, index), form, platforms, installed)
        for index, value in enumerate(values)
        for platforms, form in _forms_of(value, forms)
    ]
    items = [item for item, _ in checked if item is not None]
    findings = [finding for _, invalid in checked for finding in invalid]
    platforms = platform_names(document.values.get("platforms"))
    findings += check_items(section, values, platforms, document.locator)
    return items, findings


def _forms_of(value: object, forms: list[_Form]) -> list[_Form]:
    """Return the forms in which an item runs somewhere; one at least, so that it is checked."""
    wanted = value.get("platforms") if isinstance(value, dict) else None
    if len(forms) == 1 or not isinstance(wanted, list):
        return forms
    fitting = [form for form in forms if any(name in wanted for name in form[0] or ())]
    return fitting or forms[:1]


def _no_list(section: str, values: object, locator: Locator) -> Finding:
    return Finding(
        what=f"{shown(values)} should be a list",
        remedy="Write a list of items: each begins with `- name: ...`.",
        path=section,
        place=locator.follow((section,)).place,
        rule=Rule.WRONG_TYPE,
        value=shown(values),
    )


def _check_item(
    at: tuple[str, int],
    document: Document,
    platforms: frozenset[str] | None,
    installed: InstalledType,
) -> tuple[LoadedItem | None, list[Finding]]:
    section, index = at
    value, locator = document.values[section][index], document.locator
    try:
        item, findings = validate(installed.type.item, value, locator, at)
    except Exception as error:  # noqa: BLE001 - a plugin's validator may raise anything
        return None, [_broken_check(at, installed, error, locator)]
    if item is None:
        return None, findings
    loaded = LoadedItem(
        factory_type=installed.type.name,
        item=item,
        section=section,
        index=index,
        platforms=platforms,
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
        rule=Rule.REFUSED,
    )
