"""Finds out why a source's rows break their key, in one set-based query each.

Asked only after the staging table's primary key has refused a row: a source whose keys
are good never pays for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from dagfoundry.errors import DatasetInvalidError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

    from dagfoundry.mergestore.datasets import SourceColumn, SourceShape


def check_keys(source: Connection, shape: SourceShape) -> None:
    """Make sure that the rows of a dataset have keys, each its own.

    Args:
        source: The snapshot of the source that was staged.
        shape: The dataset.

    Raises:
        DatasetInvalidError: A key is NULL or stands in several rows.
    """
    keyed = [c for c in shape.columns if c.name in shape.dataset.key]
    _check_nulls(source, shape, keyed)
    _check_repeats(source, shape, keyed or shape.columns)


def _check_nulls(source: Connection, shape: SourceShape, key: Sequence[SourceColumn]) -> None:
    for column in key:
        query = sa.select(sa.func.count()).select_from(shape.from_clause())
        rows = source.execute(query.where(sa.column(column.name).is_(None))).scalar()
        if rows:
            raise DatasetInvalidError(
                f"dataset {shape.label}: key column {column.name!r} is NULL in {rows} rows"
                f" of table {shape.dataset.table!r}",
                remedy="Name a key that is never NULL in the model, or mend the source.",
            )


def _check_repeats(source: Connection, shape: SourceShape, key: Sequence[SourceColumn]) -> None:
    columns = [sa.column(c.name) if not c.as_text else c.expression().element for c in key]
    rows = sa.func.count().label("rows_of_key")
    query = (
        sa.select(*(c.label(f"k{n}") for n, c in enumerate(columns)), rows, _groups())
        .select_from(shape.from_clause())
        .group_by(*columns)
        .having(sa.func.count() > 1)
        .order_by(sa.desc("rows_of_key"))
        .limit(1)
    )
    found = source.execute(query).first()
    if found is None:
        return
    *values, count, keys = found
    names = ", ".join(c.name for c in key)
    what = f"key ({names})" if shape.dataset.key else f"row ({names})"
    raise DatasetInvalidError(
        f"dataset {shape.label}: {keys} values of {what} stand in several rows of table"
        f" {shape.dataset.table!r}; ({', '.join(map(repr, values))}) in {count}",
        remedy="Name a key that is unique in the model, or mend the source.",
    )


def _groups() -> sa.ColumnElement[Any]:
    return sa.func.count().over()
