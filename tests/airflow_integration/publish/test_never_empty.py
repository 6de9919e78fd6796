"""A store that has lost its history takes no DAG out of Airflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lost_history import empty, restore, unregister
from published_files import PACE, fingerprints, served

from dagfoundry.errors import FoundryError
from dagfoundry_airflow.publish import Publisher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from probe_foundry import Foundry

    from dagfoundry_airflow.trial import Trials

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
