"""YAML text as nodes that know their line and column.

Types are decided later, by :mod:`dagfoundry.model.values`: here a scalar is only plain
or quoted. libyaml's parser is used where PyYAML has it, else PyYAML's own.
"""

from __future__ import annotations

import io
from typing import Any, Final

import yaml
from yaml.composer import Composer
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

from dagfoundry.errors import Finding, Place
from dagfoundry.model.files import ModelFile, place_after
from dagfoundry.rules import Rule

PLAIN: Final = "plain"
QUOTED: Final = "quoted"
"""The two tags of nodes whose text gives none."""

MAX_DEPTH: Final = 64
"""Levels of nesting. Up to libyaml 0.2.5 its composer recurses without a limit of its own: some
ten thousand open brackets end the process with a segmentation fault (PyYAML 6.0.3)."""

_TOO_DEEP: Final = f"nested deeper than {MAX_DEPTH} levels"
_TOO_DEEP_FOR_LIBYAML: Final = "exceeded maximum nesting depth"

_EXCERPT: Final = 60


class _TooDeepError(yaml.MarkedYAMLError):
    """The text nests deeper than ``MAX_DEPTH``."""


class _Untyped:
    """Answers what a composer asks a resolver, without looking at any value."""

    _depth = 0

    def descend_resolver(self, parent: Node | None, _index: object) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH and parent is not None:
            problem = _TOO_DEEP
            raise _TooDeepError(problem=problem, problem_mark=parent.start_mark)

    def ascend_resolver(self) -> None:
        self._depth -= 1

    def resolve(self, kind: type[Node], _value: object, implicit: Any) -> str:  # noqa: ANN401 - bool or a pair
        return PLAIN if kind is not ScalarNode or implicit[0] else QUOTED


class PythonComposer(_Untyped, Reader, Scanner, Parser, Composer):
    """Composes nodes without libyaml."""

    def __init__(self, stream: Any) -> None:  # noqa: ANN401 - PyYAML's own type is private
        Reader.__init__(self, stream)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)


if yaml.__with_libyaml__:
    from yaml._yaml import CParser

    class LibyamlComposer(_Untyped, CParser):
        """Composes nodes with libyaml, some seven times faster."""

    FastComposer: type[PythonComposer | LibyamlComposer] = LibyamlComposer
else:
    FastComposer = PythonComposer


class _NamedText(io.StringIO):
    """Text that gives its file's name to every mark."""

    def __init__(self, file: ModelFile) -> None:
        super().__init__(file.text)
        self.name = str(file.path)


def compose(
    file: ModelFile, composer: type[PythonComposer | LibyamlComposer] = FastComposer
) -> MappingNode | Finding:
    """Return the mapping that a file holds, or the one thing that is wrong with its YAML."""
    if bad := Reader.NON_PRINTABLE.search(file.text):
        place = place_after(file.text[: bad.start()], file.path)
        what = f"the control character U+{ord(bad.group()):04X} is not allowed in YAML"
        remedy = "Remove it, or write it as an escape."
        return Finding(what=what, remedy=remedy, place=place, rule=Rule.YAML_MALFORMED)
    try:
        node = composer(_NamedText(file)).get_single_node()
    except yaml.MarkedYAMLError as error:
        return _malformed(file, error)
    if isinstance(node, MappingNode):
        return node
    return _no_mapping(file, node)


def _malformed(file: ModelFile, error: yaml.MarkedYAMLError) -> Finding:
    mark = error.problem_mark or error.context_mark
    problem = str(error.problem).replace(_TOO_DEEP_FOR_LIBYAML, _TOO_DEEP)
    line, column = (mark.line, mark.column) if mark else (0, 0)
    text = file.text.splitlines()[line : line + 1]
    shown = f": {text[0].strip()[:_EXCERPT]!r}" if text else ""
    context = f", {error.context}" if error.context else ""
    if error.context and error.context_mark:
        context += f" that begins in line {error.context_mark.line + 1}"
    return Finding(
        what=f"malformed YAML: {problem}{context}{shown}",
        remedy=_malformed_remedy(problem),
        place=Place(file=str(file.path), line=line + 1, column=column + 1),
        rule=Rule.YAML_MALFORMED,
    )


def _malformed_remedy(problem: str) -> str:
    for words, remedy in _REMEDIES.items():
        if words in problem:
            return remedy
    return "Correct the indentation, brackets or quotes here or just above."


_REMEDIES: Final = {
    "cannot start any token": "Indent with spaces, and put text that begins so into quotes.",
    "another document": "Put each document into a file of its own, or remove the line ---.",
    "undefined alias": "Define the anchor (&name) earlier in the same file.",
    "second occurrence": "Give each anchor (&name) a name of its own.",
    "mapping values are not allowed": "Put text that holds a colon into quotes.",
    "nested deeper": "Write it flatter; no part of a model is that deep.",
}


def _no_mapping(file: ModelFile, node: Node | None) -> Finding:
    remedy = "Begin with `foundry: <name>`, or with a section such as `platforms:`."
    if node is None:
        what, place = "the file is empty", Place(file=str(file.path), line=1, column=1)
    else:
        kind = "a list" if isinstance(node, SequenceNode) else "one value"
        what, place = f"the file holds {kind}, not a mapping", place_of(node)
    return Finding(what=what, remedy=remedy, place=place, rule=Rule.YAML_MALFORMED)


def place_of(node: Node) -> Place:
    """Return where a node begins."""
    mark = node.start_mark
    return Place(file=mark.name, line=mark.line + 1, column=mark.column + 1)
