"""How rows become transformers of the model again."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dagfoundry import Entry, PlatformContext, Status
from dagfoundry.model.schema import FoundryModel
from dagfoundry_datatransformer.config import TransformerItem
from dagfoundry_datatransformer.drafts import draft_transformer
from dagfoundry_datatransformer.exports import export_transformers

FOUNDRY = FoundryModel.model_validate(
    {"foundry": "Test", "platforms": [{"name": "Live", "merge_store": {"url_variable": "URL"}}]}
)
CONTEXT = PlatformContext(foundry=FOUNDRY, platform=FOUNDRY.platforms[0])

transformers = st.fixed_dictionaries(
    {
        "name": st.just("Totals"),
        "outputs": st.just([{"name": "o", "key": ["id"], "sql": "SELECT 1 AS id"}]),
    },
    optional={
        "inputs": st.just(["Shop.orders", "Shop.lines"])
        | st.just({"a": "Shop.orders", "lines": "Shop.lines"}),
        "schedule": st.just("@daily"),
        "priority": st.sampled_from([0, 2, 4]),
        "output_store": st.just("Made"),
    },
)


def entry(item: dict[str, Any], **changes: Any) -> Entry:  # noqa: ANN401 - a row's keys
    """Return the row that a transformer becomes, with changes."""
    (draft,) = draft_transformer(TransformerItem.model_validate(item), CONTEXT)
    return Entry(
        foundry="Test",
        platform_name="Live",
        factory_type="datatransformer",
        key=draft.key,
        dag_id=draft.key,
        config={"platform_name": "live", **draft.config, **changes},
        status=Status.ACTIVE,
        revision=1,
    )


@given(item=transformers)
def test_export_is_the_inverse_of_draft(item: dict[str, Any]) -> None:
    """Inputs come back as a list where each alias is the dataset's name."""
    (exported,) = export_transformers([entry(item)])
    assert dict(exported.values) == item
    assert (exported.keys, exported.reason) == (("Totals",), "")


def test_a_python_transformer_comes_back() -> None:
    """It names its entry point and its outputs have no SQL."""
    item = {"name": "T", "python": "delay_report", "outputs": [{"name": "o", "key": ["id"]}]}
    (exported,) = export_transformers([entry(item)])
    assert dict(exported.values) == item


def test_a_row_of_the_reference_is_no_item() -> None:
    """It says neither SQL nor key columns."""
    item = {"name": "T", "python": "delay_report", "outputs": [{"name": "o", "key": ["id"]}]}
    (exported,) = export_transformers([entry(item, dagfoundry={})])
    assert exported.reason == "its row does not say how its outputs are made, nor their keys"
