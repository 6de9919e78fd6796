"""An entry that cannot be built keeps its last good definition and hides nobody."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from published_files import PACE, content, fingerprints, fresh_render, served, settle

from dagfoundry_airflow.publish import Pace, Publisher
from dagfoundry_airflow.snapshot import error_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from probe_foundry import Foundry


def test_a_bad_row_keeps_its_last_good_definition(foundry: Foundry, publisher: Publisher) -> None:
    """Its neighbours are untouched, and a file of its own says what is wrong."""
    good = foundry.write(a={"number": 1}, b={})
    publisher.refresh()
    foundry.write(a={"act": "raise"}, b={"number": 2})
    publisher.refresh()
    assert publisher.state().held == {"live__a_probe": good}
    rows = served(publisher)
    assert (rows["live__a_probe"]["revision"], rows["live__b_probe"]["revision"]) == (
        good,
        good + 1,
    )
    report = (publisher.folder / error_file("Probing", "live__a_probe")).read_text()
    for word in ("Live", "probe", "KeyError", f"revision {good + 1}", "Ada", "keeps the DAG"):
        assert word in report
    assert content(publisher.folder) == fresh_render(foundry, publisher.state().version)


def test_a_row_that_was_never_good_is_not_served(foundry: Foundry, publisher: Publisher) -> None:
    """There is nothing to fall back to, and the error says so."""
    foundry.write(a={"act": "raise"})
    publisher.refresh()
    assert publisher.state().held == {"live__a_probe": 0}
    assert "live__a_probe" not in served(publisher)
    assert "does not show the DAG" in publisher.state().errors["live__a_probe"]


def test_a_mended_row_ends_its_error(foundry: Foundry, publisher: Publisher) -> None:
    """The error file is gone with the next refresh."""
    foundry.write(a={"act": "raise"})
    publisher.refresh()
    foundry.write(a={"number": 5})
    publisher.refresh()
    assert (publisher.state().held, publisher.state().errors) == ({}, {})
    assert not list(publisher.folder.glob("*_error_*"))
    assert "live__a_probe" in served(publisher)


def test_a_held_row_still_drains(foundry: Foundry, publisher: Publisher) -> None:
    """An entry that is removed from the model stops, however broken its last definition is."""
    foundry.write(a={"number": 1})
    publisher.refresh()
    foundry.write(a={"act": "raise"})
    foundry.write(a="retiring")
    publisher.refresh()
    assert served(publisher)["live__a_probe"]["status"] == "retiring"
    assert content(publisher.folder) == fresh_render(foundry, publisher.state().version)
    foundry.write(a="retired")
    publisher.refresh()
    assert "live__a_probe" not in served(publisher)
    assert publisher.state().errors == {}


def test_what_is_not_proved_waits_for_the_next_refresh(
    foundry: Foundry, publisher: Publisher, another: Callable[..., Publisher]
) -> None:
    """The old definition is served meanwhile, and no error is shown."""
    foundry.write(a={}, b={})
    publisher.refresh()
    foundry.write(a={"act": "wait"}, b={"number": 1})
    hasty = another("home", pace=Pace(trials=0.3, limits=PACE.limits))
    hasty.refresh()
    state = hasty.state()
    assert "live__a_probe" in state.pending
    assert state.errors == {}
    assert state.held["live__a_probe"] == 1
    assert content(hasty.folder) == fresh_render(foundry, state.version)
    until = time.monotonic() + 60
    while hasty.state().pending:
        assert time.monotonic() < until
        hasty.refresh()
    assert served(hasty)["live__a_probe"]["revision"] == 2
    assert hasty.state().held == {}


def test_a_waiting_row_outlives_the_process(
    foundry: Foundry, publisher: Publisher, another: Callable[..., Publisher]
) -> None:
    """Another process finishes what this one began."""
    foundry.write(a={})
    publisher.refresh()
    foundry.write(a={"number": 1, "act": "wait"})
    hasty = another("home", pace=Pace(trials=0.1, limits=PACE.limits))
    hasty.refresh()
    assert hasty.state().pending == ("live__a_probe",)
    publisher.refresh()
    assert publisher.state().pending == ()
    assert served(publisher)["live__a_probe"]["revision"] == 2


def test_an_error_is_tried_again_later(
    foundry: Foundry, publisher: Publisher, another: Callable[..., Publisher]
) -> None:
    """A busy machine must not break an entry for ever; its error stays until it is good."""
    foundry.write(a={"act": "wait, raise"})
    publisher.refresh()
    before, files = publisher.state(), fingerprints(publisher.folder)
    assert before.errors
    pace = Pace(trials=0.1, retry=0.0, limits=PACE.limits)
    impatient = another("home", pace=pace, thorough=False)
    impatient.refresh()
    assert impatient.state().pending == ("live__a_probe",)
    assert impatient.state().record == before.record
    settle(impatient)
    assert impatient.state().record == before.record
    assert fingerprints(publisher.folder) == files


def test_a_row_that_another_process_saw_is_the_newest(
    foundry: Foundry, publisher: Publisher, another: Callable[..., Publisher]
) -> None:
    """What this process remembers of a waiting row may be old."""
    foundry.write(a={})
    publisher.refresh()
    pace = Pace(trials=0.1, limits=PACE.limits)
    first, second = (another("home", pace=pace, thorough=False) for _ in range(2))
    foundry.write(a={"number": 1, "act": "wait"})
    first.refresh()
    foundry.write(a={"number": 2, "act": "wait"})
    second.refresh()
    assert first.state().pending == ("live__a_probe",)
    settle(first)
    assert served(first)["live__a_probe"]["revision"] == 3
