"""One factory type at three ages, each of which changed what a stored row says, and a store."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import MetaData, Table, update

from dagfoundry import EntryDraft, FactoryType, SectionItem
from dagfoundry.merge import Guards, merge, plan_merge
from dagfoundry.model import load_model
from dagfoundry.plugins import InstalledType, Plugins
from dagfoundry.store import Source
from dagfoundry.store.write import Origin

if TYPE_CHECKING:
    from pathlib import Path

    from dagfoundry import PlatformContext
    from dagfoundry.merge import MergeResult
    from dagfoundry.plan import Plan
    from dagfoundry.store import RowState, Store


class Alarm(SectionItem):
    """An item of the section ``alarms``; it never changed."""

    minutes: int = 5
    to: tuple[str, ...] = ("ada",)


class AlarmOne(BaseModel):
    """Version 1: one person, to be woken after some minutes."""

    model_config = ConfigDict(extra="allow")

    minutes: int
    person: str


class AlarmTwo(BaseModel):
    """Version 2: seconds."""

    model_config = ConfigDict(extra="allow")

    seconds: int
    person: str


class AlarmThree(BaseModel):
    """Version 3: several people."""

    model_config = ConfigDict(extra="allow")

    seconds: int = Field(ge=1)
    people: list[str]


def draft_one(item: Alarm, _context: PlatformContext) -> list[EntryDraft]:
    """Draft as version 1 did."""
    return [EntryDraft(key=item.name, config={"minutes": item.minutes, "person": item.to[0]})]


def draft_two(item: Alarm, _context: PlatformContext) -> list[EntryDraft]:
    """Draft as version 2 did."""
    config = {"seconds": item.minutes * 60, "person": item.to[0]}
    return [EntryDraft(key=item.name, config=config)]


def draft_three(item: Alarm, _context: PlatformContext) -> list[EntryDraft]:
    """Draft as version 3 does."""
    config = {"seconds": item.minutes * 60, "people": list(item.to)}
    return [EntryDraft(key=item.name, config=config)]


def to_two(config: dict[str, Any]) -> dict[str, Any]:
    """Turn minutes into seconds."""
    config["seconds"] = config.pop("minutes") * 60
    return config


def to_three(config: dict[str, Any]) -> dict[str, Any]:
    """Turn one person into a list."""
    config["people"] = [config.pop("person")]
    return config


ONE = FactoryType(
    name="alarm",
    summary="Wakes people.",
    section="alarms",
    item=Alarm,
    draft=draft_one,
    config=AlarmOne,
    build=lambda _entry, _kit: None,
    tables=lambda entry: sorted(entry.config),
)
TWO = replace(ONE, draft=draft_two, config=AlarmTwo, config_version=2, upcasters={1: to_two})
THREE = replace(
    ONE,
    draft=draft_three,
    config=AlarmThree,
    config_version=3,
    upcasters={1: to_two, 2: to_three},
)


AGES = {1: ONE, 2: TWO, 3: THREE}


def installed(factory_type: FactoryType) -> Plugins:
    """Return plugins as if the distribution ``dagfoundry-alarm`` offered this age."""
    version = f"{factory_type.config_version}.0"
    record = InstalledType(
        type=factory_type, distribution="dagfoundry-alarm", version=version, entry_point="alarm"
    )
    return Plugins(types={"alarm": record})


@dataclass(frozen=True)
class Tower:
    """A store with alarms of every age."""

    store: Store
    folder: Path

    def plugins(self, age: int, **overrides: Any) -> Plugins:  # noqa: ANN401 - fields of the type
        """Return the installed type at an age, with some of its values replaced."""
        return installed(replace(AGES[age], **overrides))

    def model(self, **alarms: int) -> Path:
        """Write a model with alarms and their minutes."""
        path = self.folder / "tower.yaml"
        lines = [f"  - {{name: {name}, minutes: {n}}}\n" for name, n in alarms.items()]
        path.write_text(
            "foundry: Tower\nplatforms: [{name: Live, merge_store: {url_variable: U}}]\n"
            f"alarms:\n{''.join(lines)}"
        )
        return path

    def plan(self, age: int, **alarms: int) -> Plan:
        """Plan a model with an age of the type."""
        plugins = self.plugins(age)
        return plan_merge(self.store, load_model([self.model(**alarms)], plugins), plugins)

    def merge(self, age: int, **alarms: int) -> MergeResult:
        """Merge a model with an age of the type."""
        plugins = self.plugins(age)
        model = load_model([self.model(**alarms)], plugins)
        origin = Origin(author="Ada", message=f"age {age}", source=Source.MERGE)
        guards = Guards(allow_prune=True)
        return merge(self.store, model, plugins, origin=origin, guards=guards)

    def row(self, key: str) -> RowState:
        """Return an entry's newest row."""
        rows = self.store.rows_at("Tower", self.store.head("Tower").revision)
        return next(row for row in rows if row.key == key)

    def edit(self, key: str, **columns: str) -> None:
        """Change columns of an alarm's row by SQL."""
        with self.store.writing() as connection:
            table = Table("live_alarm_entries", MetaData(), autoload_with=connection)
            connection.execute(update(table).where(table.c.entry_key == key).values(**columns))


@pytest.fixture
def tower(store: Store, tmp_path: Path) -> Tower:
    """A store of each kind with an alarm ``one`` of age 1, ``two`` of 2 and ``three`` of 3.

    Only what really changed is written, so three merges leave three ages.
    """
    made = Tower(store=store, folder=tmp_path)
    made.merge(1, one=1)
    made.merge(2, one=1, two=2)
    made.merge(3, one=1, two=2, three=3)
    return made
