"""The doctor knows how many DAGs and files there are, and how long the biggest file takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from airflow_client import AIRFLOW_2
from published_files import settle

from dagfoundry.doctor import look_at
from dagfoundry.errors import BuildFailedError
from dagfoundry_airflow.doctor import recommended
from dagfoundry_airflow.doctor.fleet import parsed_fleet
from dagfoundry_airflow.doctor.timing import timing_of

if TYPE_CHECKING:
    from probe_foundry import Foundry

    from dagfoundry_airflow.publish import Publisher
    from tests.airflow_integration.doctor.conftest import Look


@pytest.mark.usefixtures("look")
def test_the_snapshot_and_the_store_give_the_same_fleet(publish: Publisher) -> None:
    """Only the source differs."""
    stored = parsed_fleet(look_at("Probing"))
    settle(publish)
    local = parsed_fleet(look_at("Probing"))
    assert (stored.dags, stored.buckets, stored.files) == (local.dags, local.buckets, local.files)
    assert (stored.biggest.source, local.biggest.source) == ("the store", "the snapshot")
    ids = [{row["dag_id"] for row in each.biggest.rows} for each in (stored, local)]
    assert ids[0] == ids[1]


def test_a_retired_entry_is_no_dag(look: Look, foundry: Foundry) -> None:
    """Airflow does not parse it."""
    assert look("parsing.files").verdict.value == "ok"
    foundry.write(a="retired", b="retiring")
    assert parsed_fleet(look_at("Probing")).dags == 3


def test_an_error_file_counts(look: Look, foundry: Foundry, publish: Publisher) -> None:
    """Airflow parses it like any other; on Airflow 2 there is always one."""
    settle(publish)
    before = parsed_fleet(look_at("Probing")).files
    foundry.write(a={"act": "raise"})
    settle(publish)
    assert look("parsing.files").verdict.value == "ok"
    assert parsed_fleet(look_at("Probing")).files == before + (0 if AIRFLOW_2 else 1)


def test_the_biggest_file_is_really_built(look: Look, foundry: Foundry) -> None:
    """A builder that waits two seconds shows in the figure; metadata and store are not needed."""
    assert look("parsing.files").verdict.value == "ok"
    quick = timing_of(look_at("Probing"))
    assert 0 < quick.import_seconds < quick.whole_seconds
    assert quick.dags == len(quick.file.rows)
    foundry.write(**{key: {"act": "wait"} for key in "abcdefgh"})
    slow = timing_of(look_at("Probing"))
    assert slow.import_seconds >= 2 * slow.dags - 2
    assert slow.whole_seconds - slow.import_seconds < slow.import_seconds


def test_what_a_builder_prints_is_no_answer(look: Look, foundry: Foundry) -> None:
    """The figures are read all the same."""
    foundry.write(**{key: {"act": "print"} for key in "abcdefgh"})
    assert look("parsing.import-timeout").verdict.value == "ok"


@pytest.mark.parametrize(
    ("act", "reason"),
    [("exit", "exit code 3"), ("crash", "signal SIGSEGV")],
)
def test_a_builder_that_ends_the_process_is_told(
    look: Look, foundry: Foundry, act: str, reason: str
) -> None:
    """The doctor itself lives."""
    foundry.write(**{key: {"act": act} for key in "abcdefgh"})
    with pytest.raises(BuildFailedError, match=f"could not be built: .*{reason}"):
        look("parsing.import-timeout")


@pytest.mark.parametrize("act", ["raise", "circle"])
def test_a_row_that_cannot_be_built_is_left_out(look: Look, foundry: Foundry, act: str) -> None:
    """A DAG processor keeps it out as well; the others are measured."""
    assert look("parsing.import-timeout").verdict.value == "ok"
    foundry.write(**{key: {"act": act} for key in "abcdefgh"})
    foundry.write(**{key: {} for key in "ijklmnopqrstuvwxyz"})
    timing = timing_of(look_at("Probing"))
    assert 0 < timing.dags < len(timing.file.rows)


def test_without_store_and_snapshot_nothing_is_measured(look: Look, foundry: Foundry) -> None:
    """Each check says so."""
    foundry.hide()
    for check_id in ("parsing.interval", "parsing.files", "parsing.import-timeout"):
        found = look(check_id)
        assert (found.verdict.value, "could be read" in found.found) == ("advice", True)


@pytest.mark.parametrize(
    ("dags", "buckets", "interval"),
    [(100, 8, 300), (500, 16, 300), (1_000, 32, 600), (10_000, 128, 7200)],
)
def test_what_is_recommended_keeps_to_the_budget(dags: int, buckets: int, interval: int) -> None:
    """An unchanged fleet costs at most 3 CPU-seconds a minute."""
    assert recommended.buckets_for(dags) == buckets
    assert recommended.interval_for(dags, buckets) == interval
    assert recommended.minute_cost(dags, buckets, interval) <= recommended.BUDGET
    assert not recommended.is_crowded(dags, buckets)
    assert not recommended.is_scattered(dags, buckets)


def test_too_few_and_too_many_files_are_seen() -> None:
    """One file for all is crowded, a file for a few DAGs each is scattered."""
    assert recommended.is_crowded(10_000, 16)
    assert recommended.is_scattered(1_000, 256)
