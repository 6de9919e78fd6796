"""Several processes and hosts serve the same."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from published_files import PACE, content, fingerprints, fresh_render

from dagfoundry_airflow.environment import Environment
from dagfoundry_airflow.publish import Pace, Publisher
from dagfoundry_airflow.trial import Trials

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from probe_foundry import Foundry


def test_a_fresh_host_takes_over_what_is_held(
    foundry: Foundry, publisher: Publisher, another: Callable[..., Publisher]
) -> None:
    """The last good definition is known to the store, not to one disk only."""
    foundry.write(a={"number": 1}, b={})
    publisher.refresh()
    foundry.write(a={"act": "raise"})
    publisher.refresh()
    foundry.write(b={"number": 2})
    fresh = another()
    fresh.refresh()
    publisher.refresh()
    assert fresh.state().held == {"live__a_probe": 1}
    assert content(fresh.folder) == content(publisher.folder)
    assert fresh.state().record == publisher.state().record


def test_a_fresh_host_shows_the_errors_before_it_has_tried_anything(
    foundry: Foundry, publisher: Publisher, another: Callable[..., Publisher], tmp_path: Path
) -> None:
    """It serves at once what another host found good and bad."""
    foundry.write(a={}, b={"act": "raise"})
    publisher.refresh()
    trials = Trials(tmp_path / "none", PACE.limits)
    fresh = another(trials=trials, pace=Pace(trials=0.0))
    fresh.refresh()
    trials.close()
    assert fresh.state().record == publisher.state().record
    assert content(fresh.folder) == content(publisher.folder)


def test_two_processes_share_a_folder(
    foundry: Foundry, publisher: Publisher, another: Callable[..., Publisher]
) -> None:
    """One of them works, the other finds it done."""
    foundry.write(a={})
    publisher.refresh()
    other = another("home", thorough=False)
    foundry.write(a={"number": 1})
    publisher.refresh()
    before = fingerprints(publisher.folder)
    other.refresh()
    assert fingerprints(publisher.folder) == before
    foundry.write(a={"number": 2})
    other.refresh()
    publisher.refresh()
    assert publisher.state() == other.state()
    assert content(publisher.folder) == fresh_render(foundry, publisher.state().version)


def test_a_refresh_under_way_elsewhere_is_left_alone(
    foundry: Foundry, publisher: Publisher
) -> None:
    """Waiting would block Airflow's parse loop."""
    import fcntl

    foundry.write(a={})
    publisher.refresh()
    foundry.write(b={})
    with (publisher.folder.parent / "refresh.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        publisher.refresh()
        assert publisher.state().revision == 1
    publisher.refresh()
    assert publisher.state().revision == 2


def test_a_refresh_may_wait_for_one_under_way_elsewhere(
    foundry: Foundry, publisher: Publisher, another: Callable[..., Publisher]
) -> None:
    """On Airflow 2 two shards are parsed at once, and both have to show what changed."""
    import fcntl

    foundry.write(a={})
    publisher.refresh()
    foundry.write(b={})
    patient = another("home", pace=replace(PACE, elsewhere=60.0))
    with (publisher.folder.parent / "refresh.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = threading.Thread(target=patient.refresh)
        waiting.start()
        waiting.join(0.5)
        assert waiting.is_alive()
    waiting.join()
    assert patient.state().revision == 2


def test_new_plugins_are_noticed_at_a_restart(
    foundry: Foundry, publisher: Publisher, another: Callable[..., Publisher], tmp_path: Path
) -> None:
    """Every row is proved again, in the background, and nothing is written for it."""
    foundry.write(a={}, b={})
    publisher.refresh()
    before = fingerprints(publisher.folder)
    upgraded = Trials(tmp_path, PACE.limits, environment=Environment(lambda: "other"))
    restarted = another("home", trials=upgraded)
    until = time.monotonic() + 60
    while restarted.state().environment != "other" or restarted.state().pending:
        assert time.monotonic() < until
        restarted.refresh()
    upgraded.close()
    assert fingerprints(publisher.folder) == before


def test_a_first_appearance_is_counted_once(
    foundry: Foundry,
    publisher: Publisher,
    another: Callable[..., Publisher],
    counted: Callable[..., float],
) -> None:
    """Neither a change, a return nor another disk makes a DAG new."""
    start = counted("dagfoundry_dags_created_total", factory_type="probe")
    foundry.write(a={}, b={})
    publisher.refresh()
    assert counted("dagfoundry_dags_created_total", factory_type="probe") == start + 2
    foundry.write(a={"number": 1}, b="retired")
    publisher.refresh()
    foundry.write(b="active")
    publisher.refresh()
    fresh = another()
    fresh.refresh()
    another("home").refresh()
    foundry.write(a="retired")
    fresh.refresh()
    foundry.write(a="active")
    fresh.refresh()
    assert counted("dagfoundry_dags_created_total", factory_type="probe") == start + 2
