"""What a folder serves: the file that makes a restart, and another process, know it all.

It is written after everything else of a publish, so it never promises a file that is not
there. Airflow's question for the current version is answered from it, never from the store.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.logs import get_logger
from dagfoundry.store import VersionRecord
from dagfoundry.store.placeholders import placeholders_from_json, placeholders_to_json
from dagfoundry_airflow.folder import write_whole
from dagfoundry_airflow.snapshot import checksum

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dagfoundry.store import Placeholder

_FORMAT: Final = 1

_log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """What a folder serves.

    Attributes:
        foundry: Name of the foundry.
        buckets: Its number of buckets; 0 while the store does not hold it.
        revision: Revision that the folder has taken in.
        mark: What tells that revision from another one of its number; empty when that is
            not known.
        version: Version that it serves.
        held: DAG id to the older revision that is served; 0 when the DAG is not.
        errors: DAG id to the report of what is wrong with its newest row.
        placeholders: DAG id to what stands for a DAG that was good and cannot be built.
        pending: DAG ids whose newest row waits for its trial.
        files: File name to checksum, of all files in the folder.
        environment: The plugins and Airflow with which trials were made.
        touches: Stub to the times (seconds since the epoch) at which to touch it again.
        retry_at: When to try the rows with errors again, in seconds since the epoch.
    """

    foundry: str
    buckets: int
    revision: int
    version: str
    mark: str = ""
    held: Mapping[str, int] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    placeholders: Mapping[str, Placeholder] = field(default_factory=dict)
    pending: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    environment: str = ""
    touches: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    retry_at: float = 0.0

    @property
    def record(self) -> VersionRecord:
        """The version as the store records it."""
        return VersionRecord(
            version=self.version,
            revision=self.revision,
            held=self.held,
            errors=self.errors,
            placeholders=self.placeholders,
        )


class StateFile:
    """A state on disk, read again only when the file was replaced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._state: State | None = None

    def read(self) -> State | None:
        """Return the state, or None when there is none or it is damaged."""
        try:
            found = self._path.stat()
        except OSError:
            self._seen = self._state = None
            return None
        seen = (found.st_ino, found.st_mtime_ns)
        if seen != self._seen:
            self._seen, self._state = seen, _parse(self._path)
        return self._state

    def write(self, state: State) -> None:
        """Replace the state.

        Raises:
            OSError: The disk is full or read-only; the old state stays.
        """
        values = {name: getattr(state, name) for name in state.__slots__} | {
            "format": _FORMAT,
            "placeholders": placeholders_to_json(state.placeholders),
        }
        body = json.dumps(values, sort_keys=True)
        write_whole(self._path, f"{body}\n{checksum(body.encode())}\n".encode())
        self._seen = None


def _parse(path: Path) -> State | None:
    try:
        return _state(path.read_text(encoding="utf-8"))
    except (OSError, TypeError, ValueError) as error:
        _log.warning("state file is of no use, the store is asked", file=path, reason=str(error))
        return None


def _state(text: str) -> State:
    body, _, expected = text.rstrip("\n").partition("\n")
    if checksum(body.encode()) != expected:
        msg = "its checksum differs"
        raise ValueError(msg)
    values: dict[str, Any] = json.loads(body)
    if values.pop("format") != _FORMAT:
        msg = "another release wrote it"
        raise ValueError(msg)
    touches = {stub: tuple(times) for stub, times in values.pop("touches").items()}
    placeholders = placeholders_from_json(values.pop("placeholders", None))
    pending = tuple(values.pop("pending"))
    return State(**values, pending=pending, touches=touches, placeholders=placeholders)
