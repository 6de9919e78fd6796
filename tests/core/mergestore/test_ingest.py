"""Snapshots copied into live merge tables: what is written, counted and recorded."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, time, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from dagfoundry import JobResult, JobStatus
from dagfoundry.errors import JobFailedError
from dagfoundry.mergestore import SourceDataset, batch_stream_key, open_merge_store, open_source

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Lab


def counts(result: JobResult) -> tuple[int, int, int, int]:
    """Return inserted, updated, deleted and read rows."""
    return (
        result.rows_inserted,
        result.rows_updated,
        result.rows_deleted,
        result.rows_total,
    )


@pytest.mark.usefixtures("customers")
def test_first_run_inserts_every_row(lab: Lab) -> None:
    """A new merge table holds what the source has, and the job is done."""
    result = lab.ingest("customers")
    assert result == JobResult(status=JobStatus.DONE, rows_inserted=2, rows_total=2)
    assert lab.merged("customers", "id") == [(1, "Ada", None), (2, "Bob", None)]


@pytest.mark.usefixtures("customers")
def test_run_without_changes_writes_nothing(lab: Lab) -> None:
    """Rows that are the same keep the batch that wrote them."""
    lab.ingest("customers")
    assert counts(lab.ingest("customers")) == (0, 0, 0, 2)
    assert lab.column("customers", "ds_surf_batch_id") == [1, 1]


def test_counts_are_those_of_the_rows(lab: Lab, customers: sa.Table) -> None:
    """One row came, one changed, one went, one stayed; each is counted as such (D34)."""
    lab.fill(customers, (1, "Ada"), (2, "Bob"), (3, "Cy"))
    lab.ingest("customers")
    lab.fill(customers, (1, "Ada"), (2, "Bea"), (4, "Di"))
    assert counts(lab.ingest("customers")) == (1, 1, 1, 3)
    assert lab.merged("customers", "id") == [
        (1, "Ada", None),
        (2, "Bea", None),
        (4, "Di", None),
    ]
    assert lab.column("customers", "ds_surf_batch_id") == [1, 2, 2]


def test_empty_source_empties_the_merge_table(lab: Lab, customers: sa.Table) -> None:
    """A source without rows is a snapshot like any other."""
    lab.ingest("customers")
    lab.fill(customers)
    assert counts(lab.ingest("customers")) == (0, 0, 2, 0)
    assert lab.merged("customers") == []


def test_values_moving_between_columns_are_a_change(lab: Lab, customers: sa.Table) -> None:
    """("ab", "c") is not ("a", "bc"), and NULL is not the empty text (D35)."""
    lab.fill(customers, (1, "ab", "c"), (2, None, "x"))
    lab.ingest("customers")
    lab.fill(customers, (1, "a", "bc"), (2, "", "x"))
    assert counts(lab.ingest("customers")) == (0, 2, 0, 2)
    assert lab.merged("customers", "id") == [(1, "a", "bc"), (2, "", "x")]


def test_keys_that_read_the_same_side_by_side_stay_apart(lab: Lab) -> None:
    """Keys ("ab", "c") and ("a", "bc") are two rows, of text columns at that (D35)."""
    table = lab.create(
        "pairs",
        sa.Column("a", sa.Text, primary_key=True),
        sa.Column("b", sa.Text, primary_key=True),
    )
    lab.fill(table, ("ab", "c"), ("a", "bc"))
    assert counts(lab.ingest("pairs", key=("a", "b"))) == (2, 0, 0, 2)
    assert counts(lab.ingest("pairs", key=("a", "b"))) == (0, 0, 0, 2)


def test_whole_rows_are_the_key_when_the_model_names_none(lab: Lab) -> None:
    """Without a key a changed row is one that went and one that came."""
    table = lab.create("log", sa.Column("a", sa.Integer), sa.Column("b", sa.String(9)))
    lab.fill(table, (1, None), (1, "x"), (None, None))
    assert counts(lab.ingest("log", key=())) == (3, 0, 0, 3)
    lab.fill(table, (1, None), (1, "y"), (None, None))
    assert counts(lab.ingest("log", key=())) == (1, 0, 1, 3)
    assert sorted(lab.merged("log"), key=str) == [(1, "y"), (1, None), (None, None)]


def test_all_datasets_of_a_stream_share_a_batch(lab: Lab, customers: sa.Table) -> None:
    """The counts of a batch are sums over its datasets."""
    orders = lab.create("orders", sa.Column("id", sa.Integer, primary_key=True))
    lab.fill(orders, (7,), (8,), (9,))
    assert counts(lab.ingest("customers", "orders")) == (5, 0, 0, 5)
    lab.fill(customers, (1, "Ada"))
    lab.fill(orders, (7,), (8,), (9,), (10,))
    assert counts(lab.ingest("customers", "orders")) == (1, 0, 1, 5)
    assert lab.statuses() == [(1, "committed"), (2, "committed")]


@pytest.mark.usefixtures("customers")
def test_batch_metrics_say_what_a_batch_did(lab: Lab) -> None:
    """The row of a batch has the reference's columns, and its state the reference's form."""
    lab.ingest("customers")
    row = lab.batches()[0]
    assert list(row) == [
        "key",
        "batch_id",
        "batch_start_time",
        "batch_end_time",
        "batch_status",
        "records_inserted",
        "records_updated",
        "records_deleted",
        "total_records",
        "state",
    ]
    assert (row["key"], row["batch_status"]) == ("Shop", "committed")
    assert row["batch_start_time"] <= row["batch_end_time"]
    assert (row["records_inserted"], row["total_records"]) == (2, 2)
    assert " " not in row["state"]
    state = json.loads(row["state"])
    assert state["all_datasets"] == ["customers"]
    assert state["current_dataset_index"] == 1
    assert len(state["schema_versions"]["customers"]) == 32


@pytest.mark.usefixtures("customers")
def test_no_staged_row_is_kept(lab: Lab) -> None:
    """A committed batch leaves its staging tables empty."""
    lab.ingest("customers")
    assert lab.staged("customers") == 0


@pytest.mark.usefixtures("customers")
def test_batch_of_a_reference_job_is_followed(lab: Lab) -> None:
    """Numbers go on where the reference's committed batches ended."""
    lab.ingest("customers")
    lab.execute_merge(
        'UPDATE yellowlive_batch_counter SET "currentBatch" = 7',
        "UPDATE yellowlive_batch_metrics SET batch_id = 7",
    )
    lab.ingest("customers")
    assert lab.statuses() == [(7, "committed"), (8, "committed")]


@pytest.mark.usefixtures("customers")
def test_new_stream_over_old_tables_counts_on(lab: Lab) -> None:
    """A store that turns from one stream to one a dataset never numbers batches again."""
    lab.ingest("customers")
    lab.ingest("customers")
    lab.execute("UPDATE customers SET name = 'Al' WHERE id = 1")
    lab.ingest("customers")
    lab.ingest("customers", stream=batch_stream_key("Shop", "customers"))
    assert [(b["key"], b["batch_id"]) for b in lab.batches()][-1] == ("Shop#customers", 4)


def test_source_table_may_have_another_name(lab: Lab, customers: sa.Table) -> None:
    """The merge table is named after the dataset, not after the source's table or view."""
    lab.fill(customers, (1, "Ada"), (2, "Bob"))
    lab.execute("CREATE VIEW bobs AS SELECT * FROM customers WHERE name = 'Bob'")
    lab.ingest(SourceDataset(name="people", table="bobs", key=("id",)))
    assert lab.merged("people") == [(2, "Bob", None)]


def test_source_table_may_stand_in_a_schema(postgres_lab: Lab) -> None:
    """A table of a PostgreSQL schema is named with it."""
    lab = postgres_lab
    lab.execute('CREATE SCHEMA "Sales EU"')
    table = lab.create("t", sa.Column("id", sa.Integer, primary_key=True), schema="Sales EU")
    lab.fill(table, (5,))
    lab.ingest(SourceDataset(name="t", table="t", schema="Sales EU", key=("id",)))
    assert lab.merged("t") == [(5,)]


def test_names_of_columns_are_quoted(lab: Lab) -> None:
    """Mixed case, blanks, quotes and reserved words are names like any other."""
    names = ["Order ID", "select", "firstName", 'say "hi"', "per%cent", "a:b", "ä"]
    columns = [sa.Column(name, sa.Integer) for name in names]
    table = lab.create("odd", *columns)
    lab.fill(table, range(7), range(1, 8))
    assert counts(lab.ingest("odd", key=("Order ID", "a:b"))) == (2, 0, 0, 2)
    assert counts(lab.ingest("odd", key=("Order ID", "a:b"))) == (0, 0, 0, 2)
    assert lab.merged("odd", "Order ID") == [tuple(range(7)), tuple(range(1, 8))]
    assert list(lab.merge_table("odd").c.keys())[:7] == names


def test_long_names_are_shortened_as_the_reference_does(lab: Lab) -> None:
    """Two datasets whose names differ at the end only keep tables of their own."""
    long = "a" * 60
    names = [f"{long}_{end}" for end in ("left", "right")]
    datasets = []
    for number, name in enumerate(names):
        lab.fill(lab.create(f"t{number}", sa.Column("id", sa.Integer, primary_key=True)), (number,))
        datasets.append(SourceDataset(name=name, table=f"t{number}", key=("id",)))
    lab.ingest(*datasets)
    assert [lab.merged(name) for name in names] == [[(0,)], [(1,)]]
    assert len(lab.merge_table(names[0]).name) == 63


def test_merge_store_can_be_the_source(lab: Lab) -> None:
    """A transformer's output table is copied within the merge store."""
    lab.execute_merge(
        "CREATE TABLE dt (id INTEGER PRIMARY KEY, total DOUBLE PRECISION)",
        "INSERT INTO dt VALUES (1, 0.5), (2, NULL)",
    )
    inner = replace(lab, source=lab.merge)
    assert counts(inner.ingest("dt")) == (2, 0, 0, 2)
    assert lab.merged("dt", "id") == [(1, 0.5), (2, None)]


def test_streams_write_one_merge_store_at_once(lab: Lab) -> None:
    """Jobs of several streams wait for each other's transactions and all succeed."""
    stores = [f"Store{number}" for number in range(6)]
    table = lab.create("t", sa.Column("id", sa.Integer, primary_key=True))
    lab.fill(table, *((n,) for n in range(200)))

    def work(store: str) -> JobResult:
        return lab.ingest("t", store=store, chunk_rows=20)

    with ThreadPoolExecutor(len(stores)) as pool:
        results = list(pool.map(work, stores))
    assert [counts(r) for r in results] == [(200, 0, 0, 200)] * len(stores)


def test_missing_source_file_is_one_error(lab: Lab, tmp_path: Path) -> None:
    """A source that is not there is not made, and the error says what is missing."""
    missing = tmp_path / "missing.db"
    broken = replace(lab, source=open_source(f"sqlite:///{missing}"))
    with pytest.raises(JobFailedError, match=r"cannot read database sqlite:.*missing.db"):
        broken.ingest("customers")
    assert not missing.exists()


def test_unreachable_merge_store_is_one_error(lab: Lab) -> None:
    """A server that is down is named without the password."""
    engine = open_merge_store("postgresql://ada:s3cret@127.0.0.1:1/merge")
    with pytest.raises(JobFailedError, match=r"127\.0\.0\.1") as caught:
        replace(lab, merge=engine).ingest("customers")
    assert "s3cret" not in str(caught.value)


def test_missing_folder_of_the_merge_store_is_not_made(sqlite_lab: Lab, tmp_path: Path) -> None:
    """A mistyped path is one error and leaves nothing behind."""
    engine = open_merge_store(f"sqlite:///{tmp_path}/nowhere/merge.db")
    with pytest.raises(JobFailedError, match=r"cannot lock database .*nowhere/merge.db"):
        replace(sqlite_lab, merge=engine).ingest("customers")
    assert not (tmp_path / "nowhere").exists()


# the test itself writes and reads Decimals on SQLite, which SQLAlchemy 1.4 warns of
@pytest.mark.filterwarnings("ignore:Dialect sqlite")
def test_driver_values_survive_any_pair_of_databases(any_lab: Lab) -> None:
    """Every kind of value reads the same from the merge table as from the source."""
    columns: list[sa.Column[Any]] = [
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("big", sa.BigInteger),
        sa.Column("flag", sa.Boolean),
        sa.Column("ratio", sa.Float(53)),
        sa.Column("price", sa.Numeric(12, 2)),
        sa.Column("text", sa.Text),
        sa.Column("day", sa.Date),
        sa.Column("clock", sa.Time),
        sa.Column("stamp", sa.DateTime),
        sa.Column("blob", sa.LargeBinary),
    ]
    table = any_lab.create("kinds", *columns)
    row = (
        1,
        2**62,
        True,
        0.1,
        Decimal("10.50"),
        'tab\there "and" \\N \\ ünï 🛩\r\nnew line',
        date(2013, 1, 2),
        time(5, 6, 7, 80),
        datetime(2013, 1, 1, 5, 0, 0, 123456, tzinfo=timezone.utc).replace(tzinfo=None),
        b"\x00\xff'\\",
    )
    any_lab.fill(table, row, (2,))
    assert counts(any_lab.ingest("kinds")) == (2, 0, 0, 2)
    assert counts(any_lab.ingest("kinds")) == (0, 0, 0, 2)
    name = any_lab.merge_table("kinds").name
    typed = sa.table(name, *(sa.column(c.name, c.type) for c in columns))
    with any_lab.merge.connect() as connection:
        found = connection.execute(sa.select(typed).order_by(typed.c.id)).all()
    assert [tuple(r) for r in found] == [row, (2, *[None] * 9)]


def test_types_that_other_databases_lack_are_kept_as_text(postgres_lab: Lab) -> None:
    """Arrays, JSON, UUIDs, intervals, enums and unknown types are copied as their text."""
    lab = postgres_lab
    lab.execute(
        "CREATE TYPE mood AS ENUM ('sad', 'happy')",
        "CREATE TABLE odd (id UUID PRIMARY KEY, a INT[], j JSONB, i INTERVAL, m mood, r INT4RANGE,"
        " z TIMESTAMPTZ, n INET)",
        "INSERT INTO odd VALUES ('00000000-0000-0000-0000-000000000001', '{1,2}', '{\"k\": 1}',"
        " '1 day', 'sad', '[1,5)', '2013-01-01 05:00:00+02', '10.0.0.1')",
    )
    assert counts(lab.ingest("odd")) == (1, 0, 0, 1)
    lab.execute("ALTER DATABASE " + str(lab.source_url.database) + " SET timezone = 'Asia/Tokyo'")
    assert counts(lab.ingest("odd")) == (0, 0, 0, 1)
    row = lab.merged("odd")[0]
    assert row[:6] == (
        "00000000-0000-0000-0000-000000000001",
        "{1,2}",
        '{"k": 1}',
        "1 day",
        "sad",
        "[1,5)",
    )
    assert row[6].isoformat() == "2013-01-01T03:00:00+00:00"


def test_columns_without_a_type_keep_their_values(sqlite_lab: Lab) -> None:
    """SQLite gives a computed column no type; its values are copied as they are."""
    lab = sqlite_lab
    lab.execute(
        "CREATE TABLE t (id INTEGER PRIMARY KEY)",
        "INSERT INTO t VALUES (1), (2)",
        "CREATE TABLE computed AS SELECT id, id * 1.5 AS half, '007' || id AS code FROM t",
    )
    lab.ingest("computed")
    assert lab.merged("computed", "id") == [(1, 1.5, "0071"), (2, 3.0, "0072")]
