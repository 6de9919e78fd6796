"""Airflow 2's loader files: written once, they follow the store."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import threading
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
from airflow_client import AIRFLOW_2
from lost_history import restore

from dagfoundry.errors import FoundryError, SettingInvalidError
from dagfoundry_airflow import airflow2
from dagfoundry_airflow.airflow2 import (
    DagsBrokenError,
    LoaderFileError,
    install,
    load_shard,
    raise_errors,
)

if TYPE_CHECKING:
    from pathlib import Path

    from probe_foundry import Foundry

pytestmark = pytest.mark.every_airflow

CONTEXT = "_AIRFLOW_PARSING_CONTEXT_DAG_ID"


def test_the_files_are_written_once(tmp_path: Path) -> None:
    """A second time changes nothing; Airflow finds the words it looks for."""
    written = install(tmp_path, "My-Foundry", 3)
    assert sorted(path.name for path in written) == [
        "dagfoundry_my_foundry_errors.py",
        "dagfoundry_my_foundry_shard_00.py",
        "dagfoundry_my_foundry_shard_01.py",
        "dagfoundry_my_foundry_shard_02.py",
    ]
    for path in written:
        text = path.read_text().lower()
        assert "dag" in text
        assert "airflow" in text
        compile(text, path.name, "exec")
    assert install(tmp_path, "My-Foundry", 3) == []


def test_fewer_shards_remove_only_our_own_files(tmp_path: Path) -> None:
    """Another foundry's and other people's files stay."""
    install(tmp_path, "A", 3)
    install(tmp_path, "B", 3)
    other = tmp_path / "dagfoundry_a_shard_of_mine.py"
    other.touch()
    removed = install(tmp_path, "A", 1)
    names = {path.name for path in tmp_path.glob("*_shard_*.py")}
    assert {"dagfoundry_a_shard_00.py", other.name} == {n for n in names if "_a_" in n}
    assert len([name for name in names if "_b_" in name]) == 3
    files = {"dagfoundry_a_shard_00.py", "dagfoundry_a_shard_01.py", "dagfoundry_a_shard_02.py"}
    assert {path.name for path in removed} == files


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Nothing is created by a typing error."""
    with pytest.raises(SettingInvalidError, match="does not exist"):
        install(tmp_path / "dgas", "A", 3)


def test_the_command_line_offers_it(tmp_path: Path) -> None:
    """The command is there because the distribution is installed."""
    command = [sys.executable, "-m", "dagfoundry", "airflow2", "install", str(tmp_path)]
    options = ["--foundry", "A", "--shards", "2"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=True)
    assert f"wrote {tmp_path}/dagfoundry_a_shard_01.py" in done.stdout
    assert "3 files changed" in done.stdout
    wrong = subprocess.run(
        [*command, "--foundry", "A", "--shards", "0"], capture_output=True, text=True, check=False
    )
    assert (wrong.returncode, wrong.stderr.count("error:")) == (1, 1)


@pytest.fixture
def host(foundry: Foundry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Foundry:
    """A foundry whose snapshot is in a folder of its own."""
    if not AIRFLOW_2:
        pytest.skip("Airflow 3 runs no loader file")
    url = foundry.store.url.render_as_string(hide_password=False)
    monkeypatch.setenv("DAGFOUNDRY_STORE_URL", url)
    monkeypatch.setattr(airflow2, "snapshot_home", lambda _foundry: tmp_path / "snapshot")
    monkeypatch.delenv(CONTEXT, raising=False)
    return foundry


def load_all(foundry: Foundry, shards: int = 3) -> dict[str, object]:
    """Return the DAGs of all shards, each in one of them only."""
    loaded = [load_shard(foundry.name, shard, shards) for shard in range(shards)]
    together = {dag_id: dag for dags in loaded for dag_id, dag in dags.items()}
    assert len(together) == sum(map(len, loaded))
    return together


def settle(foundry: Foundry) -> dict[str, object]:
    """Load all shards until nothing waits for its trial build."""
    dags = load_all(foundry)
    while (record := foundry.store.latest_version(foundry.name)) and (
        record.held.keys() - record.errors.keys()
    ):
        dags = load_all(foundry)
    return dags


def test_the_shards_together_hold_every_dag(host: Foundry) -> None:
    """The infrastructure DAG is one of them."""
    host.write(a={}, b={}, c={})
    expected = {host.dag_id(key) for key in "abc"} | {"probing_infrastructure"}
    assert set(settle(host)) == expected
    assert set(load_all(host, shards=16)) == expected


def test_a_parse_follows_the_store(host: Foundry) -> None:
    """New, changed and removed entries arrive without a file being touched."""
    host.write(a={}, b={})
    settle(host)
    host.write(a={"number": 5}, b="retired", c={})
    dags = settle(host)
    assert set(dags) == {host.dag_id("a"), host.dag_id("c"), "probing_infrastructure"}
    assert "second_5" in dags[host.dag_id("a")].task_ids


def test_a_store_that_does_not_answer_changes_nothing(host: Foundry, tmp_path: Path) -> None:
    """The snapshot goes on."""
    host.write(a={})
    before = set(settle(host))
    (tmp_path / "store.db").rename(tmp_path / "away.db")
    assert set(load_all(host)) == before
    raise_errors(host.name)


def test_a_damaged_snapshot_is_made_again(
    host: Foundry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By the next parse; a task that meets it before asks the store."""
    host.write(a={}, b={})
    before = set(settle(host))
    sidecars = sorted((tmp_path / "snapshot" / "current").glob("*.json"))
    whole = [path.read_bytes() for path in sidecars]
    for path, content in zip(sidecars, whole, strict=True):
        path.write_bytes(content[:-20])
    monkeypatch.setenv(CONTEXT, host.dag_id("a"))
    assert list(load_shard(host.name, 0, 3)) == [host.dag_id("a")]
    monkeypatch.delenv(CONTEXT)
    assert set(load_all(host)) == before
    assert [path.read_bytes() for path in sidecars] == whole


def test_without_snapshot_and_store_a_parse_fails(
    host: Foundry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An empty file would take every DAG out of Airflow."""
    monkeypatch.setenv("DAGFOUNDRY_STORE_URL", f"sqlite:///{tmp_path / 'nothing.db'}")
    with pytest.raises(FoundryError, match="does not exist"):
        load_shard(host.name, 0, 3)


@pytest.mark.skipif(not AIRFLOW_2, reason="Airflow 3 does not parse then")
def test_a_parse_that_fails_takes_no_dag_out_of_airflow(
    host: Foundry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its DAGs count as just parsed, those of other files do not."""
    from airflow import settings
    from airflow.models import DagModel
    from sqlalchemy import select

    table, long_ago = DagModel.__table__, datetime(2026, 1, 1, tzinfo=timezone.utc)
    table.create(settings.engine, checkfirst=True)
    files = {"ours": "dagfoundry_probing_shard_00.py", "next": "dagfoundry_probing_shard_01.py"}
    monkeypatch.setenv("DAGFOUNDRY_STORE_URL", f"sqlite:///{tmp_path / 'nothing.db'}")
    with settings.engine.begin() as connection:
        for dag_id, file in files.items():
            row: dict[str, object] = {"dag_id": dag_id, "fileloc": f"/dags/{file}"}
            row |= {"last_parsed_time": long_ago, "max_consecutive_failed_dag_runs": 0}
            row |= {"is_active": True, "max_active_tasks": 1, "has_task_concurrency_limits": False}
            connection.execute(table.insert().values(**row))
    try:
        with pytest.raises(FoundryError, match="does not exist"):
            load_shard(host.name, 0, 3)
        with settings.engine.connect() as connection:
            query = select(table.c.dag_id).where(table.c.last_parsed_time > long_ago)
            assert connection.scalars(query).all() == ["ours"]
    finally:
        with settings.engine.begin() as connection:
            connection.execute(table.delete().where(table.c.dag_id.in_(files)))


def test_a_task_gets_its_own_dag_only(host: Foundry, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the snapshot, while the store is not asked."""
    host.write(a={}, b={})
    settle(host)
    monkeypatch.setenv("DAGFOUNDRY_STORE_URL", "sqlite:////nowhere/store.db")
    monkeypatch.setenv(CONTEXT, host.dag_id("a"))
    assert list(load_shard(host.name, 0, 3)) == [host.dag_id("a")]


def test_a_task_on_a_fresh_host_reads_its_one_row(
    host: Foundry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It renders no snapshot."""
    host.write(a={}, b={})
    monkeypatch.setenv(CONTEXT, host.dag_id("b"))
    assert list(load_shard(host.name, 0, 3)) == [host.dag_id("b")]
    assert not (tmp_path / "snapshot").exists()


def test_a_task_on_a_fresh_host_waits_for_a_store_that_blinks(
    host: Foundry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would fail at once, whatever its retries."""
    host.write(a={})
    monkeypatch.setenv(CONTEXT, host.dag_id("a"))
    host.hide()
    back = threading.Timer(1.0, host.show)
    back.start()
    assert list(load_shard(host.name, 0, 3)) == [host.dag_id("a")]
    back.join()


def test_every_bad_entry_is_in_one_error(host: Foundry) -> None:
    """Their neighbours are loaded."""
    host.write(a={}, bad={"act": "raise"}, worse={"act": "exit"})
    assert host.dag_id("a") in settle(host)
    with pytest.raises(DagsBrokenError) as caught:
        raise_errors(host.name)
    assert "2 DAGs of foundry 'Probing'" in str(caught.value)
    assert host.dag_id("bad") in str(caught.value)
    assert host.dag_id("worse") in str(caught.value)
    host.write(bad={}, worse={})
    settle(host)
    raise_errors(host.name)


def test_lost_history_takes_no_dag_and_is_one_error(
    host: Foundry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the loss is allowed; processes that parse live for a second and read it anew."""
    host.write(a={})
    host.write(b={}, c={})
    before = set(settle(host))
    restore(host, 1)
    assert set(load_all(host)) == before
    with pytest.raises(DagsBrokenError, match="2 of 4 DAGs of foundry 'Probing' would leave"):
        raise_errors(host.name)
    monkeypatch.setenv("DAGFOUNDRY_ALLOW_DROP", "Probing@1")
    assert set(load_all(host)) == {host.dag_id("a"), "probing_infrastructure"}
    raise_errors(host.name)


@pytest.mark.usefixtures("host")
def test_a_foundry_that_is_not_there_is_one_error() -> None:
    """Its shards are empty."""
    assert load_shard("Nobody", 0, 3) == {}
    with pytest.raises(DagsBrokenError, match="holds no foundry 'Nobody'"):
        raise_errors("Nobody")


@pytest.mark.skipif(AIRFLOW_2, reason="Airflow 2 runs loader files")
@pytest.mark.parametrize("name", ["shard_00", "errors"])
def test_a_loader_file_left_in_a_folder_of_airflow_3_says_what_to_do(
    tmp_path: Path, name: str
) -> None:
    """An upgrade of Airflow forgets them easily; both ways would show the same DAGs."""
    install(tmp_path, "Probing", 1)
    file = tmp_path / f"dagfoundry_probing_{name}.py"
    with pytest.raises(LoaderFileError) as caught:
        runpy.run_path(str(file))
    assert f"{file} is for Airflow 2, and this is Airflow 3." in str(caught.value)
    assert "configure DagFoundryBundle" in str(caught.value)


def test_a_loader_file_is_what_airflow_runs(host: Foundry, tmp_path: Path) -> None:
    """Run as Airflow does, it has the DAGs among its globals."""
    host.write(a={})
    settle(host)
    folder = tmp_path / "dags"
    folder.mkdir()
    install(folder, host.name, 1)
    names = runpy.run_path(str(folder / "dagfoundry_probing_shard_00.py"))
    assert host.dag_id("a") in names
    assert os.environ.get(CONTEXT) is None
