"""What the store gives back: rows as of a revision, revisions, versions."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from json.encoder import encode_basestring_ascii as _quote
from typing import TYPE_CHECKING, Any, NamedTuple

from dagfoundry.factories import Status
from dagfoundry.store.placeholders import placeholders_from_json, placeholders_to_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from dagfoundry.store.placeholders import Placeholder


class RowKind(str, Enum):
    """Which of the three layers of DAGs a row stands for."""

    INFRASTRUCTURE = "infrastructure"
    FACTORY = "factory"
    ENTRY = "entry"


def state_text(status: str | None, config_json: str | None) -> str:
    """Return a row's state as history holds it, the bytes of ``json.dumps``.

    Every row of a merge or a drift passes here, and ``json.dumps`` costs twice as much.
    """
    quoted = "null" if status is None else _quote(status)
    return f'{{"status": {quoted}, "config_json": {_quote(config_json or "")}}}'


def row_key(kind: RowKind, platform_name: str, factory_type: str, key: str) -> str:
    """Return a row's key as history and the list of DAG ids write it."""
    return f"{platform_name}/{factory_type}" if kind is RowKind.FACTORY else key


class Source(str, Enum):
    """What made a revision."""

    MERGE = "merge"
    ROLLBACK = "rollback"
    EXTERNAL = "external"
    ADOPT = "adopt"
    LIFECYCLE = "lifecycle"


class RowState(NamedTuple):
    """One row of a foundry in one revision, and the DAG it stands for.

    Attributes:
        kind: Infrastructure, factory or entry.
        foundry: Name of the foundry.
        table_name: Physical table of the row.
        platform_name: Platform as the model writes it; empty for the infrastructure.
        factory_type: Name of the factory type; empty for the infrastructure.
        key: Key of an entry's row; empty for the other kinds.
        dag_id: DAG id.
        bucket: Number of the bucket that holds the DAG.
        status: Where the row stands in its life.
        config_json: The row's config as stored; may be broken JSON after a hand edit.
        revision: Revision that last changed the row.
        author: Who made that revision.
        created_at: When, UTC, as ISO 8601 text.
        message: Why.
    """

    kind: RowKind
    foundry: str
    table_name: str
    platform_name: str
    factory_type: str
    key: str
    dag_id: str
    bucket: int
    status: Status
    config_json: str
    revision: int
    author: str = ""
    created_at: str = ""
    message: str = ""

    @property
    def address(self) -> tuple[RowKind, str, str, str]:
        """What identifies the row within its foundry."""
        return self.kind, self.platform_name, self.factory_type, self.key

    @property
    def row_key(self) -> str:
        """The row's key as history writes it."""
        return row_key(self.kind, self.platform_name, self.factory_type, self.key)

    @property
    def state(self) -> dict[str, str | None]:
        """Status and config as history writes them."""
        return {"status": self.status.value, "config_json": self.config_json}

    def config(self) -> dict[str, Any]:
        """Return the parsed config_json.

        Raises:
            ValueError: The text is no JSON object.
        """
        value = json.loads(self.config_json)
        if not isinstance(value, dict):
            msg = f"config_json holds {type(value).__name__}, not an object"
            raise ValueError(msg)  # noqa: TRY004 - the value is wrong, not a caller's type
        return value

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON values, the same bytes for the same row."""
        return self._asdict() | {"kind": self.kind.value, "status": self.status.value}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> RowState:
        """Return the record that :meth:`to_json` wrote."""
        kind, status = RowKind(values["kind"]), Status(values["status"])
        return cls(**{**values, "kind": kind, "status": status})


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """Where a foundry stands.

    Attributes:
        foundry: Name of the foundry.
        revision: Its newest revision.
        buckets: Number of its bundle files, fixed for its life.
    """

    foundry: str
    revision: int
    buckets: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RevisionRecord:
    """Who made a revision, when, why and from what."""

    revision: int
    parent: int | None
    author: str
    created_at: datetime
    message: str
    source: Source
    model_commit: str | None
    environment: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionRecord:
    """What a DAG processor serves of a revision.

    Attributes:
        version: Bundle version, ``r<revision>-<12 hex>``.
        revision: The revision it serves.
        held: DAG id to the older revision at which an entry is held; 0 means
            that it has never been good and is not served at all.
        errors: DAG id to the report of what is wrong with its newest row.
        placeholders: DAG id to what stands for a DAG that was good and cannot be built.
    """

    version: str
    revision: int
    held: Mapping[str, int] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    placeholders: Mapping[str, Placeholder] = field(default_factory=dict)

    def manifest(self) -> dict[str, Any]:
        """Return all but its name and revision as JSON values."""
        values = {"held": dict(self.held), "errors": dict(self.errors)}
        if not self.placeholders:
            return values
        return values | {"placeholders": placeholders_to_json(self.placeholders)}

    @classmethod
    def from_manifest(
        cls, version: str, revision: int, manifest: Mapping[str, Any]
    ) -> VersionRecord:
        """Return the record whose :meth:`manifest` is given; an older one has fewer keys."""
        return cls(
            version=version,
            revision=revision,
            held=manifest["held"],
            errors=manifest["errors"],
            placeholders=placeholders_from_json(manifest.get("placeholders")),
        )
