"""Paths inside a model, such as ``stores[2].datasets[0].key``, and where they lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from yaml.nodes import MappingNode, Node, SequenceNode

from dagfoundry.model.nodes import place_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dagfoundry.errors import Place

Path = tuple[str | int, ...]


def path_text(path: Iterable[str | int]) -> str:
    """Return a path as people write it.

    Example::

        >>> path_text(["stores", 2, "schedule"])
        'stores[2].schedule'
    """
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


@dataclass(frozen=True, kw_only=True, slots=True)
class Spot:
    """What a path leads to.

    Attributes:
        path: The parts of the path that lead somewhere.
        node: The value there.
        key: The key that holds the value, if a mapping holds it.
        union: The path up to the first part that leads nowhere; none if all do.
    """

    path: Path
    node: Node
    key: Node | None
    union: Path | None

    @property
    def place(self) -> Place:
        """Where the value begins."""
        return place_of(self.node)

    @property
    def key_place(self) -> Place:
        """Where the key begins, or the value if it has no key."""
        return place_of(self.key or self.node)


class Locator:
    """Follows paths through the nodes of a model."""

    def __init__(self, root: MappingNode) -> None:
        self._root = root
        self._pairs: dict[int, dict[str, tuple[Node, Node]]] = {}

    def follow(self, path: Sequence[str | int]) -> Spot:
        """Return the spot of a path; parts that lead nowhere are passed over.

        pydantic puts the names of union members into the paths of its errors, which
        no model holds.
        """
        node: Node = self._root
        key: Node | None = None
        union: Path | None = None
        found: Path = ()
        for part in path:
            child = self._child(node, part)
            if child is not None:
                key, node = child
                found = (*found, part)
            elif union is None:
                union = found
        return Spot(path=found, node=node, key=key, union=union)

    def _child(self, node: Node, part: str | int) -> tuple[Node | None, Node] | None:
        if isinstance(node, SequenceNode):
            inside = isinstance(part, int) and 0 <= part < len(node.value)
            return (None, node.value[part]) if inside else None
        if isinstance(node, MappingNode):
            return self._pairs_of(node).get(str(part))
        return None

    def _pairs_of(self, node: MappingNode) -> dict[str, tuple[Node, Node]]:
        known = self._pairs.get(id(node))
        if known is None:
            known = {str(key.value): (key, value) for key, value in node.value}
            self._pairs[id(node)] = known
        return known
