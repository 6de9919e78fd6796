"""A foundry to be examined, and Airflow's configuration in the environment."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Protocol

import pytest
from airflow_client import AIRFLOW_2
from doctor_subject import bundle_item
from published_files import PACE

from dagfoundry.doctor import look_at
from dagfoundry_airflow.doctor import checks
from dagfoundry_airflow.publish import Publisher
from dagfoundry_airflow.trial import Trials

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from probe_foundry import Foundry

    from dagfoundry.doctor import Diagnosis


class Look(Protocol):
    """Makes one check."""

    def __call__(self, check_id: str, foundry: str | None = "Probing") -> Diagnosis:
        """Return what a check finds now."""


@pytest.fixture
def look(foundry: Foundry, monkeypatch: pytest.MonkeyPatch, home: Path) -> Look:
    """Make one check of a foundry with three entries that Airflow is told of."""
    assert home.is_dir()
    foundry.write(a={}, b={}, c={})
    monkeypatch.setenv("DAGFOUNDRY_STORE_URL", str(foundry.store.url))

    def examined(check_id: str, foundry: str | None = "Probing") -> Diagnosis:
        (check,) = [each for each in checks() if each.id == check_id]
        return check.examine(look_at(foundry))

    return examined


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Tell Airflow of the foundry, and return the folder where its snapshot will be."""
    if AIRFLOW_2:
        from dagfoundry_airflow.airflow2 import snapshot_home

        made = snapshot_home("Probing")
        monkeypatch.setenv("AIRFLOW__CORE__DAGS_FOLDER", str(tmp_path / "dags"))
        (tmp_path / "dags").mkdir()
    else:
        storage = tmp_path / "bundles"
        bundles = json.dumps([bundle_item("probes")])
        monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH", str(storage))
        monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", bundles)
        made = storage / "probes"
    made.mkdir(parents=True)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="session")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trials]:
    """Trials with one process for all tests."""
    made = Trials(tmp_path_factory.mktemp("trials"), PACE.limits)
    yield made
    made.close()


@pytest.fixture
def publish(foundry: Foundry, home: Path, trials: Trials) -> Publisher:
    """What a DAG processor on this host publishes with."""
    return Publisher(foundry.name, home, foundry.store, pace=PACE, trials=trials)
