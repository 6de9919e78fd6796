"""The job of a stream as a process: spec in, rows and result out, or one error."""

from __future__ import annotations

import signal
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Shop

SPEC: dict[str, Any] = {
    "platform": "YellowLive",
    "store": "Shop",
    "source": {"url_variable": "SHOP_URL"},
    "merge_store": {"url_variable": "MERGE_URL"},
    "milestoning": "live",
    "datasets": [
        {"name": "customers", "key": ["id"]},
        {"name": "orders", "table": "orders_2024", "key": ["number", "line"]},
    ],
}


def test_copies_every_dataset_and_reports_true_counts(shop: Shop) -> None:
    """The result counts what each run wrote, and the last line is the reference's code."""
    first = shop.run(SPEC)
    assert first.exit_code == 0, first.output
    assert first.result == {
        "status": "DONE",
        "rows_inserted": 5,
        "rows_updated": 0,
        "rows_deleted": 0,
        "rows_total": 5,
    }
    assert first.output.splitlines()[-1] == "DATASURFACE_RESULT_CODE=0"
    shop.execute(
        "UPDATE customers SET name = 'Bea' WHERE id = 2",
        "DELETE FROM orders_2024 WHERE line = 2",
        "INSERT INTO orders_2024 VALUES (9, 1, 3)",
    )
    second = shop.run(SPEC)
    assert second.result == {
        "status": "DONE",
        "rows_inserted": 1,
        "rows_updated": 1,
        "rows_deleted": 1,
        "rows_total": 5,
    }
    names = "SELECT name FROM yellowlive_shop_customers_merge ORDER BY id"
    assert shop.query(names) == [("Ada",), ("Bea",)]
    total = "SELECT COUNT(*), SUM(price) FROM yellowlive_shop_orders_merge"
    assert [tuple(map(float, row)) for row in shop.query(total)] == [(3.0, 13.75)]


def test_stream_of_one_dataset_has_its_own_batches(shop: Shop) -> None:
    """Its key in the batch tables is the reference's ``Store#dataset``."""
    one = {**SPEC, "dataset": "customers", "datasets": SPEC["datasets"][:1]}
    assert shop.run(one).exit_code == 0
    assert shop.query("SELECT key, batch_id FROM yellowlive_batch_metrics") == [
        ("Shop#customers", 1)
    ]


def test_forensic_platform_keeps_history(shop: Shop) -> None:
    """A changed row stays with the batches in which it was live."""
    spec = {**SPEC, "platform": "YellowForensic", "milestoning": "forensic"}
    shop.run(spec)
    shop.execute("UPDATE customers SET name = 'William' WHERE id = 2")
    assert shop.run(spec).exit_code == 0
    shop.execute("DELETE FROM customers WHERE id = 1")
    assert shop.run(spec).exit_code == 0
    assert shop.query(
        "SELECT name, ds_surf_batch_in, ds_surf_batch_out"
        " FROM yellowforensic_shop_customers_merge ORDER BY name"
    ) == [("Ada", 1, 2), ("Bob", 1, 1), ("William", 2, 2147483647)]


@pytest.mark.parametrize("variable", ["SHOP_URL", "MERGE_URL"])
def test_missing_variable_is_one_error_and_nothing_is_written(shop: Shop, variable: str) -> None:
    """Exit code 1, the variable's name, no traceback, no result, no table."""
    urls = {name: url for name, url in shop.urls.items() if name != variable}
    run = replace(shop, urls=urls).run(SPEC)
    assert run.exit_code == 1
    assert run.output.startswith(f"error: environment variable {variable} of a database is not set")
    assert run.output.splitlines()[-1] == "DATASURFACE_RESULT_CODE=-1"
    assert "Traceback" not in run.output
    assert run.result is None
    assert shop.tables() == []


def test_missing_credential_is_one_error(shop: Shop) -> None:
    """A database in parts whose user is not set names the variable of the user."""
    source = {"driver": "postgresql", "hostname": "h", "database": "d", "credential": "shop_ro"}
    run = shop.run({**SPEC, "source": source})
    assert run.exit_code == 1
    assert "environment variable shop_ro_USER of credential 'shop_ro' is not set" in run.output
    assert shop.tables() == []


def test_repeated_key_is_one_error_and_changes_no_row(shop: Shop) -> None:
    """The job says which key repeats; the merge tables stay as the last batch left them."""
    shop.run(SPEC)
    shop.execute("UPDATE customers SET name = 'Zoe'", "INSERT INTO orders_2024 VALUES (8, 1, 2)")
    run = shop.run(SPEC)
    assert run.exit_code == 1
    assert "1 values of key (number, line) stand in several rows" in run.output
    assert "(8, 1) in 2" in run.output
    assert run.result is None
    assert shop.query("SELECT name FROM yellowlive_shop_customers_merge ORDER BY id") == [
        ("Ada",),
        ("Bob",),
    ]


def test_row_of_a_reference_deployment_says_what_it_lacks(shop: Shop) -> None:
    """The reference's rows name no source; the job asks for the model."""
    spec = {name: value for name, value in SPEC.items() if name != "source"}
    run = shop.run(spec)
    assert run.exit_code == 1
    assert "store 'Shop' of platform 'YellowLive' names no source" in run.output


@pytest.mark.parametrize("spec", [{}, [], {**SPEC, "milestoning": "scd9"}])
def test_impossible_spec_is_one_error(shop: Shop, spec: object) -> None:
    """A spec of another version is refused before anything is opened."""
    run = shop.run(spec)
    assert run.exit_code == 1
    assert run.output.startswith("error: ")
    assert "Traceback" not in run.output


def test_of_two_jobs_at_once_one_wins_and_the_other_says_so(shop: Shop) -> None:
    """The loser fails with one clear error, and the winner's rows are all there (D39)."""
    rows = ", ".join(f"({number}, 'n')" for number in range(3, 30_001))
    shop.execute(f"INSERT INTO customers VALUES {rows}")  # noqa: S608 - numbers only
    winner = shop.start(SPEC)
    while "yellowlive_batch_metrics" not in shop.tables():
        assert winner.process.poll() is None
        time.sleep(0.01)
    winner.process.send_signal(signal.SIGSTOP)
    loser = shop.run(SPEC)
    winner.process.send_signal(signal.SIGCONT)
    assert loser.exit_code == 1
    assert "another job works on stream Shop of platform YellowLive" in loser.output
    won = winner.finish()
    assert won.exit_code == 0, won.output
    assert shop.query("SELECT COUNT(*) FROM yellowlive_shop_customers_merge") == [(30_000,)]
