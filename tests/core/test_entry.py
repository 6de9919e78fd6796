"""What a factory type is handed of a row."""

from __future__ import annotations

import copy
import pickle
from dataclasses import asdict, fields, replace

import pytest
from pydantic import BaseModel, ValidationError, field_validator

from dagfoundry import Entry
from dagfoundry.factories import Status

checked: list[int] = []


class Alarm(BaseModel):
    """A config that notes when it is checked."""

    minutes: int

    @field_validator("minutes")
    @classmethod
    def _note(cls, minutes: int) -> int:
        checked.append(minutes)
        return minutes


class Snooze(BaseModel):
    """Another view of the same config."""

    minutes: int


def entry(**config: object) -> Entry:
    """Return an entry with a config."""
    return Entry(
        foundry="Home",
        platform_name="Live",
        factory_type="alarm",
        key="tea",
        dag_id="live__tea_alarm",
        config=config,
        status=Status.ACTIVE,
        revision=1,
    )


def test_a_config_is_checked_once_however_often_it_is_asked_for() -> None:
    """The DAG kit checks it before the builder asks."""
    checked.clear()
    tea = entry(minutes=3)
    assert tea.config_as(Alarm).minutes == 3
    assert tea.config_as(Alarm) is tea.config_as(Alarm)
    assert checked == [3]


def test_a_config_can_be_read_as_several_models() -> None:
    """Each model gives an object of its own."""
    tea = entry(minutes=3)
    assert (type(tea.config_as(Alarm)), type(tea.config_as(Snooze))) == (Alarm, Snooze)


def test_a_wrong_config_is_refused_each_time() -> None:
    """A failed check is no answer."""
    tea = entry(minutes="soon")
    for _ in range(2):
        with pytest.raises(ValidationError, match="minutes"):
            tea.config_as(Alarm)


def test_a_changed_copy_is_checked_anew() -> None:
    """What was checked belongs to one entry."""
    tea = entry(minutes=3)
    tea.config_as(Alarm)
    assert replace(tea, config={"minutes": 4}).config_as(Alarm).minutes == 4
    assert copy.copy(tea).config_as(Alarm) == tea.config_as(Alarm)
    assert pickle.loads(pickle.dumps(tea)) == tea  # noqa: S301 - our own
    assert asdict(tea).keys() == {field.name for field in fields(tea)}


def test_entries_are_equal_whether_or_not_they_were_checked() -> None:
    """What was checked is no part of an entry."""
    first, second = entry(minutes=3), entry(minutes=3)
    first.config_as(Alarm)
    assert first == second
    assert "_checked" not in repr(first)
