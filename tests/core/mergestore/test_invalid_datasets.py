"""Datasets that do not fit: one clear error, and no merge table has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from dagfoundry.errors import DatasetInvalidError
from dagfoundry.mergestore import SourceDataset
from dagfoundry.model.schema import Milestoning

if TYPE_CHECKING:
    from conftest import Lab


@pytest.fixture
def loose(lab: Lab) -> sa.Table:
    """A source table whose database guards no key."""
    return lab.create("loose", sa.Column("a", sa.String(9)), sa.Column("b", sa.Integer))


def test_repeated_key_is_named_with_a_value_and_its_count(lab: Lab, loose: sa.Table) -> None:
    """The error shows the key that stands in the most rows."""
    lab.fill(loose, ("x", 1), ("x", 1), ("x", 1), ("y", 2), ("y", 2), ("z", 3))
    with pytest.raises(DatasetInvalidError) as caught:
        lab.ingest("loose", key=("a", "b"))
    assert caught.value.what == (
        "dataset Shop#loose: 2 values of key (a, b) stand in several rows of table 'loose';"
        " ('x', 1) in 3"
    )


def test_repeated_key_changes_no_merge_table(
    lab: Lab, loose: sa.Table, customers: sa.Table
) -> None:
    """A bad dataset keeps the good ones of its stream back too: a batch is one."""
    lab.fill(loose, ("x", 1))
    lab.ingest("customers", SourceDataset(name="loose", table="loose", key=("a",)))
    before = lab.merged("customers", "id"), lab.merged("loose", "a")
    lab.fill(customers, (1, "Ann"))
    lab.fill(loose, ("x", 1), ("x", 2))
    with pytest.raises(DatasetInvalidError):
        lab.ingest("customers", SourceDataset(name="loose", table="loose", key=("a",)))
    assert (lab.merged("customers", "id"), lab.merged("loose", "a")) == before
    assert lab.statuses() == [(1, "committed"), (2, "failed")]


def test_mended_source_takes_the_failed_batch_up_again(lab: Lab, loose: sa.Table) -> None:
    """The next job has the number of the batch that failed."""
    lab.fill(loose, ("x", 1), ("x", 2))
    with pytest.raises(DatasetInvalidError):
        lab.ingest("loose", key=("a",))
    lab.fill(loose, ("x", 1))
    assert lab.ingest("loose", key=("a",)).rows_inserted == 1
    assert lab.statuses() == [(1, "committed")]


def test_null_in_a_key_is_an_error(lab: Lab, loose: sa.Table) -> None:
    """The error names the column and how many rows have no value there."""
    lab.fill(loose, ("x", 1), ("y", None), ("z", None))
    with pytest.raises(DatasetInvalidError, match="key column 'b' is NULL in 2 rows"):
        lab.ingest("loose", key=("a", "b"))


def test_repeated_row_without_a_key_is_an_error(lab: Lab, loose: sa.Table) -> None:
    """Where whole rows are the key, two equal rows cannot be told apart."""
    lab.fill(loose, ("x", None), ("x", None))
    with pytest.raises(DatasetInvalidError, match=r"1 values of row \(a, b\) .* in 2"):
        lab.ingest("loose", key=())


def test_missing_table_is_named(lab: Lab) -> None:
    """The error says which dataset asks for which table."""
    with pytest.raises(DatasetInvalidError, match="Shop#gone: the source has no table 'gone'"):
        lab.ingest("gone")


def test_missing_key_column_is_named_with_those_there_are(lab: Lab, loose: sa.Table) -> None:
    """A mistyped key can be mended from the error alone."""
    lab.fill(loose, ("x", 1))
    with pytest.raises(DatasetInvalidError, match=r"key column 'A' is not in table 'loose'.*a, b"):
        lab.ingest("loose", key=("A",))


def test_column_of_the_merge_store_is_refused(lab: Lab) -> None:
    """A source cannot have a column that the merge table needs itself."""
    lab.create("t", sa.Column("id", sa.Integer), sa.Column("ds_surf_all_hash", sa.Text))
    with pytest.raises(DatasetInvalidError, match="column 'ds_surf_all_hash'"):
        lab.ingest("t")


@pytest.mark.usefixtures("customers")
def test_new_source_column_is_added(lab: Lab) -> None:
    """Rows with a value in it are updated; those where it is NULL stay untouched."""
    lab.ingest("customers")
    lab.execute(
        "ALTER TABLE customers ADD COLUMN born INTEGER",
        "UPDATE customers SET born = 1815 WHERE id = 1",
    )
    result = lab.ingest("customers")
    assert (result.rows_inserted, result.rows_updated, result.rows_deleted) == (0, 1, 0)
    found = sa.table("yellowlive_shop_customers_merge", sa.column("id"), sa.column("born"))
    with lab.merge.connect() as connection:
        assert connection.execute(sa.select(found).order_by(found.c.id)).all() == [
            (1, 1815),
            (2, None),
        ]


def test_column_that_is_gone_stays_and_becomes_null(lab: Lab, customers: sa.Table) -> None:
    """The merge table keeps the column; a row that had a value there is updated."""
    lab.fill(customers, (1, "Ada", "London"), (2, "Bob"))
    lab.ingest("customers")
    lab.execute("ALTER TABLE customers DROP COLUMN town")
    result = lab.ingest("customers")
    assert (result.rows_inserted, result.rows_updated, result.rows_deleted) == (0, 1, 0)
    assert lab.merged("customers", "id") == [(1, "Ada", None), (2, "Bob", None)]


@pytest.mark.usefixtures("customers")
def test_order_of_source_columns_does_not_matter(lab: Lab) -> None:
    """A table that is made anew with its columns moved around is the same table."""
    lab.ingest("customers")
    lab.execute(
        "CREATE TABLE moved AS SELECT town, name, id FROM customers",
        "DROP TABLE customers",
        "ALTER TABLE moved RENAME TO customers",
    )
    result = lab.ingest("customers")
    assert (result.rows_inserted, result.rows_updated, result.rows_deleted) == (0, 0, 0)


@pytest.mark.usefixtures("customers")
def test_wider_column_needs_no_change(postgres_lab: Lab, lab: Lab) -> None:
    """A merge column is as wide as its kind of values, so a source may widen its own."""
    lab = postgres_lab
    lab.execute("CREATE TABLE t (id SMALLINT, v VARCHAR(3))", "INSERT INTO t VALUES (1, 'abc')")
    lab.ingest("t")
    lab.execute(
        "ALTER TABLE t ALTER COLUMN id TYPE BIGINT",
        "ALTER TABLE t ALTER COLUMN v TYPE VARCHAR(90)",
        "INSERT INTO t VALUES (5000000000, 'abcdefgh')",
    )
    result = lab.ingest("t")
    assert (result.rows_inserted, result.rows_updated) == (1, 0)


@pytest.mark.usefixtures("customers")
def test_changed_key_is_one_error(lab: Lab) -> None:
    """The error shows both keys and what to do."""
    lab.ingest("customers")
    with pytest.raises(DatasetInvalidError) as caught:
        lab.ingest("customers", key=("id", "name"))
    assert caught.value.what == (
        "dataset Shop#customers: its key is now (id, name),"
        " and merge table yellowlive_shop_customers_merge has key (id)"
    )
    with pytest.raises(DatasetInvalidError, match=r"its key is now \(whole rows\)"):
        lab.ingest("customers", key=())


@pytest.mark.usefixtures("customers")
def test_changed_type_is_one_error(lab: Lab) -> None:
    """A column whose values are of another kind now is named with both kinds."""
    lab.ingest("customers")
    lab.execute(
        "DROP TABLE customers", "CREATE TABLE customers (id VARCHAR(9), name TEXT, town TEXT)"
    )
    with pytest.raises(DatasetInvalidError, match=r"column 'id' now holds text values.*as integer"):
        lab.ingest("customers")


@pytest.mark.usefixtures("customers")
def test_changed_milestoning_is_one_error(lab: Lab) -> None:
    """A live merge table has no history to go on with."""
    lab.ingest("customers")
    with pytest.raises(DatasetInvalidError, match="made with another milestoning"):
        lab.ingest("customers", milestoning=Milestoning.FORENSIC)


@pytest.mark.parametrize("any_lab", ["sqlite-postgresql"], indirect=True)
def test_value_that_does_not_fit_is_one_error(any_lab: Lab) -> None:
    """SQLite holds such values, PostgreSQL says which of them it refuses."""
    any_lab.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n NUMERIC, t TEXT)")
    any_lab.execute("INSERT INTO t VALUES (1, 'abc', 'x')")
    with pytest.raises(DatasetInvalidError, match=r'Shop#t: .* refuses a row: .*"abc"'):
        any_lab.ingest("t")
    any_lab.execute("UPDATE t SET n = 1, t = 'x' || char(0)")
    with pytest.raises(DatasetInvalidError, match=r"Shop#t: .* refuses a row: .*0x00"):
        any_lab.ingest("t")
    assert any_lab.merged("t") == []
