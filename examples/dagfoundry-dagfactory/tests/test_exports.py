"""Rows become the items again that they were drafted from."""

from __future__ import annotations

import pytest

from dagfoundry import Entry, Status
from dagfoundry.plugins import load_plugins

pytestmark = pytest.mark.usefixtures("installed")


@pytest.mark.parametrize("index", [0, 1])
def test_an_export_is_the_inverse_of_a_draft(index: int) -> None:
    """What is exported drafts the same row."""
    offered = load_plugins().types["dagfactory"].type
    item = offered.item.model_validate(offered.examples[index])
    (draft,) = offered.draft(item, None)  # type: ignore[arg-type]  # it is the same on all
    entry = Entry(
        foundry="Acme",
        platform_name="Live",
        factory_type="dagfactory",
        key=draft.key,
        dag_id=f"live__{draft.key}_dagfactory",
        config=draft.config,
        status=Status.ACTIVE,
        revision=1,
    )
    assert offered.export is not None
    (exported,) = offered.export([entry])
    assert exported.keys == (draft.key,)
    assert offered.item.model_validate(exported.values) == item
