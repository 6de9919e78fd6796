"""What DAGs looked like when they were last good is known to every process of the store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, inspect, select, update

from dagfoundry.store import DagShape, Placeholder, VersionRecord
from dagfoundry.store.placeholders import placeholders_from_json, placeholders_to_json
from dagfoundry.store.schema_version import SchemaState
from dagfoundry.store.shapes import ShapeSeen
from dagfoundry.store.tables import DAG_SHAPES, SCHEMA_VERSION, SHAPES
from dagfoundry.store.upgrade import upgrade_store

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conftest import Workshop

ONE = DagShape(tasks=(("a", ("b",)), ("b", ())), tags=("x",), distribution="greet", version="1.0")
OTHER = ONE._replace(tasks=(("a", ()),))


def seen(names: Iterable[str], shape: DagShape = ONE, revision: int = 1) -> dict[str, ShapeSeen]:
    """Return that DAGs had a shape."""
    return {name: ShapeSeen(revision, shape) for name in names}


def counts(workshop: Workshop) -> tuple[int, ...]:
    """Return the numbers of DAGs and of shapes."""
    with workshop.store.reading() as connection:
        return tuple(
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (DAG_SHAPES, SHAPES)
        )


def test_shapes_of_many_dags_are_kept_once(workshop: Workshop) -> None:
    """Whatever the case of the foundry's name, and of however many DAGs."""
    workshop.greet("a")
    names = [f"dag {number}" for number in range(1500)]
    workshop.store.record_shapes("test", seen(names) | seen(["dag 7"], OTHER))
    assert counts(workshop) == (1500, 2)
    found = workshop.store.shapes("TEST", names)
    assert found == dict.fromkeys(names, ONE) | {"dag 7": OTHER}
    assert workshop.store.shapes("Test", ["dag 1", "dag 7", "nowhere"]) == {
        "dag 1": ONE,
        "dag 7": OTHER,
    }
    assert workshop.store.shapes("Test", []) == {}


def test_a_newer_shape_takes_the_place_of_an_older_one(workshop: Workshop) -> None:
    """A host that is behind changes nothing."""
    workshop.greet("a")
    workshop.store.record_shapes("Test", seen("ab", revision=3))
    workshop.store.record_shapes("Test", seen("a", OTHER, 3) | seen("b", OTHER, 2))
    assert workshop.store.shapes("Test", ["a", "b"]) == {"a": OTHER, "b": ONE}


def test_hosts_that_record_at_once_lose_nothing(workshop: Workshop) -> None:
    """Both have the same DAGs, or some of them."""
    workshop.greet("a")
    names = [f"dag {number}" for number in range(400)]
    parts = [names[:300], names[100:], names, names[::-1]]
    with ThreadPoolExecutor(len(parts)) as pool:
        list(pool.map(lambda part: workshop.store.record_shapes("Test", seen(part)), parts))
    assert workshop.store.shapes("Test", names) == dict.fromkeys(names, ONE)
    assert counts(workshop) == (400, 1)


def test_foundries_of_a_store_keep_their_shapes_apart(workshop: Workshop) -> None:
    """A DAG id may have been another foundry's once."""
    workshop.greet("a")
    workshop.merge("greetings: [{name: b}]\n", foundry="Other", platform="Far")
    workshop.store.record_shapes("Test", seen("a"))
    workshop.store.record_shapes("Other", seen("a", OTHER))
    assert workshop.store.shapes("Test", ["a"]) == {"a": ONE}


def test_a_store_of_an_older_release_knows_no_shapes_until_it_is_upgraded(
    workshop: Workshop,
) -> None:
    """DAG processors go on meanwhile; the upgrade may be repeated."""
    workshop.greet("a")
    with workshop.store.writing() as connection:
        for table in (SHAPES, DAG_SHAPES):
            table.drop(connection)
        connection.execute(update(SCHEMA_VERSION).values(version_num="s0001"))
    workshop.store.record_shapes("Test", seen("a"))
    assert workshop.store.shapes("Test", ["a"]) == {}
    assert workshop.store.schema_versions()[0].state is SchemaState.OLDER
    for _ in range(2):
        upgrade_store(workshop.store)
        workshop.store.record_shapes("Test", seen("a"))
    assert workshop.store.shapes("Test", ["a"]) == {"a": ONE}


def test_an_upgraded_table_is_what_a_merge_makes(workshop: Workshop) -> None:
    """Its columns and its key, whichever of the two came first."""
    workshop.greet("a")
    fresh = _described(workshop)
    with workshop.store.writing() as connection:
        DAG_SHAPES.drop(connection)
        connection.execute(update(SCHEMA_VERSION).values(version_num="s0001"))
    upgrade_store(workshop.store)
    assert _described(workshop) == fresh


def _described(workshop: Workshop) -> list[object]:
    with workshop.store.reading() as connection:
        tables = inspect(connection)
        return [
            [
                name,
                [str(column["type"]) for column in tables.get_columns(name)],
                tables.get_pk_constraint(name)["constrained_columns"],
            ]
            for name in (SHAPES.name, DAG_SHAPES.name)
        ]


def test_a_version_says_which_dags_are_placeholders(workshop: Workshop) -> None:
    """Each that differs is written once; a version without any looks as it always did."""
    workshop.greet("a")
    one, other = Placeholder(ONE, "it is gone"), Placeholder(OTHER, "it is gone")
    placeholders = {"a": one, "b": other, "c": one}
    record = VersionRecord(version="r1-x", revision=1, placeholders=placeholders)
    workshop.store.record_version("Test", record)
    assert workshop.store.version("Test", "r1-x") == record
    assert len(placeholders_to_json(placeholders)["kinds"]) == 2
    assert VersionRecord(version="r1-y", revision=1).manifest() == {"held": {}, "errors": {}}


@pytest.mark.parametrize("nothing", [None, {}])
def test_a_version_of_an_older_release_has_no_placeholders(nothing: object) -> None:
    """It was recorded before there were any."""
    assert placeholders_from_json(nothing) == {}
