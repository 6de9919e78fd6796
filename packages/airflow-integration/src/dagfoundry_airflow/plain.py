"""JSON values without what only Python knows, in an order that is always the same."""

from __future__ import annotations

import json
from typing import Any, Final

_PLAIN: Final = frozenset({str, int, float, bool, type(None)})
_TEXT: Final = frozenset({str})


def plain_json(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a copy of a value as JSON would give it back, with its keys sorted.

    Encoding and decoding the text costs twice as much, and every parse of a DAG passes here.

    Raises:
        TypeError: Some of it is no JSON value.
        RecursionError: It holds itself.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is dict and _TEXT.issuperset(map(type, value)):
        return {key: plain_json(value[key]) for key in sorted(value)}
    if kind is list or kind is tuple:
        return [plain_json(member) for member in value]
    return json.loads(json.dumps(value, sort_keys=True))
