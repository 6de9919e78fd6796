"""A plugin that passes the conformance suite; tests replace one line of it at a time."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

import dagfoundry


class Alarm(dagfoundry.SectionItem):
    """An item of the section ``alarms``."""

    minutes: Annotated[int, Field(ge=0)]
    sound: str = "bell"
    source: Annotated[str, Field(pattern=r"^\w+\.\w+$")] | None = None


class AlarmConfig(BaseModel):
    """A stored alarm."""

    model_config = ConfigDict(extra="allow")

    key: str
    seconds: int
    sound: str


def draft(item: Alarm, _context: dagfoundry.PlatformContext) -> list[dagfoundry.EntryDraft]:
    """Make one entry of an item."""
    config = {"key": item.name, "seconds": item.minutes * 60, "sound": item.sound}
    consumes = (item.source.replace(".", "#"),) if item.source else ()
    return [dagfoundry.EntryDraft(key=item.name, config=config, consumes=consumes)]


def build(entry: dagfoundry.Entry, kit: dagfoundry.DagKit) -> Any:  # noqa: ANN401 - a DAG
    """Make a DAG of one job."""
    config = entry.config_as(AlarmConfig)
    with kit.dag(schedule=None, tags=("alarm",)) as dag:
        kit.job("ring", ("-m", "alarm.ring"), spec={"seconds": config.seconds})
    return dag


def minutes_to_seconds(config: dict[str, Any]) -> dict[str, Any]:
    """Turn version 1 into version 2."""
    config["seconds"] = config.pop("minutes") * 60
    return config


def export(entries: list[dagfoundry.Entry]) -> list[dagfoundry.ExportedItem]:
    """Make the items that entries came from."""
    return [dagfoundry.ExportedItem(keys=(entry.key,), values=item_of(entry)) for entry in entries]


def item_of(entry: dagfoundry.Entry) -> dict[str, Any]:
    """Return the item of one entry."""
    item = {
        "name": entry.key,
        "minutes": entry.config["seconds"] // 60,
        "sound": entry.config["sound"],
    }
    read = entry.config.get("input_dataset_list")
    return {**item, "source": read[0].replace("#", ".")} if read else item


EXAMPLES: tuple[dict[str, Any], ...] = (
    {"name": "Morning", "minutes": 5},
    {"name": "Evening", "minutes": 90, "sound": "gong", "source": "Clock.ticks"},
)


@dagfoundry.hookimpl
def dagfoundry_register_factory_types() -> list[dagfoundry.FactoryType]:
    """Offer alarms."""
    return [
        dagfoundry.FactoryType(
            name="alarm",
            summary="Rings after some time.",
            section="alarms",
            item=Alarm,
            draft=draft,
            config=AlarmConfig,
            build=build,
            config_version=2,
            upcasters={1: minutes_to_seconds},
            export=export,
            examples=EXAMPLES,
        )
    ]
