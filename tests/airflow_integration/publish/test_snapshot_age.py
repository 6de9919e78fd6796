"""A store that is silent for long is shown, and takes nothing with it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from published_files import fingerprints, served

from dagfoundry_airflow.notice import SILENCE
from dagfoundry_airflow.publish import Pace, Publisher
from dagfoundry_airflow.snapshot import error_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from probe_foundry import Foundry

    from dagfoundry_airflow.trial import Trials

LIMIT = 3600.0


@pytest.fixture
def patient(foundry: Foundry, tmp_path: Path, trials: Trials) -> Publisher:
    """A publisher whose snapshot may be an hour old."""
    pace = Pace(trials=60.0, silence=LIMIT)
    return Publisher(foundry.name, tmp_path / "home", foundry.store, pace=pace, trials=trials)


def grow_old(publisher: Publisher, seconds: float) -> None:
    """Let the store's last answer be so long ago, and the next question be due."""
    home = publisher.folder.parent
    moment = time.time() - seconds
    os.utime(home / "confirmed", (moment, moment))
    (home / "outage.json").unlink(missing_ok=True)


def report_in(publisher: Publisher) -> str:
    """Return the report that Airflow shows, or nothing."""
    path = publisher.folder / error_file("Probing", SILENCE)
    return path.read_text(encoding="utf-8") if path.exists() else ""


def test_a_store_that_is_silent_for_long_is_shown(foundry: Foundry, patient: Publisher) -> None:
    """An import error names the revision that is served and since when; every DAG stays."""
    foundry.write(a={}, b={})
    patient.refresh()
    before = fingerprints(patient.folder)
    foundry.hide()
    grow_old(patient, LIMIT + 60)
    patient.refresh()
    report = report_in(patient)
    assert "as of revision 1, which the store last confirmed at 20" in report
    assert "DAGFOUNDRY_MAX_SNAPSHOT_AGE" in report
    assert before.items() <= fingerprints(patient.folder).items()
    assert served(patient).keys() >= {"live__a_probe", "live__b_probe"}
    assert patient.refusal() in report.replace("\\n", "\n")


def test_a_short_silence_is_not_shown(foundry: Foundry, patient: Publisher) -> None:
    """Below the limit nothing but the log and the metrics tells of it."""
    foundry.write(a={})
    patient.refresh()
    before = fingerprints(patient.folder)
    foundry.hide()
    grow_old(patient, LIMIT - 60)
    patient.refresh()
    assert fingerprints(patient.folder) == before


def test_the_report_stays_as_it_was_and_goes_with_the_first_answer(
    foundry: Foundry, patient: Publisher, counted: Callable[..., float]
) -> None:
    """A further failure writes nothing, and an answer takes all of it away."""
    foundry.write(a={})
    patient.refresh()
    before = fingerprints(patient.folder)
    foundry.hide()
    for _ in range(2):
        grow_old(patient, LIMIT + 60)
        patient.refresh()
    shown = patient.folder / error_file("Probing", SILENCE)
    written = shown.stat().st_mtime_ns
    grow_old(patient, 2 * LIMIT)
    patient.refresh()
    assert shown.stat().st_mtime_ns == written
    foundry.show()
    grow_old(patient, 2 * LIMIT)
    began = time.time()
    patient.refresh()
    assert fingerprints(patient.folder) == before
    assert counted("dagfoundry_snapshot_confirmed_timestamp_seconds", foundry="Probing") >= began
