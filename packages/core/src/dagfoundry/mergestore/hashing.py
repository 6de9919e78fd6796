"""Hashes that tell whether a row, or its key, is the same as before.

The reference concatenates the text of the values, so that ("ab", "c") equals ("a", "bc")
and NULL equals the empty text (defect D35). Here a row is hashed as a JSON list, in
which both differ. NULLs at the end are left out: a new column that is NULL in a row
changes nothing in it.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


def hash_values(values: Sequence[Any]) -> str:
    """Return 32 hexadecimal digits, the same for the same values only.

    Args:
        values: What a driver returned for the columns of a row, in a fixed order.
    """
    if values and values[-1] is None:
        values = _without_trailing_nulls(values)
    return hashlib.md5(_encode(values).encode(), usedforsecurity=False).hexdigest()


def _without_trailing_nulls(values: Sequence[Any]) -> Sequence[Any]:
    end = len(values)
    while end and values[end - 1] is None:
        end -= 1
    return values[:end]


def _tagged(value: object) -> list[str]:
    """Return a value that JSON does not know as a list, which no column can hold."""
    if isinstance(value, (date, datetime, time)):
        return [type(value).__name__, value.isoformat()]
    if isinstance(value, Decimal):
        return ["decimal", _plain(value)]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return ["bytes", bytes(value).hex()]
    return [type(value).__name__, str(value)]


def _plain(value: Decimal) -> str:
    """Return the same digits for equal numbers: 1.50 is 1.5."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


_encode = json.JSONEncoder(
    ensure_ascii=True, check_circular=False, separators=(",", ":"), default=_tagged
).encode
