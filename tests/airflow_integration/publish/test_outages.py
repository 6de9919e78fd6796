"""The store or the disk fails: nothing is ever lost."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from published_files import PACE, content, fingerprints, served, settle
from sqlalchemy import text
from sqlalchemy.engine import make_url

from dagfoundry.errors import StoreUnavailableError
from dagfoundry.store import open_store
from dagfoundry_airflow.drops import DropLimit
from dagfoundry_airflow.publish import Publisher

if TYPE_CHECKING:
    from collections.abc import Callable

    from probe_foundry import Foundry

    from dagfoundry_airflow.trial import Trials


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


@pytest.mark.parametrize(
    "table",
    [
        "dagfoundry_foundries",
        "dagfoundry_dags",
        "probing_changes",
        "probing_revisions",
        "probing_versions",
        "probing_factory_dags",
        "live_probe_entries",
    ],
)
def test_a_dropped_table_takes_no_dag(foundry: Foundry, publisher: Publisher, table: str) -> None:
    """Whichever it is, and also when the folder is looked at anew."""
    foundry.write(a={}, b={})
    settle(publisher)
    before = set(served(publisher))
    with foundry.store.writing() as connection:
        connection.exec_driver_sql(f"DROP TABLE {table}")
    publisher.refresh()
    assert set(served(publisher)) == before
    (publisher.folder.parent / "outage.json").unlink(missing_ok=True)
    publisher.check_files()
    publisher.refresh()
    assert set(served(publisher)) == before


def test_revoked_rights_take_no_dag(
    postgres: Callable[[str], str],
    make_foundry: type[Foundry],
    trials: Trials,
    tmp_path: Path,
    counted: Callable[..., float],
) -> None:
    """It is an outage like any other, and ends with the rights."""
    url = make_url(postgres("revoked")).set(drivername="postgresql+psycopg2")
    foundry = make_foundry(url)
    foundry.write(a={})
    role = "dagfoundry_revoked"
    with foundry.store.writing() as connection:
        connection.execute(text(f"CREATE ROLE {role} LOGIN SUPERUSER"))
    store = open_store(url.set(username=role), timeout_seconds=30)
    publisher = Publisher(foundry.name, tmp_path / "home", store, pace=PACE, trials=trials)
    settle(publisher)
    before = fingerprints(publisher.folder)
    failures = counted("dagfoundry_store_errors_total", foundry=foundry.name)
    with foundry.store.writing() as connection:
        connection.execute(text(f"ALTER ROLE {role} NOLOGIN"))
    foundry.write(b={})
    publisher.refresh()
    assert fingerprints(publisher.folder) == before
    assert counted("dagfoundry_store_errors_total", foundry=foundry.name) == failures + 1
    with foundry.store.writing() as connection:
        connection.execute(text(f"ALTER ROLE {role} LOGIN"))
    (publisher.folder.parent / "outage.json").unlink()
    settle(publisher)
    assert foundry.dag_id("b") in served(publisher)
    store.close()
    foundry.store.close()


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


def test_a_file_that_is_cut_short_is_made_again(foundry: Foundry, publisher: Publisher) -> None:
    """While the process lives; its stub's mtime moves, so that Airflow parses it again."""
    foundry.write(a={}, b={})
    publisher.refresh()
    whole, before = content(publisher.folder), fingerprints(publisher.folder)
    sidecar = next(publisher.folder.glob("*.json"))
    os.truncate(sidecar, sidecar.stat().st_size // 2)
    publisher.refresh()
    assert content(publisher.folder) == whole
    stub = sidecar.with_suffix(".py").name
    after = fingerprints(publisher.folder)
    assert {name for name in after if after[name] != before[name]} == {stub, sidecar.name}
    assert content(publisher.materialise(publisher.state().version, None)).items() >= whole.items()
    publisher.refresh()
    assert fingerprints(publisher.folder) == after


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


def test_a_store_that_lost_revisions_is_followed_once_it_is_allowed(
    foundry: Foundry,
    publisher: Publisher,
    make_foundry: type[Foundry],
    another: Callable[..., Publisher],
) -> None:
    """It was made anew; if that is said to be meant, the store is the truth."""
    foundry.write(a={})
    foundry.write(b={})
    publisher.refresh()
    before = served(publisher)
    Path(foundry.store.url.database).unlink()
    make_foundry(foundry.store.url).write(c={})
    publisher.refresh()
    assert served(publisher) == before
    another("home", limit=DropLimit(allowed=frozenset({"Probing@1"}))).refresh()
    assert served(publisher).keys() == {"live__c_probe", "probing_infrastructure"}
    assert publisher.state().version.startswith("r1-")
