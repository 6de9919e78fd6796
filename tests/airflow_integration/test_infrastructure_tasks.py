"""What the infrastructure DAG's tasks find in a store and in merge stores."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dagfoundry.errors import FoundryError, JobFailedError
from dagfoundry.factories import Status
from dagfoundry.mergestore import SourceDataset, ingest_snapshot, open_merge_store, open_source
from dagfoundry.metrics import render
from dagfoundry_airflow import infrastructure_tasks
from dagfoundry_airflow.infrastructure_tasks import list_grants, list_removable_tables
from dagfoundry_airflow.stream_metrics import collect_stream_metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from probe_foundry import Foundry

    from dagfoundry import Entry
    from dagfoundry.store import RowState


@pytest.fixture
def configured(foundry: Foundry, monkeypatch: pytest.MonkeyPatch) -> Foundry:
    """A foundry in the store that the environment names."""
    url = foundry.store.url.render_as_string(hide_password=False)
    monkeypatch.setenv("DAGFOUNDRY_STORE_URL", url)
    return foundry


def ingest(merge_store: Path, platform: str, stream: str, *, rows: int) -> None:
    """Do what a stream's job does, with a source of so many rows; without a source for -1."""
    source = merge_store.with_name("source.db")
    with closing(sqlite3.connect(source)) as connection, connection:
        connection.execute("DROP TABLE IF EXISTS lines")
        if rows >= 0:
            connection.execute("CREATE TABLE lines (id INTEGER NOT NULL)")
            connection.executemany("INSERT INTO lines VALUES (?)", [(i,) for i in range(rows)])
    ingest_snapshot(
        open_merge_store(f"sqlite:///{merge_store}"),
        open_source(f"sqlite:///{source}"),
        platform=platform,
        store=stream.split("#", maxsplit=1)[0],
        stream_key=stream,
        datasets=[SourceDataset(name="lines", table="lines", schema=None, key=("id",))],
    )


def test_the_last_success_of_each_stream_is_found(
    make_row: Callable[..., RowState], tmp_path: Path
) -> None:
    """A batch that failed later does not hide it."""
    path = tmp_path / "merge.db"
    ingest(path, "YellowLive", "Store1", rows=1)
    ingest(path, "YellowLive", "Store1", rows=3)
    ingest(path, "YellowLive", "Store2#lines", rows=0)
    with pytest.raises(FoundryError):
        ingest(path, "YellowLive", "Store1", rows=-1)
    merge_store = {"driver": "sqlite", "database": str(path)}
    streams = collect_stream_metrics(
        [make_row(config={"dagfoundry": {"merge_store": merge_store}})]
    )
    assert [(s["platform"], s["stream"], s["rows"]) for s in streams] == [
        ("YellowLive", "Store1", 3),
        ("YellowLive", "Store2#lines", 0),
    ]
    assert all(0 <= stream["lag_seconds"] < 600 for stream in streams)


def test_a_row_that_a_hand_edit_broke_hides_no_stream(
    make_row: Callable[..., RowState], tmp_path: Path
) -> None:
    """Another row of the platform says where its merge store is."""
    path = tmp_path / "merge.db"
    ingest(path, "YellowLive", "Store1", rows=1)
    merge_store = {"driver": "sqlite", "database": str(path)}
    good = make_row(config={"dagfoundry": {"merge_store": merge_store}})
    streams = collect_stream_metrics([good, good._replace(config_json="{oops")])
    assert [stream["stream"] for stream in streams] == ["Store1"]


def test_a_merge_store_that_cannot_be_read_hides_no_other(
    make_row: Callable[..., RowState], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names it; the gauges of the others are set."""
    monkeypatch.setenv("DAGFOUNDRY_METRICS_DIR", str(tmp_path / "metrics"))
    ingest(tmp_path / "good.db", "Good", "Store1", rows=2)
    good, bad = (
        {"dagfoundry": {"merge_store": {"driver": "sqlite", "database": str(path)}}}
        for path in (tmp_path / "good.db", tmp_path / "missing" / "bad.db")
    )
    rows = [make_row(platform_name="Good", config=good), make_row(platform_name="Bad", config=bad)]
    with pytest.raises(JobFailedError, match="platform 'Bad': cannot read database"):
        collect_stream_metrics(rows)
    text = render(os.environ["DAGFOUNDRY_METRICS_DIR"]).decode()
    assert 'dagfoundry_stream_rows{platform="Good",stream="Store1"} 2.0' in text
    assert "dagfoundry_stream_last_success_timestamp_seconds{" in text


def test_the_grants_cover_reader_and_writer(configured: Foundry) -> None:
    """A reader writes versions and shapes only; nobody rewrites history."""
    configured.write(a={})
    grants = list_grants(foundry=configured.name)["grants"]
    assert "GRANT SELECT, INSERT ON probing_versions TO dagfoundry_reader" in grants
    assert "GRANT SELECT, INSERT ON probing_changes TO dagfoundry_writer" in grants
    assert (
        "GRANT SELECT, INSERT, UPDATE, DELETE ON live_probe_entries TO dagfoundry_writer" in grants
    )
    writes = [g for g in grants if "UPDATE" in g and ("_changes" in g or "_reader" in g)]
    assert writes == ["GRANT SELECT, INSERT, UPDATE ON dagfoundry_dag_shapes TO dagfoundry_reader"]


def test_the_tables_of_purged_entries_are_listed(
    configured: Foundry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their factory type says which they are, by the last definition that can be read."""
    from dagfoundry.plugins import load_plugins

    def tables(entry: Entry) -> Sequence[str]:
        return [f"live_{entry.key}_{entry.config['number']}".lower()]

    plugins = load_plugins()
    probe = plugins.types["probe"]
    changed = replace(probe, type=replace(probe.type, tables=tables))
    monkeypatch.setattr(
        infrastructure_tasks, "load_plugins", lambda: replace(plugins, types={"probe": changed})
    )
    configured.write(a={"number": 1}, B={"number": 2})
    assert list_removable_tables(foundry=configured.name) == {"tables": {}}
    configured.break_row("B")
    configured.write(a={"number": 3})
    configured.write(B=Status.PURGED.value)
    assert list_removable_tables(foundry=configured.name) == {
        "tables": {"live__B_probe": ["live_b_2"]}
    }
