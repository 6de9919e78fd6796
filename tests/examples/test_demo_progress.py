"""The demo says what it does, also into a pipe, and remembers what did not hold."""

from __future__ import annotations

import io

import pytest
from progress import Progress
from rich.console import Console


@pytest.fixture
def output() -> io.StringIO:
    """What the demo printed into a pipe."""
    return io.StringIO()


@pytest.fixture
def progress(output: io.StringIO) -> Progress:
    """A demo that speaks into a pipe."""
    return Progress(Console(file=output, width=80))


def test_steps_are_numbered_and_timed(progress: Progress, output: io.StringIO) -> None:
    """Each step is headed by its number and ended by its seconds."""
    with progress.step("Load"):
        progress.say("flights: 336,776 rows")
    with progress.step("Merge [all]"):
        pass
    assert [title for title, _ in progress.steps] == ["Load", "Merge [all]"]
    lines = [line.split(" s  ")[-1].strip() for line in output.getvalue().splitlines() if line]
    assert lines[:2] == ["1  Load", "flights: 336,776 rows"]
    assert lines[2].startswith("step 1 took")
    assert lines[3] == "2  Merge [all]"


def test_check_that_fails_is_remembered(progress: Progress, output: io.StringIO) -> None:
    """The demo goes on and knows in the end what did not hold."""
    progress.check("the DAG folder is empty", held=True)
    progress.check("Airflow has no import error", held=False)
    assert progress.failures == ["Airflow has no import error"]
    assert "✓ the DAG folder is empty" in output.getvalue()
    assert "✗ Airflow has no import error" in output.getvalue()


def test_failure_shows_its_log_as_it_is(progress: Progress, output: io.StringIO) -> None:
    """A log may hold what looks like markup and long lines."""
    progress.fail("a run failed", log="[2026-01-01] [/bold] " + 200 * "x")
    assert "[2026-01-01] [/bold] " + 200 * "x" in output.getvalue()
    assert progress.failures == ["a run failed"]


def test_waiting_in_a_pipe_is_said_now_and_then(progress: Progress, output: io.StringIO) -> None:
    """Status texts that follow each other within seconds are not printed line by line."""
    progress.say("Airflow starts")
    for number in range(100):
        progress.working(f"waiting {number}")
    assert output.getvalue().count("waiting") == 0
