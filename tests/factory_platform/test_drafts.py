"""How a store of the model becomes rows, and what a model cannot write."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dagfoundry import PlatformContext
from dagfoundry.model.schema import FoundryModel
from dagfoundry_platform.config import StoreItem, StreamConfig
from dagfoundry_platform.drafts import draft_store

FOUNDRY = FoundryModel.model_validate(
    {
        "foundry": "Test",
        "platforms": [{"name": "YellowLive", "merge_store": {"url_variable": "MERGE_URL"}}],
    }
)
CONTEXT = PlatformContext(foundry=FOUNDRY, platform=FOUNDRY.platforms[0])

STORE: dict[str, Any] = {
    "name": "Shop",
    "source": {
        "driver": "postgresql",
        "hostname": "db",
        "database": "shop",
        "credential": "orders_db",
    },
    "schedule": "*/10 * * * *",
    "datasets": [
        {"name": "customers", "key": ["id"]},
        {"name": "orders", "key": ["number", "line"], "table": "orders_2024"},
    ],
}

names = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,20}", fullmatch=True)
items = st.builds(
    lambda name, ingestion, datasets, schedule: StoreItem.model_validate(
        {
            **STORE,
            "name": name,
            "ingestion": ingestion,
            "schedule": schedule,
            "datasets": [{"name": dataset} for dataset in datasets],
        }
    ),
    names,
    st.sampled_from(["multi", "single"]),
    st.lists(names, min_size=1, max_size=5, unique_by=str.lower),
    st.sampled_from([None, "0 6 * * *", "@daily"]),
)


def store(**changes: object) -> StoreItem:
    """Return a store of the model, with changes."""
    return StoreItem.model_validate({**STORE, **changes})


def test_row_of_a_whole_store_has_the_references_keys() -> None:
    """Keys, values and their order are the reference's; ours stand under one key."""
    (draft,) = draft_store(store(), CONTEXT)
    assert draft.key == "Shop"
    assert draft.produces == ("Shop#customers", "Shop#orders")
    assert list(draft.config) == [
        "stream_key",
        "priority",
        "single_dataset",
        "datasets",
        "store_name",
        "ingestion_type",
        "schedule_string",
        "job_limits",
        "source_credential_secret_name",
        "dagfoundry",
    ]
    assert draft.config["datasets"] == ["customers", "orders"]
    assert draft.config["ingestion_type"] == "sql_source"
    assert draft.config["source_credential_secret_name"] == "orders-db"
    assert draft.config["job_limits"] == {
        "requested_memory": "256M",
        "limits_memory": "1Gi",
        "requested_cpu": "100m",
        "limits_cpu": "500m",
    }
    assert draft.config["dagfoundry"] == {
        "source": STORE["source"],
        "datasets": STORE["datasets"],
    }


def test_single_ingestion_makes_a_row_for_each_dataset() -> None:
    """Each stream has a key, a dataset and a place in the model of its own (D2)."""
    drafts = draft_store(store(ingestion="single"), CONTEXT)
    assert [draft.key for draft in drafts] == ["Shop_customers", "Shop_orders"]
    assert [draft.produces for draft in drafts] == [("Shop#customers",), ("Shop#orders",)]
    assert [draft.path for draft in drafts] == [("datasets", 0), ("datasets", 1)]
    assert [draft.config["dataset_name"] for draft in drafts] == ["customers", "orders"]
    assert [draft.config["datasets"] for draft in drafts] == [["customers"], ["orders"]]
    assert all(draft.config["single_dataset"] for draft in drafts)


def test_store_without_a_schedule_has_no_schedule_key() -> None:
    """Nothing that a reader could take for a cron expression is written (D7)."""
    (draft,) = draft_store(store(schedule=None), CONTEXT)
    assert "schedule_string" not in draft.config


def test_limits_and_priority_come_from_the_model() -> None:
    """What the model leaves out keeps its default."""
    item = store(priority=4, job_limits={"limits_memory": "4Gi"})
    (draft,) = draft_store(item, CONTEXT)
    assert draft.config["priority"] == 4
    assert draft.config["job_limits"]["limits_memory"] == "4Gi"
    assert draft.config["job_limits"]["requested_memory"] == "256M"


@given(item=items)
def test_every_draft_is_a_row_that_the_type_accepts(item: StoreItem) -> None:
    """Drafts are JSON, their keys differ, and together they produce each dataset once."""
    drafts = draft_store(item, CONTEXT)
    assert len({draft.key for draft in drafts}) == len(drafts)
    produced = [dataset for draft in drafts for dataset in draft.produces]
    assert produced == [f"{item.name}#{dataset.name}" for dataset in item.datasets]
    for draft in drafts:
        text = json.dumps({"platform_name": "yellowlive", **draft.config})
        config = StreamConfig.model_validate(json.loads(text))
        assert config.stream_key == draft.key
        assert config.produces == draft.produces
        assert config.schedule_string == item.schedule


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"datasets": []}, "at least 1 item"),
        ({"datasets": [{"name": "a"}, {"name": "A"}]}, "'a' and 'A' have the same tables"),
        ({"datasets": [{"name": "a", "key": ["x", "X"]}]}, "stands twice in the key"),
        ({"datasets": [{"name": "a b"}]}, "should match pattern"),
        ({"schedule": "61 * * * *"}, "no cron expression"),
        ({"ingestion": "some"}, "'multi' or 'single'"),
        ({"job_limits": {"limits_memory": "256 MB"}}, "should match pattern"),
        ({"source": {"driver": "postgresql"}}, "at least driver and database"),
        ({"password": "x"}, "Extra inputs are not permitted"),
    ],
)
def test_impossible_store_is_refused(changes: dict[str, Any], problem: str) -> None:
    """Each mistake of a model is named."""
    with pytest.raises(ValidationError, match=problem):
        store(**changes)
