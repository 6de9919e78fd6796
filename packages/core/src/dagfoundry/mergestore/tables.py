"""The staging and merge tables of a dataset, with the reference's names, columns and keys.

The merge table lives: a new source column is added to it, one that is gone stays and
becomes NULL. The staging table holds rows of the open batch only, so it is made anew
when it no longer fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from dagfoundry.errors import DatasetInvalidError
from dagfoundry.mergestore.columns import family_of, fits, merge_type
from dagfoundry.mergestore.datasets import RESERVED_PREFIX, SourceShape
from dagfoundry.mergestore.names import index_name, merge_table_name, staging_table_name
from dagfoundry.model.schema import Milestoning
from dagfoundry.names import table_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.engine import Connection

BATCH_ID: Final = "ds_surf_batch_id"
ALL_HASH: Final = "ds_surf_all_hash"
KEY_HASH: Final = "ds_surf_key_hash"
BATCH_IN: Final = "ds_surf_batch_in"
BATCH_OUT: Final = "ds_surf_batch_out"
LIVE_RECORD: Final = 2147483647
"""``ds_surf_batch_out`` of a row that is live."""

_HASH_WIDTH: Final = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetTables:
    """A dataset's two tables.

    Attributes:
        shape: The dataset and the columns its source has now.
        columns: The dataset's columns in the merge table's order; those that the
            source has no longer are among them.
        milestoning: Whether the merge table keeps history.
        staging: Rows of the open batch.
        merge: What readers see.
    """

    shape: SourceShape
    columns: tuple[str, ...]
    milestoning: Milestoning
    staging: sa.Table
    merge: sa.Table


def prepare_tables(
    connection: Connection, platform: str, shape: SourceShape, milestoning: Milestoning
) -> DatasetTables:
    """Create or alter a dataset's tables, so that they hold what its source has now.

    Args:
        connection: A transaction on the merge store.
        platform: Name of the platform.
        shape: The dataset as its source has it.
        milestoning: Whether to keep history.

    Raises:
        DatasetInvalidError: The merge table has another key, another milestoning, or
            a column that cannot hold what the source has now.
    """
    name = merge_table_name(platform, shape.store, shape.dataset.name)
    existing = _columns_of(connection, name)
    own = [c for c in existing if not c.name.startswith(RESERVED_PREFIX)]
    columns = [*own, *_new_columns(connection, shape, {c.name for c in own})]
    merge = _merge_table(name, columns, shape.dataset.key, milestoning)
    if existing:
        _check_layout(connection, merge, shape, {c.name for c in existing})
        _check_types(connection.dialect.name, merge, shape, own)
        _add_columns(connection, merge, columns[len(own) :])
    else:
        merge.create(connection)
    return DatasetTables(
        shape=shape,
        columns=tuple(column.name for column in columns),
        milestoning=milestoning,
        staging=_prepare_staging(connection, platform, shape, columns),
        merge=merge,
    )


def drop_staging(connection: Connection, tables: DatasetTables) -> None:
    """Delete all rows of a staging table, the fastest way that a transaction can undo."""
    if connection.dialect.name == "postgresql":
        name = connection.dialect.identifier_preparer.format_table(tables.staging)
        connection.exec_driver_sql(f"TRUNCATE TABLE {name}")
    else:
        connection.execute(sa.delete(tables.staging))


def _columns_of(connection: Connection, table: str) -> list[sa.Column[Any]]:
    inspector = sa.inspect(connection)
    if not inspector.has_table(table):
        return []
    return [sa.Column(c["name"], c["type"]) for c in inspector.get_columns(table)]


def _new_columns(
    connection: Connection, shape: SourceShape, known: set[str]
) -> Iterable[sa.Column[Any]]:
    key = shape.dataset.key
    for column in shape.columns:
        if column.name not in known:
            in_key = column.name in key
            type_ = merge_type(column.family, connection.dialect.name, in_key=in_key)
            yield sa.Column(column.name, type_)


def _merge_table(
    name: str, columns: Sequence[sa.Column[Any]], key: Sequence[str], milestoning: Milestoning
) -> sa.Table:
    if milestoning == Milestoning.FORENSIC:
        system = [_hash(ALL_HASH), _hash(KEY_HASH), _number(BATCH_IN), _number(BATCH_OUT)]
        primary = [*key, BATCH_IN] if key else [KEY_HASH, BATCH_IN]
        return _index(
            _table(name, columns, system, primary),
            live_records=[KEY_HASH, BATCH_OUT],
            batch_out=[BATCH_OUT],
            batch_range=[BATCH_IN, BATCH_OUT],
        )
    system = [_number(BATCH_ID), _hash(ALL_HASH), _hash(KEY_HASH)]
    table = _table(name, columns, system, key)
    unique = table_name(name, f"{KEY_HASH}_unique")
    table.append_constraint(sa.UniqueConstraint(KEY_HASH, name=unique))
    return table


def _staging_table(name: str, columns: Sequence[sa.Column[Any]], key: Sequence[str]) -> sa.Table:
    system = [_number(BATCH_ID), _hash(ALL_HASH), _hash(KEY_HASH)]
    primary = [*(key or [KEY_HASH]), BATCH_ID]
    return _index(_table(name, columns, system, primary), batch_key=[BATCH_ID, KEY_HASH])


def _table(
    name: str,
    columns: Sequence[sa.Column[Any]],
    system: Sequence[sa.Column[Any]],
    primary: Sequence[str],
) -> sa.Table:
    own = [sa.Column(c.name, c.type, nullable=c.name not in primary) for c in columns]
    table = sa.Table(name, sa.MetaData(), *own, *system)
    if primary:
        table.append_constraint(sa.PrimaryKeyConstraint(*primary))
    return table


def _index(table: sa.Table, **indexes: Sequence[str]) -> sa.Table:
    """Add indexes with the reference's names.

    Of its ten, those are left out that are the beginning of another, or that no
    statement uses: they doubled the time of a first load.
    """
    for noun, columns in indexes.items():
        sa.Index(index_name(table.name, noun), *(table.c[column] for column in columns))
    return table


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _hash(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.String(_HASH_WIDTH), nullable=False)


def _prepare_staging(
    connection: Connection, platform: str, shape: SourceShape, columns: Sequence[sa.Column[Any]]
) -> sa.Table:
    name = staging_table_name(platform, shape.store, shape.dataset.name)
    staging = _staging_table(name, columns, shape.dataset.key)
    existing = [c.name for c in _columns_of(connection, name)]
    primary = sa.inspect(connection).get_pk_constraint(name) if existing else None
    wanted = [c.name for c in staging.primary_key]
    if primary is not None and (
        existing != list(staging.c.keys()) or set(primary["constrained_columns"]) != set(wanted)
    ):
        sa.Table(name, sa.MetaData()).drop(connection)
        primary = None
    if primary is None:
        staging.create(connection)
    return staging


def _check_layout(
    connection: Connection, merge: sa.Table, shape: SourceShape, existing: set[str]
) -> None:
    if missing := [c.name for c in merge.c if _is_system(c.name) and c.name not in existing]:
        raise DatasetInvalidError(
            f"dataset {shape.label}: merge table {merge.name} has no column {missing[0]},"
            " so it was made with another milestoning",
            remedy=_load_anew(merge),
        )
    found = sa.inspect(connection).get_pk_constraint(merge.name)["constrained_columns"]
    before = [name for name in found if not _is_system(name)]
    if set(before) != set(shape.dataset.key):
        raise DatasetInvalidError(
            f"dataset {shape.label}: its key is now {_list(shape.dataset.key)},"
            f" and merge table {merge.name} has key {_list(before)}",
            remedy=_load_anew(merge),
        )


def _check_types(
    backend: str, merge: sa.Table, shape: SourceShape, own: Sequence[sa.Column[Any]]
) -> None:
    for held in own:
        column, family = shape.column(held.name), family_of(held.type, backend)
        if column is not None and not fits(column.family, family):
            raise DatasetInvalidError(
                f"dataset {shape.label}: column {held.name!r} now holds {column.family.value}"
                f" values, and merge table {merge.name} has it as {family.value}",
                remedy=_load_anew(merge),
            )


def _load_anew(merge: sa.Table) -> str:
    return f"Put back what it was, or drop table {merge.name} to load it anew."


def _add_columns(
    connection: Connection, merge: sa.Table, columns: Sequence[sa.Column[Any]]
) -> None:
    if not columns:
        return
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    operations = Operations(MigrationContext.configure(connection))
    for column in columns:
        operations.add_column(merge.name, sa.Column(column.name, column.type))


def _is_system(name: str) -> bool:
    return name.startswith(RESERVED_PREFIX)


def _list(key: Sequence[str]) -> str:
    return f"({', '.join(key)})" if key else "(whole rows)"
