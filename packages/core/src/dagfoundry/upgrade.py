"""Whether the installed factory types can read every row that a store holds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from dagfoundry.errors import ConfigTooNewError, UpcastFailedError
from dagfoundry.factories import OWN_KEY, Status
from dagfoundry.model.words import shown
from dagfoundry.store.records import RowKind
from dagfoundry.upcast import VERSION_KEY, entry_of, stored_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic_core import ErrorDetails

    from dagfoundry.plugins import Plugins
    from dagfoundry.store.records import RowState
    from dagfoundry.store.stored import StoredRow

_VERSION_FIELD: Final = f"{OWN_KEY}.{VERSION_KEY}"


@dataclass(frozen=True, kw_only=True, slots=True)
class RowProblem:
    """One thing that keeps an installed factory type from reading a row.

    Attributes:
        foundry: Name of the foundry.
        table: The row's table.
        platform: Name of the platform.
        factory_type: Name of the factory type.
        key: Key of an entry; empty for a factory.
        status: The row's status as it is written.
        field: The key of config_json that is wrong, or ``config_json`` or ``status``.
        value: What stands there, shortened, without the password of a URL.
        rule: Name of the rule that it breaks.
        why: The problem in one sentence.
        remedy: What to do, in one sentence.
        author: Who changed the row last; empty when nobody recorded it.
        revision: Revision that changed the row last; 0 when nobody recorded it.
        edited: Whether the row was edited by hand since that revision.
    """

    foundry: str
    table: str
    platform: str
    factory_type: str
    key: str
    status: str
    field: str
    value: str
    rule: str
    why: str
    remedy: str
    author: str
    revision: int
    edited: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class TypeRows:
    """How many rows there are of a factory type, and in which versions.

    Attributes:
        factory_type: Name of the factory type.
        owner: Distribution and version that offer it; empty when it is not installed.
        config_version: Version that the installed type reads; 0 when there is none.
        rows: Number of its rows, factories and entries.
        by_version: Stored config version to the number of entries that are in it. An
            entry that was edited by hand counts as it runs and as it stands.
    """

    factory_type: str
    owner: str
    config_version: int
    rows: int
    by_version: dict[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class UpgradeReport:
    """What a check of all rows found."""

    types: tuple[TypeRows, ...]
    problems: tuple[RowProblem, ...]

    @property
    def rows(self) -> int:
        """Number of all rows."""
        return sum(each.rows for each in self.types)

    @property
    def missing(self) -> tuple[TypeRows, ...]:
        """The types of stored rows that no working plugin offers."""
        return tuple(each for each in self.types if not each.owner)

    @property
    def is_good(self) -> bool:
        """Whether every row can be read."""
        return not (self.problems or self.missing)


def check_rows(states: Iterable[StoredRow], plugins: Plugins) -> UpgradeReport:
    """Read every row as its plugin would: upcast it, and validate it with the type's model."""
    problems: list[RowProblem] = []
    versions: dict[str, Counter[str]] = {}
    rows: dict[str, set[str]] = {}
    for state in states:
        name = state.row.factory_type
        of_type = versions.setdefault(name, Counter())
        rows.setdefault(name, set()).add(f"{state.row.foundry}/{state.row.dag_id}")
        if state.row.kind is RowKind.ENTRY:
            of_type[_version_text(state.row)] += 1
        if name in plugins.types:
            problems += _problems(state, plugins)
    return UpgradeReport(
        types=tuple(
            _type_rows(name, len(rows[name]), versions[name], plugins) for name in sorted(rows)
        ),
        problems=tuple(problems),
    )


def _type_rows(name: str, rows: int, versions: Counter[str], plugins: Plugins) -> TypeRows:
    installed = plugins.types.get(name)
    return TypeRows(
        factory_type=name,
        owner=f"{installed.distribution} {installed.version}" if installed else "",
        config_version=installed.type.config_version if installed else 0,
        rows=rows,
        by_version=dict(sorted(versions.items())),
    )


def _version_text(row: RowState) -> str:
    try:
        version = stored_version(row.config())
    except ValueError:
        return "unknown"
    return str(version) if isinstance(version, int) else "unknown"


def _problems(state: StoredRow, plugins: Plugins) -> Iterator[RowProblem]:
    if state.status not in {status.value for status in Status}:
        why = f"there is no status {state.status!r}; Airflow's readers take it for absent"
        remedy = f"Write one of {', '.join(status.value for status in Status)}."
        yield _problem(state, "status", state.status, ("status", why, remedy))
    try:
        config = state.row.config()
    except ValueError as error:
        why, remedy = f"cannot be read: {error}", _remedy(state, plugins)
        yield _problem(state, "config_json", state.row.config_json, ("json", why, remedy))
        return
    if state.row.kind is RowKind.ENTRY:
        yield from _entry_problems(state, stored_version(config), plugins)


def _entry_problems(state: StoredRow, version: object, plugins: Plugins) -> Iterator[RowProblem]:
    try:
        entry = entry_of(state.row, plugins)
        entry.config_as(plugins.type(state.row.factory_type).config)
    except ConfigTooNewError as error:
        rule = ("config_too_new", error.what, error.remedy)
        yield _problem(state, _VERSION_FIELD, version, rule)
    except UpcastFailedError as error:
        rule = ("upcast_failed", error.what, error.remedy)
        yield _problem(state, _VERSION_FIELD, version, rule)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            yield _invalid(state, details, plugins)
    except Exception as error:  # noqa: BLE001 - a plugin's validator may raise anything
        why = f"the type's config model raised {type(error).__name__}: {error}"
        remedy = f"Mend or upgrade {plugins.owner(state.row.factory_type)}."
        yield _problem(state, "config_json", state.row.config_json, ("plugin", why, remedy))


def _invalid(state: StoredRow, details: ErrorDetails, plugins: Plugins) -> RowProblem:
    field = ".".join(map(str, details["loc"])) or "config_json"
    value = "absent" if details["type"] == "missing" else shown(details["input"])
    remedy = details.get("ctx", {}).get("remedy") or _remedy(state, plugins)
    return _problem(state, field, value, (details["type"], details["msg"], str(remedy)))


def _remedy(state: StoredRow, plugins: Plugins) -> str:
    other = f"install a release of {plugins.owner(state.row.factory_type)} that reads it"
    if not state.row.revision:
        return f"Write it in the model and merge, delete the row, or {other}."
    if state.row.status in (Status.RETIRING, Status.RETIRED):
        return f"It left the model: leave it until it is purged, or {other}."
    return f"Merge the model again, which writes the row anew, or {other}."


def _problem(state: StoredRow, field: str, value: object, rule: tuple[str, str, str]) -> RowProblem:
    row = state.row
    name, why, remedy = rule
    return RowProblem(
        foundry=row.foundry,
        table=row.table_name,
        platform=row.platform_name,
        factory_type=row.factory_type,
        key=row.key,
        status=state.status,
        field=field,
        value=value if field != "config_json" and isinstance(value, str) else shown(value),
        rule=name,
        why=why,
        remedy=remedy,
        author=row.author,
        revision=row.revision,
        edited=not state.is_recorded,
    )
