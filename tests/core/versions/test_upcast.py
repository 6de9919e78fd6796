"""Rows keep the config version they were written in; plugins only see their own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagfoundry.errors import ConfigTooNewError, UpcastFailedError
from dagfoundry.plan import Action
from dagfoundry.plugins_records import record_error
from dagfoundry.upcast import entry_of, stamp_version, stored_version, upcast_config

if TYPE_CHECKING:
    from conftest import Tower

    from dagfoundry.store import RowState


def stored(row: RowState) -> tuple[object, dict[str, Any]]:
    """Return a row's stored version and its type's own keys."""
    words = ("minutes", "seconds", "person", "people")
    config = row.config()
    return stored_version(config), {key: config[key] for key in words if key in config}


def test_rows_of_three_versions_stand_side_by_side(tower: Tower) -> None:
    """Version 1 is not written into a row, later ones are."""
    assert stored(tower.row("one")) == (1, {"minutes": 1, "person": "ada"})
    assert "config_version" not in tower.row("one").config_json
    assert stored(tower.row("two")) == (2, {"seconds": 120, "person": "ada"})
    assert stored(tower.row("three")) == (3, {"seconds": 180, "people": ["ada"]})


@pytest.mark.parametrize(("key", "seconds"), [("one", 60), ("two", 120), ("three", 180)])
def test_a_plugin_sees_every_row_in_its_own_version(tower: Tower, key: str, seconds: int) -> None:
    """Two steps, one step and none lead to the same form, with all else as it was."""
    row = tower.row(key)
    entry = entry_of(row, tower.plugins(3))
    assert (entry.config["seconds"], entry.config["people"]) == (seconds, ["ada"])
    assert entry.options["config_version"] == 3
    assert entry.options["merge_store"] == row.config()["dagfoundry"]["merge_store"]
    assert (entry.author, entry.key, entry.revision) == ("Ada", key, row.revision)


def test_an_upgrade_alone_changes_no_row(tower: Tower) -> None:
    """Rows that say the same in the new version are not written again."""
    plan = tower.plan(3, one=1, two=2, three=3)
    assert (plan.changes, plan.unchanged) == ((), 4)


def test_a_changed_row_is_written_in_the_new_version(tower: Tower) -> None:
    """The plan shows the version and the one field that differs, not the whole form."""
    (change,) = tower.merge(3, one=9, two=2, three=3).plan.changes
    assert (change.action, change.row.key) == (Action.UPDATE, "one")
    assert [(f.field, f.before, f.after) for f in change.fields] == [
        ("dagfoundry.config_version", 1, 3),
        ("seconds", 60, 540),
    ]
    assert stored(tower.row("one")) == (3, {"seconds": 540, "people": ["ada"]})
    assert stored(tower.row("two")) == (2, {"seconds": 120, "person": "ada"})


def test_an_older_plugin_never_writes_over_newer_rows(tower: Tower) -> None:
    """The merge is refused, names the distribution to upgrade, and leaves the rows."""
    with pytest.raises(ConfigTooNewError) as caught:
        tower.merge(2, one=7, two=7, three=7)
    assert "1 rows, such as 'three' of platform 'Live'" in caught.value.what
    assert caught.value.remedy == "Upgrade dagfoundry-alarm (installed: 2.0)."
    assert tower.store.head("Tower").revision == 3


def test_an_older_plugin_may_retire_a_newer_row(tower: Tower) -> None:
    """What leaves the model is not read, only its status moves."""
    (change,) = tower.merge(2, one=1, two=2).plan.changes
    assert (change.action, change.row.key) == (Action.RETIRE, "three")


def test_reading_a_newer_row_names_the_distribution_to_upgrade(tower: Tower) -> None:
    """One clear error with both versions."""
    with pytest.raises(ConfigTooNewError) as caught:
        entry_of(tower.row("three"), tower.plugins(1))
    assert "config_version is 3" in caught.value.what
    assert "'alarm' knows versions up to 1" in caught.value.what
    assert caught.value.remedy == "Upgrade dagfoundry-alarm (installed: 1.0)."


def test_an_upcaster_that_fails_is_named_with_its_step(tower: Tower) -> None:
    """Type, version, reason and distribution stand in one error."""
    row = tower.row("one")._replace(config_json=json.dumps({"minutes": 1}))
    with pytest.raises(UpcastFailedError) as caught:
        entry_of(row, tower.plugins(3))
    assert "'alarm' cannot turn config version 2 into the next: KeyError: 'person'" in str(
        caught.value
    )
    assert "dagfoundry-alarm (installed: 3.0)" in caught.value.remedy


def test_a_row_that_cannot_be_read_is_written_anew(tower: Tower) -> None:
    """A merge mends what a hand edit broke, whatever it left of the version."""
    tower.edit("one", config_json='{"minutes": 1, "dagfoundry": {"config_version": "two"}}')
    tower.edit("two", config_json='{"dagfoundry": {"config_version": 2}}')
    changes = tower.merge(3, one=1, two=2, three=3).plan.changes
    assert [(change.action, change.row.key) for change in changes] == [
        (Action.UPDATE, "one"),
        (Action.UPDATE, "two"),
    ]
    assert stored(tower.row("one")) == (3, {"seconds": 60, "people": ["ada"]})


@pytest.mark.parametrize("version", [0, -1, True, None, 1.5, "1", [], {}])
def test_a_version_that_is_none_is_refused(tower: Tower, version: object) -> None:
    """Whatever a hand edit wrote there, it is one clear error."""
    config = {"dagfoundry": {"config_version": version}}
    with pytest.raises(UpcastFailedError, match="not a whole number from 1"):
        upcast_config(config, tower.plugins(3).type("alarm"))


def test_an_upcaster_must_return_a_dict(tower: Tower) -> None:
    """One that forgets its return statement is named."""
    plugins = tower.plugins(2, upcasters={1: lambda _config: None})
    with pytest.raises(UpcastFailedError, match="returned NoneType, not a dict"):
        entry_of(tower.row("one"), plugins)


def test_an_upcaster_may_change_what_it_is_given(tower: Tower) -> None:
    """It works on a copy, so reading a row twice gives the same."""
    config = {"minutes": 1, "person": "ada", "dagfoundry": {"tags": ["a"]}}
    before = json.dumps(config)
    factory_type = tower.plugins(3).type("alarm")
    assert upcast_config(config, factory_type) == upcast_config(config, factory_type)
    assert json.dumps(config) == before


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"config_version": 0}, "config_version 0 is not a whole number"),
        ({"config_version": True}, "config_version True is not a whole number"),
        ({"config_version": "2"}, "config_version '2' is not a whole number"),
        ({"config_version": 4}, "upcasters lack version 3"),
        ({"upcasters": {2: str}}, "upcasters lack version 1"),
        ({"upcasters": {1: str, 2: "later"}}, "upcasters[2] cannot be called"),
        ({"config_version": 2}, "upcasters hold 2, but config_version is 2"),
        ({"upcasters": [str, str]}, "upcasters is no mapping"),
        ({"export": "yes"}, "export cannot be called"),
    ],
)
def test_a_gap_in_the_chain_is_refused_at_registration(
    tower: Tower, changes: dict[str, Any], problem: str
) -> None:
    """A type whose old rows could not be read is never installed."""
    error = record_error(tower.plugins(3, **changes).type("alarm"), 0)
    assert error is not None
    assert problem in str(error)


def test_the_three_ages_keep_the_rules(tower: Tower) -> None:
    """Each is a legal factory type."""
    assert [record_error(tower.plugins(age).type("alarm"), 0) for age in (1, 2, 3)] == [None] * 3


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(config=st.dictionaries(st.text(), values), version=st.integers(1, 9))
def test_a_stamped_config_names_its_version_and_keeps_the_rest(
    config: dict[str, Any], version: int
) -> None:
    """Stamping again changes nothing, and nothing else of the config moves."""
    stamped = stamp_version(config, version)
    assert stored_version(stamped) == version
    assert stamp_version(stamped, version) == stamped
    assert {k: v for k, v in stamped.items() if k != "dagfoundry"} == {
        k: v for k, v in config.items() if k != "dagfoundry"
    }
