"""How rows become stores of the model again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagfoundry import Entry, ExportedItem, PlatformContext, Status
from dagfoundry.model.schema import FoundryModel
from dagfoundry_platform.config import StoreItem
from dagfoundry_platform.drafts import draft_store
from dagfoundry_platform.exports import export_streams

FOUNDRY = FoundryModel.model_validate(
    {"foundry": "Test", "platforms": [{"name": "Live", "merge_store": {"url_variable": "URL"}}]}
)
CONTEXT = PlatformContext(foundry=FOUNDRY, platform=FOUNDRY.platforms[0])

names = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,9}", fullmatch=True)
datasets = st.fixed_dictionaries(
    {"name": names},
    optional={
        "key": st.lists(names, min_size=1, max_size=3, unique_by=str.lower),
        "table": names,
        "source_schema": names,
    },
)
stores = st.fixed_dictionaries(
    {
        "name": names,
        "source": st.just({"url_variable": "SHOP_URL"}),
        "ingestion": st.sampled_from(["multi", "single"]),
        "datasets": st.lists(
            datasets, min_size=1, max_size=4, unique_by=lambda each: each["name"].lower()
        ),
    },
    optional={
        "source_schema": names,
        "schedule": st.just("@daily"),
        "priority": st.sampled_from([0, 2, 4]),
        "job_limits": st.just({"limits_cpu": "2"}),
    },
)


def entries(item: dict[str, Any], **changes: Any) -> list[Entry]:  # noqa: ANN401 - a row's keys
    """Return the rows that a store becomes, with changes to each of them."""
    return [
        Entry(
            foundry="Test",
            platform_name="Live",
            factory_type="platform",
            key=draft.key,
            dag_id=draft.key,
            config={"platform_name": "live", **draft.config, **changes},
            status=Status.ACTIVE,
            revision=1,
        )
        for draft in draft_store(StoreItem.model_validate(item), CONTEXT)
    ]


@given(items=st.lists(stores, max_size=3, unique_by=lambda item: item["name"].lower()))
def test_export_is_the_inverse_of_draft(items: list[dict[str, Any]]) -> None:
    """Single streams are joined to their store, and defaults are left out."""
    exported = export_streams([entry for item in items for entry in entries(item)])
    assert [dict(each.values) for each in exported] == items
    assert all(not each.reason for each in exported)


STORE = {
    "name": "Shop",
    "source": {"url_variable": "SHOP_URL"},
    "ingestion": "single",
    "datasets": [{"name": "a", "key": ["id"]}, {"name": "b", "key": ["id"]}],
}


def only(exported: list[ExportedItem]) -> ExportedItem:
    """Return the one item of an export."""
    (item,) = exported
    return item


@pytest.mark.parametrize(
    ("own", "reason"),
    [
        ({}, "its row does not say where the data come from (dagfoundry.source)"),
        (
            {"source": {"url_variable": "SHOP_URL"}},
            "its row does not say the tables and keys of its datasets",
        ),
    ],
)
def test_a_row_of_the_reference_is_no_item(own: dict[str, Any], reason: str) -> None:
    """It does not say what our model asks for."""
    item = only(export_streams(entries(STORE, dagfoundry=own)))
    assert (item.keys, item.reason) == (("Shop_a", "Shop_b"), reason)


def test_streams_of_a_store_that_differ_are_no_item() -> None:
    """A store has one schedule and one priority for all its streams."""
    first, second = entries(STORE)
    changed = entries(STORE, priority=3, schedule_string="@daily")[1]
    assert second.key == changed.key
    item = only(export_streams([first, changed]))
    assert item.reason == "the streams of store 'Shop' differ in priority, schedule"
