"""An upgrade is checked against every row that the store holds, before it goes live."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from pydantic import BaseModel, model_validator

from dagfoundry.plugins import Plugins
from dagfoundry.store.read import read_head
from dagfoundry.store.stored import stored_rows
from dagfoundry.upgrade import RowProblem, UpgradeReport, check_rows

if TYPE_CHECKING:
    from conftest import Tower


def check(tower: Tower, plugins: Plugins) -> UpgradeReport:
    """Check every row of the foundry."""
    types = [installed.type for installed in plugins.types.values()]
    with tower.store.reading() as connection:
        states = stored_rows(connection, read_head(connection, "Tower"), types)
    return check_rows(states, plugins)


def only(report: UpgradeReport) -> RowProblem:
    """Return the one problem of a report."""
    (problem,) = report.problems
    return problem


def test_rows_of_every_version_pass_the_newest_type(tower: Tower) -> None:
    """The report counts the rows by the version that they are stored in."""
    report = check(tower, tower.plugins(3))
    assert report.is_good
    (alarm,) = report.types
    assert (alarm.owner, alarm.config_version, alarm.rows) == ("dagfoundry-alarm 3.0", 3, 4)
    assert alarm.by_version == {"1": 1, "2": 1, "3": 1}


def test_an_older_type_is_told_which_rows_are_too_new(tower: Tower) -> None:
    """A downgrade is checked in the same way."""
    problem = only(check(tower, tower.plugins(2)))
    assert (problem.key, problem.field, problem.value) == (
        "three",
        "dagfoundry.config_version",
        "3",
    )
    assert problem.rule == "config_too_new"
    assert problem.remedy == "Upgrade dagfoundry-alarm (installed: 2.0)."


def test_a_row_that_a_new_rule_refuses_is_named_with_all_that_helps(tower: Tower) -> None:
    """Foundry, table, platform, type, key, field, value, rule, reason, author, revision."""
    tower.edit("three", config_json=json.dumps({**tower.row("three").config(), "seconds": 0}))
    problem = only(check(tower, tower.plugins(3)))
    assert problem == RowProblem(
        foundry="Tower",
        table="live_alarm_entries",
        platform="Live",
        factory_type="alarm",
        key="three",
        status="active",
        field="seconds",
        value="0",
        rule="greater_than_equal",
        why="Input should be greater than or equal to 1",
        remedy=(
            "Merge the model again, which writes the row anew, "
            "or install a release of dagfoundry-alarm (installed: 3.0) that reads it."
        ),
        author="Ada",
        revision=3,
        edited=True,
    )


def test_retired_rows_are_checked_and_purged_ones_are_not(tower: Tower) -> None:
    """A retired row can come back, so it must be readable."""

    class Picky(BaseModel):
        seconds: int
        people: list[str]
        room: str

    tower.merge(3, one=1, three=3)
    tower.store.retire("Tower", ["live__two_alarm"], author="factory", message="gone")
    report = check(tower, tower.plugins(3, config=Picky))
    assert [(p.key, p.field, p.value, p.status) for p in report.problems] == [
        ("one", "room", "absent", "active"),
        ("three", "room", "absent", "active"),
        ("two", "room", "absent", "retired"),
    ]
    assert "left the model" in report.problems[2].remedy


@pytest.mark.parametrize(
    ("columns", "field", "rule"),
    [
        ({"config_json": "{broken"}, "config_json", "json"),
        ({"config_json": "[1]"}, "config_json", "json"),
        ({"status": "aktive"}, "status", "status"),
        ({"config_json": "{}"}, "dagfoundry.config_version", "upcast_failed"),
        (
            {"config_json": '{"dagfoundry": {"config_version": "x"}}'},
            "dagfoundry.config_version",
            "upcast_failed",
        ),
    ],
)
def test_a_row_broken_by_hand_is_found(
    tower: Tower, columns: dict[str, str], field: str, rule: str
) -> None:
    """What stands in the table is checked besides what history recorded."""
    tower.edit("one", **columns)
    problem = only(check(tower, tower.plugins(3)))
    assert (problem.key, problem.field, problem.rule, problem.edited) == ("one", field, rule, True)


def test_a_type_that_is_not_installed_is_counted(tower: Tower) -> None:
    """Its rows cannot be read, so the check fails and says how many they are."""
    report = check(tower, Plugins(types={}))
    assert not report.is_good
    assert [(each.factory_type, each.rows) for each in report.missing] == [("alarm", 4)]


def test_a_validator_that_raises_is_the_plugins_fault(tower: Tower) -> None:
    """A bug of the config model stops no check."""

    class Broken(BaseModel):
        @model_validator(mode="before")
        @classmethod
        def _explode(cls, _values: Any) -> NoReturn:  # noqa: ANN401 - pydantic's signature
            raise RuntimeError("ouch")

    report = check(tower, tower.plugins(3, config=Broken))
    assert {p.rule for p in report.problems} == {"plugin"}
    assert "RuntimeError: ouch" in report.problems[0].why
    assert report.problems[0].remedy == "Mend or upgrade dagfoundry-alarm (installed: 3.0)."


def test_no_password_is_shown(tower: Tower) -> None:
    """A value is printed without the password of a URL."""
    config = {"seconds": "postgresql://ada:s3cret@db/x", "people": ["ada"]}
    config |= {"dagfoundry": {"config_version": 3}}  # type: ignore[dict-item]
    tower.edit("three", config_json=json.dumps(config))
    problem = only(check(tower, tower.plugins(3)))
    assert "ada:***@db" in problem.value
    assert "s3cret" not in str(problem)
