"""Where the values of an entry come from: its item's in the model, and its row's."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.desired import desired_rows
from dagfoundry.drafts import draft_entries
from dagfoundry.errors import EntryMissingError, SettingInvalidError
from dagfoundry.factories import OWN_KEY
from dagfoundry.model.origins import ItemAddress, Origins, Step, leaves, named_path, parse_field
from dagfoundry.model.schema import ItemOptions
from dagfoundry.model.words import choices, nearest
from dagfoundry.row_config import MODEL_PATHS, PLATFORM

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path as FilePath

    from dagfoundry.drafts import Drafted
    from dagfoundry.model import LoadedModel
    from dagfoundry.model.paths import Path
    from dagfoundry.plugins import Plugins

_ROW: Final = "config"
"""What a field of the row begins with, as ``dagfoundry show`` prints it."""

_LINEAGE: Final = frozenset({"input_dag_ids", "input_dataset_list"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """Where one value comes from.

    Attributes:
        field: The value's path, in the item or in the row.
        value: The value that holds.
        steps: What each layer says, the weakest first; the variables that the last one
            uses follow.
    """

    field: str
    value: Any
    steps: tuple[Step, ...]

    @property
    def winners(self) -> list[int]:
        """The steps that made the value: one, or all that a mapping was merged from."""
        layers = [index for index, step in enumerate(self.steps) if not step.is_variable]
        return layers if isinstance(self.value, dict) else layers[-1:]


class EntryOrigins:
    """Explains the values of one entry.

    Args:
        paths: Files and folders of the model.
        model: The model, loaded from them.
        plugins: The installed factory types.
        entry: A DAG id, or an entry's key.

    Raises:
        EntryMissingError: The model makes no such entry, or several.
        ModelInvalidError: The model breaks rules.
    """

    def __init__(
        self, paths: Iterable[FilePath], model: LoadedModel, plugins: Plugins, *, entry: str
    ) -> None:
        rows = {row.dag_id: row for row in desired_rows(model, plugins)}
        self._drafted = _find(list(draft_entries(model, plugins, [])), entry)
        self._type = str(plugins.types[self._drafted.factory_type.name])
        self._config = rows[self._drafted.dag_id].config
        self._origins = Origins(paths, model.environment, os.environ)
        item = self._drafted.loaded.item
        self._item: dict[str, Any] = item.model_dump(mode="json", by_alias=True)
        self._address = ItemAddress(
            section=self._drafted.loaded.section,
            item=item.name,
            platform=self._drafted.platform.name,
        )

    @property
    def dag_id(self) -> str:
        """DAG id of the entry."""
        return self._drafted.dag_id

    def field(self, text: str) -> Explanation:
        """Explain one field of the item or, if it has none of that name, of the row.

        Raises:
            SettingInvalidError: Neither has it.
        """
        asked = parse_field(text)
        path = named_path(self._item, asked) if asked else None
        if path is not None:
            return self._of_item(path)
        of_row = asked[1:] if asked[:1] == (_ROW,) else asked
        inside = named_path(self._config, of_row) if of_row else None
        if inside is not None:
            return self._of_row(inside)
        msg = f"entry {self.dag_id!r} has no field {text!r}"
        raise SettingInvalidError(msg, remedy=choices(text, {*self._item, *self._config}))

    def all_fields(self) -> Iterator[Explanation]:
        """Explain every value of the item, then every key of the row."""
        for path in leaves(self._item):
            yield self._of_item(path)
        for key in self._config:
            if key != OWN_KEY:
                yield self._of_row((key,))

    def _of_item(self, path: Path) -> Explanation:
        steps = self._origins.of_item(self._address, path)
        if not any(step.place for step in steps):
            built_in = Step(layer=f"built-in default of {self._type}", value=_at(self._item, path))
            steps = [built_in, *steps]
        return Explanation(field=_text(path), value=_at(self._item, path), steps=tuple(steps))

    def _of_row(self, path: Path) -> Explanation:
        own = path[0] == OWN_KEY and len(path) > 1
        if own and path[1] in ItemOptions.model_fields:
            steps = self._of_item(path[1:]).steps
        else:
            steps = tuple(self._computed(path, own=own))
        return Explanation(
            field=f"{_ROW}.{_text(path)}", value=_at(self._config, path), steps=steps
        )

    def _computed(self, path: Path, *, own: bool) -> Iterator[Step]:
        value, place = _at(self._config, path), self._drafted.place
        source = MODEL_PATHS.get(str(path[0]))
        if own and path[1] in {"merge_store", "milestoning", "runner"}:
            source = (PLATFORM, *map(str, path[1:]))
        if source is None:
            maker = "DAG Foundry" if path[0] in _LINEAGE else f"factory type {self._type}"
            yield Step(layer=f"computed by {maker} from the entry", value=value, place=place)
            return
        platform = ("platforms", self._address.platform)
        from_platform = source[0] == PLATFORM
        model_path = (*platform, *source[1:]) if from_platform else source
        steps = self._origins.of_model(model_path)
        yield from steps
        if not steps or steps[-1].value != value:
            yield Step(layer=f"computed by DAG Foundry from {_text(model_path)}", value=value)


def _find(drafts: list[Drafted], entry: str) -> Drafted:
    found = [each for each in drafts if each.dag_id == entry]
    found = found or [each for each in drafts if each.draft.key == entry]
    if len(found) == 1:
        return found[0]
    if found:
        msg = f"{len(found)} entries have the key {entry!r}"
        names = ", ".join(each.dag_id for each in found)
        raise EntryMissingError(msg, remedy=f"Name one of their DAG ids: {names}.")
    near = nearest(entry, {name for each in drafts for name in (each.dag_id, each.draft.key)})
    msg = f"the model makes no entry with the key or DAG id {entry!r}"
    hint = f"Did you mean {near!r}? " if near else ""
    raise EntryMissingError(msg, remedy=f"{hint}`dagfoundry plan` shows those that are new.")


def _at(value: Any, path: Path) -> Any:  # noqa: ANN401 - any JSON value
    for part in path:
        if isinstance(value, list):
            value = (
                next(
                    (item for item in value if isinstance(item, dict) and item.get("name") == part),
                    None,
                )
                or value[int(part)]
            )
        else:
            value = value[part]
    return value


def _text(path: Path) -> str:
    return ".".join(map(str, path))
