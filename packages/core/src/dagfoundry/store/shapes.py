"""What every DAG looked like when it was last good, for the day on which its plugin is gone.

Thousands of DAGs share a handful of shapes, so each shape is a row of its own, named by
its content.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import bindparam, insert, inspect, select, update

from dagfoundry.store.bulk import insert_rows
from dagfoundry.store.placeholders import DagShape
from dagfoundry.store.schema_lock import lock_schema
from dagfoundry.store.tables import DAG_SHAPES, SHAPES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sqlalchemy.engine import Connection

_ID_LENGTH: Final = 32
_ONE_BY_ONE: Final = 200
"""DAG ids that are named in a statement; of more, all of the foundry are read."""


class ShapeSeen(NamedTuple):
    """The shape of a DAG whose row has just been built.

    Attributes:
        revision: Revision of the row.
        shape: What it looks like.
    """

    revision: int
    shape: DagShape


def shape_text(shape: DagShape) -> str:
    """Return a shape as text, the same for the same shape."""
    return json.dumps(shape.to_json(), sort_keys=True, separators=(",", ":"))


def text_id(text: str) -> str:
    """Return the name of a shape's text."""
    return hashlib.sha256(text.encode()).hexdigest()[:_ID_LENGTH]


def keeps_shapes(connection: Connection) -> bool:
    """Return whether the store has the tables; one of an older release has not."""
    return inspect(connection).has_table(DAG_SHAPES.name)


def read_shapes(
    connection: Connection, foundry: str, dag_ids: Collection[str]
) -> dict[str, DagShape]:
    """Return the last good shapes of DAGs, as far as they are known, by DAG id."""
    statement = (
        select(DAG_SHAPES.c.dag_id, DAG_SHAPES.c.shape_id)
        .join(SHAPES, SHAPES.c.shape_id == DAG_SHAPES.c.shape_id)
        .add_columns(SHAPES.c.content)
        .where(DAG_SHAPES.c.foundry == foundry)
    )
    if len(dag_ids) <= _ONE_BY_ONE:
        statement = statement.where(DAG_SHAPES.c.dag_id.in_(sorted(dag_ids)))
    found = {r.dag_id: r for r in connection.execute(statement) if r.dag_id in dag_ids}
    texts = {row.shape_id: row.content for row in found.values()}
    shapes = {shape_id: DagShape.from_json(json.loads(text)) for shape_id, text in texts.items()}
    return {dag_id: shapes[row.shape_id] for dag_id, row in found.items()}


def new_shapes(
    connection: Connection, foundry: str, seen: Mapping[str, ShapeSeen]
) -> dict[str, ShapeSeen]:
    """Return the shapes that are not recorded yet, nor a newer one in their place."""
    known = _recorded(connection, foundry, seen)
    ids = {shape: text_id(shape_text(shape)) for shape in {each.shape for each in seen.values()}}
    return {
        dag_id: each
        for dag_id, each in seen.items()
        if dag_id not in known
        or (known[dag_id][1] != ids[each.shape] and known[dag_id][0] <= each.revision)
    }


def write_shapes(connection: Connection, foundry: str, seen: Mapping[str, ShapeSeen]) -> None:
    """Record shapes in place of those that are recorded.

    DAG processors find the same DAGs at the same moment, so one after the other writes.
    """
    lock_schema(connection)
    fresh = new_shapes(connection, foundry, seen)
    texts = {shape: shape_text(shape) for shape in {each.shape for each in fresh.values()}}
    _write_texts(connection, {text_id(text): text for text in texts.values()})
    known = _recorded(connection, foundry, fresh)
    rows = [(foundry, d, s.revision, text_id(texts[s.shape])) for d, s in fresh.items()]
    insert_rows(connection, DAG_SHAPES, _COLUMNS, [row for row in rows if row[1] not in known])
    moved = [dict(zip(_BOUND, row, strict=True)) for row in rows if row[1] in known]
    if moved:
        connection.execute(_UPDATE, moved)


_COLUMNS: Final = ("foundry", "dag_id", "revision", "shape_id")
_BOUND: Final = tuple(f"b_{name}" for name in _COLUMNS)
_UPDATE: Final = (
    update(DAG_SHAPES)
    .where(DAG_SHAPES.c.foundry == bindparam("b_foundry"))
    .where(DAG_SHAPES.c.dag_id == bindparam("b_dag_id"))
    .values(revision=bindparam("b_revision"), shape_id=bindparam("b_shape_id"))
)


def _recorded(
    connection: Connection, foundry: str, dag_ids: Collection[str]
) -> dict[str, tuple[int, str]]:
    columns = (DAG_SHAPES.c.dag_id, DAG_SHAPES.c.revision, DAG_SHAPES.c.shape_id)
    statement = select(*columns).where(DAG_SHAPES.c.foundry == foundry)
    if len(dag_ids) <= _ONE_BY_ONE:
        statement = statement.where(DAG_SHAPES.c.dag_id.in_(sorted(dag_ids)))
    return {row.dag_id: (row.revision, row.shape_id) for row in connection.execute(statement)}


def _write_texts(connection: Connection, texts: Mapping[str, str]) -> None:
    for some in _parts(sorted(texts)):
        known = select(SHAPES.c.shape_id).where(SHAPES.c.shape_id.in_(some))
        missing = set(some) - set(connection.execute(known).scalars())
        rows: list[dict[str, Any]] = [
            {"shape_id": shape_id, "content": texts[shape_id]} for shape_id in sorted(missing)
        ]
        if rows:
            connection.execute(insert(SHAPES), rows)


def _parts(names: list[str]) -> Iterable[list[str]]:
    return (names[at : at + _ONE_BY_ONE] for at in range(0, len(names), _ONE_BY_ONE))
