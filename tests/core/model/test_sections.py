"""Items are checked by the factory type of their section and against each other."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from dagfoundry.names import table_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from dagfoundry.errors import Finding
    from dagfoundry.model import LoadedModel

    FindOne = Callable[..., Finding]

SOURCE = "source: {url_variable: S}"


def test_an_unknown_section_says_who_offers_what(finding: FindOne) -> None:
    """The remedy lists installed sections with their owners, and what failed to load."""
    found = finding("pipelines: []\n")
    assert found.what == "unknown section 'pipelines': no installed factory type offers it"
    assert "Install the distribution that offers it." in found.remedy
    assert "`shops` by shop of dagfoundry-shop 1.0" in found.remedy
    assert "Failed to load: dagfoundry-lost 0.3 (lost): it could not be imported." in found.remedy
    assert (found.place.line, found.place.column) == (5, 1)


@pytest.mark.parametrize(("typo", "meant"), [("shop", "shops"), ("bucket", "buckets")])
def test_a_misspelt_section_is_recognised(finding: FindOne, typo: str, meant: str) -> None:
    """A near miss of a section or a key of the foundry is suggested."""
    assert f"Did you mean {meant!r}?" in finding(f"{typo}: []\n").remedy


@pytest.mark.parametrize("value", ["5", "{name: a}", "text"])
def test_a_section_must_be_a_list(finding: FindOne, value: str) -> None:
    """A section that holds no list is one finding at its value."""
    found = finding(f"shops: {value}\n")
    assert found.what.endswith("should be a list")
    assert (found.place.line, found.place.column) == (5, 8)


def test_a_check_of_a_plugin_that_fails_is_named(finding: FindOne) -> None:
    """An error in a plugin's validator names type, distribution and version."""
    found = finding("recipes:\n  - {name: a, inputs: [], factor: 0}\n")
    assert "recipe of dagfoundry-recipe 1.0 could not check this: ZeroDivisionError" in found.what
    assert found.path == "recipes[0]"


def test_two_items_of_one_name_are_refused(finding: FindOne) -> None:
    """The second of two names is told where the first stands."""
    found = finding(f"shops:\n  - {{name: a, {SOURCE}}}\n  - {{name: a, {SOURCE}}}\n")
    assert found.path == "shops[1].name"
    assert found.what.startswith("the name 'a' is used already, at ")
    assert found.what.endswith("model.yaml:6:12")


def test_items_with_the_same_normalised_name_are_refused(finding: FindOne) -> None:
    """Names that Kubernetes and DAG ids cannot tell apart clash."""
    found = finding(f"shops:\n  - {{name: My_Shop, {SOURCE}}}\n  - {{name: my__shop, {SOURCE}}}\n")
    assert found.path == "shops[1].name"
    assert "'my__shop' and 'My_Shop'" in found.what
    assert "(my-shop)" in found.what


def test_items_of_different_sections_may_share_a_name(load: Callable[..., LoadedModel]) -> None:
    """A name is unique within its section."""
    model = load(f"shops:\n  - {{name: a, {SOURCE}}}\nrecipes:\n  - {{name: a, inputs: []}}\n")
    assert [(loaded.section, loaded.item.name) for loaded in model.items] == [
        ("shops", "a"),
        ("recipes", "a"),
    ]


def test_platforms_with_the_same_normalised_name_are_refused(finding: FindOne) -> None:
    """Platforms whose DAG ids or tables would be the same clash."""
    head = """\
foundry: A
platforms:
  - {name: Yellow_Live, merge_store: {url_variable: X}}
  - {name: yellow-live, merge_store: {url_variable: X}}
"""
    found = finding("", head)
    assert found.path == "platforms[1].name"
    assert "get the same DAG ids (yellow-live)" in found.what


def test_two_platforms_of_one_name_are_refused(finding: FindOne) -> None:
    """The second of two platforms is told where the first stands."""
    head = "foundry: A\nplatforms:\n" + "  - {name: A, merge_store: {url_variable: X}}\n" * 2
    assert finding("", head).what.endswith("model.yaml:3:12")


def test_long_platform_names_that_share_a_table_are_refused(finding: FindOne) -> None:
    """Names that differ beyond a table name's 63 characters clash when its digest is the same."""
    seen: dict[str, str] = {}
    for number in count():
        name = f"p{'x' * 58}{number}"
        other = seen.setdefault(table_name(name, "shop_entries"), name)
        if other != name:
            break
    platforms = [f"  - {{name: {n}, merge_store: {{url_variable: X}}}}\n" for n in (other, name)]
    found = finding("", "foundry: A\nplatforms:\n" + "".join(platforms))
    assert "get the same table names (p" in found.what


def test_an_unknown_platform_is_refused(finding: FindOne) -> None:
    """An item on a platform that the foundry has not got names the nearest one."""
    found = finding(f"shops:\n  - {{name: a, {SOURCE}, platforms: [YelowLive]}}\n")
    assert found.what == "unknown platform 'YelowLive'"
    assert "Did you mean 'YellowLive'?" in found.remedy
    assert found.path == "shops[0].platforms[0]"


def test_a_platform_named_twice_is_refused(finding: FindOne) -> None:
    """An item runs on a platform once."""
    found = finding(f"shops:\n  - {{name: a, {SOURCE}, platforms: [YellowLive, YellowLive]}}\n")
    assert found.path == "shops[0].platforms[1]"


def test_a_platform_that_is_no_name_is_one_finding(finding: FindOne) -> None:
    """What is wrong with its kind is not said twice."""
    found = finding(f"shops:\n  - {{name: a, {SOURCE}, platforms: [5]}}\n")
    assert found.what == "5 should be a valid string"


def test_a_platform_that_is_wrong_otherwise_is_known(finding: FindOne) -> None:
    """One fault of a platform does not make its name unknown to all items."""
    head = "foundry: A\nplatforms:\n  - {name: P, merge_store: 5}\n"
    found = finding(f"shops:\n  - {{name: a, {SOURCE}, platforms: [P]}}\n", head)
    assert found.path == "platforms[0].merge_store"
