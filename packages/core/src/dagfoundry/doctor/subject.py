"""Reads what the checks are about, as far as it can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dagfoundry.doctor.records import Fleet, Subject
from dagfoundry.errors import FoundryError, FoundryMissingError
from dagfoundry.settings import read_settings
from dagfoundry.store import open_store

if TYPE_CHECKING:
    from dagfoundry.store import Store

_STORE_TIMEOUT_SECONDS: Final = 10.0


def look_at(foundry: str | None) -> Subject:
    """Return what the environment's store says of a foundry; never raises for a bad store.

    Args:
        foundry: Name of the foundry; none for the only one of the store.
    """
    store: Store | None = None
    try:
        store = open_store(read_settings().store_url, timeout_seconds=_STORE_TIMEOUT_SECONDS)
        fleet = _fleet(store, foundry)
    except FoundryError as error:
        return Subject(foundry=foundry, store=store, trouble=error)
    return Subject(foundry=fleet.head.foundry, store=store, fleet=fleet)


def _fleet(store: Store, foundry: str | None) -> Fleet:
    head = store.head(foundry or only_foundry(store))
    rows = store.rows_at(head.foundry, head.revision)
    return Fleet(head=head, rows=tuple(rows), version=store.latest_version(head.foundry))


def only_foundry(store: Store) -> str:
    """Return the foundry of a store that holds one.

    Raises:
        FoundryMissingError: It holds none, or several.
    """
    foundries = store.foundries()
    if len(foundries) == 1:
        return foundries[0]
    if not foundries:
        store.refuse_unadopted()
        msg = "the store holds no foundry"
        raise FoundryMissingError(msg, remedy="Create one with `dagfoundry merge MODEL`.")
    msg = f"the store holds {len(foundries)} foundries: {', '.join(foundries)}"
    raise FoundryMissingError(msg, remedy="Name one with --foundry.")
