"""Where each value of a model stands.

A model of 10,000 streams has some 300,000 values. PyYAML's nodes and marks are a million
and a half objects, which the garbage collector would walk again and again; here a place
is one number, and only mappings and lists are objects.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dagfoundry.errors import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from yaml.nodes import Node

    from dagfoundry.model.paths import Path

_BITS: Final = 28
_MASK: Final = (1 << _BITS) - 1


@dataclass(slots=True)
class Branch:
    """The places of a mapping or list and of all that it holds.

    Attributes:
        position: Where it begins.
        keys: Where the keys of a mapping begin; empty for a list.
        children: The places of its values.
        size: Number of values, those of aliases counted each time.
    """

    position: int
    keys: dict[str, int]
    children: dict[str, Tree] | list[Tree]
    size: int = 1

    def heaviest(self, limit: int) -> Branch:
        """Return the innermost branch that holds more than ``limit`` values."""
        children = self.children.values() if isinstance(self.children, dict) else self.children
        branches = (child for child in children if isinstance(child, Branch))
        heavy = next((child for child in branches if child.size > limit), None)
        return heavy.heaviest(limit) if heavy else self


Tree = int | Branch
"""The places of a value: a position, or a branch for a mapping or list."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spot:
    """What a path leads to.

    Attributes:
        path: The parts of the path that lead somewhere.
        place: Where the value begins.
        key_place: Where its key begins, or the value if it has no key.
        union: The path up to the first part that leads nowhere; none if all do.
    """

    path: Path
    place: Place
    key_place: Place
    union: Path | None


class Files:
    """The files of a model, numbered so that a place is one number."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._numbers = {name: number for number, name in enumerate(names)}

    def position(self, node: Node) -> int:
        """Return where a node begins, as one number."""
        mark = node.start_mark
        return ((self._numbers[mark.name] << _BITS) | mark.line) << _BITS | mark.column

    def place(self, position: int) -> Place:
        """Return file, line and column of a position."""
        above, column = position >> _BITS, position & _MASK
        name = self._names[above >> _BITS]
        return Place(file=name, line=(above & _MASK) + 1, column=column + 1)


class Locator:
    """Follows paths through a model.

    Attributes:
        files: Its files.
        root: The places of all its values.
    """

    def __init__(self, files: Files, root: Branch) -> None:
        self.files = files
        self.root = root

    def follow(self, path: Sequence[str | int]) -> Spot:
        """Return the spot of a path; parts that lead nowhere are passed over.

        pydantic puts the names of union members into the paths of its errors, which
        no model holds.
        """
        tree: Tree = self.root
        key = self.root.position
        found: Path = ()
        union: Path | None = None
        for part in path:
            child = _child(tree, part)
            if child is not None:
                key, tree = child
                found = (*found, part)
            elif union is None:
                union = found
        place = self.files.place(_position(tree))
        return Spot(path=found, place=place, key_place=self.files.place(key), union=union)


def _position(tree: Tree) -> int:
    return tree.position if isinstance(tree, Branch) else tree


def _child(tree: Tree, part: str | int) -> tuple[int, Tree] | None:
    """Return where the key of a child begins, and the child."""
    if isinstance(tree, int):
        return None
    children = tree.children
    if isinstance(children, dict):
        key = str(part)
        return (tree.keys[key], children[key]) if key in children else None
    if isinstance(part, int) and 0 <= part < len(children):
        return _position(children[part]), children[part]
    return None
