"""Records in the store what DAGs look like, and never stands in the way of a publish."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagfoundry.errors import FoundryError
from dagfoundry.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dagfoundry.store import Store
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
