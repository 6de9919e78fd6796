"""Several files as one document: lists are joined, everything else stands in one file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from dagfoundry.errors import Finding, ModelInvalidError
from dagfoundry.model.files import ModelFile, find_files, read_file
from dagfoundry.model.nodes import PLAIN, compose, place_of
from dagfoundry.model.overlay import Part
from dagfoundry.model.places import Files, Locator
from dagfoundry.model.values import ValueReader
from dagfoundry.model.words import holds_password
from dagfoundry.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

Keys = list[tuple[Node, Node]]

_ENVIRONMENTS = "environments"
"""The one mapping that several files may share, so that each environment has its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """The content of a model before any rule of DAG Foundry is applied.

    Attributes:
        files: The files it was read from.
        values: Its top-level keys and their values.
        locator: Where each value stands.
        findings: What is wrong with the YAML that leaves it readable all the same.
        has_variables: Whether a file holds the text ``${``.
        has_passwords: Whether a file holds what looks like a URL with a password.
        added: Path of each item that only the environment has, and a remark on it.
    """

    files: tuple[Path, ...]
    values: dict[str, Any]
    locator: Locator
    findings: tuple[Finding, ...]
    has_variables: bool = False
    has_passwords: bool = False
    added: Mapping[str, str] = field(default_factory=dict)

    @property
    def part(self) -> Part:
        """All values with their places."""
        return Part(self.values, self.locator.root)

    def rooted(self, part: Part) -> Document:
        """Return the document with other values."""
        locator = Locator(self.locator.files, part.tree)  # type: ignore[arg-type]
        return replace(self, values=part.value, locator=locator)


def read_document(paths: Iterable[Path]) -> Document:
    """Read all files of a model as one document.

    Args:
        paths: Files and folders.

    Raises:
        ModelInvalidError: A path is missing, or a file cannot be read or parsed; the
            error names all of them.
    """
    files, findings = find_files(paths)
    if not (files or findings):
        remedy = "Name the model's files or the folder that holds them."
        findings = [Finding(what="no model is named", remedy=remedy, rule=Rule.FILE_MISSING)]
    read = [read_file(file) for file in files]
    texts = [file.text for file in read if isinstance(file, ModelFile)]
    roots = [compose(file) if isinstance(file, ModelFile) else file for file in read]
    findings += [result for result in roots if isinstance(result, Finding)]
    if findings:
        raise ModelInvalidError(findings)
    return replace(
        _merge(files, [result for result in roots if isinstance(result, MappingNode)]),
        has_variables=any("${" in text for text in texts),
        has_passwords=any(map(holds_password, texts)),
    )


def _merge(files: Sequence[Path], roots: Sequence[MappingNode]) -> Document:
    places = Files([str(file) for file in files])
    reader = ValueReader(places)
    keys: dict[str, Keys] = {}
    for root in roots:
        for name, pair in reader.unique_pairs(root).items():
            keys.setdefault(name, []).append(pair)
    findings = [f for name, pairs in keys.items() for f in _conflicts(name, pairs)]
    joined = [_joined(pairs) for pairs in keys.values()]
    root = MappingNode(PLAIN, joined, roots[0].start_mark, roots[-1].end_mark)
    values, branch = reader.read(root)
    return Document(
        files=tuple(files),
        values=values,
        locator=Locator(places, branch),
        findings=(*reader.findings, *findings),
    )


def _conflicts(name: str, pairs: Keys) -> list[Finding]:
    used = [pair for pair in pairs if not _is_empty(pair[1])]
    kind = MappingNode if name == _ENVIRONMENTS else SequenceNode
    if all(isinstance(value, kind) for _, value in used):
        return []
    first = place_of(used[0][0])
    return [
        Finding(
            what=f"key {name!r} stands in another file already, at {first}",
            remedy="Keep one; only lists and `environments` may be spread over several files.",
            path=name,
            place=place_of(key),
            rule=Rule.YAML_REPEATED_KEY,
        )
        for key, _ in used[1:]
    ]


def _joined(pairs: Keys) -> tuple[Node, Node]:
    used = [pair for pair in pairs if not _is_empty(pair[1])] or pairs[:1]
    key, first = used[0]
    kind = MappingNode if key.value == _ENVIRONMENTS else SequenceNode
    lists = [value for _, value in used if isinstance(value, kind)]
    if len(lists) < 2 or len(lists) < len(used):  # noqa: PLR2004 - one list needs no joining
        return key, first
    children = [child for value in lists for child in value.value]
    return key, kind(PLAIN, children, first.start_mark, lists[-1].end_mark)


def _is_empty(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.tag == PLAIN and node.value == ""
