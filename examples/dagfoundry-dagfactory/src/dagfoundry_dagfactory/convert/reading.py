"""Reading dag-factory's YAML: its defaults are merged as dag-factory merges them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from dagfoundry_dagfactory.convert.report import Report

_NO_DAGS: Final = ("default", "task_groups")
_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_MAPPING: Final = "Give a YAML file of dag-factory: a mapping of DAG name to DAG."


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadDag:
    """A DAG of a YAML file, defaults included.

    Attributes:
        file: The file.
        name: Its name there.
        item: The name of the item that it becomes.
        values: Its keys.
    """

    file: Path
    name: str
    item: str
    values: dict[str, Any]

    @property
    def where(self) -> str:
        """The DAG as messages name it."""
        return f"{self.file}: {self.name}"


def read_defaults(
    files: Sequence[Path], report: Report, variables: Collection[str]
) -> dict[str, Any]:
    """Return what files such as ``defaults.yml`` give to each DAG; later files go first."""
    merged: dict[str, Any] = {"default_args": {}}
    for file in files:
        read = _read(file, report, variables)
        merged["default_args"] |= read.pop("default_args", None) or {}
        tags = sorted({*merged.get("tags", ()), *(read.get("tags") or ())})
        merged |= read
        if tags:
            merged["tags"] = tags
    return merged


def read_dags(
    files: Sequence[Path], common: dict[str, Any], report: Report, variables: Collection[str]
) -> Iterator[ReadDag]:
    """Yield the DAGs of YAML files."""
    for file in files:
        read = _read(file, report, variables)
        default = {**(read.get("default") or {})}
        default["default_args"] = {**common["default_args"], **(default.get("default_args") or {})}
        direct = {key: value for key, value in common.items() if key != "default_args"}
        for name, values in read.items():
            if name in _NO_DAGS:
                continue
            if isinstance(values, dict):
                whole = _merged({**direct, **values}, default)
                yield ReadDag(file=file, name=name, item=name, values=whole)
            else:
                report.refuse(f"{file}: {name}", "is no mapping", _MAPPING)


def _read(file: Path, report: Report, variables: Collection[str]) -> dict[str, Any]:
    try:
        text = _replaced(file.read_text(encoding="utf-8"), variables)
        read = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        remedy = "Name a file of YAML; a tag such as !!python/name in it would be code."
        report.refuse(str(file), f"cannot be read: {error}", remedy)
        return {}
    if not isinstance(read, dict) or not all(isinstance(name, str) for name in read):
        report.refuse(str(file), "is no mapping of names", _MAPPING)
        return {}
    return read


def _replaced(text: str, variables: Collection[str]) -> str:
    """Return a text with the named environment variables replaced, where they are set."""

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        return os.environ.get(name, found[0]) if name in variables else found[0]

    return _VARIABLE.sub(value, text)


def _merged(values: dict[str, Any], default: dict[str, Any]) -> dict[str, Any]:
    """Return values with what they lack of the default; mappings are merged, lists are not."""
    merged = dict(values)
    for key, value in default.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _merged(merged[key], value)
        else:
            merged.setdefault(key, value)
    return merged
