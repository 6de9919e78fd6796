"""Loads a model: reads its files, applies every rule, reports all findings at once."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagfoundry.collector import collector_paused
from dagfoundry.errors import Finding, ModelInvalidError, Place
from dagfoundry.model.checks import check_platforms
from dagfoundry.model.commit import model_commit
from dagfoundry.model.defaults import at_defaults, check_defaults
from dagfoundry.model.document import read_document
from dagfoundry.model.environments import apply_environment, environment_names, explain_added
from dagfoundry.model.explain import validate
from dagfoundry.model.passwords import find_passwords
from dagfoundry.model.schema import FoundryModel
from dagfoundry.model.sections import LoadedItem, check_sections
from dagfoundry.model.variables import apply_variables
from dagfoundry.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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
        environment: Name of the environment that was laid over it.
    """

    foundry: FoundryModel
    items: tuple[LoadedItem, ...]
    commit: str | None
    files: tuple[Path, ...]
    environment: str | None = None
    _locator: Locator = field(repr=False, compare=False)

    def place(self, *path: str | int) -> Place | None:
        """Return the place of a value; none if the model does not write it."""
        spot = self._locator.follow(path)
        return spot.place if spot.path == path else None


@collector_paused()
def load_model(
    paths: Iterable[str | Path],
    plugins: Plugins,
    *,
    environment: str | None = None,
    variables: Mapping[str, str] | None = None,
) -> LoadedModel:
    """Read and check a model.

    Args:
        paths: Its files and folders.
        plugins: The installed factory types; each checks the items of its section.
        environment: The model's environment; without one the model stands as it is.
        variables: Where ``DAGFOUNDRY_VAR_<NAME>`` is looked up; this process by default.

    Raises:
        ModelInvalidError: The model breaks a rule; the error holds all findings, in
            the order of files, lines and columns.
    """
    sources = [Path(path) for path in paths]
    settings = os.environ if variables is None else variables
    document, early = _settled(read_document(sources), environment, settings)
    unknown = [finding for finding in early if finding.rule is Rule.ENVIRONMENT_UNKNOWN]
    if unknown:  # the rest would follow from it
        raise ModelInvalidError(unknown)
    early += check_defaults(document, plugins)
    foundry, late = validate(FoundryModel, _own_keys(document), document.locator)
    items, invalid = check_sections(document, plugins)
    late += [*document.findings, *invalid]
    late += check_platforms(document.values.get("platforms"), plugins, document.locator)
    findings = [*early, *_not_said(at_defaults(document, late), early)]
    if findings or foundry is None:
        findings += _unchosen(document, environment, findings)
        explained = [explain_added(document, finding) for finding in findings]
        raise ModelInvalidError(_in_order(explained, document.files))
    return LoadedModel(
        foundry=foundry,
        items=tuple(items),
        commit=model_commit(sources, document.files),
        files=document.files,
        environment=environment,
        _locator=document.locator,
    )


def _settled(
    document: Document, environment: str | None, settings: Mapping[str, str]
) -> tuple[Document, list[Finding]]:
    """Return the model in its environment, with its variables replaced."""
    passwords = find_passwords(document)
    laid, findings = apply_environment(document, environment)
    replaced, wrong = apply_variables(laid, settings, chosen=environment)
    return replaced, [*passwords, *findings, *wrong]


def _not_said(findings: Iterable[Finding], before: Iterable[Finding]) -> Iterator[Finding]:
    """Leave out what follows from a finding at the same place, such as one of a default."""
    places = {finding.place for finding in before if finding.place}
    said: set[Finding] = set()
    for finding in findings:
        if finding.place not in places and finding not in said:
            said.add(finding)
            yield finding


def _unchosen(
    document: Document, environment: str | None, findings: Iterable[Finding]
) -> list[Finding]:
    names = environment_names(document)
    incomplete = {Rule.MISSING_KEY, Rule.VARIABLE_MISSING}
    if environment or not names or all(finding.rule not in incomplete for finding in findings):
        return []
    return [
        Finding(
            what="no environment is chosen, and the model alone is incomplete",
            remedy=f"Choose one with --env or DAGFOUNDRY_ENV: {', '.join(names)}.",
            path="environments",
            place=document.locator.follow(("environments",)).key_place,
            rule=Rule.ENVIRONMENT_NONE,
        )
    ]


def _own_keys(document: Document) -> dict[str, Any]:
    return {key: v for key, v in document.values.items() if key in FoundryModel.model_fields}


def _in_order(findings: Iterable[Finding], files: Iterable[Path]) -> list[Finding]:
    order = {str(file): index for index, file in enumerate(files)}

    def key(finding: Finding) -> tuple[int, int, int]:
        place = finding.place
        return (order.get(place.file, -1), place.line, place.column) if place else (-1, 0, 0)

    return sorted(findings, key=key)
