"""Several files as one document: lists are joined, everything else stands in one file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from dagfoundry.errors import Finding, ModelInvalidError
from dagfoundry.model.files import ModelFile, find_files, read_file
from dagfoundry.model.nodes import PLAIN, compose, place_of
from dagfoundry.model.places import Files, Locator
from dagfoundry.model.values import ValueReader

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

Keys = list[tuple[Node, Node]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """The content of a model before any rule of DAG Foundry is applied.

    Attributes:
        files: The files it was read from.
        values: Its top-level keys and their values.
        locator: Where each value stands.
        findings: What is wrong with the YAML that leaves it readable all the same.
    """

    files: tuple[Path, ...]
    values: dict[str, Any]
    locator: Locator
    findings: tuple[Finding, ...]


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
        findings = [Finding(what="no model is named", remedy=remedy)]
    read = [_root_of(file) for file in files]
    findings += [result for result in read if isinstance(result, Finding)]
    if findings:
        raise ModelInvalidError(findings)
    return _merge(files, [result for result in read if isinstance(result, MappingNode)])


def _root_of(path: Path) -> MappingNode | Finding:
    file = read_file(path)
    return compose(file) if isinstance(file, ModelFile) else file


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
    if all(isinstance(value, SequenceNode) for _, value in used):
        return []
    first = place_of(used[0][0])
    return [
        Finding(
            what=f"key {name!r} stands in another file already, at {first}",
            remedy="Keep one of the two; only lists may be spread over several files.",
            path=name,
            place=place_of(key),
        )
        for key, _ in used[1:]
    ]


def _joined(pairs: Keys) -> tuple[Node, Node]:
    used = [pair for pair in pairs if not _is_empty(pair[1])] or pairs[:1]
    key, first = used[0]
    lists = [value for _, value in used if isinstance(value, SequenceNode)]
    if len(lists) < 2 or len(lists) < len(used):  # noqa: PLR2004 - one list needs no joining
        return key, first
    children = [child for value in lists for child in value.value]
    return key, SequenceNode(PLAIN, children, first.start_mark, lists[-1].end_mark)


def _is_empty(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.tag == PLAIN and node.value == ""
