"""Where values come from: each layer that speaks of one, and the value that holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dagfoundry.errors import EntryMissingError, SettingInvalidError
from dagfoundry.model import load_model
from dagfoundry.origins import EntryOrigins

if TYPE_CHECKING:
    from pathlib import Path

    from dagfoundry.plugins import Plugins

MODEL = """\
foundry: Test
variables: {word: hi}
defaults: {owner: all, tags: [a], greetings: {text: "${word}"}}
platforms:
  - {name: Live, merge_store: {url_variable: M}, defaults: {owner: live}}
  - {name: Slow, merge_store: {url_variable: M}}
greetings:
  - {name: anna, pool: p}
  - {name: bert, reads: [anna]}
environments:
  dev:
    defaults: {tags: []}
    greetings: [{name: anna, pool: ~, owner: dev}]
"""


@pytest.fixture
def origins(tmp_path: Path, plugins: Plugins) -> EntryOrigins:
    """The origins of one entry in an environment."""
    return of(tmp_path, plugins, "live__anna_greeting")


def of(folder: Path, plugins: Plugins, entry: str) -> EntryOrigins:
    """Return the origins of an entry of the model in its environment."""
    file = folder / "model.yaml"
    file.write_text(MODEL)
    model = load_model([file], plugins, environment="dev")
    return EntryOrigins([file], model, plugins, entry=entry)


def told(origins: EntryOrigins, field: str) -> list[tuple[str, object, int | None]]:
    """Return layer, value and line of each step."""
    steps = origins.field(field).steps
    return [(step.layer, step.value, step.place and step.place.line) for step in steps]


def test_every_layer_is_told_from_the_weakest_to_the_strongest(origins: EntryOrigins) -> None:
    """Foundry, platform, entry, and the environment's word on each."""
    assert told(origins, "owner") == [
        ("foundry default", "all", 3),
        ("default of platform Live", "live", 5),
        ("environment dev: entry", "dev", 13),
    ]
    explained = origins.field("owner")
    assert (explained.value, explained.winners) == ("dev", [2])


def test_a_value_that_is_taken_back_is_told(origins: EntryOrigins) -> None:
    """Null and an empty list win over what is below them."""
    assert told(origins, "pool") == [("entry", "p", 8), ("environment dev: entry", None, 13)]
    assert told(origins, "tags")[-1] == ("environment dev: foundry default", [], 12)


def test_a_variable_follows_the_layer_that_uses_it(origins: EntryOrigins) -> None:
    """The layer wins; the variable says what stands in it."""
    assert told(origins, "text") == [
        ("default of greetings", "${word}", 3),
        ("variable word", "hi", 2),
    ]
    explained = origins.field("text")
    assert (explained.value, explained.winners) == ("hi", [0])


def test_a_field_of_the_row_is_told_too(tmp_path: Path, plugins: Plugins) -> None:
    """Ours are traced to the model, the others to what computes them."""
    origins = of(tmp_path, plugins, "slow__bert_greeting")
    assert told(origins, "config.text")[0][0].startswith("computed by factory type greeting")
    assert told(origins, "psp_name") == [("model", "Test", 1)]
    assert told(origins, "input_dag_ids")[0][0] == "computed by DAG Foundry from the entry"
    assert told(origins, "dagfoundry.owner") == [("foundry default", "all", 3)]
    assert told(origins, "dagfoundry.merge_store.url_variable") == [("model", "M", 6)]


def test_every_field_is_told_with_the_value_that_holds(origins: EntryOrigins) -> None:
    """The table of all fields agrees with each of them asked alone."""
    for explained in origins.all_fields():
        assert explained.steps
        assert origins.field(explained.field) == explained


def test_what_does_not_exist_is_refused(
    origins: EntryOrigins, tmp_path: Path, plugins: Plugins
) -> None:
    """A field or entry that is not there, and a key that two platforms have."""
    with pytest.raises(SettingInvalidError, match="Did you mean 'owner'"):
        origins.field("ownr")
    with pytest.raises(EntryMissingError, match="Did you mean 'anna'"):
        of(tmp_path, plugins, "ana")
    with pytest.raises(EntryMissingError, match="Name one of their DAG ids"):
        of(tmp_path, plugins, "anna")
