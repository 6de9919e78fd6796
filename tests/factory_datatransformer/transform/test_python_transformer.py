"""Python transformers: installed callables, found through entry points."""

from __future__ import annotations

import sys
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import JobRun, Warehouse

    Install = Callable[..., Path]

SOURCE = """
from sqlalchemy import Column, Integer, String, func, select


def totals(connection, context):
    flights = context.inputs["flights"]
    columns = flights.c.origin, func.count().label("flights"), func.sum(flights.c.delay).label("d")
    context.fill_output("totals", select(*columns).group_by(flights.c.origin))


def by_hand(connection, context):
    table = context.create_output("totals", Column("origin", String(20)), Column("n", Integer))
    rows = [{"origin": context.platform, "n": 1}, {"origin": "b", "n": 2}]
    connection.execute(table.insert(), rows)


def refused(connection, context):
    totals(connection, context)
    raise RuntimeError("the data are wrong")


def nothing(connection, context):
    pass


def unknown(connection, context):
    context.create_output("other", Column("origin", String(3)))
"""
NAMES = ("totals", "by_hand", "refused", "nothing", "unknown")


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """What installs a package that offers Python transformers."""

    def make(distribution: str = "reports", source: str = SOURCE, names: object = NAMES) -> Path:
        site = tmp_path / distribution
        info = site / f"{distribution}-1.2.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Name: {distribution}\nVersion: 1.2\n", encoding="utf-8")
        lines = [f"{name} = {distribution}_code:{name}\n" for name in names]
        points = "[dagfoundry.transformers]\n" + "".join(lines)
        (info / "entry_points.txt").write_text(points, encoding="utf-8")
        (site / f"{distribution}_code.py").write_text(dedent(source), encoding="utf-8")
        monkeypatch.syspath_prepend(site)
        return site

    yield make
    for module in [name for name in sys.modules if name.endswith("_code")]:
        del sys.modules[module]


def run(warehouse: Warehouse, name: str) -> JobRun:
    """Make output ``totals`` with the transformer of this name."""
    return warehouse.transform(python=name, outputs=[{"name": "totals", "key": ["origin"]}])


def test_fills_an_output_from_a_query(warehouse: Warehouse, install: Install) -> None:
    """A callable reads its inputs and fills its output as SQLAlchemy tables."""
    install()
    done = run(warehouse, "totals")
    assert done.exit_code == 0, done.output
    assert warehouse.totals == [("JFK", 2, 5), ("LGA", 1, 2)]


def test_inserts_rows_of_its_own(warehouse: Warehouse, install: Install) -> None:
    """A callable may create an output with columns of its choice and insert any rows."""
    install()
    for _ in range(2):
        done = run(warehouse, "by_hand")
        assert done.exit_code == 0, done.output
    assert warehouse.totals == [("YellowLive", 1), ("b", 2)]


def test_an_error_undoes_what_it_did(warehouse: Warehouse, install: Install) -> None:
    """A callable that raises leaves the outputs as they were, and its traceback in the log."""
    install()
    run(warehouse, "by_hand")
    failed = run(warehouse, "refused")
    assert failed.exit_code == 1
    assert "reports_code.py" in failed.output
    assert (
        "python 'refused' of reports 1.2 raised RuntimeError: the data are wrong" in failed.output
    )
    assert warehouse.totals == [("YellowLive", 1), ("b", 2)]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nothing", "output totals: python 'nothing' did not make it"),
        ("unknown", "has no output 'other'"),
        ("absent", "no installed package offers python 'absent'"),
        ("reports_code:totals", "is no name of a Python transformer"),
    ],
)
def test_says_what_is_missing(warehouse: Warehouse, install: Install, name: str, said: str) -> None:
    """An output left out, an unknown one, a name nobody offers, an import path: one error."""
    install()
    failed = run(warehouse, name)
    assert failed.exit_code == 1
    assert said in failed.output
    assert "Traceback" not in failed.output


def test_names_both_packages_that_offer_a_name(warehouse: Warehouse, install: Install) -> None:
    """Two packages that offer one name are both named, and neither is called."""
    install()
    install("rivals", SOURCE, ["totals"])
    failed = run(warehouse, "totals")
    assert failed.exit_code == 1
    assert "reports 1.2" in failed.output
    assert "rivals 1.2" in failed.output


def test_names_a_package_that_cannot_be_imported(warehouse: Warehouse, install: Install) -> None:
    """A broken package is named with its version and its error."""
    install("broken", "import no_such_module", ["totals"])
    failed = run(warehouse, "totals")
    assert failed.exit_code == 1
    assert (
        "of broken 1.2 raised ModuleNotFoundError: No module named 'no_such_module'"
        in failed.output
    )
