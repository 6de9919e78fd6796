"""The doctor looks at the snapshot on this host's disk."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from lost_history import restore
from published_files import settle

if TYPE_CHECKING:
    from pathlib import Path

    from probe_foundry import Foundry

    from dagfoundry_airflow.publish import Publisher
    from tests.airflow_integration.doctor.conftest import Look


def test_no_snapshot_is_said(look: Look, home: Path) -> None:
    """A worker may have none, so it is advice."""
    found = look("snapshot.fresh")
    assert (found.verdict.value, str(home) in found.found) == ("advice", True)
    assert look("snapshot.intact").verdict.value == "advice"


def test_a_snapshot_of_the_newest_revision_is_good(look: Look, publish: Publisher) -> None:
    """Its version and age are named."""
    settle(publish)
    found = look("snapshot.fresh")
    assert found.verdict.value == "ok"
    assert "version r1-" in found.found
    assert "seconds ago" in found.found
    assert look("snapshot.intact").verdict.value == "ok"
    assert look("snapshot.folder").verdict.value == "ok"


def test_a_snapshot_that_is_behind_gets_advice(
    look: Look, foundry: Foundry, publish: Publisher
) -> None:
    """The newest revision is named beside its own."""
    settle(publish)
    foundry.write(d={})
    found = look("snapshot.fresh")
    assert (found.verdict.value, "the newest revision is 2" in found.found) == ("advice", True)


def test_a_snapshot_is_looked_at_without_the_store(
    look: Look, foundry: Foundry, publish: Publisher
) -> None:
    """The figures of the fleet come out of it as well."""
    settle(publish)
    foundry.hide()
    assert "does not say whether it is the newest" in look("snapshot.fresh").found
    assert "4 DAGs" in look("parsing.files").found
    assert "of the snapshot with" in look("parsing.import-timeout").found


@pytest.mark.parametrize("harm", ["was changed", "is missing", "is too many"])
def test_a_file_that_is_not_as_written_is_a_problem(
    look: Look, publish: Publisher, harm: str
) -> None:
    """It is named."""
    settle(publish)
    stub = min(publish.folder.glob("*.py"))
    if harm == "was changed":
        stub.write_text(stub.read_text() + "# mine\n")
    elif harm == "is missing":
        stub.unlink()
    else:
        stub = publish.folder / "dagfoundry_probing_ff.py"
        stub.touch()
    found = look("snapshot.intact")
    assert (found.verdict.value, found.found) == ("problem", f"{stub.name} {harm}")


def test_a_damaged_state_is_no_snapshot(look: Look, home: Path, publish: Publisher) -> None:
    """It is read as none, as the DAG processor does."""
    settle(publish)
    (home / "state.json").write_text("{")
    assert "no snapshot" in look("snapshot.fresh").found


def test_a_snapshot_that_the_store_has_not_confirmed_for_long_is_a_problem(
    look: Look, home: Path, publish: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is a setting."""
    settle(publish)
    assert "confirmed by the store 0 seconds ago" in look("snapshot.fresh").found
    moment = time.time() - 7200
    os.utime(home / "confirmed", (moment, moment))
    found = look("snapshot.fresh")
    assert (found.verdict.value, "store 2 hours ago" in found.found) == ("problem", True)
    assert "DAGFOUNDRY_MAX_SNAPSHOT_AGE" in found.remedy
    monkeypatch.setenv("DAGFOUNDRY_MAX_SNAPSHOT_AGE", "10000")
    assert look("snapshot.fresh").verdict.value == "ok"


def test_a_refresh_that_is_held_back_is_a_problem(
    look: Look, foundry: Foundry, publish: Publisher
) -> None:
    """The whole report is there; the file that shows it in Airflow is not one too many."""
    settle(publish)
    assert look("snapshot.held-back").verdict.value == "ok"
    restore(foundry, 0)
    publish.refresh()
    found = look("snapshot.held-back")
    assert (found.verdict.value, "3 DAGs" in found.found) == ("problem", True)
    assert "DAGFOUNDRY_ALLOW_DROP=Probing@0" in found.remedy
    assert look("snapshot.intact").verdict.value == "ok"


def test_without_a_snapshot_nothing_is_held_back(look: Look) -> None:
    """A worker may have none."""
    assert look("snapshot.held-back").verdict.value == "advice"
