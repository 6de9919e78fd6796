"""dag-factory's schedules as schedules of an item."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import yaml

from dagfoundry_dagfactory.convert.plain import plain
from dagfoundry_dagfactory.schedule import AND, OR
from dagfoundry_dagfactory.times import TYPE_KEY

_TOKEN: Final = re.compile(r"\s*([()&|]|[^\s()&|]+)")
_CRON: Final = re.compile(r"airflow\.(?:\w+\.)*Cron(?:Trigger|DataInterval)Timetable")


class UnreadableError(ValueError):
    """A schedule or list of datasets is not understood."""


def schedule(value: Any) -> tuple[Any, str | None]:  # noqa: ANN401 - what YAML holds
    """Return a schedule of an item, and the time zone that it asks for.

    Raises:
        UnreadableError: It cannot be carried over.
    """
    if isinstance(value, str) and value.strip().lower() == "none":
        return None, None
    if isinstance(value, dict) and _CRON.fullmatch(str(value.get(TYPE_KEY))):
        return _cron(value)
    if isinstance(value, dict) and "datasets" in value:
        if set(value) - {"datasets", "file"}:
            raise UnreadableError("it waits for datasets and for a time")
        return datasets(value), None
    return _without_empty(plain(value)), None


def datasets(value: dict[str, Any]) -> Any:  # noqa: ANN401 - a list or a condition
    """Return the URIs of ``{datasets: ..., file: ...}``, or their condition.

    Raises:
        UnreadableError: The condition or the file is not understood.
    """
    wanted = plain(value["datasets"])
    tree = _parsed(wanted) if isinstance(wanted, str) else wanted
    return _named(tree, _uris(value["file"])) if "file" in value else tree


def _cron(value: dict[str, Any]) -> tuple[str, str | None]:
    arguments = dict(zip(("cron", "timezone"), value.get("__args__", ()), strict=False))
    arguments |= {key: part for key, part in value.items() if not key.startswith("__")}
    if set(arguments) - {"cron", "timezone"} or "cron" not in arguments:
        raise UnreadableError("its timetable is more than a cron expression in a time zone")
    return arguments["cron"], arguments.get("timezone")


def _without_empty(value: Any) -> Any:  # noqa: ANN401 - what YAML holds
    return [uri for uri in value if uri] if isinstance(value, list) else value


def _uris(file: str) -> dict[str, str]:
    try:
        listed = yaml.safe_load(Path(file).read_text(encoding="utf-8"))["datasets"]
        return {each["name"]: each["uri"] for each in listed}
    except (OSError, KeyError, TypeError, yaml.YAMLError) as error:
        raise UnreadableError(f"its file {file} gives no URIs: {error}") from None


def _named(tree: Any, uris: dict[str, str]) -> Any:  # noqa: ANN401 - a list or a condition
    if isinstance(tree, dict):
        return {key: _named(members, uris) for key, members in tree.items()}
    if isinstance(tree, list):
        return [_named(member, uris) for member in tree]
    if tree not in uris:
        raise UnreadableError(f"its file has no dataset {tree!r}")
    return uris[tree]


def _parsed(text: str) -> Any:  # noqa: ANN401 - a condition
    """Return ``(a & b) | c`` as mappings; ``&`` binds closer."""
    tokens = _TOKEN.findall(text)
    tree = _either(tokens)
    if tokens:
        raise UnreadableError(f"its condition ends before {tokens[0]!r}")
    return tree if isinstance(tree, dict) else [tree]


def _either(tokens: list[str]) -> Any:  # noqa: ANN401 - a condition
    members = [_both(tokens)]
    while tokens[:1] == ["|"]:
        tokens.pop(0)
        members.append(_both(tokens))
    return {OR: members} if len(members) > 1 else members[0]


def _both(tokens: list[str]) -> Any:  # noqa: ANN401 - a condition
    members = [_one(tokens)]
    while tokens[:1] == ["&"]:
        tokens.pop(0)
        members.append(_one(tokens))
    return {AND: members} if len(members) > 1 else members[0]


def _one(tokens: list[str]) -> Any:  # noqa: ANN401 - a condition
    first = tokens.pop(0) if tokens else ""
    if first == "(":
        tree = _either(tokens)
        if tokens[:1] == [")"]:
            tokens.pop(0)
            return tree
        first = ""
    if not first or first in ")&|":
        raise UnreadableError("its condition is incomplete")
    return first
