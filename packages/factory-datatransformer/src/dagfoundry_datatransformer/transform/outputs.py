"""A transformer's outputs: plain tables of the merge store, filled inside one transaction.

An output's columns are those of its query. Its table is kept as long as they are, so
that refilling it needs no DDL (MariaDB commits on DDL).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateTable, DropTable
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.types import NullType

from dagfoundry.errors import JobFailedError
from dagfoundry.mergestore import RESERVED_PREFIX, Untyped, transformer_table_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection
    from sqlalchemy.sql.compiler import SQLCompiler
    from sqlalchemy.types import TypeEngine

    from dagfoundry_datatransformer.spec import OutputSpec, TransformerSpec

_RESULT: Final = sa.table("dagfoundry_result")
_COLUMN_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


class OutputTables:
    """The tables of a transformer's outputs, within one transaction."""

    def __init__(self, connection: Connection, spec: TransformerSpec) -> None:
        self._connection = connection
        self._spec = spec
        self._specs = {output.name: output for output in spec.outputs}
        self.tables: dict[str, sa.Table] = {}

    def create(self, name: str, columns: Sequence[sa.Column[Any]]) -> sa.Table:
        """Return an output's table, empty, with these columns.

        Raises:
            JobFailedError: The transformer has no such output, or the columns do not fit.
        """
        output = self._output(name)
        _check_columns(output, [column.name for column in columns], self.label(name))
        table = _output_table(self._spec, output, columns)
        if _is_same(self._connection, table):
            self._connection.execute(table.delete())
        else:
            if sa.inspect(self._connection).has_table(table.name):
                self._connection.execute(DropTable(table))
            self._connection.execute(CreateTable(table))
        self.tables[name] = table
        return table

    def fill(self, name: str, query: sa.Select[Any]) -> sa.Table:
        """Return an output's table, filled with the rows of a query.

        Raises:
            JobFailedError: The transformer has no such output, or the columns do not fit.
            SQLAlchemyError: The database refuses the query, or its rows break the key.
        """
        self._connection.execute(_CreateTemporaryTableAs(query))
        columns = _reflected(self._connection)
        table = self.create(name, columns)
        rows: sa.Select[Any] = sa.select(sa.literal_column("*")).select_from(_RESULT)
        self._connection.execute(table.insert().from_select([c.name for c in columns], rows))
        self._connection.execute(_DropTemporaryTable())
        return table

    def count(self, name: str) -> int:
        """Return the number of rows of an output."""
        query = sa.select(sa.func.count()).select_from(self.tables[name])
        return int(self._connection.execute(query).scalar() or 0)

    def label(self, name: str) -> str:
        """Return how an error names an output."""
        return f"transformer {self._spec.transformer}, output {name}"

    def _output(self, name: str) -> OutputSpec:
        try:
            return self._specs[name]
        except KeyError:
            msg = f"transformer {self._spec.transformer} has no output {name!r}"
            remedy = f"It has {', '.join(self._specs)}; add {name!r} to the model if it is meant."
            raise JobFailedError(msg, remedy=remedy) from None


def _check_columns(output: OutputSpec, names: Sequence[str], label: str) -> None:
    for name in names:
        if not _COLUMN_NAME.fullmatch(name) or name.lower().startswith(RESERVED_PREFIX):
            raise JobFailedError(
                f"{label}: {name!r} cannot be the name of a column",
                remedy="Give the column another name, in SQL with AS, and each name once.",
            )
    missing = [column for column in output.key if column not in names]
    if missing:
        raise JobFailedError(
            f"{label}: key column {missing[0]!r} is not among its columns {', '.join(names)}",
            remedy="Write it as the database does; PostgreSQL folds names to lower case.",
        )


def _output_table(
    spec: TransformerSpec, output: OutputSpec, columns: Sequence[sa.Column[Any]]
) -> sa.Table:
    return sa.Table(
        transformer_table_name(spec.platform, spec.output_store, output.name),
        sa.MetaData(),
        *(
            sa.Column(c.name, c.type, autoincrement=False, nullable=c.name not in output.key)
            for c in columns
        ),
        sa.PrimaryKeyConstraint(*output.key),
    )


def _is_same(connection: Connection, table: sa.Table) -> bool:
    inspector = sa.inspect(connection)
    if not inspector.has_table(table.name):
        return False
    found = [(c["name"], _ddl(c["type"], connection)) for c in inspector.get_columns(table.name)]
    wanted = [(c.name, _ddl(c.type, connection)) for c in table.columns]
    key = inspector.get_pk_constraint(table.name)["constrained_columns"]
    return found == wanted and key == [c.name for c in table.primary_key]


def _ddl(type_: TypeEngine[Any], connection: Connection) -> str:
    return "" if isinstance(type_, NullType) else type_.compile(dialect=connection.dialect)


# --- The result of a query, as a temporary table --------------------------------


class _CreateTemporaryTableAs(Executable, ClauseElement):
    """``CREATE TEMPORARY TABLE dagfoundry_result AS query``."""

    inherit_cache = False

    def __init__(self, query: sa.Select[Any]) -> None:
        self.query = query


class _DropTemporaryTable(Executable, ClauseElement):
    """``DROP TABLE dagfoundry_result``."""

    inherit_cache = False


@compiles(_CreateTemporaryTableAs)
def _create(element: _CreateTemporaryTableAs, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - SQLAlchemy's signature
    query = compiler.process(element.query, **options)
    return f"CREATE TEMPORARY TABLE {_RESULT.name} AS {query}"


@compiles(_DropTemporaryTable)
def _drop(_element: _DropTemporaryTable, _compiler: SQLCompiler, **_options: Any) -> str:  # noqa: ANN401 - SQLAlchemy's signature
    return f"DROP TABLE {_RESULT.name}"


def _reflected(connection: Connection) -> list[sa.Column[Any]]:
    found = sa.inspect(connection).get_columns(_RESULT.name)
    return [sa.Column(c["name"], _type(c["type"], connection)) for c in found]


def _type(type_: TypeEngine[Any], connection: Connection) -> TypeEngine[Any]:
    """Return a column's type; what SQLite calls NUM may be a date, and is kept as it comes."""
    vague = isinstance(type_, NullType) or type(type_) is sa.NUMERIC
    return Untyped() if vague and connection.dialect.name == "sqlite" else type_
