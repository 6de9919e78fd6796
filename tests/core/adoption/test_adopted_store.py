"""Life after an adoption: migrating its tables, and merging a model on top."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from dagfoundry.errors import PruneRefusedError, SchemaMismatchError
from dagfoundry.factories import Status
from dagfoundry.plan import Action
from dagfoundry.store.narrow_columns import narrow_columns
from dagfoundry.store.schema_version import SchemaState
from dagfoundry.store.upgrade import upgrade_store

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Deployment

DSG = "yellowlive_airflow_dsg"
OTHER = """\
foundry: Test_DP
platforms:
  - name: YellowLive
    merge_store: {url_variable: MERGE_URL}
  - name: YellowForensic
    merge_store: {url_variable: MERGE_URL}
stores:
  - name: New
    source: {url_variable: SHOP_URL}
    datasets: [{name: customers}]
"""
UPGRADE = """
import sys
from dagfoundry.connections import parse_url
from dagfoundry.store import open_store
from dagfoundry.store.upgrade import upgrade_store
upgrade_store(open_store(parse_url(sys.argv[1], "argument"), timeout_seconds=60))
"""


def is_sqlite(deployment: Deployment) -> bool:
    """Whether column lengths mean nothing."""
    return deployment.store.engine.dialect.name == "sqlite"


def test_narrow_columns_keep_a_merge_out_until_they_are_widened(
    deployment: Deployment, model: Path
) -> None:
    """On SQLite, where no length is enforced, a merge goes on at once."""
    done = deployment.adopt()
    assert done.needs_upgrade is not is_sqlite(deployment)
    if done.needs_upgrade:
        with pytest.raises(SchemaMismatchError, match="dagfoundry db upgrade"):
            deployment.merge(model)
        assert deployment.store.head("Test_DP").revision == 1
    upgrade_store(deployment.store)
    assert deployment.merge(model).head.revision == 2


def test_upgrade_widens_every_config_and_changes_no_row(deployment: Deployment) -> None:
    """Two upgrades leave what one leaves, and a long config fits afterwards."""
    deployment.adopt()
    before = deployment.rows()
    moved = [(each.before.state, each.after.state) for each in upgrade_store(deployment.store)]
    assert {after for _, after in moved} == {SchemaState.CURRENT}
    again = upgrade_store(deployment.store)
    assert [(e.before.state, e.after.state) for e in again] == [(SchemaState.CURRENT,) * 2] * 2
    assert deployment.rows() == before
    with deployment.store.reading() as connection:
        assert narrow_columns(connection, "Test_DP") == []
        columns = {
            column["name"]: column["nullable"] for column in sa.inspect(connection).get_columns(DSG)
        }
    assert columns["config_json"] is True
    deployment.copy_stream("Long", {"text": "é" * 100_000})
    assert deployment.config(DSG, "Long") == {"text": "é" * 100_000}


def test_two_processes_upgrade_at_once(deployment: Deployment) -> None:
    """One waits for the other, finds nothing to do, and no row is lost."""
    deployment.adopt()
    for number in range(300):
        deployment.copy_stream(f"S{number}", {"number": number, "text": "x" * 1900})
    before = deployment.rows()
    url = deployment.store.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", UPGRADE, url]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    assert deployment.rows() == before
    states = {version.state for version in deployment.store.schema_versions()}
    assert states == {SchemaState.CURRENT}


def test_merge_keeps_keys_that_it_does_not_know(deployment: Deployment, model: Path) -> None:
    """The reference's own keys and a house's stay; ours that are no longer written go."""
    deployment.adopt()
    upgrade_store(deployment.store)
    result = deployment.merge(model)
    actions = {change.row.dag_id: change.action for change in result.plan.changes}
    assert actions["yellowlive__Store1_ingestion"] is Action.UPDATE
    assert actions["yellowlive__Store2_orders_ingestion"] is Action.UPDATE
    config = deployment.config(DSG, "Store2_orders")
    assert config["house_key"] == {"kept": ["as", "it", "is"]}
    assert config["git_cache_local_path"] == "/cache/git-cache"
    assert config["psp_name"] == "Test_DP"
    assert "source_credential_secret_name" not in config
    assert "merge_db_hostname" not in config
    assert "schedule_string" not in config
    assert list(config)[-1] == "dagfoundry"


def test_same_model_again_changes_nothing(deployment: Deployment, model: Path) -> None:
    """Kept keys are no difference."""
    deployment.adopt()
    upgrade_store(deployment.store)
    deployment.merge(model)
    assert deployment.merge(model).head.revision == 2


def test_merge_retires_adopted_entries_that_the_model_lacks(
    deployment: Deployment, model: Path
) -> None:
    """They leave like any other entry, and keep their time of creation."""
    deployment.adopt()
    upgrade_store(deployment.store)
    deployment.merge(model)
    rows = {row.key: row.status for row in deployment.store.rows_at("Test_DP", 2) if row.key}
    assert rows["ExtStore"] is Status.RETIRING
    assert rows["AggWS"] is Status.RETIRING
    assert rows["Store1"] is Status.ACTIVE


def test_guard_counts_only_what_could_be_retired(deployment: Deployment, tmp_path: Path) -> None:
    """Rows that were held out or ignored do not hide that a whole factory goes."""
    deployment.execute(
        "DELETE FROM yellowlive_airflow_dsg WHERE stream_key NOT IN"
        " ('Store1', 'ExtStore', 'OldStore')",
        "DELETE FROM yellowlive_airflow_datatransformer",
    )
    deployment.adopt()
    upgrade_store(deployment.store)
    path = tmp_path / "other.yaml"
    path.write_text(OTHER, encoding="utf-8")
    with pytest.raises(PruneRefusedError, match="all 2 entries of factory 'platform'"):
        deployment.merge(path, allow_prune=False)


def test_what_was_held_out_or_ignored_is_left_alone_by_a_merge(
    deployment: Deployment, model: Path
) -> None:
    """A merge retires only rows that history knows."""
    deployment.copy_stream("With space", "{}")
    deployment.adopt()
    upgrade_store(deployment.store)
    before = {row[0]: row for row in deployment.rows()[DSG]}
    deployment.merge(model)
    after = {row[0]: row for row in deployment.rows()[DSG]}
    for key in ("With space", "OldStore"):
        assert after[key] == before[key]
        assert key not in {row.key for row in deployment.store.rows_at("Test_DP", 2)}
