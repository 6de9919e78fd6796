"""What a stream copies: a dataset of a source, and the shape that the source gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import NoSuchTableError

from dagfoundry.errors import DatasetInvalidError
from dagfoundry.mergestore.columns import Family, family_of, is_read_as_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

RESERVED_PREFIX = "ds_surf_"
"""Columns of the merge store begin so; a source cannot have one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceDataset:
    """A table of a source that becomes a dataset.

    Attributes:
        name: Name of the dataset, from which its tables in the merge store are named.
        table: Table or view in the source.
        schema: Schema of that table; the connection's own when none.
        key: Columns whose values are unique; empty when whole rows are.
    """

    name: str
    table: str
    schema: str | None = None
    key: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceColumn:
    """A column of a source table.

    Attributes:
        name: Its name.
        family: Kind of its values.
        as_text: Whether the source is asked for its text, because the type has no
            equal in other databases.
    """

    name: str
    family: Family
    as_text: bool = False

    def expression(self) -> sa.ColumnElement[Any]:
        """Return what a query selects; untyped, so the driver's values come through."""
        plain: sa.ColumnElement[Any] = sa.column(self.name)
        return sa.cast(plain, sa.Text()).label(self.name) if self.as_text else plain


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceShape:
    """A dataset and the columns its source has now."""

    store: str
    dataset: SourceDataset
    columns: tuple[SourceColumn, ...]

    @property
    def label(self) -> str:
        """The dataset as ``Store#dataset``, for errors."""
        return f"{self.store}#{self.dataset.name}"

    def column(self, name: str) -> SourceColumn | None:
        """Return a column by its name, or none."""
        return next((c for c in self.columns if c.name == name), None)

    def from_clause(self) -> sa.TableClause:
        """Return the source table for a query."""
        return sa.table(self.dataset.table, schema=self.dataset.schema)


def read_shape(source: Connection, store: str, dataset: SourceDataset) -> SourceShape:
    """Ask a source for the columns of a dataset.

    Raises:
        DatasetInvalidError: There is no such table, a key column is missing, or a
            column has a name that the merge store needs.
    """
    shape = SourceShape(store=store, dataset=dataset, columns=_read_columns(source, dataset))
    _check(shape)
    return shape


def _read_columns(source: Connection, dataset: SourceDataset) -> tuple[SourceColumn, ...]:
    try:
        found: Sequence[Any] = sa.inspect(source).get_columns(dataset.table, dataset.schema)
    except NoSuchTableError:
        found = ()
    backend = source.dialect.name
    return tuple(
        SourceColumn(
            name=column["name"],
            family=family_of(column["type"], backend),
            as_text=is_read_as_text(column["type"], backend),
        )
        for column in found
    )


def _check(shape: SourceShape) -> None:
    dataset, names = shape.dataset, [column.name for column in shape.columns]
    if not names:
        where = f"{dataset.schema}.{dataset.table}" if dataset.schema else dataset.table
        raise DatasetInvalidError(
            f"dataset {shape.label}: the source has no table {where!r}",
            remedy="Create it, or name the right `table` and `source_schema` in the model.",
        )
    if missing := [column for column in dataset.key if column not in names]:
        raise DatasetInvalidError(
            f"dataset {shape.label}: key column {missing[0]!r} is not in table {dataset.table!r},"
            f" which has {', '.join(names)}",
            remedy="Name a key of existing columns in the model.",
        )
    if taken := [name for name in names if name.lower().startswith(RESERVED_PREFIX)]:
        raise DatasetInvalidError(
            f"dataset {shape.label}: column {taken[0]!r} has a name that the merge store needs",
            remedy=f"Rename it, or offer a view without columns named {RESERVED_PREFIX}*.",
        )
