"""The ways in which one value of an item is broken, one at a time."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.model.paths import path_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dagfoundry.model.paths import Path

_UNKNOWN: Final = "unexpected_key"
_OTHERS: Final[tuple[Any, ...]] = (None, True, 7, 7.5, "unexpected", ["unexpected"], {_UNKNOWN: 1})
"""A value of each kind; other text is tried for text, too, which may be looked up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokenItem:
    """An item in which one value is not what it was.

    Attributes:
        item: The item.
        what: What was done to it, in a clause.
    """

    item: Any
    what: str


def broken_items(item: dict[str, Any]) -> Iterator[BrokenItem]:
    """Yield an item without each of its keys, with unknown keys, and with values of other kinds."""
    for path, value in _values(item, ()):
        where = path_text(path) or "the item"
        if isinstance(value, dict):
            changed = _changed(item, path, {**value, _UNKNOWN: 1})
            yield BrokenItem(item=changed, what=f"{where} with an unknown key")
            for key in value:
                rest = {name: other for name, other in value.items() if name != key}
                yield BrokenItem(item=_changed(item, path, rest), what=f"{where} without {key!r}")
        if path:
            for other in _OTHERS:
                if type(other) is not type(value) or isinstance(other, str):
                    what = f"{where} as {other!r}"
                    yield BrokenItem(item=_changed(item, path, other), what=what)


def _values(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:  # noqa: ANN401 - JSON values
    yield path, value
    if isinstance(value, (dict, list)):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _values(child, (*path, key))


def _changed(item: Any, path: Path, value: Any) -> Any:  # noqa: ANN401 - JSON values
    if not path:
        return value
    changed = deepcopy(item)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return changed
