"""A folder follows the store: only what changed is written, and nothing is ever lost."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from dagfoundry.errors import StoreUnavailableError
from dagfoundry.factories import Status
from dagfoundry.store import open_store
from dagfoundry_airflow.publish import Pace, Publisher
from dagfoundry_airflow.snapshot import checksum, error_file, read_rows, render
from dagfoundry_airflow.trial import Trials
from dagfoundry_airflow.trial_process import TrialLimits
from dagfoundry_airflow.versions import rows_of_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from conftest import Foundry
    from sqlalchemy.engine import Engine

PACE = Pace(trials=120.0, linger=1000.0, retry=1000.0, limits=TrialLimits(build=3.0))


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trials]:
    """Trials with one process for all tests of this module."""
    made = Trials(tmp_path_factory.mktemp("trials"), PACE.limits)
    yield made
    made.close()


@pytest.fixture
def publisher(foundry: Foundry, tmp_path: Path, trials: Trials) -> Publisher:
    """A publisher of the foundry into a folder of its own."""
    return Publisher(foundry.name, tmp_path / "home", foundry.store, pace=PACE, trials=trials)


@pytest.fixture
def another(foundry: Foundry, tmp_path: Path, trials: Trials) -> Callable[..., Publisher]:
    """Return a function that makes a publisher on another host, or in another process."""

    def make(home: str = "elsewhere", **arguments: object) -> Publisher:
        values = {"pace": PACE, "trials": trials, **arguments}
        return Publisher(foundry.name, tmp_path / home, foundry.store, **values)

    return make


def content(folder: Path) -> dict[str, bytes]:
    """Return the files that Airflow could look at, by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def fingerprints(folder: Path) -> dict[str, tuple[int, int]]:
    """Return inode and mtime of each file."""
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.iterdir()}


def served(publisher: Publisher) -> dict[str, dict[str, Any]]:
    """Return the rows in the folder, by DAG id."""
    rows = [row for path in publisher.folder.glob("*.json") for row in read_rows(path)]
    return {row["dag_id"]: row for row in rows}


def fresh_render(foundry: Foundry, version: str) -> dict[str, bytes]:
    """Return what the store's history makes of a version."""
    record = foundry.store.version(foundry.name, version)
    rows = rows_of_version(foundry.store, foundry.name, record)
    return render(foundry.name, rows, record.errors)


# --- What is served ------------------------------------------------------------


def test_rows_become_files(foundry: Foundry, publisher: Publisher) -> None:
    """Entries and the infrastructure DAG; the version is recorded in the store."""
    revision = foundry.write(a={}, b={})
    publisher.refresh()
    state = publisher.state()
    assert state.version.startswith(f"r{revision}-")
    assert foundry.store.version(foundry.name, state.version) == state.record
    assert served(publisher).keys() == {
        "live__a_probe",
        "live__b_probe",
        "probing_infrastructure",
    }
    assert content(publisher.folder) == fresh_render(foundry, state.version)


def test_nothing_new_is_one_query_and_no_write(
    foundry: Foundry,
    publisher: Publisher,
    count_statements: Callable[[Engine], AbstractContextManager[list[str]]],
) -> None:
    """It happens every five seconds, for ever."""
    foundry.write(a={})
    publisher.refresh()
    before = fingerprints(publisher.folder)
    with count_statements(foundry.store.engine) as statements:
        publisher.refresh()
    assert len(statements) == 1
    assert fingerprints(publisher.folder) == before


def test_a_change_writes_only_its_bucket(foundry: Foundry, publisher: Publisher) -> None:
    """Every other file keeps its inode and its mtime."""
    foundry.write(**{f"k{number}": {} for number in range(20)})
    publisher.refresh()
    before = fingerprints(publisher.folder)
    assert len(before) == 8
    foundry.write(k3={"number": 1})
    publisher.refresh()
    after = fingerprints(publisher.folder)
    changed = {name for name in after if after[name] != before.get(name)}
    bucket = served(publisher)["live__k3_probe"]["bucket"]
    assert changed == {f"dagfoundry_probing_{bucket:02x}.{kind}" for kind in ("py", "json")}
    assert after.keys() == before.keys()


def test_status_decides_what_is_in_a_bucket(foundry: Foundry, publisher: Publisher) -> None:
    """Inactive and retiring stay, retired and purged go, and a retired one may come back."""
    foundry.write(a={}, b={}, c={}, d={})
    publisher.refresh()
    foundry.write(a="inactive", b="retiring", c="retired", d="purged")
    publisher.refresh()
    rows = served(publisher)
    assert {key: rows[f"live__{key}_probe"]["status"] for key in "ab"} == {
        "a": "inactive",
        "b": "retiring",
    }
    assert not rows.keys() & {"live__c_probe", "live__d_probe"}
    foundry.write(c="active")
    publisher.refresh()
    assert "live__c_probe" in served(publisher)


def test_two_hosts_make_the_same_version(
    foundry: Foundry, publisher: Publisher, another: Callable[..., Publisher]
) -> None:
    """Airflow scans all files again whenever two processors disagree."""
    foundry.write(a={}, b={"act": "raise"})
    publisher.refresh()
    foundry.write(b={})
    publisher.refresh()
    other = another()
    other.refresh()
    assert other.state().version == publisher.state().version
    assert content(other.folder) == content(publisher.folder)


# --- What cannot be built --------------------------------------------------------


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


def settle(publisher: Publisher) -> None:
    """Refresh until nothing waits for its trial."""
    until = time.monotonic() + 60
    publisher.refresh()
    while publisher.state().pending:
        assert time.monotonic() < until
        publisher.refresh()


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


# --- Removal and the touches that follow it ----------------------------------------


def test_a_removal_touches_the_stub_once_more(
    foundry: Foundry, publisher: Publisher, another: Callable[..., Publisher]
) -> None:
    """Airflow notices a lost DAG only in a parse that ends long after the last one."""
    keys = "abcdefghijklmnop"
    foundry.write(**{key: {} for key in keys})
    publisher.refresh()
    shared = [key for key in keys if bucket(foundry, key) == bucket(foundry, "a")]
    assert len(shared) > 1
    foundry.write(a="retired")
    brisk = another("home", pace=Pace(trials=120, linger=0.2), thorough=False)
    brisk.refresh()
    stub = brisk.folder / f"dagfoundry_probing_{bucket(foundry, 'a'):02x}.py"
    assert list(brisk.state().touches) == [stub.name]
    before = stub.stat()
    time.sleep(0.3)
    restarted = another("home", pace=Pace(trials=120, linger=0.2), thorough=False)
    restarted.refresh()
    after = stub.stat()
    assert after.st_mtime_ns > before.st_mtime_ns
    assert after.st_ino == before.st_ino
    assert restarted.state().touches == {}


def bucket(foundry: Foundry, key: str) -> int:
    """Return the bucket of an entry."""
    from dagfoundry.names import bucket_of

    return bucket_of(foundry.dag_id(key), foundry.buckets)


def test_a_stub_rewritten_during_its_parse_is_touched_soon(
    foundry: Foundry, publisher: Publisher
) -> None:
    """Airflow believes that the old parse has seen the new content."""
    import fcntl

    foundry.write(a={})
    publisher.refresh()
    name = f"dagfoundry_probing_{bucket(foundry, 'a'):02x}"
    with (publisher.folder / f"{name}.json").open("rb") as parse:
        fcntl.flock(parse, fcntl.LOCK_SH)
        foundry.write(a={"number": 1})
        publisher.refresh()
    assert len(publisher.state().touches[f"{name}.py"]) == 2
    foundry.write(a={"number": 2})
    publisher.refresh()
    assert len(publisher.state().touches[f"{name}.py"]) == 2


# --- When the store or the disk fails ---------------------------------------------


def test_an_unreachable_store_keeps_every_file(
    foundry: Foundry, publisher: Publisher, counted: Callable[..., float]
) -> None:
    """It is logged once, counted each time, and asked less often."""
    foundry.write(a={})
    publisher.refresh()
    before = fingerprints(publisher.folder)
    foundry.hide()
    failures = counted("dagfoundry_store_errors_total", foundry=foundry.name)
    publisher.refresh()
    publisher.refresh()
    assert fingerprints(publisher.folder) == before
    assert counted("dagfoundry_store_errors_total", foundry=foundry.name) == failures + 1
    foundry.show()
    (publisher.folder.parent / "outage.json").unlink()
    foundry.write(b={})
    publisher.refresh()
    assert "live__b_probe" in served(publisher)


def test_an_outage_ends_by_itself(
    foundry: Foundry,
    publisher: Publisher,
) -> None:
    """The pause grows, and the first good answer ends it."""
    foundry.write(a={})
    publisher.refresh()
    foundry.hide()
    publisher.refresh()
    note = publisher.folder.parent / "outage.json"
    assert note.exists()
    foundry.show()
    note.write_text("[1, 0]")
    publisher.refresh()
    assert not note.exists()


def test_a_fresh_folder_without_a_store_fails_loudly(tmp_path: Path, trials: Trials) -> None:
    """There is nothing to serve, and pretending otherwise would remove DAGs."""
    store = open_store(make_url(f"sqlite:///{tmp_path / 'nowhere.db'}"))
    publisher = Publisher("Probing", tmp_path / "home", store, trials=trials)
    with pytest.raises(StoreUnavailableError, match="does not exist"):
        publisher.refresh()
    with pytest.raises(StoreUnavailableError, match="a moment ago"):
        publisher.refresh()


def test_a_foundry_that_never_was_is_shown_as_an_error(
    foundry: Foundry, tmp_path: Path, trials: Trials
) -> None:
    """A wrong name, or a first merge that is still to come."""
    publisher = Publisher("Later", tmp_path / "home", foundry.store, pace=PACE, trials=trials)
    publisher.refresh()
    ((_, shown),) = content(publisher.folder).items()
    assert b"the store holds no foundry 'Later'" in shown
    assert publisher.state().version.startswith("r0-")


def test_the_error_goes_when_the_foundry_comes(
    make_foundry: type[Foundry], foundry: Foundry, tmp_path: Path, trials: Trials
) -> None:
    """The first merge is all it takes."""
    publisher = Publisher("Later", tmp_path / "home", foundry.store, pace=PACE, trials=trials)
    publisher.refresh()
    later = type("Later", (make_foundry,), {"name": "Later", "platform": "Other"})
    later(foundry.store.url).write(a={})
    publisher.refresh()
    assert len(served(publisher)) == 2
    assert not list(publisher.folder.glob("*_error_*"))


def test_a_damaged_file_is_made_again(
    foundry: Foundry, publisher: Publisher, another: Callable[..., Publisher]
) -> None:
    """A full disk or a power cut may leave anything."""
    foundry.write(a={}, b={})
    publisher.refresh()
    whole = content(publisher.folder)
    for name in whole:
        (publisher.folder / name).write_bytes(b"{")
    (publisher.folder / "dagfoundry_probing_error_old.py").write_text("raise SystemExit")
    another("home").refresh()
    assert content(publisher.folder) == whole


def test_a_removed_file_is_made_again_at_once(foundry: Foundry, publisher: Publisher) -> None:
    """Airflow would drop its DAGs at its next look into the folder."""
    foundry.write(a={}, b={})
    publisher.refresh()
    whole = content(publisher.folder)
    next(publisher.folder.glob("*.py")).unlink()
    publisher.refresh()
    assert content(publisher.folder) == whole


def test_a_folder_of_another_foundry_is_taken_over(
    foundry: Foundry, publisher: Publisher, make_foundry: type[Foundry], trials: Trials
) -> None:
    """The bundle's configuration changed, its name did not."""
    foundry.write(a={})
    publisher.refresh()
    later = type("Later", (make_foundry,), {"name": "Later", "platform": "Other"})
    later(foundry.store.url).write(x={})
    home = publisher.folder.parent
    other = Publisher("Later", home, foundry.store, pace=PACE, trials=trials)
    other.refresh()
    assert served(other).keys() == {"live__x_probe", "later_infrastructure"}
    assert not list(other.folder.glob("dagfoundry_probing*"))


def test_a_lost_state_is_made_again(
    foundry: Foundry, publisher: Publisher, another: Callable[..., Publisher]
) -> None:
    """The store knows what was served, errors and all."""
    foundry.write(a={}, b={})
    publisher.refresh()
    foundry.write(a={"act": "raise"})
    publisher.refresh()
    before, files = publisher.state(), fingerprints(publisher.folder)
    (publisher.folder.parent / "state.json").write_text("{}")
    again = another("home")
    again.refresh()
    assert again.state().record == before.record
    assert fingerprints(publisher.folder) == files


def test_a_crash_between_files_and_state_heals(
    foundry: Foundry, publisher: Publisher, another: Callable[..., Publisher]
) -> None:
    """The state is older than the files then."""
    foundry.write(a={}, b={})
    publisher.refresh()
    state = (publisher.folder.parent / "state.json").read_bytes()
    foundry.write(a={"number": 1}, b="retired")
    publisher.refresh()
    whole, version = content(publisher.folder), publisher.state().version
    (publisher.folder.parent / "state.json").write_bytes(state)
    again = another("home")
    again.refresh()
    assert content(publisher.folder) == whole
    assert again.state().version == version


def test_a_store_that_cannot_record_leaves_the_files(
    foundry: Foundry, publisher: Publisher
) -> None:
    """No file may show what no other host could render."""
    foundry.write(a={})
    publisher.refresh()
    before = fingerprints(publisher.folder)
    foundry.write(a={"number": 1})
    with foundry.store.writing() as connection:
        connection.exec_driver_sql("DROP TABLE probing_versions")
    publisher.refresh()
    assert fingerprints(publisher.folder) == before
    assert publisher.state().revision == 1


def test_a_store_that_lost_revisions_is_followed(
    foundry: Foundry,
    publisher: Publisher,
    make_foundry: type[Foundry],
) -> None:
    """It was restored from a backup; the store is the truth."""
    foundry.write(a={})
    foundry.write(b={})
    publisher.refresh()
    Path(foundry.store.url.database).unlink()
    make_foundry(foundry.store.url).write(c={})
    publisher.refresh()
    assert served(publisher).keys() == {"live__c_probe", "probing_infrastructure"}
    assert publisher.state().version.startswith("r1-")


# --- Several processes and hosts ---------------------------------------------------


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


def test_new_plugins_are_noticed_at_a_restart(
    foundry: Foundry, publisher: Publisher, another: Callable[..., Publisher], tmp_path: Path
) -> None:
    """Every row is proved again, in the background, and nothing is written for it."""
    foundry.write(a={}, b={})
    publisher.refresh()
    before = fingerprints(publisher.folder)
    upgraded = Trials(tmp_path, PACE.limits)
    upgraded.environment = "other"
    restarted = another("home", trials=upgraded)
    until = time.monotonic() + 60
    while restarted.state().environment != "other" or restarted.state().pending:
        assert time.monotonic() < until
        restarted.refresh()
    upgraded.close()
    assert fingerprints(publisher.folder) == before


def test_a_regressed_plugin_is_reported_and_nothing_is_dropped(
    foundry: Foundry,
    publisher: Publisher,
    another: Callable[..., Publisher],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The row was good; what is wrong is the plugin that is installed now."""
    foundry.write(a={"number": 1}, b={})
    publisher.refresh()
    before = fingerprints(publisher.folder)
    monkeypatch.setenv("PROBE_REGRESSED", "live__a_probe")
    upgraded = Trials(tmp_path, PACE.limits)
    upgraded.environment = "newer"
    restarted = another("home", trials=upgraded)
    until = time.monotonic() + 60
    while not restarted.state().errors:
        assert time.monotonic() < until
        restarted.refresh()
    upgraded.close()
    assert "before a plugin changed" in restarted.state().errors["live__a_probe"]
    assert restarted.state().held == {}
    after = fingerprints(publisher.folder)
    assert {name: after[name] for name in before} == before
    assert after.keys() - before.keys() == {error_file("Probing", "live__a_probe")}


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


# --- Old versions ------------------------------------------------------------------


def test_a_version_keeps_its_files_when_the_folder_moves_on(
    foundry: Foundry, publisher: Publisher
) -> None:
    """Unchanged files are shared, changed ones are not."""
    foundry.write(a={}, b={}, c={}, d={})
    publisher.refresh()
    first = publisher.state().version
    old = content(publisher.folder)
    foundry.write(a={"number": 1})
    publisher.refresh()
    folder = publisher.materialise(first, None)
    assert {name: (folder / name).read_bytes() for name in old} == old
    shared = [name for name in old if (folder / name).samefile(publisher.folder / name)]
    assert len(shared) == len(old) - 2


def test_an_empty_worker_renders_the_one_bucket_it_needs(
    foundry: Foundry, publisher: Publisher, another: Callable[..., Publisher]
) -> None:
    """Byte for byte what the dag processor served, without any other file."""
    foundry.write(**{f"k{number}": {} for number in range(12)})
    publisher.refresh()
    foundry.write(k1={"act": "raise"})
    publisher.refresh()
    version, whole = publisher.state().version, content(publisher.folder)
    foundry.write(k1={"number": 7}, k2={"number": 7})
    publisher.refresh()
    worker = another("worker")
    folder = worker.materialise(version, "live__k1_probe")
    name = f"dagfoundry_probing_{bucket(foundry, 'k1'):02x}"
    expected = {f"{name}.py": whole[f"{name}.py"], f"{name}.json": whole[f"{name}.json"]}
    found = content(folder)
    assert found.pop("manifest.json")
    assert found == expected


def test_a_worker_that_has_the_file_asks_no_store(
    foundry: Foundry,
    publisher: Publisher,
    count_statements: Callable[[Engine], AbstractContextManager[list[str]]],
) -> None:
    """A task starts although the store is down."""
    foundry.write(a={})
    publisher.refresh()
    version = publisher.state().version
    with count_statements(foundry.store.engine) as statements:
        publisher.materialise(version, "live__a_probe")
        publisher.materialise(version, None)
    assert statements == []


def test_a_removed_version_is_rendered_again(foundry: Foundry, publisher: Publisher) -> None:
    """Airflow's own clean-up may take a folder at any time."""
    import shutil

    foundry.write(a={}, b={"act": "raise"})
    publisher.refresh()
    version = publisher.state().version
    whole = content(publisher.folder)
    shutil.rmtree(publisher.folder.parent / "versions")
    found = content(publisher.materialise(version, None))
    assert {name: found[name] for name in whole} == whole


def test_an_unknown_version_is_an_error(foundry: Foundry, publisher: Publisher) -> None:
    """Another store, most likely."""
    from dagfoundry.errors import VersionMissingError

    foundry.write(a={})
    with pytest.raises(VersionMissingError, match="r9-nope"):
        publisher.materialise("r9-nope", "live__a_probe")


def test_processes_may_render_a_version_at_once(
    foundry: Foundry, publisher: Publisher, another: Callable[..., Publisher]
) -> None:
    """Many tasks of one run start on an empty worker."""
    foundry.write(**{f"k{number}": {} for number in range(12)})
    publisher.refresh()
    version = publisher.state().version
    errors = []

    def work(key: str | None) -> None:
        try:
            another("worker").materialise(version, key)
        except Exception as error:  # noqa: BLE001 - shown by the test
            errors.append(error)

    keys = [None, *(f"live__k{number}_probe" for number in range(12))]
    threads = [threading.Thread(target=work, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    found = content(another("worker").materialise(version, None))
    whole = content(publisher.folder)
    assert {name: found[name] for name in whole} == whole
    assert not [name for name in found if name.startswith(".")]


def test_old_folders_go_when_nobody_uses_them(
    foundry: Foundry,
    publisher: Publisher,
) -> None:
    """The newest ten stay, and so does whatever a task used in the last six hours."""
    versions = publisher.folder.parent / "versions"
    foundry.write(a={"number": 0})
    publisher.refresh()
    used = publisher.state().version
    lately = time.time() - 3600
    for number in range(12):
        (versions / f"old{number:02}").mkdir()
        os.utime(versions / f"old{number:02}", (number, number))
        (versions / f"late{number:02}").mkdir()
        os.utime(versions / f"late{number:02}", (lately, lately))
    os.utime(versions / used, (0, 0))
    publisher.materialise(used, "live__a_probe")
    foundry.write(a={"number": 1})
    publisher.refresh()
    left = {path.name for path in versions.iterdir()}
    late = {f"late{number:02}" for number in range(12)}
    assert left == {used, publisher.state().version, *late}
    for name in late:
        os.utime(versions / name, (20, 20))
    foundry.write(a={"number": 2})
    publisher.refresh()
    assert len(list(versions.iterdir())) == 10


def test_a_folder_that_airflow_has_noted_is_emptied_but_stays(
    foundry: Foundry, another: Callable[..., Publisher], tmp_path: Path
) -> None:
    """Airflow's clean-up fails on a folder that is not there; a version in use is left alone."""
    import fcntl

    tracking = tmp_path / "tracking"
    tracking.mkdir()
    publisher = another("home", tracking=tracking)
    versions = tmp_path / "home" / "versions"
    for number in range(14):
        (versions / f"v{number:02}").mkdir(parents=True)
        (versions / f"v{number:02}" / "x.py").touch()
        os.utime(versions / f"v{number:02}", (number, number))
    (tracking / "v00").touch()
    (tracking / "v01").touch()
    foundry.write(a={})
    with (tracking / "v01").open() as run:
        fcntl.flock(run, fcntl.LOCK_SH)
        publisher.refresh()
    assert list((versions / "v00").iterdir()) == []
    assert (versions / "v01" / "x.py").exists()
    assert not (versions / "v02").exists()


# --- Any history --------------------------------------------------------------------

KEYS = "abcdef"
STEPS = st.lists(
    st.dictionaries(
        st.sampled_from(KEYS),
        st.one_of(
            st.fixed_dictionaries({"number": st.integers(0, 3)}),
            st.just({"act": "raise"}),
            st.sampled_from([status.value for status in Status]),
        ),
        min_size=1,
        max_size=4,
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS, skip=st.sets(st.integers(0, 5)), restart=st.sets(st.integers(0, 5)))
def test_any_history_is_served_truthfully(
    steps: list[dict[str, dict[str, Any] | str]],
    skip: set[int],
    restart: set[int],
    make_foundry: type[Foundry],
    tmp_path_factory: pytest.TempPathFactory,
    trials: Trials,
) -> None:
    """Whatever changes, the folder equals a fresh render, and old versions render the same."""
    folder = tmp_path_factory.mktemp("history")
    foundry = make_foundry(make_url(f"sqlite:///{folder / 'store.db'}"), buckets=3)
    foundry.write(**{key: {} for key in KEYS})

    def host(home: str) -> Publisher:
        return Publisher(foundry.name, folder / home, foundry.store, pace=PACE, trials=trials)

    publisher, seen = host("home"), {}
    for number, step in enumerate(steps):
        foundry.write(**step)
        if number in skip:
            continue
        if number in restart:
            publisher = host("home")
        before = fingerprints(publisher.folder) if publisher.folder.exists() else {}
        publisher.refresh()
        seen[publisher.state().version] = now = content(publisher.folder)
        assert now == fresh_render(foundry, publisher.state().version)
        assert {name: checksum(data) for name, data in now.items()} == publisher.state().files
        assert_untouched(before, publisher, seen)
        assert_served(foundry, publisher)
    worker = host("worker")
    for version, files in seen.items():
        found = content(worker.materialise(version, None))
        assert {name: found[name] for name in files} == files
    foundry.store.close()


def assert_untouched(
    before: Mapping[str, tuple[int, int]],
    publisher: Publisher,
    seen: Mapping[str, dict[str, bytes]],
) -> None:
    """Check that a file whose content is the same kept its inode and mtime."""
    after = fingerprints(publisher.folder)
    contents = list(seen.values())
    previous = contents[-2] if len(contents) > 1 else {}
    same = {name for name in previous if contents[-1].get(name) == previous[name]}
    assert {n: before[n] for n in same & before.keys()} == {
        n: after[n] for n in same & before.keys()
    }


def assert_served(foundry: Foundry, publisher: Publisher) -> None:
    """Check that exactly the visible entries that were ever good are served."""
    rows = served(publisher)
    for key, written in foundry.written.items():
        visible = Status(written["status"]).in_bucket
        bad = '"raise"' in written["config_json"]
        dag_id = foundry.dag_id(key)
        if not visible:
            assert dag_id not in rows
            assert dag_id not in publisher.state().errors
        elif bad:
            assert dag_id in publisher.state().errors
            assert dag_id not in rows or '"raise"' not in rows[dag_id]["config_json"]
        else:
            assert rows[dag_id]["config_json"] == written["config_json"]
        if dag_id in rows:
            assert rows[dag_id]["status"] == written["status"]


def test_a_store_on_postgresql(
    postgres: Callable[[str], str], make_foundry: type[Foundry], tmp_path: Path, trials: Trials
) -> None:
    """The same, with a real PostgreSQL that goes away and comes back."""
    from dagfoundry.connections import parse_url

    foundry = make_foundry(parse_url(postgres("publishing"), "the test's server"))
    publisher = Publisher(foundry.name, tmp_path / "home", foundry.store, pace=PACE, trials=trials)
    foundry.write(a={}, b={})
    publisher.refresh()
    foundry.write(a={"act": "raise"}, b="retiring")
    publisher.refresh()
    assert publisher.state().held == {"live__a_probe": 1}
    assert content(publisher.folder) == fresh_render(foundry, publisher.state().version)
    worker = Publisher(foundry.name, tmp_path / "worker", foundry.store, pace=PACE, trials=trials)
    found = content(worker.materialise(publisher.state().version, None))
    whole = content(publisher.folder)
    assert {name: found[name] for name in whole} == whole
    nowhere = open_store(foundry.store.url.set(database="gone"), timeout_seconds=2)
    down = Publisher(foundry.name, tmp_path / "home", nowhere, pace=PACE, trials=trials)
    down.refresh()
    assert content(publisher.folder) == whole
