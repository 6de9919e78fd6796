"""The rules that a factory type of a plugin must keep, alone and among others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Formatter
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from pydantic import BaseModel

from dagfoundry.errors import DuplicateFactoryTypeError, FactoryTypeInvalidError
from dagfoundry.factories import ENTRY_LABELS, EntryTable, FactoryType
from dagfoundry.model.schema import FoundryModel, SectionItem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


class _Installed(Protocol):
    @property
    def type(self) -> FactoryType: ...


T = TypeVar("T", bound=_Installed)

_WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,47}")
_DAG_ID: Final = re.compile(r"[A-Za-z0-9_.-]+")
_RESERVED_NAMES: Final = frozenset({"factory", "infrastructure"})
"""What metrics and lists call the DAGs that belong to no factory type."""

_RESERVED_TABLES: Final = frozenset({"factory_dags", "revisions", "changes", "versions"})
_RESERVED_COLUMNS: Final = frozenset({"config_json", "status", "created_at", "updated_at"})

_CLAIMS: Final[dict[str, Callable[[FactoryType], str]]] = {
    "factory type": lambda factory_type: factory_type.name,
    "section": lambda factory_type: factory_type.section,
    "table suffix": lambda factory_type: factory_type.table.suffix,
}
"""What only one installed type may have."""


def record_error(record: object, index: int) -> FactoryTypeInvalidError | None:
    """Return what is wrong with one record that a plugin offers, or none.

    Args:
        record: What the plugin returned.
        index: Its position in the plugin's list, counted from 0.
    """
    if not isinstance(record, FactoryType):
        found = type(record).__name__
        msg = f"item {index} of its list is {found}, not a FactoryType"
        return FactoryTypeInvalidError(msg, remedy="Return a list of dagfoundry.FactoryType.")
    problems = "; ".join(_problems(record))
    if not problems:
        return None
    msg = f"factory type {record.name!r}: {problems}"
    return FactoryTypeInvalidError(msg, remedy="Correct the FactoryType in the plugin.")


def _problems(record: Any) -> Iterator[str]:  # noqa: ANN401 - annotations bind no plugin at run time
    yield from naming_problems(record.name, record.section)
    if not (isinstance(record.summary, str) and record.summary):
        yield "summary is empty"
    if not _is_subclass(record.item, SectionItem):
        yield "item is no subclass of dagfoundry.SectionItem"
    if not _is_subclass(record.config, BaseModel):
        yield "config is no pydantic model"
    elif record.config.model_config.get("extra") == "forbid":
        yield "config refuses unknown keys, which stored rows may carry"
    for attribute in ("draft", "build", "tables", "check"):
        if not callable(getattr(record, attribute)):
            yield f"{attribute} cannot be called"
    if not (record.export is None or callable(record.export)):
        yield "export cannot be called"
    yield from _version_problems(record.config_version, record.upcasters)
    yield from _table_problems(record.table)
    yield from _pattern_problems("dag_id", record.dag_id, {"platform", "key"})
    yield from _pattern_problems("factory_dag_id", record.factory_dag_id, {"platform"})
    for attribute in ("factory_tags", "examples", "metric_labels"):
        if not isinstance(getattr(record, attribute), tuple):
            yield f"{attribute} is no tuple"
    yield from _label_problems(record.metric_labels)


def naming_problems(name: object, section: object) -> Iterator[str]:
    """Yield what is wrong with the name and the section of a factory type."""
    yield from _name_problems("name", name, _RESERVED_NAMES)
    yield from _name_problems("section", section, FoundryModel.model_fields)


def _name_problems(attribute: str, value: object, reserved: Iterable[str]) -> Iterator[str]:
    if not (isinstance(value, str) and _WORD.fullmatch(value)):
        yield f"{attribute} {value!r} is not a lower-case word of up to 48 letters, digits and _"
    elif value in reserved:
        yield f"{attribute} {value!r} is reserved"


def _version_problems(version: object, upcasters: object) -> Iterator[str]:
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        yield f"config_version {version!r} is not a whole number from 1"
        return
    if not isinstance(upcasters, Mapping):
        yield "upcasters is no mapping of a version to a function"
        return
    for older in range(1, version):
        if older not in upcasters:
            yield f"upcasters lack version {older}, so its rows could not be read"
        elif not callable(upcasters[older]):
            yield f"upcasters[{older}] cannot be called"
    for key in upcasters:
        if key not in range(1, version):
            yield f"upcasters hold {key!r}, but config_version is {version}"


def _label_problems(labels: Any) -> Iterator[str]:  # noqa: ANN401 - as above
    for label in labels if isinstance(labels, tuple) else ():
        if not (isinstance(label, str) and _WORD.fullmatch(label)):
            yield f"metric label {label!r} is not a lower-case word of letters, digits and _"
        elif label in ENTRY_LABELS:
            yield f"metric label {label!r} is there already"


def _table_problems(table: object) -> Iterator[str]:
    if not isinstance(table, EntryTable):
        yield "table is no dagfoundry.EntryTable"
        return
    yield from _name_problems("table.suffix", table.suffix, _RESERVED_TABLES)
    yield from _name_problems("table.key_column", table.key_column, _RESERVED_COLUMNS)


def _pattern_problems(attribute: str, pattern: Any, needed: set[str]) -> Iterator[str]:  # noqa: ANN401 - as above
    try:
        parts = list(Formatter().parse(pattern))
    except (TypeError, ValueError):
        yield f"{attribute} {pattern!r} is no pattern"
        return
    fields = {name for _, name, _, _ in parts if name is not None}
    wanted = " and ".join(f"{{{name}}}" for name in sorted(needed))
    if fields != needed or any(spec or conversion for _, _, spec, conversion in parts):
        yield f"{attribute} {pattern!r} must hold exactly {wanted}"
    elif not all(_DAG_ID.fullmatch(text) for text, _, _, _ in parts if text):
        yield f"{attribute} {pattern!r} holds a character that no DAG id may have"


def _is_subclass(value: object, base: type) -> bool:
    return isinstance(value, type) and issubclass(value, base)


def split_clashes(
    offered: Sequence[tuple[T, str]],
) -> tuple[list[T], list[tuple[T, DuplicateFactoryTypeError]]]:
    """Part the types that are alone from those that claim the same thing; nobody wins.

    Args:
        offered: Each installed type and the name of its owner.

    Returns:
        The types without a clash, and the others with the error that names all owners.
    """
    errors: dict[int, DuplicateFactoryTypeError] = {}
    for word, claim in _CLAIMS.items():
        claims: dict[str, list[int]] = {}
        for index, (installed, _) in enumerate(offered):
            claims.setdefault(claim(installed.type), []).append(index)
        for value, indexes in claims.items():
            if len(indexes) > 1:
                error = _clash(word, value, [offered[index][1] for index in indexes])
                errors.update({i: error for i in indexes if i not in errors})
    alone = [installed for index, (installed, _) in enumerate(offered) if index not in errors]
    return alone, [(offered[index][0], error) for index, error in sorted(errors.items())]


def _clash(word: str, value: str, owners: Sequence[str]) -> DuplicateFactoryTypeError:
    return DuplicateFactoryTypeError(
        f"{word} {value!r} is offered by {' and by '.join(owners)}; none of them is used",
        remedy="Uninstall all but one of them.",
    )
