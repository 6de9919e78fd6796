"""A model is loaded from files, and everything that is wrong with it is told at once."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from dagfoundry.errors import ModelInvalidError
from dagfoundry.model import LoadedModel, load_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dagfoundry.errors import Finding
    from dagfoundry.plugins import Plugins

    Load = Callable[..., LoadedModel]
    Findings = Callable[..., tuple[Finding, ...]]

SHOPS = """\
shops:
  - name: Corner
    owner: data-platform
    source: {url_variable: SOURCE_URL}
    schedule: "*/30 * * * *"
    datasets:
      - {name: sales, key: [id]}
  - name: Market
    source: {driver: sqlite, database: market.db}
    enabled: false
"""


def test_a_good_model_is_loaded(load: Load) -> None:
    """Foundry, items and files are there; outside git there is no commit."""
    model = load(SHOPS)
    assert model.foundry.foundry == "Quickstart"
    assert [item.item.name for item in model.items] == ["Corner", "Market"]
    assert {item.factory_type for item in model.items} == {"shop"}
    assert [path.name for path in model.files] == ["model.yaml"]
    assert model.commit is None


def test_an_item_knows_its_path_and_places(load: Load) -> None:
    """A place of an item, of a value in it, and of the nearest value there is."""
    model = load(SHOPS)
    corner, market = model.items
    assert (corner.path, market.path) == ("shops[0]", "shops[1]")
    assert (corner.place().line, corner.place().column) == (6, 5)
    assert str(corner.place("datasets", 0, "key")).endswith("model.yaml:11:28")
    assert corner.place("datasets", 7, "key") == corner.place("datasets")


def test_a_model_knows_the_place_of_its_values(load: Load) -> None:
    """A value that the model does not write has no place."""
    model = load(SHOPS)
    place = model.place("platforms", 0, "name")
    assert place is not None
    assert (place.line, place.column) == (3, 11)
    assert model.place("buckets") is None


def test_a_section_without_items_is_no_fault(load: Load) -> None:
    """A section whose items are all commented out is empty."""
    assert load("shops:\n  # - name: later\nrecipes: []\n").items == ()


def test_all_findings_come_in_the_order_of_the_text(findings: Findings) -> None:
    """Faults of the foundry, of the YAML and of items are reported together."""
    found = findings(
        """\
        bukets: 3
        shops:
          - name: 1st
            source: {url_variable: SOURCE_URL}
            source: {url_variable: OTHER_URL}
          - {name: second}
        """
    )
    assert [(f.place.line, f.place.column, f.path) for f in found if f.place] == [
        (5, 1, "bukets"),
        (7, 11, "shops[0].name"),
        (9, 5, "shops[0].source"),
        (10, 5, "shops[1].source"),
    ]


def test_a_model_without_foundry_or_platforms_is_refused(findings: Findings) -> None:
    """What is missing altogether is placed where the file begins."""
    found = findings("shops: []\n", head="")
    assert [(f.path, str(f.place).rpartition("model.yaml")[2]) for f in found] == [
        ("foundry", ":1:1"),
        ("platforms", ":1:1"),
    ]
    assert "key 'foundry' is missing" in found[0].what


def test_lists_of_several_files_are_joined(write: Callable[..., Path], types: Plugins) -> None:
    """Paths count over all files; places name the file."""
    write("foundry: Many\nplatforms: [{name: A, merge_store: {url_variable: X}}]\n", "a.yaml")
    write("shops:\n  - {name: one, source: {url_variable: S}}\n", "b.yml")
    folder = write("shops:\n  - {name: two, source: {url_variable: S}}\n", "sub/c.yaml").parents[1]
    write("platforms: [{name: B, merge_store: {url_variable: X}}]\n", "sub/d.yaml")
    model = load_model([folder], types)
    assert [item.path for item in model.items] == ["shops[0]", "shops[1]"]
    assert [platform.name for platform in model.foundry.platforms] == ["A", "B"]
    assert model.items[1].place("name").file == str(folder / "sub" / "c.yaml")


def test_a_value_may_stand_in_one_file_only(write: Callable[..., Path], types: Plugins) -> None:
    """The second of two values names the place of the first."""
    first = write("foundry: A\nplatforms: [{name: A, merge_store: {url_variable: X}}]\n", "a.yaml")
    second = write("foundry: A\n", "b.yaml")
    with pytest.raises(ModelInvalidError) as caught:
        load_model([first, second], types)
    (found,) = caught.value.findings
    assert str(found.place) == f"{second}:1:1"
    assert f"{first}:1:1" in found.what


def test_a_list_and_a_mapping_cannot_be_joined(write: Callable[..., Path], types: Plugins) -> None:
    """A section that is a list in one file must be one in the others."""
    first = write("foundry: A\nplatforms: [{name: A, merge_store: {url_variable: X}}]\n", "a.yaml")
    second = write("platforms: {name: B}\n", "b.yaml")
    with pytest.raises(ModelInvalidError, match="only lists and `environments` may be spread"):
        load_model([first, second], types)


def test_broken_files_are_reported_together(write: Callable[..., Path], types: Plugins) -> None:
    """One finding per file that cannot be read; rules of the model wait."""
    files = [write("", "a.yaml"), write("a: [", "b.yaml"), write("- a\n", "c.yaml")]
    with pytest.raises(ModelInvalidError) as caught:
        load_model([*files, files[0].with_name("gone.yaml")], types)
    found = {f.place.file if f.place else "": f.what for f in caught.value.findings}
    assert "empty" in found[str(files[0])]
    assert "malformed YAML" in found[str(files[1])]
    assert "a list, not a mapping" in found[str(files[2])]
    assert "gone.yaml" in found[""]


def test_a_model_must_be_named(types: Plugins) -> None:
    """Without any path there is one clear error."""
    with pytest.raises(ModelInvalidError, match="no model is named"):
        load_model([], types)


def test_the_garbage_collector_runs_again_afterwards(load: Load, findings: Findings) -> None:
    """Loading pauses the collector, also when it fails, and leaves a stopped one alone."""
    load(SHOPS)
    findings("shops: 5\n")
    assert gc.isenabled()
    gc.disable()
    try:
        load(SHOPS)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_ten_thousand_items_are_loaded(load: Load) -> None:
    """Names are compared without comparing each to each."""
    items = "".join(
        f"  - {{name: shop_{n}, source: {{url_variable: S}}, platforms: [YellowLive]}}\n"
        for n in range(10_000)
    )
    assert len(load(f"shops:\n{items}").items) == 10_000
