"""Transformers in SQL, run as jobs on real databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from dagfoundry.model.schema import Milestoning

if TYPE_CHECKING:
    from conftest import Warehouse

TOTALS = "SELECT origin, COUNT(*) AS flights, SUM(delay) AS delay FROM flights GROUP BY origin"
EXPECTED = [("JFK", 2, 5), ("LGA", 1, 2)]


def test_fills_the_output_and_ingests_it(warehouse: Warehouse) -> None:
    """The first job makes the output's table, the second its merge table."""
    output = {"outputs": [{"name": "totals", "key": ["origin"], "sql": TOTALS}]}
    made = warehouse.run_process("run-datatransformer", **output)
    ingested = warehouse.run_process("ingest-output", **output)
    again = warehouse.run("ingest-output", **output)

    assert (made.exit_code, ingested.exit_code, again.exit_code) == (0, 0, 0), made.output
    assert made.output.splitlines()[-1] == "DATASURFACE_RESULT_CODE=0"
    assert made.result == {
        "status": "DONE",
        "rows_inserted": 0,
        "rows_updated": 0,
        "rows_deleted": 0,
        "rows_total": 2,
    }
    assert ingested.result is not None
    assert again.result is not None
    assert ingested.result["rows_inserted"] == 2
    assert (again.result["rows_inserted"], again.result["rows_total"]) == (0, 2)
    merged = "SELECT origin, flights, delay FROM yellowlive_report_totals_merge ORDER BY origin"
    assert warehouse.rows(merged) == warehouse.totals == EXPECTED


def test_refills_an_output(warehouse: Warehouse, flight_rows: object) -> None:
    """A second run shows what the inputs hold by then, and nothing older."""
    warehouse.sql(TOTALS)
    table, rows = flight_rows
    warehouse.ingest("Ops", "flights", table, rows(("EWR", 1)))
    assert warehouse.sql(TOTALS).exit_code == 0
    assert warehouse.totals == [("EWR", 1, 1)]


def test_follows_changed_columns(warehouse: Warehouse) -> None:
    """An output whose query has other columns gets a table that has them too."""
    warehouse.sql(TOTALS)
    assert warehouse.sql("SELECT DISTINCT origin, 'x' AS mark FROM flights").exit_code == 0
    assert warehouse.totals == [("JFK", "x"), ("LGA", "x")]


@pytest.mark.parametrize("name", ["Flights", "flights", "FLIGHTS", '"Flights"'])
def test_finds_an_alias_of_mixed_case(warehouse: Warehouse, name: str) -> None:
    """An alias with capitals is found quoted, and in any case when it is not quoted."""
    sql = TOTALS.replace("FROM flights", f"FROM {name}")
    assert warehouse.sql(sql, inputs={"Flights": "Ops#flights"}).exit_code == 0
    assert warehouse.totals == EXPECTED


def test_keeps_the_users_own_with_clause(warehouse: Warehouse) -> None:
    """A SELECT may begin with a WITH clause that reads the inputs."""
    sql = (
        "WITH t AS (SELECT origin, COUNT(*) AS flights, SUM(delay) AS delay FROM flights\n"
        "GROUP BY origin), u AS (SELECT * FROM t) SELECT u.* FROM u JOIN t USING (origin);"
    )
    assert warehouse.sql(sql).exit_code == 0
    assert warehouse.totals == EXPECTED


def test_hides_the_columns_of_the_merge_store(warehouse: Warehouse) -> None:
    """A star gives the dataset's own columns, and the one of the merge store fails."""
    star = warehouse.transform(
        outputs=[{"name": "totals", "key": ["id"], "sql": "SELECT * FROM flights"}]
    )
    names = [
        c["name"] for c in sa.inspect(warehouse.engine).get_columns("yellowlive_dt_report_totals")
    ]
    hidden = warehouse.sql("SELECT origin, ds_surf_batch_id AS b FROM flights")

    assert star.exit_code == 0, star.output
    assert names == ["id", "origin", "delay", "due"]
    assert hidden.exit_code == 1
    assert "ds_surf_batch_id" in hidden.output


def test_reads_live_rows_of_a_forensic_platform(warehouse: Warehouse, flight_rows: object) -> None:
    """History that a forensic merge table keeps is no input."""
    table, rows = flight_rows
    for values in ([("JFK", 1), ("LGA", 1)], [("JFK", 9)]):
        warehouse.ingest("Past", "flights", table, rows(*values), Milestoning.FORENSIC)
    assert warehouse.sql(TOTALS, inputs={"flights": "Past#flights"}).exit_code == 0
    assert warehouse.totals == [("JFK", 1, 9)]


def test_takes_punctuation_literally(warehouse: Warehouse) -> None:
    """Colons, percent signs and semicolons inside texts and comments mean themselves."""
    sql = (
        "SELECT origin, '10:30' AS a, ' :b; 100%' AS b, '%(c)s \\: ::d' AS c -- 50%; :e\n"
        "FROM flights WHERE delay > 4 /* ; */"
    )
    assert warehouse.sql(sql).exit_code == 0
    assert warehouse.totals == [("JFK", "10:30", " :b; 100%", "%(c)s \\: ::d")]


def test_a_failure_leaves_all_outputs_as_they_were(warehouse: Warehouse) -> None:
    """A transformer whose second output fails has not touched its first (defect D13)."""
    warehouse.sql(TOTALS)
    failed = warehouse.run_process(
        "run-datatransformer",
        outputs=[
            {"name": "totals", "key": ["origin"], "sql": "SELECT 'XXX' AS origin"},
            {"name": "more", "key": ["origin"], "sql": "SELECT origin, 1 / nothing FROM flights"},
        ],
    )
    assert (failed.exit_code, failed.result) == (1, None)
    assert failed.output.splitlines()[-1] == "DATASURFACE_RESULT_CODE=-1"
    assert "transformer Report, output more: " in failed.output
    assert "nothing" in failed.output
    assert "Traceback" not in failed.output
    assert warehouse.totals == EXPECTED
    assert not sa.inspect(warehouse.engine).has_table("yellowlive_dt_report_more")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT origin FROM flights", "origin"),
        ("SELECT CAST(NULL AS VARCHAR(3)) AS origin", "origin"),
        ("SELECT id FROM flights", "key column 'origin' is not among its columns id"),
        ("SELECT origin, id + 1 FROM flights", "cannot be the name of a column"),
        ("SELECT origin, origin FROM flights", "origin"),
        ("SELECT origin, 1 AS ds_surf_x FROM flights", "'ds_surf_x' cannot be the name"),
        ("SELECT origin FROM flights; DROP TABLE flights", "is not one statement"),
        ("DELETE FROM yellowlive_ops_flights_merge", "is no SELECT statement"),
        ("SELECT origin FROM flights) AS x; DROP TABLE y; SELECT (1", "is not one statement"),
        ("WITH d AS (DELETE FROM yellowlive_ops_flights_merge RETURNING *) SELECT * FROM d", ""),
    ],
)
def test_refuses_what_cannot_be_an_output(warehouse: Warehouse, sql: str, said: str) -> None:
    """A key that repeats or is NULL, nameless columns, anything but one SELECT: one error."""
    failed = warehouse.sql(sql)
    assert failed.exit_code == 1, failed.output
    assert failed.output.startswith("error: ")
    assert said in failed.output
    assert warehouse.rows("SELECT COUNT(*) FROM yellowlive_ops_flights_merge") == [(3,)]
    assert not sa.inspect(warehouse.engine).has_table("yellowlive_dt_report_totals")


def test_names_an_input_that_is_not_there_yet(warehouse: Warehouse) -> None:
    """A dataset that no stream has written yet is named with what to do."""
    failed = warehouse.sql(TOTALS, inputs={"flights": "Ops#weather"})
    assert failed.exit_code == 1
    assert "input 'flights' has no merge table yellowlive_ops_weather_merge yet" in failed.output
    assert "Run what writes dataset Ops.weather first." in failed.output


def test_transformers_chain(warehouse: Warehouse) -> None:
    """The output of one transformer is the input of another."""
    first = {"outputs": [{"name": "totals", "key": ["origin"], "sql": TOTALS}]}
    second = {
        "transformer": "Top",
        "output_store": "Top",
        "inputs": {"totals": "Report#totals"},
        "outputs": [
            {
                "name": "worst",
                "key": ["origin"],
                "sql": "SELECT origin, delay FROM totals WHERE delay > 2",
            }
        ],
    }
    for spec in (first, second):
        for action in ("run-datatransformer", "ingest-output"):
            done = warehouse.run(action, **spec)
            assert done.exit_code == 0, done.output
    assert warehouse.rows("SELECT origin, delay FROM yellowlive_top_worst_merge") == [("JFK", 5)]


def test_runs_without_inputs(warehouse: Warehouse) -> None:
    """A transformer may read nothing."""
    assert warehouse.sql("SELECT 'JFK' AS origin", inputs={}).exit_code == 0
    assert warehouse.totals == [("JFK",)]


def test_an_empty_result_is_an_empty_output(warehouse: Warehouse) -> None:
    """A query without rows empties the output and keeps its table."""
    warehouse.sql(TOTALS)
    assert warehouse.sql(f"{TOTALS} HAVING COUNT(*) > 99").exit_code == 0
    assert warehouse.totals == []


def test_a_row_of_the_reference_says_what_it_lacks(warehouse: Warehouse) -> None:
    """A stored transformer without sql or python fails with a clear error."""
    failed = warehouse.transform(outputs=[{"name": "totals", "key": []}])
    assert failed.exit_code == 1
    assert "output totals: its row holds neither sql nor python" in failed.output
