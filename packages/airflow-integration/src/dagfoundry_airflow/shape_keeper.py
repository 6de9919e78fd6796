"""Records in the store what DAGs look like, and never stands in the way of a publish.

A role that lacks the rights, or a store that is away for a moment, costs knowledge only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagfoundry.errors import FoundryError
from dagfoundry.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from dagfoundry.store import DagShape, Store
    from dagfoundry.store.shapes import ShapeSeen

_log = get_logger(__name__)


class ShapeKeeper:
    """Records shapes; what the store refused is tried again with the next ones.

    Args:
        store: The store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._left: dict[str, ShapeSeen] = {}

    def record(self, foundry: str, seen: Mapping[str, ShapeSeen]) -> None:
        """Record the shapes of DAGs, by DAG id."""
        if not seen:
            return
        wanted = {**self._left, **seen}
        try:
            self._store.record_shapes(foundry, wanted)
        except FoundryError as error:
            if not self._left:
                _log.warning("shapes of DAGs are not recorded", foundry=foundry, reason=str(error))
            self._left = wanted
        else:
            self._left = {}


def recall_shapes(store: Store, foundry: str, dag_ids: Collection[str]) -> dict[str, DagShape]:
    """Return what DAGs looked like when they were last good, as far as that is known."""
    if not dag_ids:
        return {}
    try:
        return store.shapes(foundry, dag_ids)
    except FoundryError as error:
        _log.warning("shapes of DAGs cannot be read", foundry=foundry, reason=str(error))
        return {}
