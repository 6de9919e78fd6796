"""Values on their way into a merge store: as a driver binds them, or as COPY reads them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_NULL: Final = "\\N"
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def bound_values(rows: Iterable[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Return rows whose values each driver can bind.

    Times become the text in which SQLAlchemy stores them on SQLite.
    """
    adapt = _BOUND.get
    return [tuple(adapt(type(v), _same)(v) for v in row) for row in rows]


def copy_text(rows: Iterable[Sequence[Any]]) -> str:
    """Return rows in the text format of PostgreSQL's COPY."""
    text = _COPIED.get
    lines = ["\t".join([text(type(v), _escaped)(v) for v in row]) for row in rows]
    return "\n".join([*lines, ""])


def _same(value: Any) -> Any:  # noqa: ANN401 - whatever the driver gave
    return value


def _timestamp(value: datetime) -> str:
    utc = value.astimezone(timezone.utc) if value.tzinfo else value
    return utc.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def _escaped(value: object) -> str:
    return str(value).translate(_ESCAPES)


def _hexadecimal(value: bytes | memoryview) -> str:
    return f"\\\\x{bytes(value).hex()}"


_BOUND: Final[dict[type, Callable[[Any], Any]]] = {
    datetime: _timestamp,
    date: date.isoformat,
    time: lambda value: value.isoformat(timespec="microseconds"),
    timedelta: str,
    Decimal: str,
    memoryview: bytes,
}

_COPIED: Final[dict[type, Callable[[Any], str]]] = {
    type(None): lambda _: _NULL,
    int: str,
    float: repr,
    bool: lambda value: "1" if value else "0",
    bytes: _hexadecimal,
    memoryview: _hexadecimal,
}
