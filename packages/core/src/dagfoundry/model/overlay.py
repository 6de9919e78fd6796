"""Laying one part of a model over another; every value keeps the place it was written at.

One rule serves environments and defaults: mappings merge key by key, lists of named items
merge by name, and everything else is replaced.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dagfoundry.model.places import Branch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dagfoundry.model.places import Tree


@dataclass(frozen=True, slots=True)
class Part:
    """A value of a model and the places of all that it holds."""

    value: Any
    tree: Tree

    def children(self) -> dict[str, Part]:
        """Return the values of a mapping by key; none if this is no mapping."""
        if not (isinstance(self.tree, Branch) and isinstance(self.tree.children, dict)):
            return {}
        trees = self.tree.children
        return {key: Part(value, trees[key]) for key, value in self.value.items()}

    def child(self, key: str) -> Part | None:
        """Return the value of a key; none if this is no mapping or has no such key."""
        return self.children().get(key)

    def items(self) -> list[Part]:
        """Return the items of a list; none if this is no list."""
        if not (isinstance(self.tree, Branch) and isinstance(self.tree.children, list)):
            return []
        return list(map(Part, self.value, self.tree.children))


def laid_over(base: Part, over: Part, *, at_over: bool = False) -> Part:
    """Return ``base`` with the values of ``over`` in it; neither is changed.

    Args:
        base: What is there.
        over: What wins.
        at_over: A mapping that both hold stands where ``over`` has it, not ``base``.
    """
    if isinstance(base.value, dict) and isinstance(over.value, dict):
        return _mappings(base, over, at_over=at_over)
    if _has_names(base.value) and _has_names(over.value):
        return named_items(base, over, at_over=at_over)
    return over


def named_items(base: Part, over: Part, *, at_over: bool = False) -> Part:
    """Return a list with the items of another: those of a known name merge, others follow."""
    items = base.items()
    known = {name_of(item.value): index for index, item in reversed(list(enumerate(items)))}
    known.pop(None, None)
    for item in over.items():
        index = known.pop(name_of(item.value), None)  # a second one of its name is not merged
        if index is None:
            items.append(item)
        else:
            items[index] = laid_over(items[index], item, at_over=at_over)
    return listed(items, at=over if at_over else base)


def listed(items: list[Part], *, at: Part) -> Part:
    """Return items as one list that stands where another part does."""
    tree = Branch(position_of(at), {}, [item.tree for item in items])
    return Part([item.value for item in items], tree)


def mapped(
    children: Mapping[str, Part], *, at: Part, keys: Mapping[str, int] | None = None
) -> Part:
    """Return values as one mapping that stands where another one does.

    Args:
        children: The values by key.
        at: Where it stands, and where its keys stand.
        keys: Where those keys stand that ``at`` has not got.
    """
    trees: dict[str, Tree] = {key: child.tree for key, child in children.items()}
    tree = Branch(position_of(at), {**(keys or {}), **keys_of(at)}, trees)
    return Part({key: child.value for key, child in children.items()}, tree)


def name_of(item: object) -> str | None:
    """Return the name of an item; none if it has none."""
    name = item.get("name") if isinstance(item, dict) else None
    return name if isinstance(name, str) else None


def position_of(part: Part) -> int:
    """Return where a part begins."""
    return part.tree.position if isinstance(part.tree, Branch) else part.tree


def keys_of(part: Part) -> dict[str, int]:
    """Return where the keys of a mapping begin."""
    return part.tree.keys if isinstance(part.tree, Branch) else {}


def _has_names(value: object) -> bool:
    return isinstance(value, list) and bool(value) and None not in map(name_of, value)


def _mappings(base: Part, over: Part, *, at_over: bool) -> Part:
    children = base.children()
    for key, upper in over.children().items():
        lower = children.get(key)
        children[key] = laid_over(lower, upper, at_over=at_over) if lower else upper
    first, second = (base, over) if at_over else (over, base)
    return mapped(children, at=second, keys=keys_of(first))
