"""Plugins are found, checked and called one by one; a broken one takes nobody with it."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from dagfoundry.errors import FactoryTypeMissingError
from dagfoundry.factories import EntryTable, FactoryType
from dagfoundry.plugins import PluginFailure, Plugins, load_plugins
from dagfoundry.plugins_records import record_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Load = Callable[..., Plugins]

DATA = Path(__file__).parents[1] / "plugins" / "data"


@pytest.fixture(autouse=True)
def _little_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Wait no longer than needed for the plugin that hangs, and know of none that did."""
    monkeypatch.setattr("dagfoundry.plugins_loading.LOAD_SECONDS", 1.0)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Load the plugins of some folders as if their distributions were installed."""

    def installed(*folders: str) -> Plugins:
        for folder in reversed(folders):
            monkeypatch.syspath_prepend(DATA / folder)
        load_plugins.cache_clear()
        return load_plugins()

    modules = set(sys.modules)
    yield installed
    load_plugins.cache_clear()
    for name in [name for name in sys.modules if name not in modules and "_plugin" in name]:
        del sys.modules[name]


def failure_of(plugins: Plugins, distribution: str) -> PluginFailure:
    """Return the one failure of a distribution."""
    (failure,) = [f for f in plugins.failures if f.distribution == distribution]
    return failure


def test_an_installed_plugin_offers_its_type(load: Load) -> None:
    """A type is listed with the distribution and version that offer it."""
    plugins = load("good")
    hello = plugins.types["hello"]
    assert (hello.distribution, hello.version, hello.entry_point) == (
        "dagfoundry-hello",
        "1.0",
        "hello",
    )
    assert plugins.type("hello") is hello.type
    assert plugins.sections["greetings"] == "hello"


def test_types_come_in_the_order_of_their_names(load: Load) -> None:
    """The order of types does not depend on the order of the path."""
    plugins = load("broken", "good")
    assert list(plugins.types) == sorted(plugins.types)


def test_plugins_are_loaded_once(load: Load) -> None:
    """A second call gives the same record."""
    assert load("good") is load_plugins()


def test_the_first_of_two_copies_of_a_distribution_counts(load: Load) -> None:
    """A distribution that is on the path twice is read once, as Python would import it."""
    plugins = load("good", "older")
    assert plugins.types["hello"].version == "1.0"
    assert not [f for f in plugins.failures if f.distribution == "dagfoundry-hello"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("importerror", ["ModuleNotFoundError", "package_that_is_not_installed", "_plugin.py:3"]),
        ("exits", ["SystemExit", "this plugin ends the process"]),
        ("module", ["ModuleNotFoundError", "module_that_is_not_there"]),
        ("attribute", ["AttributeError", "nothing"]),
        ("signature", ["context", "can not be found in the hookspec"]),
        ("misspelt", ["typos", "Rename it to dagfoundry_register_factory_types."]),
        ("undecorated", ["no hook", "@dagfoundry.hookimpl"]),
        ("raises", ["KeyError", "missing setting", "raises_plugin.py:9"]),
        ("generator", ["generator", "not a list"]),
        ("nothing", ["NoneType", "not a list"]),
        ("hangs", ["hangs when it is loaded", "not done after 1 s", "hangs_plugin.py:"]),
    ],
)
def test_a_broken_plugin_is_named(load: Load, name: str, words: list[str]) -> None:
    """A failure names distribution, version, entry point and what is wrong."""
    failure = failure_of(load("good", "broken"), f"bad-{name}")
    assert (failure.version, failure.entry_point) == ("0.1", name)
    assert [word for word in words if word not in failure.error] == []


def test_a_broken_list_of_entry_points_is_named(load: Load) -> None:
    """A distribution whose entry_points.txt cannot be parsed is a failure of its own."""
    failure = failure_of(load("broken"), "bad-metadata")
    assert "entry_points.txt cannot be read" in failure.error


def test_a_plugin_for_another_version_is_named_and_not_loaded(load: Load) -> None:
    """What it needs and what is installed are said, also of one that offers no factory type."""
    failure = failure_of(load("broken"), "bad-misfit")
    assert "it needs dagfoundry<0.1,>=0.0.5, and dagfoundry 0.1.0 is installed" in failure.error
    assert "pip check" in failure.error


def test_a_plugin_that_hung_is_not_waited_for_again(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next process says the same at once, until the note is old or it is installed anew."""
    first = failure_of(load("broken"), "bad-hangs").error
    monkeypatch.setattr("dagfoundry.plugins_loading.LOAD_SECONDS", 300.0)
    again = load("broken")
    assert failure_of(again, "bad-hangs").error == first
    monkeypatch.setattr("dagfoundry.plugins_hung.NOTE_SECONDS", 0.0)
    monkeypatch.setattr("dagfoundry.plugins_loading.LOAD_SECONDS", 0.5)
    assert "not done after 0.5 s" in failure_of(load("broken"), "bad-hangs").error


def test_a_folder_of_somebody_else_is_not_trusted(load: Load, tmp_path: Path) -> None:
    """Without a folder of its own for notes a process waits, and says the same."""
    (tmp_path / f"dagfoundry-{os.getuid()}").symlink_to(tmp_path)
    assert "not done after 1 s" in failure_of(load("broken"), "bad-hangs").error
    assert [file.name for file in tmp_path.iterdir()] == [f"dagfoundry-{os.getuid()}"]


def test_which_distributions_work_is_known(load: Load) -> None:
    """One that is broken in part does not work."""
    works = load("good", "broken").works()
    assert works["dagfoundry-hello"]
    assert not works["bad-record"]
    assert not works["bad-hangs"]


def test_a_stranger_with_broken_metadata_is_ignored(load: Load) -> None:
    """A distribution without the group is no plugin, whatever is wrong with it."""
    assert "stranger" not in {f.distribution for f in load("broken").failures}


def test_broken_plugins_take_nobody_with_them(load: Load) -> None:
    """Types of other plugins, and the good ones of a half-good plugin, stay."""
    plugins = load("good", "broken")
    assert {"hello", "survivor"} <= set(plugins.types)


def test_a_bad_record_lists_all_that_is_wrong(load: Load) -> None:
    """One failure per bad record, with every broken rule."""
    failures = [f for f in load("good", "broken").failures if f.distribution == "bad-record"]
    number, wrong = (failure.error for failure in failures)
    assert "item 0 of its list is int, not a FactoryType" in number
    for words in (
        "name 'infrastructure' is reserved",
        "summary is empty",
        "section 'platforms' is reserved",
        "item is no subclass of dagfoundry.SectionItem",
        "draft cannot be called",
        "config refuses unknown keys",
        "table.suffix 'Bad-Table'",
        "table.key_column 'status' is reserved",
        "dag_id '{platform}_{entry}' must hold exactly {key} and {platform}",
        "factory_dag_id '{platform} factory' holds a character",
        "factory_tags is no tuple",
    ):
        assert words in wrong


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"name": "Has Space"}, "name 'Has Space' is not a lower-case word"),
        ({"name": 5}, "name 5 is not a lower-case word"),
        ({"dag_id": "{platform}{"}, "dag_id '{platform}{' is no pattern"),
        ({"dag_id": 5}, "dag_id 5 is no pattern"),
        ({"dag_id": "{platform!r}{key}"}, "must hold exactly"),
        ({"table": SimpleNamespace(suffix="rows")}, "table is no dagfoundry.EntryTable"),
        ({"config": dict}, "config is no pydantic model"),
        ({"table": EntryTable(suffix="factory_dags")}, "'factory_dags' is reserved"),
        ({"check": None}, "check cannot be called"),
        ({"examples": [{}]}, "examples is no tuple"),
        ({"metric_labels": ("Bad Label",)}, "metric label 'Bad Label' is not a lower-case word"),
        ({"metric_labels": ("status",)}, "metric label 'status' is there already"),
    ],
)
def test_each_rule_of_a_record_is_checked(
    load: Load, overrides: dict[str, object], words: str
) -> None:
    """A record that breaks one rule is refused with that rule."""
    load("good")
    factory_type = importlib.import_module("hello_plugin").factory_type
    error = record_error(factory_type(**overrides), 0)
    assert error is not None
    assert words in str(error)


@pytest.mark.parametrize(
    ("folder", "owners", "words"),
    [
        ("clash_type", ["alpha", "beta"], "factory type 'twin'"),
        ("clash_section", ["gamma", "delta"], "section 'shared'"),
        ("clash_table", ["eps", "zeta"], "table suffix 'rows'"),
    ],
)
def test_a_clash_disables_both_and_names_both(
    load: Load, folder: str, owners: list[str], words: str
) -> None:
    """What two distributions claim belongs to neither; others are untouched."""
    plugins = load("good", folder)
    assert {"twin", "gamma", "delta", "eps", "zeta"}.isdisjoint(plugins.types)
    assert "hello" in plugins.types
    for owner in owners:
        error = failure_of(plugins, f"dagfoundry-{owner}").error
        assert words in error
        assert f"dagfoundry-{owners[0]} 1.0" in error
        assert f"dagfoundry-{owners[1]} 2.1" in error


def test_a_missing_type_names_what_is_there_and_what_failed(load: Load) -> None:
    """The error lists installed types with their owners and the failures."""
    plugins = load("good", "clash_type")
    with pytest.raises(FactoryTypeMissingError) as caught:
        plugins.type("twin")
    text = str(caught.value)
    assert "factory type 'twin' is not installed" in text
    assert "hello of dagfoundry-hello 1.0" in text
    assert "Failed to load: dagfoundry-beta 2.1 (beta)" in text


def test_nothing_installed_is_said_so() -> None:
    """Without any plugin the error says that no type is installed."""
    with pytest.raises(FactoryTypeMissingError, match="no factory type"):
        Plugins(types={}).type("hello")


def test_a_type_is_a_factory_type(load: Load) -> None:
    """What a caller gets is the plugin's own record."""
    assert isinstance(load("good").type("hello"), FactoryType)
