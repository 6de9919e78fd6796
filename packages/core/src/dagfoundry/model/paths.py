"""Paths inside a model, such as ``stores[2].datasets[0].key``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Path = tuple[str | int, ...]


def path_text(path: Iterable[str | int]) -> str:
    """Return a path as people write it.

    Example::

        >>> path_text(["stores", 2, "schedule"])
        'stores[2].schedule'
    """
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")
