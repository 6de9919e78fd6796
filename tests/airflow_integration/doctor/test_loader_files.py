"""The doctor looks at the loader files of Airflow 2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from airflow_client import AIRFLOW_2

if not AIRFLOW_2:
    pytest.skip("Airflow 3 needs no loader files", allow_module_level=True)

from dagfoundry_airflow.airflow2 import install
from dagfoundry_airflow.doctor.loaders import shards_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.airflow_integration.doctor.conftest import Look


pytestmark = pytest.mark.every_airflow


@pytest.fixture
def dags(home: Path, tmp_path: Path) -> Path:
    """Airflow's DAG folder, with four loader files below it."""
    assert home.is_dir()
    folder = tmp_path / "dags" / "ours"
    folder.mkdir()
    install(folder, "Probing", 4)
    return folder


def test_installed_files_are_good(look: Look, dags: Path) -> None:
    """They may stand anywhere below the DAG folder."""
    found = look("loader.installed")
    assert (found.verdict.value, found.found) == ("ok", f"5 files in {dags}")
    assert look("loader.found").verdict.value == "ok"
    assert shards_of("Probing") == 4


def test_no_files_are_a_problem(look: Look) -> None:
    """The remedy is the command that writes them."""
    found = look("loader.installed")
    assert found.verdict.value == "problem"
    assert "dagfoundry airflow2 install" in found.remedy
    assert "--foundry Probing" in found.remedy
    assert look("loader.found").found.startswith("not looked at")


def remove_one(dags: Path) -> None:
    """Lose a shard."""
    (dags / "dagfoundry_probing_shard_02.py").unlink()


def alter_one(dags: Path) -> None:
    """Change a shard by hand."""
    path = dags / "dagfoundry_probing_shard_02.py"
    path.write_text(path.read_text() + "# mine\n")


def mix_numbers(dags: Path) -> None:
    """Leave a shard of another number behind."""
    path = dags / "dagfoundry_probing_shard_02.py"
    path.write_text(path.read_text().replace(", 4)", ", 8)"))


def lose_the_errors(dags: Path) -> None:
    """Lose the file that shows what is wrong."""
    (dags / "dagfoundry_probing_errors.py").unlink()


def add_one(dags: Path) -> None:
    """Copy a shard to a number that is not there."""
    text = (dags / "dagfoundry_probing_shard_02.py").read_text()
    (dags / "dagfoundry_probing_shard_07.py").write_text(text)


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (remove_one, "dagfoundry_probing_shard_02.py is missing"),
        (alter_one, "dagfoundry_probing_shard_02.py is of another release"),
        (mix_numbers, "files for 4 and 8 shards"),
        (lose_the_errors, "dagfoundry_probing_errors.py is missing"),
        (add_one, "dagfoundry_probing_shard_07.py is too many"),
    ],
)
def test_files_that_are_not_as_installed_are_a_problem(
    look: Look, dags: Path, harm: Callable[[Path], None], reason: str
) -> None:
    """A shard that is missing hides all its DAGs, and nothing in Airflow says so."""
    harm(dags)
    found = look("loader.installed")
    assert found.verdict.value == "problem"
    assert reason in found.found


def test_files_in_two_folders_are_a_problem(look: Look, dags: Path) -> None:
    """Both would own the same DAG ids."""
    install(dags.parent, "Probing", 4)
    found = look("loader.installed")
    assert (found.verdict.value, str(dags.parent) in found.found) == ("problem", True)


def test_files_that_airflow_passes_over_are_a_problem(look: Look, dags: Path) -> None:
    """They are named."""
    (dags.parent / ".airflowignore").write_text("shard_01")
    found = look("loader.found")
    assert found.verdict.value == "problem"
    assert "dagfoundry_probing_shard_01.py" in found.found
