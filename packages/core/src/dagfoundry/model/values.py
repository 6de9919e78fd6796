"""The values of YAML nodes, by rules without traps.

Only ``true`` and ``false`` are truth values, so that names such as ``no`` and ``on``
stay text; decimal numbers without leading zeros are numbers; dates, times and all else
are text. Two equal keys in one mapping are refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from dagfoundry.errors import Finding, ModelInvalidError
from dagfoundry.model.nodes import PLAIN, QUOTED, place_of
from dagfoundry.model.paths import path_text
from dagfoundry.model.places import Branch
from dagfoundry.rules import Rule

if TYPE_CHECKING:
    from dagfoundry.model.places import Files, Tree

MAX_EXPANSION: Final = 1_000_000
"""Values that aliases may add to those written; beyond, checking would not end."""

_WORDS: Final = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER: Final = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_NUMBER: Final = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?([eE][-+]?[0-9]{1,2})?")
_NUMBER_STARTS: Final = frozenset("+-0123456789")
_MERGE: Final = "<<"

Pairs = list[tuple[Node, Node]]


class ValueReader:
    """Turns nodes into values and their places; one reader serves one model.

    Attributes:
        findings: What is wrong with the nodes read so far.
    """

    def __init__(self, files: Files) -> None:
        self.findings: list[Finding] = []
        self._files = files
        self._trail: list[str | int] = []
        self._open: set[int] = set()
        self._read: dict[int, tuple[Any, Branch]] = {}
        self._written = 0

    def read(self, root: MappingNode) -> tuple[dict[str, Any], Branch]:
        """Return the values of a mapping, and where each of them stands.

        Raises:
            ModelInvalidError: Its aliases stand for more values than could be checked.
        """
        values, branch = self._mapping(root)
        limit = MAX_EXPANSION + 10 * self._written
        if branch.size > limit:
            place = self._files.place(branch.heaviest(limit).position)
            what = f"aliases of aliases stand for {branch.size:,} values"
            remedy = "Write fewer aliases (*name) of parts that hold aliases themselves."
            self.findings.append(
                Finding(what=what, remedy=remedy, place=place, rule=Rule.YAML_ALIAS)
            )
            raise ModelInvalidError(self.findings)
        return values, branch

    def unique_pairs(self, node: MappingNode) -> dict[str, tuple[Node, Node]]:
        """Return a mapping's pairs by key, merge keys (``<<``) resolved."""
        self._check_tag(node)
        pairs: dict[str, tuple[Node, Node]] = {}
        merged: Pairs = []
        for key, value in node.value:
            text = self._key(key)
            if text == _MERGE and key.tag == PLAIN:
                merged += self._merged(value)
            elif text in pairs:
                self._repeated(text, key, pairs[text][0])
            elif text is not None:
                pairs[text] = (key, value)
        for key, value in merged:
            pairs.setdefault(key.value, (key, value))
        node.value = list(pairs.values())
        return pairs

    def _value(self, node: Node) -> tuple[Any, Tree]:
        self._written += 1
        if isinstance(node, ScalarNode):
            return self._scalar(node), self._files.position(node)
        if id(node) in self._open:
            remedy = "Write the value out."
            self._report(node, "an alias holds itself", remedy, Rule.YAML_ALIAS)
            return None, self._files.position(node)
        known = self._read.get(id(node))
        if known is None:
            self._open.add(id(node))
            known = self._mapping(node) if isinstance(node, MappingNode) else self._list(node)
            self._open.remove(id(node))
            self._read[id(node)] = known
        return known

    def _list(self, node: Node) -> tuple[list[Any], Branch]:
        self._check_tag(node)
        values: list[Any] = []
        trees: list[Tree] = []
        branch = Branch(self._files.position(node), {}, trees)
        for index, child in enumerate(node.value):
            self._trail.append(index)
            value, tree = self._value(child)
            self._trail.pop()
            values.append(value)
            trees.append(tree)
            branch.size += 1 if isinstance(tree, int) else tree.size
        return values, branch

    def _mapping(self, node: MappingNode) -> tuple[dict[str, Any], Branch]:
        values: dict[str, Any] = {}
        trees: dict[str, Tree] = {}
        keys: dict[str, int] = {}
        branch = Branch(self._files.position(node), keys, trees)
        for text, (key, child) in self.unique_pairs(node).items():
            self._trail.append(text)
            values[text], tree = self._value(child)
            self._trail.pop()
            trees[text] = tree
            keys[text] = self._files.position(key)
            branch.size += 1 if isinstance(tree, int) else tree.size
        return values, branch

    def _scalar(self, node: ScalarNode) -> Any:  # noqa: ANN401 - what YAML can hold
        text: str = node.value
        if node.tag == PLAIN:
            return plain_value(text)
        self._check_tag(node)
        return text

    def _check_tag(self, node: Node) -> None:
        if node.tag not in {PLAIN, QUOTED}:
            remedy = "Write the value without a tag; put it in quotes to make it text."
            self._report(node, f"the tag {node.tag} is not allowed", remedy, Rule.YAML_TAG)

    def _key(self, node: Node) -> str | None:
        if isinstance(node, ScalarNode):
            self._check_tag(node)
            return str(node.value)
        what, remedy = "a list or mapping cannot be a key", "Write the key as one word."
        self._report(node, what, remedy, Rule.WRONG_TYPE)
        return None

    def _merged(self, node: Node) -> Pairs:
        nodes = node.value if isinstance(node, SequenceNode) else [node]
        pairs: Pairs = []
        for part in nodes:
            if isinstance(part, MappingNode) and id(part) not in self._open:
                self._value(part)
                pairs += part.value
            else:
                remedy = "Write `<<: *name` with the anchor of a mapping."
                what = "only mappings can be merged with <<"
                self._report(part, what, remedy, Rule.YAML_ALIAS)
        return pairs

    def _repeated(self, text: str, key: Node, first: Node) -> None:
        what = f"key {text!r} stands in this mapping already, at {place_of(first)}"
        self._trail.append(text)
        self._report(key, what, "Remove one of the two.", Rule.YAML_REPEATED_KEY)
        self._trail.pop()

    def _report(self, node: Node, what: str, remedy: str, rule: Rule) -> None:
        path = path_text(self._trail)
        self.findings.append(
            Finding(what=what, remedy=remedy, path=path, place=place_of(node), rule=rule)
        )


def plain_value(text: str) -> Any:  # noqa: ANN401 - what YAML can hold
    """Return what text without quotes stands for: nothing, a truth value, a number or text."""
    if text in _WORDS:
        return _WORDS[text]
    return number(text) if text[0] in _NUMBER_STARTS else text


def number(text: str) -> int | float | str:
    """Return the number that plain text stands for, or the text.

    Example::

        >>> number("12"), number("1.5"), number("007"), number("2024-01-01"), number("1_000")
        (12, 1.5, '007', '2024-01-01', '1_000')
    """
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text
