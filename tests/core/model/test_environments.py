"""A model in an environment: what is laid over it, what is taken away, and where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dagfoundry.errors import ModelInvalidError
from dagfoundry.model import load_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dagfoundry.errors import Finding
    from dagfoundry.model import LoadedModel
    from dagfoundry.plugins import Plugins

    Load = Callable[..., LoadedModel]
    Find = Callable[..., list[Finding]]

MODEL = """\
foundry: Quickstart
platforms:
  - name: Live
    merge_store: {driver: postgresql, hostname: a, database: merge}
  - name: Audit
    merge_store: {url_variable: AUDIT_URL}
shops:
  - name: Corner
    tags: [a, b]
    source: {url_variable: S}
    datasets:
      - {name: orders, key: [id]}
      - {name: items, key: [id]}
  - name: Market
    source: {url_variable: S}
"""


@pytest.fixture
def load_in(write: Callable[..., Path], types: Plugins) -> Load:
    """Load the model in an environment ``dev`` of this text."""

    def loaded(overlay: str, name: str | None = "dev") -> LoadedModel:
        lines = "".join(f"    {line}\n" for line in overlay.splitlines())
        write(MODEL, "base.yaml")
        file = write(f"environments:\n  dev:\n{lines}", "dev.yaml")
        return load_model([file.parent], types, environment=name, variables={})

    return loaded


@pytest.fixture
def find_in(load_in: Load) -> Find:
    """Return what is wrong with the model in an environment."""

    def found(overlay: str, name: str | None = "dev") -> list[Finding]:
        with pytest.raises(ModelInvalidError) as caught:
            load_in(overlay, name)
        return list(caught.value.findings)

    return found


def test_mappings_merge_and_items_merge_by_name(load_in: Load) -> None:
    """What the environment writes wins; all else stays, in its order."""
    model = load_in(
        "platforms:\n  - {name: Live, merge_store: {hostname: b}}\n"
        "shops:\n  - name: Market\n    owner: dev\n"
        "  - name: Corner\n    tags: [c]\n    datasets: [{name: items, table: ITEMS}]\n"
    )
    store = model.foundry.platforms[0].merge_store
    assert (store.driver, store.hostname, store.database) == ("postgresql", "b", "merge")
    corner, market = (item.item for item in model.items)
    assert (corner.name, corner.tags, market.owner) == ("Corner", ("c",), "dev")
    assert [(d.name, d.key, d.table) for d in corner.datasets] == [
        ("orders", ("id",), None),
        ("items", ("id",), "ITEMS"),
    ]
    assert model.environment == "dev"


def test_items_of_new_names_are_added(load_in: Load) -> None:
    """An environment may have an item that the others have not."""
    model = load_in("shops:\n  - {name: Extra, source: {url_variable: E}}\n")
    assert [item.item.name for item in model.items] == ["Corner", "Market", "Extra"]


def test_without_takes_items_away(load_in: Load) -> None:
    """Items are taken away by name, and may be written anew."""
    model = load_in(
        "without: {shops: [Corner, Market], platforms: [Audit]}\n"
        "shops:\n  - {name: Corner, source: {url_variable: E}}\n"
    )
    assert [(item.item.name, item.item.tags) for item in model.items] == [("Corner", ())]
    assert [platform.name for platform in model.foundry.platforms] == ["Live"]


def test_null_takes_a_value_back(load_in: Load) -> None:
    """An optional key is absent where it is null; an empty section says nothing."""
    model = load_in("shops:\n  - {name: Corner, tags: [], owner: ~}\nrecipes:\nplatforms:\n")
    assert model.items[0].item.tags == ()
    assert len(model.foundry.platforms) == 2


def test_values_of_an_environment_stand_in_it(load_in: Load) -> None:
    """A value's place is where it was written; an item's is where it was written first."""
    model = load_in("shops:\n  - {name: Market, owner: dev}\n")
    market = model.items[1]
    assert str(market.place("owner")).endswith("dev.yaml:4:31")
    assert str(market.place()).endswith("base.yaml:14:5")


def test_without_a_chosen_environment_the_model_stands_alone(load_in: Load) -> None:
    """Nothing of an environment is applied unless it is named."""
    model = load_in("shops:\n  - {name: Market, owner: dev}\n", None)
    assert model.items[1].item.owner is None
    assert model.environment is None


def test_an_incomplete_model_names_its_environments(
    write: Callable[..., Path], types: Plugins
) -> None:
    """Who forgets --env is told so, besides what is missing."""
    file = write("foundry: A\nplatforms: [{name: P}]\nenvironments: {dev: {}, prod: {}}\n")
    with pytest.raises(ModelInvalidError) as caught:
        load_model([file], types)
    assert [f.rule.value for f in caught.value.findings] == [
        "model.missing-key",
        "environment.none",
    ]
    assert "dev, prod" in caught.value.findings[1].remedy


def test_an_unknown_environment_is_the_only_finding(find_in: Find) -> None:
    """What would follow from it is not said."""
    (found,) = find_in("shops: 5", "dve")
    assert (found.rule.value, found.path) == ("environment.unknown", "environments")
    assert "Did you mean 'dev'?" in found.remedy


@pytest.mark.parametrize(
    ("overlay", "place", "path", "words"),
    [
        ("shops:\n  - {name: Marcet, owner: x}", "4:9", "shops[2].source", "mean 'Market'"),
        ("shops:\n  - {name: Market, ownr: x}", "4:24", "shops[1].ownr", "mean 'owner'"),
        ("shops:\n  - {nam: Market}", "4:10", "shops[2].nam", "mean 'name'"),
        ("shosp: []", "3:5", "shosp", "mean 'shops'"),
        ("environments: {}", "3:5", "environments.dev.environments", "one level up"),
        ("without: {shops: [Nope]}", "3:23", "environments.dev.without.shops[0]", "Corner"),
        ("without: {shops: Market}", "3:15", "environments.dev.without.shops", "list of names"),
        ("without: [Market]", "3:5", "environments.dev.without", "mapping"),
        ("variables: {a: 1}", "3:17", "environments.dev.variables.a", "Declare it"),
        ("shops:\n  - {name: Market, owner: 5}", "4:31", "shops[1].owner", "quotes"),
    ],
)
def test_what_is_wrong_with_an_environment_stands_in_it(
    find_in: Find, overlay: str, place: str, path: str, words: str
) -> None:
    """Each finding points into the environment and says what to do."""
    found = next(f for f in find_in(overlay) if f.path == path)
    assert str(found.place).endswith(f"dev.yaml:{place}")
    assert words in found.remedy


def test_two_items_of_one_name_are_refused(find_in: Find) -> None:
    """The second one is not merged in silence."""
    found = find_in("shops:\n  - {name: Market, owner: a}\n  - {name: Market, owner: b}\n")
    assert "the name 'Market' is used already" in "\n".join(map(str, found))


def test_an_environment_stands_in_one_file(write: Callable[..., Path], types: Plugins) -> None:
    """Each environment may have a file of its own, but only one."""
    write(MODEL, "base.yaml")
    write("environments: {dev: {}}\n", "dev.yaml")
    folder = write("environments: {prod: {}, dev: {}}\n", "prod.yaml").parent
    with pytest.raises(ModelInvalidError, match=r"prod\.yaml:1:26: environments\.dev: key 'dev'"):
        load_model([folder], types)
    write("environments: {prod: {}}\n", "prod.yaml")
    assert load_model([folder], types, environment="prod").environment == "prod"
