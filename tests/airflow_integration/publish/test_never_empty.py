"""A store that has lost its history takes no DAG out of Airflow."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest
from lost_history import antedate, empty, register, restore, unregister
from published_files import content, fingerprints, fresh_render, served

from dagfoundry.errors import FoundryError
from dagfoundry_airflow.drops import DropLimit
from dagfoundry_airflow.notice import HELD_BACK
from dagfoundry_airflow.snapshot import error_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from probe_foundry import Foundry

    from dagfoundry_airflow.publish import Publisher

KEYS = "abcdefgh"


@pytest.fixture(params=["sqlite", "postgresql"])
def foundry(
    request: pytest.FixtureRequest,
    new_database: Callable[[str], object],
    make_foundry: type[Foundry],
) -> Iterator[Foundry]:
    """A foundry of eight entries: two of revision 1, six of revision 2."""
    made = make_foundry(new_database(request.param))
    made.write(a={}, b={})
    made.write(**{key: {} for key in KEYS[2:]})
    yield made
    made.store.close()


def dags(publisher: Publisher) -> dict[str, tuple[int, int]]:
    """Return inode and mtime of each file with DAGs."""
    found = fingerprints(publisher.folder)
    return {name: value for name, value in found.items() if "_error_" not in name}


def report(publisher: Publisher) -> str:
    """Return what Airflow shows of a refusal."""
    path = publisher.folder / error_file("Probing", HELD_BACK)
    return (
        ast.literal_eval(path.read_text().split("REPORT = ")[1].split("\n")[0])
        if path.exists()
        else ""
    )


LOSSES: dict[str, Callable[[Foundry], None]] = {
    "restored": lambda foundry: restore(foundry, 1),
    "emptied": lambda foundry: restore(foundry, 0),
    "unregistered": unregister,
    "no changes": lambda foundry: empty(foundry, "changes"),
    "no revisions": lambda foundry: empty(foundry, "revisions"),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_lost_history_keeps_every_file(
    foundry: Foundry, publisher: Publisher, another: Callable[..., Publisher], loss: str
) -> None:
    """Also after a restart, which looks at everything."""
    publisher.refresh()
    before, state = dags(publisher), publisher.state()
    LOSSES[loss](foundry)
    publisher.refresh()
    another("home").refresh()
    assert dags(publisher) == before
    assert publisher.state() == state


@pytest.mark.parametrize("loss", LOSSES)
def test_lost_history_and_a_lost_state_keep_every_file(
    foundry: Foundry, publisher: Publisher, another: Callable[..., Publisher], loss: str
) -> None:
    """What the folder holds counts, whether or not the state file names it."""
    publisher.refresh()
    before = dags(publisher)
    LOSSES[loss](foundry)
    (publisher.folder.parent / "state.json").unlink()
    with pytest.raises(FoundryError):
        another("home").refresh()
    assert dags(publisher) == before


@pytest.mark.parametrize("table", ["changes", "revisions"])
def test_lost_history_and_a_damaged_file_drop_nobody(
    foundry: Foundry, publisher: Publisher, another: Callable[..., Publisher], table: str
) -> None:
    """A file that cannot be made again is not taken away."""
    publisher.refresh()
    names = dags(publisher).keys()
    empty(foundry, table)
    for sidecar in publisher.folder.glob("*.json"):
        sidecar.write_bytes(b"{")
    another("home").refresh()
    assert dags(publisher).keys() == names


@pytest.mark.parametrize("table", ["changes", "revisions"])
def test_a_fresh_host_does_not_serve_a_torn_history(
    foundry: Foundry, publisher: Publisher, another: Callable[..., Publisher], table: str
) -> None:
    """It fails loudly: an empty folder would take every DAG out of Airflow."""
    publisher.refresh()
    empty(foundry, table)
    fresh = another()
    with pytest.raises(FoundryError, match="8 of 8"):
        fresh.refresh()
    assert fresh.state() is None


def test_a_fresh_host_serves_a_history_with_purged_rows(
    foundry: Foundry, another: Callable[..., Publisher]
) -> None:
    """A purged row is still in history, so it is no loss."""
    foundry.write(a="purged", b="purged", c="purged", d="purged")
    fresh = another()
    fresh.refresh()
    assert len(served(fresh)) == 5


def test_a_refusal_says_what_is_lost_and_what_to_do(
    foundry: Foundry, publisher: Publisher, counted: Callable[..., float]
) -> None:
    """Airflow shows it as an import error, and a metric counts the DAGs."""
    publisher.refresh()
    restore(foundry, 1)
    publisher.refresh()
    shown = report(publisher)
    assert "6 of 9 DAGs of foundry 'Probing' would leave Airflow" in shown
    assert "factory 'probe' of platform 'Live': 6 of 8" in shown
    assert "from revision 2 to 1 is held back" in shown
    assert "restored from a backup" in shown
    assert "DAGFOUNDRY_ALLOW_DROP=Probing@1" in shown
    assert counted("dagfoundry_dags_held_back", foundry="Probing") == 6


def test_a_refusal_is_logged_once_and_costs_one_statement(
    foundry: Foundry,
    publisher: Publisher,
    capsys: pytest.CaptureFixture[str],
    count_statements: Callable[[object], AbstractContextManager[list[str]]],
) -> None:
    """A refresh comes every few seconds, and whoever restores the store may take hours."""
    publisher.refresh()
    restore(foundry, 1)
    publisher.refresh()
    with count_statements(foundry.store.engine) as statements:
        publisher.refresh()
    assert len(statements) == 1
    assert capsys.readouterr().out.count("refresh held back") == 1


def test_a_merge_that_brings_the_entries_back_ends_it(
    foundry: Foundry, publisher: Publisher, counted: Callable[..., float]
) -> None:
    """The model still has what the store has lost, so nothing has to be allowed."""
    publisher.refresh()
    restore(foundry, 1)
    publisher.refresh()
    foundry.write(**{key: {"number": 1} for key in KEYS[2:5]})
    publisher.refresh()
    assert "3 of 9 DAGs" in report(publisher)
    foundry.write(**{key: {} for key in KEYS[5:]})
    publisher.refresh()
    assert len(served(publisher)) == 9
    assert publisher.state().revision == 3
    assert content(publisher.folder) == fresh_render(foundry, publisher.state().version)
    assert report(publisher) == publisher.refusal() == ""
    assert counted("dagfoundry_dags_held_back", foundry="Probing") == 0


def test_a_registry_that_comes_back_ends_it(foundry: Foundry, publisher: Publisher) -> None:
    """Until then the report says that the foundry is gone."""
    publisher.refresh()
    before = fingerprints(publisher.folder)
    kept = unregister(foundry)
    publisher.refresh()
    assert "the store holds no foundry 'Probing', though it did" in report(publisher)
    register(foundry, kept)
    (publisher.folder.parent / "outage.json").unlink()
    publisher.refresh()
    assert fingerprints(publisher.folder) == before
    assert publisher.refusal() == ""


@pytest.mark.parametrize(("allowed", "left"), [("probing@1", 3), ("Probing@2", 9), ("Other@1", 9)])
def test_a_loss_may_be_allowed_for_one_revision(
    foundry: Foundry,
    publisher: Publisher,
    another: Callable[..., Publisher],
    allowed: str,
    left: int,
) -> None:
    """What was allowed once does not allow the next loss."""
    publisher.refresh()
    restore(foundry, 1)
    publisher.refresh()
    limit = DropLimit(allowed=frozenset({allowed}))
    follower = another("home", limit=limit, thorough=False)
    follower.refresh()
    assert len(served(follower)) == left
    assert bool(follower.refusal()) == (left == 9)


@pytest.mark.parametrize("status", ["retired", "purged"])
def test_what_a_revision_removed_goes_at_once(
    foundry: Foundry, publisher: Publisher, status: str
) -> None:
    """The revision passed the guards when it was written, however many it takes."""
    publisher.refresh()
    foundry.write(**dict.fromkeys(KEYS, status))
    publisher.refresh()
    assert served(publisher).keys() == {"probing_infrastructure"}
    assert publisher.refusal() == ""


def test_a_small_loss_is_followed(foundry: Foundry, publisher: Publisher) -> None:
    """The store is the truth where nobody would call it empty."""
    foundry.write(z={})
    publisher.refresh()
    restore(foundry, 2)
    publisher.refresh()
    assert publisher.state().revision == 2
    assert len(served(publisher)) == 9


def test_an_older_retirement_does_not_explain_a_loss(
    foundry: Foundry, publisher: Publisher
) -> None:
    """These entries had come back since; the restored store does not know it."""
    foundry.write(**dict.fromkeys(KEYS, "retired"))
    foundry.write(**dict.fromkeys(KEYS, "active"))
    publisher.refresh()
    before = dags(publisher)
    restore(foundry, 3)
    publisher.refresh()
    assert dags(publisher) == before
    assert "8 of 9" in report(publisher)


@pytest.mark.parametrize(("share", "revision"), [(1.0, 1), (0.0, 2)])
def test_the_share_is_a_setting(
    foundry: Foundry,
    publisher: Publisher,
    another: Callable[..., Publisher],
    share: float,
    revision: int,
) -> None:
    """With 1 only a factory that would be emptied is held back."""
    publisher.refresh()
    restore(foundry, 1)
    follower = another("home", limit=DropLimit(share=share))
    follower.refresh()
    assert follower.state().revision == revision
    restore(foundry, 0)
    follower.refresh()
    assert follower.state().revision == revision


def test_a_store_restored_and_merged_again_is_not_mistaken_for_the_old_one(
    foundry: Foundry, publisher: Publisher
) -> None:
    """Nobody looked in between: the numbers have gone on, and name other rows."""
    publisher.refresh()
    restore(foundry, 1)
    foundry.write(c={"number": 7})
    foundry.write(a={"number": 1})
    antedate(foundry)
    publisher.refresh()
    assert publisher.state().revision == 2
    assert "5 of 9 DAGs" in report(publisher)
    foundry.write(**{key: {} for key in KEYS[3:]})
    publisher.refresh()
    assert publisher.state().revision == 4
    assert '"number": 7' in served(publisher)["live__c_probe"]["config_json"]
    assert content(publisher.folder) == fresh_render(foundry, publisher.state().version)


def test_another_history_of_the_same_length_is_noticed_at_a_restart(
    foundry: Foundry, publisher: Publisher, another: Callable[..., Publisher]
) -> None:
    """Its number alone would say that nothing is new."""
    publisher.refresh()
    restore(foundry, 1)
    foundry.write(**{key: {"number": 7} for key in KEYS[2:]})
    antedate(foundry)
    another("home").refresh()
    assert '"number": 7' in served(publisher)["live__c_probe"]["config_json"]
