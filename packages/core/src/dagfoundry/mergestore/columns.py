"""Types of columns: which kind of values a source column holds, and where they fit.

A merge table has one wide type for each kind, so that a source that widens a column
(``VARCHAR(20)`` to ``VARCHAR(50)``, ``INTEGER`` to ``BIGINT``) changes nothing there.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.types import NullType, UserDefinedType

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

_KEY_LENGTH: Final = 255
"""Longest text in a key of MariaDB, which cannot index unbounded text."""


class Family(str, Enum):
    """A kind of values."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMERIC = "numeric"
    FLOAT = "float"
    TEXT = "text"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    TIMESTAMP_TZ = "timestamp with time zone"
    BINARY = "binary"
    UNTYPED = "untyped"


class Untyped(UserDefinedType[Any]):
    """A column without a type, which SQLite allows and keeps as it came."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """Return the column's type in DDL: nothing."""
        return ""


_BY_TYPE: Final[tuple[tuple[type[TypeEngine[Any]], Family], ...]] = (
    (sa.Boolean, Family.BOOLEAN),
    (sa.Integer, Family.INTEGER),
    (sa.Float, Family.FLOAT),
    (sa.Numeric, Family.NUMERIC),
    (sa.Date, Family.DATE),
    (sa.Enum, Family.TEXT),
    (sa.JSON, Family.TEXT),
    (sa.String, Family.TEXT),
    (sa.LargeBinary, Family.BINARY),
    (sa.types._Binary, Family.BINARY),  # noqa: SLF001 - the only base of BINARY, VARBINARY, BLOB
)


def family_of(type_: TypeEngine[Any], backend: str) -> Family:
    """Return the kind of values that a reflected column holds.

    Args:
        type_: The type that SQLAlchemy's inspector found.
        backend: Name of the database's dialect.
    """
    if isinstance(type_, sa.DateTime):
        return Family.TIMESTAMP_TZ if type_.timezone else Family.TIMESTAMP
    if isinstance(type_, sa.Time):
        return Family.TEXT if type_.timezone else Family.TIME
    if isinstance(type_, NullType) and backend == "sqlite":
        return Family.UNTYPED
    return next((family for base, family in _BY_TYPE if isinstance(type_, base)), Family.TEXT)


def is_read_as_text(type_: TypeEngine[Any], backend: str) -> bool:
    """Return whether a source is to hand over a column's text, not the driver's value.

    Intervals, arrays, JSON, UUIDs and whatever else has no equal in each database.
    """
    is_plain_text = isinstance(type_, sa.String) and not isinstance(type_, sa.Enum)
    return family_of(type_, backend) is Family.TEXT and not is_plain_text


def merge_type(family: Family, backend: str, *, in_key: bool) -> TypeEngine[Any]:
    """Return the type of a column of a merge table.

    Args:
        family: Kind of its values.
        backend: Name of the merge store's dialect.
        in_key: Whether the column belongs to the primary key.
    """
    if backend in ("mysql", "mariadb"):
        return _mariadb_type(family, in_key=in_key)
    if family is Family.UNTYPED and backend == "sqlite":
        return Untyped()
    if family is Family.INTEGER and backend == "sqlite":
        return sa.Integer()
    return _STANDARD[family]


_STANDARD: Final[dict[Family, TypeEngine[Any]]] = {
    Family.BOOLEAN: sa.Boolean(),
    Family.INTEGER: sa.BigInteger(),
    Family.NUMERIC: sa.Numeric(),
    Family.FLOAT: sa.Float(53),
    Family.TEXT: sa.Text(),
    Family.DATE: sa.Date(),
    Family.TIME: sa.Time(),
    Family.TIMESTAMP: sa.DateTime(),
    Family.TIMESTAMP_TZ: sa.DateTime(timezone=True),
    Family.BINARY: sa.LargeBinary(),
    Family.UNTYPED: sa.Text(),
}


def _mariadb_type(family: Family, *, in_key: bool) -> TypeEngine[Any]:
    if family in (Family.TEXT, Family.UNTYPED):
        text = sa.String(_KEY_LENGTH, collation="utf8mb4_bin")
        return text if in_key else mysql.LONGTEXT(collation="utf8mb4_bin")
    special: dict[Family, TypeEngine[Any]] = {
        Family.NUMERIC: mysql.DECIMAL(65, 30),
        Family.TIME: mysql.TIME(fsp=6),
        Family.TIMESTAMP: mysql.DATETIME(fsp=6),
        Family.TIMESTAMP_TZ: mysql.DATETIME(fsp=6),
        Family.BINARY: mysql.LONGBLOB(),
    }
    return special.get(family, _STANDARD[family])


_FITS: Final = frozenset(
    {
        (Family.INTEGER, Family.NUMERIC),
        (Family.BOOLEAN, Family.INTEGER),
    }
)


def fits(values: Family, column: Family) -> bool:
    """Return whether an existing merge column can hold values of a kind."""
    return values is column or column in (Family.TEXT, Family.UNTYPED) or (values, column) in _FITS
