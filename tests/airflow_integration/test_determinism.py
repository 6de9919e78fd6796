"""The same row gives the same DAG in every process, or a check says what moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import airflow
import pytest

from dagfoundry.errors import CheckImpossibleError, NotDeterministicError
from dagfoundry.factories import Status
from dagfoundry.plugins import load_plugins
from dagfoundry.store.records import RowKind
from dagfoundry.testing import (
    check_deterministic,
    check_rows_deterministic,
    rows_of_config,
    rows_of_model,
)
from dagfoundry.testing.determinism import unsteady_dags

if TYPE_CHECKING:
    from dagfoundry.store import RowState

AIRFLOW: Final = tuple(int(part) for part in airflow.__version__.split(".")[:2])

MODEL = """
stores:
  - name: Sales
    source: {url_variable: SALES_URL}
    schedule: "0 * * * *"
    tags: [gamma, alpha, beta]
    owner: sales
    pool: small
    datasets: [{name: customers, key: [id]}, {name: orders, key: [id, line]}]
  - name: Single
    source: {url_variable: SALES_URL}
    ingestion: single
    datasets: [{name: customers, key: [id]}, {name: orders, key: [id]}]
transformers:
  - name: Report
    inputs: {customers: Sales.customers, orders: Sales.orders, others: Single.orders}
    outputs:
      - {name: report, key: [id], sql: SELECT customers.id FROM customers JOIN orders ON true}
  - name: Planned
    schedule: "@daily"
    inputs: {report: Report.report}
    outputs: [{name: last, key: [id], sql: SELECT id FROM report}]
"""

CAUGHT_BEFORE: Final = {
    "address": (4, 0),
    "count": (4, 0),
    "folder": (4, 0),
    "hash": (4, 0),
    "now": (4, 0),
    "object": (3, 2),
    "order": (4, 0),
    "order of words": (3, 0),
    "set": (3, 2),
    "tags": (3, 0),
    "today": (4, 0),
    "uuid": (4, 0),
}
"""What a builder does to the Airflow version that first forgives it: 3.0 sorts words before
it hashes them, 3.2 serialises sets in order and objects without their address."""

WORDS: Final = {
    "address": "memory address",
    "now": "time of the build",
    "object": "memory address",
    "order": "order is that of a set",
    "order of words": "order is that of a set",
    "set": "order is that of a set",
    "tags": "order is that of a set",
    "today": "time of the build",
    "uuid": "UUID",
}
"""What a builder does to what the error says of it."""


TYPES: Final = ("datatransformer", "platform")


def test_every_built_in_dag_is_deterministic() -> None:
    """Infrastructure, factories, streams and transformers, in every status that shows them."""
    plugins = load_plugins()
    rows = rows_of_model(MODEL, plugins)
    assert {(row.kind, row.factory_type) for row in rows} == {
        (RowKind.INFRASTRUCTURE, ""),
        *((kind, name) for kind in (RowKind.FACTORY, RowKind.ENTRY) for name in TYPES),
    }
    entries = [row for row in rows if row.kind is RowKind.ENTRY]
    others = [row._replace(status=s) for row in entries for s in (Status.INACTIVE, Status.RETIRING)]
    check_rows_deterministic([*rows, *others], plugins)


@pytest.fixture(scope="module")
def unsteady() -> dict[str, NotDeterministicError]:
    """What the check says of builders that do what they must not, by what they do."""
    plugins = load_plugins()
    rows = {what: probe(what) for what in [*CAUGHT_BEFORE, "build"]}
    found = unsteady_dags(rows.values(), plugins)
    return {what: found[row.dag_id] for what, row in rows.items() if row.dag_id in found}


def probe(what: str) -> RowState:
    """Return a row of the probe that does something while its DAG is built."""
    key = what.replace(" ", "_")
    (row,) = rows_of_config("probe", {"act": what}, load_plugins(), key=key)
    return row


@pytest.mark.parametrize("what", CAUGHT_BEFORE)
def test_a_dag_that_moves_is_caught(unsteady: dict[str, NotDeterministicError], what: str) -> None:
    """The error says whose DAG it is, where it moves, and what usually moves like that."""
    if CAUGHT_BEFORE[what] <= AIRFLOW:
        assert what not in unsteady
        return
    text = str(unsteady[what])
    place = "tags" if what == "tags" else "tasks[call].op_kwargs"
    for word in ("factory type 'probe'", "dagfoundry-probe 1.0", probe(what).dag_id, f"at {place}"):
        assert word in text
    assert WORDS.get(what, "Build it from the entry alone") in text


def test_a_dag_that_stays_is_not_accused(unsteady: dict[str, NotDeterministicError]) -> None:
    """The same builder without such a value passes among the others."""
    assert "build" not in unsteady


def test_an_authors_test_fails_with_one_error() -> None:
    """It is an assertion too, and names the first DAG and the number of the others."""
    items = [{"name": "One", "act": "uuid"}, {"name": "Two", "act": "uuid"}]
    with pytest.raises(AssertionError, match=r"testing__One_probe.*UUID|1 more DAGs differ"):
        check_deterministic("probe", model={"probes": items}, processes=1)


def test_an_entry_that_cannot_be_built_is_no_verdict() -> None:
    """The check says what the trial would say."""
    with pytest.raises(CheckImpossibleError, match=r"KeyError.*does not like it"):
        check_deterministic("probe", config={"act": "raise"}, processes=1)


def test_a_builder_that_ends_the_process_is_no_verdict() -> None:
    """The end of its output says what happened."""
    with pytest.raises(CheckImpossibleError, match="process that builds DAGs failed"):
        check_deterministic("probe", config={"act": "exit"}, processes=1)
