"""``dagfoundry reports`` says what the factory DAGs last found and did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from shell import Shell
from sqlalchemy.engine import make_url

from dagfoundry.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dagfoundry.store import Store

MODEL = """\
foundry: Shop
platforms:
  - name: Live
    merge_store: {url_variable: MERGE_URL}
stores:
  - {name: Sales, source: {url_variable: SALES_URL}, datasets: [{name: orders}]}
"""
REPORT = {
    "revision": 3,
    "created": ["live__Sales_ingestion"],
    "retired": [],
    "missing": ["live__Late_ingestion"],
    "held_back": {"live__Odd_ingestion": "status 'aktive' is unknown"},
}


@pytest.fixture
def desk(tmp_path: Path) -> Shell:
    """A merged model."""
    made = Shell(folder=tmp_path)
    (tmp_path / "model.yaml").write_text(MODEL)
    made.run("merge", "model.yaml")
    return made


@pytest.fixture
def store(desk: Shell) -> Iterator[Store]:
    """The desk's store."""
    made = open_store(make_url(f"sqlite:///{desk.folder / 'store.db'}"))
    yield made
    made.close()


def test_the_last_report_of_each_factory_is_shown(desk: Shell, store: Store) -> None:
    """Counts in a table, and a line for each DAG that somebody has to look at."""
    store.record_report("shop", "live_factory_dag", {"revision": 2})
    store.record_report("shop", "live_factory_dag", REPORT)
    lines = desk.run("reports").stdout.splitlines()
    assert lines[0].split() == ["factory", "DAG", "made", "(UTC)", "revision", "says"]
    assert lines[1].startswith("live_factory_dag ")
    assert lines[1].endswith("3         1 created, 1 missing, 1 held back")
    assert lines[2:] == [
        "missing live__Late_ingestion",
        "held back live__Odd_ingestion: status 'aktive' is unknown",
    ]
    (told,) = desk.json("reports")
    assert (told["dag_id"], told["report"]) == ("live_factory_dag", REPORT)


def test_without_a_report_the_table_is_empty(desk: Shell) -> None:
    """No factory DAG has run yet."""
    assert len(desk.run("reports").stdout.splitlines()) == 1
    assert desk.json("reports") == []
