"""What an adoption found in a reference deployment's tables: rows, and what is wrong with them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from dagfoundry.store.records import RowKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dagfoundry.factories import FactoryType
    from dagfoundry.store.live import LiveRow


@dataclass(frozen=True, kw_only=True, slots=True)
class AdoptionFinding:
    """One thing that is wrong with a row, or a table, that was to be adopted.

    Attributes:
        table: The physical table.
        key: Key of the row; empty for the whole table.
        field: Column, or key of config_json.
        what: The problem in one sentence, with the offending value.
        remedy: What to do, in one sentence.
        held_out: Whether the row is left out of the revision. Otherwise it is recorded as
            it stands, and Airflow shows an error of its own until it is mended.
    """

    table: str
    key: str
    field: str
    what: str
    remedy: str
    held_out: bool = False

    def __str__(self) -> str:
        """Return place, problem and remedy in two lines."""
        row = f"{self.table}[{self.key}]" if self.key else self.table
        where = ": ".join(part for part in (row, self.field) if part)
        fate = "held out" if self.held_out else "adopted as it is"
        return f"{where}: {self.what} ({fate})\n  {self.remedy}"

    def to_json(self) -> dict[str, Any]:
        """Return the finding as JSON values."""
        return asdict(self)


def label(row: LiveRow) -> str:
    """Return a row's key as a person reads it."""
    if row.kind is RowKind.FACTORY:
        return f"{row.platform_name}/{row.factory_type}"
    return row.key


def finding(
    row: LiveRow, field: str, what: str, remedy: str, *, held_out: bool = False
) -> AdoptionFinding:
    """Return a finding about a row."""
    return AdoptionFinding(
        table=row.table.name,
        key=label(row),
        field=field,
        what=what,
        remedy=remedy,
        held_out=held_out,
    )


def config_findings(row: LiveRow, factory_type: FactoryType) -> Iterator[AdoptionFinding]:
    """Yield what keeps a row's config from becoming a DAG."""
    try:
        config = json.loads(row.config_json or "")
    except ValueError as error:
        yield _broken(row, error)
        return
    if not isinstance(config, dict):
        what = f"is a JSON {type(config).__name__}, not an object"
        yield finding(row, "config_json", what, _MEND)
    elif row.kind is RowKind.ENTRY:
        yield from _refused_fields(row, config, factory_type)
    else:
        yield from _foreign_platform(row, config)


_MEND = "Mend the row and run `dagfoundry drift --record`, or merge a model that makes it anew."


def _broken(row: LiveRow, error: ValueError) -> AdoptionFinding:
    text = row.config_json or ""
    what = f"is no JSON: {error}"
    if not text:
        what = "is empty"
    elif isinstance(error, json.JSONDecodeError) and not text.rstrip().endswith("}"):
        what = f"is no JSON: it ends after {len(text)} characters, as if it had been cut off"
    return finding(row, "config_json", what, _MEND)


def _refused_fields(
    row: LiveRow, config: dict[str, Any], factory_type: FactoryType
) -> Iterator[AdoptionFinding]:
    try:
        factory_type.config.model_validate(config)
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            field = ".".join(map(str, problem["loc"])) or "config_json"
            yield finding(row, field, f"{problem['msg']}{_given(problem)}", _MEND)
    column = factory_type.table.key_column
    if config.get(column, row.key) != row.key:
        what = f"is {config[column]!r} in config_json, but the row's key is {row.key!r}"
        yield finding(row, column, what, _MEND)


def _given(problem: Any) -> str:  # noqa: ANN401 - pydantic's record of an error
    value = problem["input"]
    return f", not {value!r}" if isinstance(value, (str, int, float, bool, type(None))) else ""


def _foreign_platform(row: LiveRow, config: dict[str, Any]) -> Iterator[AdoptionFinding]:
    name = config.get("original_platform_name", row.platform_name)
    if name != row.platform_name:
        what = f"is {name!r} in config_json, but the row's platform is {row.platform_name!r}"
        yield finding(row, "original_platform_name", what, _MEND)
