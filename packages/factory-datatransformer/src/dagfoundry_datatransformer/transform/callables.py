"""Python transformers: installed callables, found by their names and nothing else."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.errors import JobFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from importlib.metadata import EntryPoint

    import sqlalchemy as sa
    from sqlalchemy.engine import Connection

    from dagfoundry_datatransformer.transform.outputs import OutputTables

    Transformer = Callable[[Connection, "TransformerContext"], object]

GROUP: Final = "dagfoundry.transformers"
"""Entry-point group of Python transformers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TransformerContext:
    """What a Python transformer is given beside the connection.

    Its inputs are read, and its outputs written, through the connection. The
    transaction belongs to the job: do not commit or roll back.

    Attributes:
        platform: Name of the platform.
        transformer: Name of the transformer.
        inputs: Alias to an input's live rows, for ``select(...)``.

    Example::

        def delay_report(connection, context):
            flights = context.inputs["flights"]
            query = select(flights.c.origin, func.count().label("flights"))
            context.fill_output("report", query.group_by(flights.c.origin))
    """

    platform: str
    transformer: str
    inputs: Mapping[str, sa.Subquery]
    _outputs: OutputTables

    def fill_output(self, name: str, query: sa.Select[Any]) -> sa.Table:
        """Fill an output with the rows of a query, and return its table."""
        return self._outputs.fill(name, query)

    def create_output(self, name: str, *columns: sa.Column[Any]) -> sa.Table:
        """Return an output's table, empty, with these columns; insert its rows yourself."""
        return self._outputs.create(name, columns)


def call(name: str, connection: Connection, context: TransformerContext) -> None:
    """Call the transformer that is installed under a name.

    Raises:
        JobFailedError: None or several are installed, or it raised.
    """
    entry = _find(name, context.transformer)
    try:
        transform: Transformer = entry.load()
        transform(connection, context)
    except JobFailedError:
        raise
    except Exception as error:
        traceback.print_exc()
        raise JobFailedError(
            f"transformer {context.transformer}: python {name!r} of {_owner(entry)}"
            f" raised {type(error).__name__}: {error}",
            remedy="Its traceback stands above; mend it and run the job again.",
        ) from error


def _find(name: str, transformer: str) -> EntryPoint:
    installed = entry_points(group=GROUP)
    found = [entry for entry in installed if entry.name == name]
    if len(found) == 1:
        return found[0]
    if found:
        msg = f"transformer {transformer}: {' and '.join(map(_owner, found))} both offer {name!r}"
        raise JobFailedError(msg, remedy="Uninstall one of them.")
    names = ", ".join(sorted({entry.name for entry in installed})) or "none"
    raise JobFailedError(
        f"transformer {transformer}: no installed package offers python {name!r}",
        remedy=f"Install it where the job runs (group {GROUP!r}); installed are: {names}.",
    )


def _owner(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value
