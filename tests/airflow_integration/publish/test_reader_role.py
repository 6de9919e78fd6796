"""A DAG processor needs no more than the rights of the store's reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from published_files import PACE, settle
from sqlalchemy import text
from sqlalchemy.engine import make_url

from dagfoundry.store import open_store
from dagfoundry.store.tables import DAG_SHAPES
from dagfoundry_airflow.environment import Environment
from dagfoundry_airflow.grants import READER, grants
from dagfoundry_airflow.publish import Publisher
from dagfoundry_airflow.shape import UNKNOWN
from dagfoundry_airflow.trial import Trials

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from probe_foundry import Foundry


@pytest.mark.parametrize("may_record", [True, False])
def test_a_reader_publishes_whether_it_may_record_shapes_or_not(
    postgres: Callable[[str], str],
    make_foundry: type[Foundry],
    trials: Trials,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    may_record: bool,
) -> None:
    """Rights of an older release are enough to serve; the log says what is missing."""
    name = f"rights_{may_record}".lower()
    url = make_url(postgres(name)).set(drivername="postgresql+psycopg2")
    foundry = make_foundry(url)
    foundry.write(a={}, b={})
    ours = [g for g in grants(foundry.store.engine, foundry.name, []) if g.endswith(READER)]
    if not may_record:
        ours = [grant for grant in ours if DAG_SHAPES.name not in grant]
    with foundry.store.writing() as connection:
        known = text("SELECT 1 FROM pg_roles WHERE rolname = :name")
        if connection.execute(known, {"name": READER}).first() is None:
            connection.execute(text(f"CREATE ROLE {READER} LOGIN"))
        for grant in ours:
            connection.execute(text(grant))
    store = open_store(url.set(username=READER), timeout_seconds=30)
    publisher = Publisher(foundry.name, tmp_path / "home", store, pace=PACE, trials=trials)
    settle(publisher)
    assert publisher.state().revision == 1
    assert bool(foundry.store.shapes(foundry.name, [foundry.dag_id("a")])) is may_record

    monkeypatch.setenv("PROBE_REGRESSED", foundry.dag_id("a"))
    other = Trials(tmp_path, PACE.limits, environment=Environment(lambda: "other"))
    settle(Publisher(foundry.name, tmp_path / "home", store, pace=PACE, trials=other))
    other.close()
    store.close()
    foundry.store.close()
    (placeholder,) = publisher.state().placeholders.values()
    assert (placeholder.shape != UNKNOWN) is may_record
