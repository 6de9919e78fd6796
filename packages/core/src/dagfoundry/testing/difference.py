"""Where two serialised DAGs differ first, and what usually makes them differ like that."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

_WRAPPED: Final = "__var"
"""Key under which Airflow's serialisation wraps a value whose type JSON has not."""

_LONGEST_VALUE: Final = 200
_ABSENT: Final = object()

_ADDRESS: Final = re.compile(r"0x[0-9a-f]{6,}")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d[^\s\"']*)?|\b\d{10}(\.\d+)?\b|datetime\.\w+\([^()]*\)"
)

_CAUSES: Final = {
    _ADDRESS: "It holds a memory address: give the object a __repr__, or pass its values.",
    _UUID: "It holds a UUID made while the DAG is built: derive it from the entry.",
    _TIME: "It holds the time of the build: use a constant, or let the task ask for it.",
}
_ORDER: Final = "Its order is that of a set: sort it."
_USUAL: Final = (
    "Build it from the entry alone: no current time, random value, memory address, working"
    " directory or order of a set."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """The first place at which two serialised DAGs differ.

    Attributes:
        path: Where, such as ``tasks[greet].params.x``.
        before: What one of them holds there.
        after: What the other one holds there.
    """

    path: str
    before: Any
    after: Any

    def __str__(self) -> str:
        """Return the path and both values, shortened."""
        return f"{self.path}: {_shown(self.before)} and {_shown(self.after)}"

    @property
    def remedy(self) -> str:
        """What to do about it, guessed from both values."""
        if _same_items(self.before, self.after):
            return _ORDER
        one, other = _text(self.before), _text(self.after)
        if "{" in one and sorted(one) == sorted(other):  # a set that was written as text
            return _ORDER
        for pattern, cause in _CAUSES.items():
            if pattern.search(one) and pattern.sub("", one) == pattern.sub("", other):
                return cause
        return _USUAL


def first_difference(before: Any, after: Any, path: str = "") -> Difference | None:  # noqa: ANN401 - JSON values
    """Return the first place at which two JSON values differ, or None.

    Lists of the same values in another order differ as a whole.
    """
    if before == after:
        return None
    if isinstance(before, dict) and isinstance(after, dict):
        pairs = [(key, before.get(key, _ABSENT), after.get(key, _ABSENT)) for key in before | after]
        return _first([(_join(path, key), one, other) for key, one, other in pairs])
    if _can_be_paired(before, after):
        pairs = [(_name(one, index), one, after[index]) for index, one in enumerate(before)]
        return _first([(f"{path}[{name}]", one, other) for name, one, other in pairs])
    return Difference(path=path or "the whole", before=before, after=after)


def _first(pairs: list[tuple[str, Any, Any]]) -> Difference | None:
    found = (first_difference(one, other, path) for path, one, other in pairs)
    return next((difference for difference in found if difference), None)


def _can_be_paired(before: object, after: object) -> bool:
    if not (isinstance(before, list) and isinstance(after, list)):
        return False
    return len(before) == len(after) and not _same_items(before, after)


def _same_items(before: object, after: object) -> bool:
    if not (isinstance(before, list) and isinstance(after, list)):
        return False
    return sorted(map(_text, before)) == sorted(map(_text, after))


def _join(path: str, key: str) -> str:
    if key == _WRAPPED:
        return path
    return f"{path}.{key}" if path else key


def _name(value: object, index: int) -> str:
    """Return a task's id, or the index of anything else."""
    inner = value.get(_WRAPPED, value) if isinstance(value, dict) else {}
    return str(inner.get("task_id", index)) if isinstance(inner, dict) else str(index)


def _shown(value: object) -> str:
    text = _text(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _text(value: object) -> str:
    return "nothing" if value is _ABSENT else json.dumps(value, sort_keys=True)
