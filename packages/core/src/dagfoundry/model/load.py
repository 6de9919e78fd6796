"""Loads a model: reads its files, applies every rule, reports all findings at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagfoundry.collector import collector_paused
from dagfoundry.errors import Finding, ModelInvalidError, Place
from dagfoundry.model.checks import check_platforms
from dagfoundry.model.commit import model_commit
from dagfoundry.model.document import read_document
from dagfoundry.model.explain import validate
from dagfoundry.model.schema import FoundryModel
from dagfoundry.model.sections import LoadedItem, check_sections

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dagfoundry.model.document import Document
    from dagfoundry.model.places import Locator
    from dagfoundry.plugins import Plugins


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedModel:
    """A model that keeps every rule.

    Attributes:
        foundry: The keys that are the foundry's own.
        items: The items of all sections, in the order of the files.
        commit: Commit of the git repository that holds the model, see
            :func:`~dagfoundry.model.commit.model_commit`.
        files: The files it was read from.
    """

    foundry: FoundryModel
    items: tuple[LoadedItem, ...]
    commit: str | None
    files: tuple[Path, ...]
    _locator: Locator = field(repr=False, compare=False)

    def place(self, *path: str | int) -> Place | None:
        """Return the place of a value; none if the model does not write it."""
        spot = self._locator.follow(path)
        return spot.place if spot.path == path else None


@collector_paused()
def load_model(paths: Iterable[str | Path], plugins: Plugins) -> LoadedModel:
    """Read and check a model.

    Args:
        paths: Its files and folders.
        plugins: The installed factory types; each checks the items of its section.

    Raises:
        ModelInvalidError: The model breaks a rule; the error holds all findings, in
            the order of files, lines and columns.
    """
    sources = [Path(path) for path in paths]
    document = read_document(sources)
    foundry, findings = validate(FoundryModel, _own_keys(document), document.locator)
    items, invalid = check_sections(document, plugins)
    findings += [*document.findings, *invalid]
    findings += check_platforms(document.values.get("platforms"), plugins, document.locator)
    if findings or foundry is None:
        raise ModelInvalidError(_in_order(findings, document.files))
    return LoadedModel(
        foundry=foundry,
        items=tuple(items),
        commit=model_commit(sources, document.files),
        files=document.files,
        _locator=document.locator,
    )


def _own_keys(document: Document) -> dict[str, Any]:
    return {key: v for key, v in document.values.items() if key in FoundryModel.model_fields}


def _in_order(findings: Iterable[Finding], files: Iterable[Path]) -> list[Finding]:
    order = {str(file): index for index, file in enumerate(files)}

    def key(finding: Finding) -> tuple[int, int, int]:
        place = finding.place
        return (order.get(place.file, -1), place.line, place.column) if place else (-1, 0, 0)

    return sorted(findings, key=key)
