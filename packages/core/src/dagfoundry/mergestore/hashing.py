"""Hashes that tell whether a row, or its key, is the same as before.

The reference concatenates the text of the values, so that ("ab", "c") equals ("a", "bc")
and NULL equals the empty text (defect D35). Here a row is hashed as JSON values between
separators that JSON text never holds. NULLs at the end are left out: a new column that
is NULL in a row changes nothing in it.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_SEPARATOR: Final = "\x1f"
_NEXT_ROW: Final = f"]{_SEPARATOR}["


def hash_rows(rows: Sequence[Sequence[Any]]) -> list[str]:
    """Return 32 hexadecimal digits for each row, the same for the same values only.

    All rows are encoded at once and then taken apart, which takes half the time of one
    after another.

    Args:
        rows: What a driver returned for some columns, always in the same order.
    """
    if not rows:
        return []
    full = [r if r and r[-1] is not None else _without_trailing_nulls(r) for r in rows]
    texts = _encode(full)[2:-2].split(_NEXT_ROW)
    return [hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() for text in texts]


def _without_trailing_nulls(values: Sequence[Any]) -> Sequence[Any]:
    end = len(values)
    while end and values[end - 1] is None:
        end -= 1
    return values[:end]


def _tagged(value: object) -> dict[str, str]:
    """Return a value that JSON does not know as an object, which no column can hold.

    Not as a list: ``]`` and ``[`` side by side mean the next row.
    """
    if isinstance(value, (date, datetime, time)):
        return {type(value).__name__: value.isoformat()}
    if isinstance(value, Decimal):
        return {"decimal": _plain(value)}
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"bytes": bytes(value).hex()}
    return {type(value).__name__: str(value)}


def _plain(value: Decimal) -> str:
    """Return the same digits for equal numbers: 1.50 is 1.5."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


_encode = json.JSONEncoder(
    ensure_ascii=True, check_circular=False, separators=(_SEPARATOR, ":"), default=_tagged
).encode
