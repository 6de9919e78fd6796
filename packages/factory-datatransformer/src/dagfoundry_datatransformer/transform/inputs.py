"""A transformer's inputs: the live rows of merge tables, without the merge store's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from dagfoundry.errors import JobFailedError
from dagfoundry.mergestore import BATCH_OUT, LIVE_RECORD, RESERVED_PREFIX, merge_table_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import Connection

    from dagfoundry_datatransformer.spec import TransformerSpec

Inputs = dict[str, "sa.Select[Any]"]
"""Alias to the query of an input's rows."""


def read_inputs(connection: Connection, spec: TransformerSpec) -> Inputs:
    """Return the query of each input's rows.

    Raises:
        JobFailedError: The merge table of an input does not exist yet.
    """
    return {alias: _live_rows(connection, spec, alias) for alias in spec.inputs}


def _live_rows(connection: Connection, spec: TransformerSpec, alias: str) -> sa.Select[Any]:
    store, _, dataset = spec.inputs[alias].partition("#")
    name = merge_table_name(spec.platform, store, dataset)
    inspector = sa.inspect(connection)
    if not inspector.has_table(name):
        msg = f"transformer {spec.transformer}: input {alias!r} has no merge table {name} yet"
        raise JobFailedError(msg, remedy=f"Run what writes dataset {store}.{dataset} first.")
    found = inspector.get_columns(name)
    table = sa.table(name, *(sa.column(column["name"], column["type"]) for column in found))
    rows = sa.select(*(c for c in table.columns if not c.name.startswith(RESERVED_PREFIX)))
    if BATCH_OUT in table.columns:
        rows = rows.where(table.columns[BATCH_OUT] == sa.literal_column(str(LIVE_RECORD)))
    return rows


def select_over(inputs: Mapping[str, sa.Select[Any]], sql: str, dialect: str) -> sa.Select[Any]:
    """Return a user's SELECT as a sub-query that sees the inputs by their aliases.

    Args:
        inputs: Alias to the query of an input's rows.
        sql: One SELECT statement.
        dialect: Name of the database's dialect.
    """
    # a colon is text here, not a parameter; a comment in the last line ends before the )
    body = sa.text("(" + sql.replace(":", "\\:") + "\n) AS dagfoundry_output")
    query: sa.Select[Any] = sa.select(sa.literal_column("*")).select_from(body)
    for alias, rows in inputs.items():
        for name in _spellings(alias, dialect):
            cte = rows.cte(name)
            # PostgreSQL computes a WITH query that is used twice on its own, without indexes
            cte = cte.prefix_with("NOT MATERIALIZED", dialect="postgresql")
            query = query.add_cte(cte)
    return query


def _spellings(alias: str, dialect: str) -> list[str]:
    """Return the names under which a database finds an alias, quoted by the user or not.

    SQLite ignores case. PostgreSQL folds what is not quoted to lower case.
    """
    return [alias] if dialect == "sqlite" else list(dict.fromkeys((alias, alias.lower())))
