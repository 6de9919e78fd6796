"""Which rows of a foundry a command is about: all, a platform's, a type's or one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagfoundry.errors import EntryMissingError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dagfoundry.store.records import RowState


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """Rows by platform, factory type and entry; what is None is not asked for.

    Attributes:
        platform: Platform as the model writes it.
        factory_type: Name of the factory type.
        entry: A DAG id, or the key of an entry.
    """

    platform: str | None = None
    factory_type: str | None = None
    entry: str | None = None

    def __bool__(self) -> bool:
        """Return whether it leaves anything out."""
        return any((self.platform, self.factory_type, self.entry))

    def __str__(self) -> str:
        """Return it in words, such as ``entry 'Sales' of platform 'Live'``."""
        words = {"entry": self.entry, "type": self.factory_type, "platform": self.platform}
        return " of ".join(f"{word} {name!r}" for word, name in words.items() if name) or "all"

    def of(self, rows: Iterable[RowState]) -> list[RowState]:
        """Return the rows that are selected.

        An entry's DAG id goes before its key.

        Raises:
            EntryMissingError: There is none.
        """
        mine = self.some_of(rows)
        if not mine:
            msg = f"there is no {self}"
            raise EntryMissingError(msg, remedy="`dagfoundry list --all` shows them all.")
        return mine

    def some_of(self, rows: Iterable[RowState]) -> list[RowState]:
        """Return the rows that are selected; there may be none."""
        mine = [row for row in rows if self._is_beside(row)]
        if self.entry is None:
            return mine
        named = [row for row in mine if row.dag_id == self.entry]
        return named or [row for row in mine if row.key == self.entry]

    def one_of(self, rows: Iterable[RowState]) -> RowState:
        """Return the one row that is selected.

        Raises:
            EntryMissingError: There is none, or several.
        """
        found = self.of(rows)
        if len(found) > 1:
            names = ", ".join(row.dag_id for row in found)
            msg = f"{self} names {len(found)} rows"
            raise EntryMissingError(msg, remedy=f"Name one of their DAG ids: {names}.")
        return found[0]

    def _is_beside(self, row: RowState) -> bool:
        return self.platform in (None, row.platform_name) and self.factory_type in (
            None,
            row.factory_type,
        )
