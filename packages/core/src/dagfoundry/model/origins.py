"""Where a value of a model comes from: every layer that says something of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.model.defaults import NO_DEFAULTS, layers
from dagfoundry.model.document import read_document
from dagfoundry.model.environments import ENVIRONMENTS, apply_environment
from dagfoundry.model.overlay import Part, name_of, position_of
from dagfoundry.model.schema import ItemOptions
from dagfoundry.model.variables import names_used, read_variables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path as FilePath

    from dagfoundry.errors import Place
    from dagfoundry.model.paths import Path

_PART: Final = re.compile(r"[^.\[\]]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What one layer says of a value.

    Attributes:
        layer: The layer, for people.
        value: The value there, before variables are replaced.
        place: Where it stands; none if it stands in no file.
        is_variable: Whether it is a variable that the layer before uses.
    """

    layer: str
    value: Any
    place: Place | None = None
    is_variable: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemAddress:
    """Which item on which platform is asked about, by names, as they hold in every layer."""

    section: str
    item: str
    platform: str


class Origins:
    """Answers where values come from, for one model in one environment."""

    def __init__(
        self, paths: Iterable[FilePath], environment: str | None, variables: Mapping[str, str]
    ) -> None:
        self._base = read_document(paths)
        self._environment = environment
        self._variables = read_variables(apply_environment(self._base, environment)[0], variables)

    def of_item(self, address: ItemAddress, path: Path) -> list[Step]:
        """Return what each layer says of a value of an item, the winner last."""
        roots: list[tuple[str, Path]] = []
        if path[0] not in NO_DEFAULTS:
            for layer in layers(address.section, address.platform):
                shared = layer.path[-1] != address.section
                if not shared or path[0] in ItemOptions.model_fields:
                    roots.append((layer.title, layer.path))
        roots.append(("entry", (address.section, address.item)))
        steps = list(self._steps(roots, path))
        return steps[:1] if path[-1] == "name" else steps  # a name says which item is meant

    def of_model(self, path: Path) -> list[Step]:
        """Return what each layer says of a value of the foundry or of a platform."""
        steps = list(self._steps([("model", path[:-1])], path[-1:]))
        return steps[:1] if path[0] == "platforms" and path[-1] == "name" else steps

    def _steps(self, roots: Iterable[tuple[str, Path]], path: Path) -> Iterator[Step]:
        found = list(self._written(roots, path))
        yield from found
        text = found[-1].value if found else None
        for name in names_used(text) if isinstance(text, str) else ():
            variable = self._variables[name]
            source = variable.source and f" ({variable.source})"
            place = None if source else self._variable_place(name)
            layer = f"variable {name}{source}"
            yield Step(layer=layer, value=variable.text, place=place, is_variable=True)

    def _written(self, roots: Iterable[tuple[str, Path]], path: Path) -> Iterator[Step]:
        chosen: Path = (ENVIRONMENTS, self._environment) if self._environment else ()
        for title, root in roots:
            for prefix in ((), chosen) if chosen else ((),):
                part = _inside(self._base.part, (*prefix, *root))
                found = _inside(part, path, blocked=True) if part and _holds(part) else None
                if found is not None:
                    layer = f"environment {self._environment}: {title}" if prefix else title
                    place = self._base.locator.files.place(position_of(found))
                    yield Step(layer=layer, value=found.value, place=place)

    def _variable_place(self, name: str) -> Place | None:
        steps = list(self._written([("", ("variables",))], (name,)))
        return steps[-1].place if steps else None


def parse_field(text: str) -> Path:
    """Return the parts of a field such as ``datasets[0].key`` or ``source.credential``."""
    return tuple(int(p) if p.isdigit() else p for p in _PART.findall(text))


def named_path(value: Any, path: Path) -> Path | None:  # noqa: ANN401 - any JSON value
    """Return a path with names in the place of positions; none if it leads nowhere.

    Positions differ from layer to layer, names do not.
    """
    named: list[str | int] = []
    for part in path:
        if isinstance(value, dict) and str(part) in value:
            named.append(str(part))
            value = value[str(part)]
        elif isinstance(value, list) and (index := _index(value, part)) is not None:
            value = value[index]
            named.append(name_of(value) or index)
        else:
            return None
    return tuple(named)


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:  # noqa: ANN401 - any JSON value
    """Yield the named paths of all values that hold no named ones."""
    if isinstance(value, dict) and value:
        for key, child in value.items():
            yield from leaves(child, (*path, key))
    elif isinstance(value, list) and value and all(map(name_of, value)):
        for child in value:
            yield from leaves(child, (*path, str(name_of(child))))
    else:
        yield path


def _index(items: list[Any], part: str | int) -> int | None:
    names = [name_of(item) for item in items]
    if part in names:
        return names.index(str(part))
    return part if isinstance(part, int) and part < len(items) else None


def _holds(part: Part) -> bool:
    return isinstance(part.value, (dict, list))


def _inside(part: Part | None, path: Path, *, blocked: bool = False) -> Part | None:
    """Follow names and keys.

    Args:
        part: Where to begin.
        path: Names and keys.
        blocked: Whether what cannot be followed further ends the path there: null, or a
            list of values from which the factory type makes a mapping.
    """
    for step in path:
        if part is None:
            return None
        if isinstance(part.value, dict):
            part = part.child(str(step))
        elif isinstance(part.value, list):
            index = _index(part.value, step)
            if index is None and blocked and not any(map(name_of, part.value)):
                return part
            part = None if index is None else part.items()[index]
        else:
            return Part(None, part.tree) if blocked else None
    return part
