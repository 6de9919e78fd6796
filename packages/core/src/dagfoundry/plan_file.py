"""The file a plan is kept in: JSON that is read as data and trusted in nothing.

It names no table and no DAG id that counts: both follow from the foundry, the platform and
the installed factory type, so a changed file cannot reach a row that a merge could not.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dagfoundry.errors import PlanInvalidError
from dagfoundry.factories import Status
from dagfoundry.names import PLATFORM_NAME_PATTERN
from dagfoundry.plan import Action
from dagfoundry.store.records import RowKind

if TYPE_CHECKING:
    from pathlib import Path

    from dagfoundry.guards import Guards
    from dagfoundry.plan import Plan, PlannedChange
    from dagfoundry.store.write import Origin

FORMAT: Final = "dagfoundry-plan"
VERSION: Final = 1
_REMEDY: Final = "Make the plan anew with `dagfoundry plan MODEL --out FILE`."

_Name = Annotated[str, Field(pattern=PLATFORM_NAME_PATTERN)]
_Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
_Key = Annotated[str, Field(max_length=255, pattern=r"^[^\x00-\x1f]*$")]
_Line = Annotated[str, Field(max_length=255, pattern=r"^[^\x00-\x1f]*$")]
_Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class StateBefore(_Part):
    """A row as the plan saw it; a hand edit may have left anything."""

    status: _Text | None
    config_json: _Text | None


class StateAfter(_Part):
    """A row as the plan leaves it."""

    status: Literal[Status.ACTIVE, Status.INACTIVE, Status.RETIRING]
    config_json: _Text


class PlanFileRow(_Part):
    """One row of a plan file."""

    action: Action
    kind: Literal[RowKind.FACTORY, RowKind.ENTRY]
    platform_name: _Name
    factory_type: _Word
    key: _Key
    dag_id: _Line
    before: StateBefore | None
    after: StateAfter


class PlanFile(_Part):
    """What a plan file holds.

    Attributes:
        foundry: Name of the foundry.
        buckets: Its number of bundle files, for one that is new.
        base_revision: Revision the plan was made for; 0 for a new foundry.
        platforms: The platforms of the model.
        unchanged: Number of rows that the plan leaves alone.
        author: Who made the plan.
        created_at: When, UTC.
        model_commit: Commit of the model.
        environment: Environment of the model.
        older_than: The commit merged last, where that of the model lies before it.
        other_environment: That the model's environment is not the one merged last, as the
            rest of a sentence about the foundry.
        needs: The options without which the plan is refused, with the reason.
        allow_prune: Whether it was made with ``--allow-prune``.
        allow_older: Whether it was made with ``--allow-older``.
        allow_environment: Whether it was made with ``--allow-environment``.
        rows: What it writes.
    """

    foundry: _Name
    buckets: Annotated[int, Field(ge=1, le=256)]
    base_revision: Annotated[int, Field(ge=0)]
    platforms: tuple[_Name, ...]
    unchanged: Annotated[int, Field(ge=0)]
    author: _Text
    created_at: _Line
    model_commit: Annotated[str, Field(pattern=r"^[0-9a-f]{7,64}(-dirty)?$")] | None
    environment: _Line | None
    older_than: _Line | None
    other_environment: _Text | None
    needs: dict[Literal["allow_prune", "allow_older", "allow_environment"], _Text]
    allow_prune: bool
    allow_older: bool
    allow_environment: bool
    rows: tuple[PlanFileRow, ...]


def plan_to_file(plan: Plan, origin: Origin, guards: Guards, *, buckets: int, at: str) -> PlanFile:
    """Return the record of a plan.

    Args:
        plan: The plan.
        origin: Who made it and from what.
        guards: Which guards it was made to lift.
        buckets: The foundry's number of bundle files, for one that is new.
        at: When it was made, UTC.

    Raises:
        PlanInvalidError: A hand edit left what a file cannot hold, such as a NUL.
    """
    values = {
        "foundry": plan.foundry,
        "buckets": buckets,
        "base_revision": plan.base_revision,
        "platforms": plan.platforms,
        "unchanged": plan.unchanged,
        "author": origin.author,
        "created_at": at,
        "model_commit": origin.model_commit,
        "environment": origin.environment,
        "older_than": plan.older_than,
        "other_environment": plan.other_environment,
        "needs": dict(plan.objections),
        "allow_prune": guards.allow_prune,
        "allow_older": guards.allow_older,
        "allow_environment": guards.allow_environment,
        "rows": tuple(_row_of(change) for change in plan.changes),
    }
    try:
        return PlanFile.model_validate(values)
    except ValidationError as error:
        msg = f"the plan cannot be kept in a file: {_first(error)}"
        remedy = "Mend the row or the model; a merge without a file may still do it."
        raise PlanInvalidError(msg, remedy=remedy) from None


def _row_of(change: PlannedChange) -> dict[str, Any]:
    row = change.row
    return {
        "action": change.action,
        "kind": row.kind,
        "platform_name": row.platform_name,
        "factory_type": row.factory_type,
        "key": row.key,
        "dag_id": row.dag_id,
        "before": None if row.before is None else dict(row.before),
        "after": {"status": row.status, "config_json": row.config_json},
    }


def write_plan_file(path: Path, content: PlanFile) -> None:
    """Write a plan file whole or not at all.

    Raises:
        PlanInvalidError: The file cannot be written.
    """
    plan = content.model_dump(mode="json")
    value = {"format": FORMAT, "version": VERSION, "checksum": checksum(plan), "plan": plan}
    try:
        _replace(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")
    except (OSError, UnicodeError) as error:
        msg = f"the plan cannot be written to {path}: {error}"
        raise PlanInvalidError(msg, remedy="Name a file in a folder that can be written.") from None


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def read_plan_file(path: Path) -> PlanFile:
    """Read a plan file and check every value of it.

    Raises:
        PlanInvalidError: It is no plan file, or not as it was written.
    """
    value = _read_json(path)
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise _invalid(path, f"is no plan file: it does not say format {FORMAT!r}")
    if value.get("version") != VERSION:
        version = value.get("version")
        raise _invalid(path, f"has format version {version!r}; this program reads {VERSION}")
    plan = value.get("plan")
    if value.get("checksum") != checksum(plan):
        raise _invalid(path, "was changed after it was written: its checksum does not fit")
    try:
        return PlanFile.model_validate_json(json.dumps(plan))
    except ValidationError as error:
        raise _invalid(path, f"holds an impossible value: {_first(error)}") from None


def _read_json(path: Path) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _invalid(path, f"cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise _invalid(path, f"is no plan file, or is cut off: {error}") from None


def checksum(plan: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return what a file's checksum must be; it finds accidents, not forgers."""
    text = json.dumps(plan, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _first(error: ValidationError) -> str:
    problem = error.errors()[0]
    where = ".".join(str(part) for part in problem["loc"])
    return f"{where}: {problem['msg']}" if where else problem["msg"]


def _invalid(path: Path, problem: str) -> PlanInvalidError:
    return PlanInvalidError(f"{path} {problem}", remedy=_REMEDY)
