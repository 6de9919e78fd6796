"""Who serves DAGs, found by entry points, and told of what was written."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final, Protocol

from dagfoundry.errors import FoundryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from dagfoundry.drift.differences import Difference
    from dagfoundry.serving.readiness import Readiness
    from dagfoundry.store import Head, Store

SERVING_GROUP: Final = "dagfoundry.serving"
"""Entry-point group: who serves, to a :class:`DagServer`."""


class Watch(Protocol):
    """Looks at how far a revision is, and asks for what is behind to be taken in."""

    def look(self, *, thorough: bool) -> Readiness:
        """Return how far it is now.

        Args:
            thorough: Whether to ask about every DAG that is not known to be ready, also
                where that is dear.

        Raises:
            FoundryError: Store or server cannot be asked.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class DagServer:
    """What somebody who serves DAGs offers; loading it must cost next to nothing.

    Attributes:
        differences: Takes a store and a foundry's name and returns what is served otherwise.
        announce: Takes a store, the new head and the revision before it, and asks for the
            changes to be taken in now; it does nothing when no access to the server is
            configured.
        watch: Takes a store, a foundry's name and a revision (None for the newest) and opens a
            :class:`Watch` over it.
    """

    differences: Callable[[Store, str], Iterable[Difference]]
    announce: Callable[[Store, Head, int], None]
    watch: Callable[[Store, str, int | None], AbstractContextManager[Watch]]


def dag_servers() -> Iterator[tuple[str, Callable[[], DagServer]]]:
    """Yield the name of everybody who serves DAGs, and what loads the offer."""
    for offer in sorted(entry_points(group=SERVING_GROUP), key=lambda offer: offer.name):
        yield offer.name, offer.load


def announce(store: Store, head: Head, *, since: int) -> Iterator[str]:
    """Tell everybody who serves DAGs of a new head.

    Args:
        store: The store.
        head: Where the foundry stands now.
        since: The revision before.

    Yields:
        One line for everybody who could not be told; they look by themselves a little later.
    """
    if head.revision <= since:
        return
    for name, load in dag_servers():
        try:
            load().announce(store, head, since)
        except FoundryError as error:
            reason = " ".join(f"{error.what}. {error.remedy}".split())
        except Exception as error:  # noqa: BLE001 - the rows are written; whatever another distribution raises is no failure of that
            reason = f"{type(error).__name__}: {error}"
        else:
            continue
        yield f"{name} was not told of revision {head.revision} and looks by itself: {reason}"
