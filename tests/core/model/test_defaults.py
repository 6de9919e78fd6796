"""Defaults: who takes over what, from where, and what is wrong with them."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from dagfoundry.errors import Finding
    from dagfoundry.model import LoadedModel

    Load = Callable[..., LoadedModel]
    Find = Callable[..., list[Finding]]

HEAD = """\
foundry: Quickstart
defaults:
  owner: foundry
  tags: [foundry]
  retries: 1
  shops: {schedule: "@daily", retries: 3, source: {driver: postgresql, hostname: h}}
platforms:
  - name: Live
    merge_store: {url_variable: MERGE_URL}
  - name: Slow
    merge_store: {url_variable: MERGE_URL}
    defaults:
      owner: slow
      retries: 2
      pool: slow
      shops: {schedule: "@weekly"}
"""
ITEMS = """\
shops:
  - {name: Corner, source: {database: corner}}
  - {name: Market, source: {database: market}, owner: me, pool: ~, tags: [mine], platforms: [Slow]}
recipes:
  - {name: Soup, inputs: []}
"""


def on(model: LoadedModel, platform: str, name: str) -> object:
    """Return an item in the form that it has on a platform."""
    (found,) = (i.item for i in model.items if i.item.name == name and i.runs_on(platform))
    return found


def test_the_more_special_default_wins(load: Load) -> None:
    """Foundry, platform, factory type, factory type of the platform, item."""
    model = load(ITEMS, HEAD)
    live, slow = on(model, "Live", "Corner"), on(model, "Slow", "Corner")
    assert (live.owner, live.retries, live.pool, live.schedule) == ("foundry", 3, None, "@daily")
    assert (slow.owner, slow.retries, slow.pool, slow.schedule) == ("slow", 3, "slow", "@weekly")
    soup = on(model, "Slow", "Soup")
    assert (soup.owner, soup.retries, soup.pool) == ("slow", 2, "slow")


def test_the_item_wins_and_null_takes_a_default_back(load: Load) -> None:
    """Lists are replaced, mappings merge."""
    market = on(load(ITEMS, HEAD), "Slow", "Market")
    assert (market.owner, market.pool, market.tags) == ("me", None, ("mine",))
    source = market.source
    assert (source.driver, source.hostname, source.database) == ("postgresql", "h", "market")


def test_an_item_has_one_form_for_each_set_of_defaults(load: Load) -> None:
    """Only platforms whose defaults differ make a second form; Market runs on one of them."""
    assert [(i.item.name, i.platforms) for i in load(ITEMS, HEAD).items] == [
        ("Corner", frozenset({"Live"})),
        ("Corner", frozenset({"Slow"})),
        ("Market", frozenset({"Slow"})),
        ("Soup", frozenset({"Live"})),
        ("Soup", frozenset({"Slow"})),
    ]
    same = HEAD[: HEAD.index("    defaults:")]
    assert [i.platforms for i in load(ITEMS, same).items] == [None, None, None]


def test_a_value_from_a_default_stands_there(load: Load) -> None:
    """Its place is in the defaults, the item's own values stay at the item."""
    corner = load(ITEMS, HEAD).items[1]
    assert (corner.place("schedule").line, corner.place("pool").line) == (16, 15)
    assert corner.place("source", "database").line == 18
    assert (corner.place().line, corner.place("source").line) == (18, 18)


@pytest.mark.parametrize(
    ("defaults", "place", "path", "words"),
    [
        ("{ownr: x}", "2:12", "defaults.ownr", "mean 'owner'"),
        ("{name: x}", "2:12", "defaults.name", "Allowed: enabled"),
        ("{retries: -1}", "2:21", "defaults.retries", "within the limit"),
        ("{shops: {mod: multi}}", "2:20", "defaults.shops.mod", "mean 'mode'"),
        ("{shops: {name: x}}", "2:20", "defaults.shops.name", "each item"),
        ("{shops: {mode: both}}", "2:26", "defaults.shops.mode", "Allowed: multi, single"),
        ("{shops: [a]}", "2:19", "defaults.shops", "Write a mapping"),
        ("[a]", "2:11", "defaults", "Write a mapping"),
    ],
)
def test_a_wrong_default_is_one_finding_where_it_stands(
    findings: Find, defaults: str, place: str, path: str, words: str
) -> None:
    """However many items take it over."""
    head = dedent(f"""\
        foundry: Quickstart
        defaults: {defaults}
        platforms: [{{name: Live, merge_store: {{url_variable: M}}}}]
        """)
    (found,) = findings(
        "shops:\n"
        "  - {name: Corner, source: {url_variable: S}}\n"
        "  - {name: Market, source: {url_variable: S}}\n",
        head,
    )
    assert (str(found.place).rpartition("model.yaml:")[2], found.path) == (place, path)
    assert words in found.remedy


def test_a_wrong_default_of_a_platform_is_found(findings: Find) -> None:
    """Defaults of a platform are checked like those of the foundry."""
    head = HEAD.replace("owner: slow", "onwer: slow")
    (found,) = findings(ITEMS, head)
    assert found.path == "platforms[1].defaults.onwer"
