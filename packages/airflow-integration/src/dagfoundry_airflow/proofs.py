"""Which rows have been built without an error, with which plugins: on disk, by content."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from dagfoundry.store import DagShape
from dagfoundry.store.shapes import shape_text, text_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dagfoundry.store import RowState

_KEY_LENGTH: Final = 32
_NAME_LENGTH: Final = 16
_MOST: Final = 200_000
"""Proofs in the file before the older half is forgotten."""


def proof_key(row: RowState, environment: str) -> str:
    """Return the name of a row's proof: its content and what it is built with."""
    content = json.dumps([environment, row.to_json()], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:_KEY_LENGTH]


class Proofs:
    """The proofs of one folder; losing the file only means that rows are tried again.

    A proof keeps what the DAG looked like. A line of the file is a proof's key with the
    name of a shape, or that name with the shape.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, str] | None = None
        self._shapes: dict[str, DagShape] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._read()

    def shape(self, key: str) -> DagShape:
        """Return what the DAG of a proof looked like."""
        name = self._read()[key]
        return self._shapes[name]

    def add(self, proved: Mapping[str, DagShape]) -> None:
        """Remember proofs.

        Args:
            proved: The key of each proof with the shape of its DAG.

        Raises:
            OSError: The disk is full or read-only.
        """
        known = self._read()
        fresh = {key: shape for key, shape in proved.items() if key not in known}
        if not fresh:
            return
        texts = {shape: shape_text(shape) for shape in set(fresh.values())}
        names = {shape: text_id(text)[:_NAME_LENGTH] for shape, text in texts.items()}
        lines = [f"{names[s]} {texts[s]}" for s in texts if names[s] not in self._shapes]
        lines += [f"{key} {names[shape]}" for key, shape in fresh.items()]
        with self._path.open("a", encoding="ascii") as file:
            file.write("".join(f"{line}\n" for line in lines))
        self._shapes |= {names[shape]: shape for shape in texts}
        known.update((key, names[shape]) for key, shape in fresh.items())

    def _read(self) -> dict[str, str]:
        if self._known is None:
            self._known, self._shapes = _parse(self._path)
            if len(self._known) > _MOST:
                self._keep(list(self._known)[-_MOST // 2 :])
        return self._known

    def _keep(self, keys: list[str]) -> None:
        kept = {key: self.shape(key) for key in keys}
        self._path.unlink()
        self._known, self._shapes = {}, {}
        self.add(kept)


def _parse(path: Path) -> tuple[dict[str, str], dict[str, DagShape]]:
    """Return the names of shapes by key and the shapes by name; a torn line is passed over."""
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except FileNotFoundError:
        return {}, {}
    known: dict[str, str] = {}
    shapes: dict[str, DagShape] = {}
    for line in lines:
        name, _, rest = line.partition(" ")
        if len(name) == _KEY_LENGTH and rest in shapes:
            known[name] = rest
        elif len(name) == _NAME_LENGTH:
            with suppress(ValueError, KeyError, TypeError, AttributeError):
                shapes[name] = DagShape.from_json(json.loads(rest))
    return known, shapes
