"""A few lines of a model are enough to get rows to check."""

from __future__ import annotations

import importlib.util

import pytest

from dagfoundry.errors import CheckImpossibleError, FactoryTypeMissingError, ModelInvalidError
from dagfoundry.plugins import load_plugins
from dagfoundry.testing import check_deterministic, rows_of_config, rows_of_model

STORES = """
    stores:
      - name: Sales
        platforms: [Testing]
        source: {url_variable: SALES_URL}
        datasets: [{name: orders, key: [id]}]
"""
PLATFORMS = """
platforms:
  - {name: Own, merge_store: {url_variable: OWN_URL}}
"""
ITEM = {"name": "Sales", "source": {"url_variable": "SALES_URL"}, "datasets": [{"name": "orders"}]}


def test_items_of_one_section_make_all_rows_of_a_foundry() -> None:
    """Its infrastructure, its factory and its entry."""
    rows = rows_of_model(STORES, load_plugins())
    assert [(row.kind.value, row.factory_type, row.key) for row in rows] == [
        ("infrastructure", "", ""),
        ("factory", "platform", ""),
        ("entry", "platform", "Sales"),
    ]


def test_a_models_own_platforms_are_kept() -> None:
    """Only what is missing is added."""
    rows = rows_of_model({"stores": [ITEM], "foundry": "Mine"}, load_plugins())
    assert {row.foundry for row in rows} == {"Mine"}
    rows = rows_of_model(
        PLATFORMS + STORES.replace("Testing", "Own").replace("\n    ", "\n"), load_plugins()
    )
    assert {row.platform_name for row in rows} == {"", "Own"}


def test_a_finding_names_a_line_of_the_models_own_text() -> None:
    """What is added stands in a file of its own."""
    with pytest.raises(ModelInvalidError, match=r"model.yaml:5:5: .*surce"):
        rows_of_model(STORES.replace("source", "surce"), load_plugins())


def test_a_config_makes_one_row() -> None:
    """It is the whole config_json."""
    (row,) = rows_of_config("platform", {"stream_key": "a"}, load_plugins())
    assert row.config() == {"stream_key": "a"}
    assert row.dag_id == "testing__Example_ingestion"


def test_an_unknown_type_is_refused() -> None:
    """A plugin that is not installed cannot be checked."""
    with pytest.raises(FactoryTypeMissingError, match="nowhere"):
        check_deterministic("nowhere", config={})


def test_a_check_of_nothing_is_refused() -> None:
    """A model that makes no entry of the type proves nothing about it."""
    with pytest.raises(CheckImpossibleError, match="no entry of factory type 'datatransformer'"):
        check_deterministic("datatransformer", model=STORES)


@pytest.mark.skipif(
    importlib.util.find_spec("dagfoundry_airflow") is not None,
    reason="dagfoundry-airflow is installed, so DAGs can be built",
)
def test_without_airflow_a_check_says_what_to_install() -> None:
    """Core alone can build no DAG."""
    with pytest.raises(CheckImpossibleError, match="pip install dagfoundry-airflow"):
        check_deterministic("platform", model=STORES)
