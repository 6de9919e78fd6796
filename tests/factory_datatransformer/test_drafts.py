"""How a transformer of the model becomes a row."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dagfoundry import PlatformContext
from dagfoundry.model.schema import FoundryModel
from dagfoundry_datatransformer.config import TransformerConfig, TransformerItem
from dagfoundry_datatransformer.drafts import draft_transformer

FOUNDRY = FoundryModel.model_validate(
    {
        "foundry": "Test",
        "platforms": [{"name": "YellowLive", "merge_store": {"url_variable": "MERGE_URL"}}],
    }
)
CONTEXT = PlatformContext(foundry=FOUNDRY, platform=FOUNDRY.platforms[0])

names = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,20}", fullmatch=True)
datasets = st.builds("{}.{}".format, names, names)


def by_lower_case(name: Any) -> str:  # noqa: ANN401 - a name, or an output that has one
    """Return what a database makes of a name."""
    return str(name["name"] if isinstance(name, dict) else name).lower()


def outputs(sql: st.SearchStrategy[dict[str, str]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Return a strategy for outputs, each of another name."""
    keys = st.lists(names, min_size=1, max_size=3, unique_by=by_lower_case)
    one = st.builds(lambda name, key, rest: {"name": name, "key": key, **rest}, names, keys, sql)
    return st.lists(one, min_size=1, max_size=4, unique_by=by_lower_case)


texts = st.text(alphabet=st.characters(exclude_characters="'\0", exclude_categories=["Cs"]))
statements = texts.map(lambda text: {"sql": f"SELECT '{text}' AS a"})
in_sql = st.fixed_dictionaries({"outputs": outputs(statements)})
in_python = st.fixed_dictionaries({"python": names, "outputs": outputs(st.just({}))})
inputs = st.dictionaries(names, datasets, max_size=4).filter(
    lambda chosen: len({alias.lower() for alias in chosen}) == len(chosen)
)
items = st.builds(
    lambda common, how: TransformerItem.model_validate({**common, **how}),
    st.fixed_dictionaries(
        {"name": names, "inputs": inputs},
        optional={
            "schedule": st.just("0 6 * * *"),
            "output_store": names,
            "priority": st.integers(0, 4),
        },
    ),
    in_sql | in_python,
)


@given(items)
def test_a_row_says_all_that_the_model_says(item: TransformerItem) -> None:
    """What is stored as JSON reads back as what was written."""
    (draft,) = draft_transformer(item, CONTEXT)
    stored = {**json.loads(json.dumps(draft.config)), "platform_name": "yellowlive"}
    config = TransformerConfig.model_validate(stored)

    assert draft.key == config.workspace_name == item.name
    assert config.schedule_string == item.schedule
    assert config.priority == item.priority
    assert config.dagfoundry.python == item.python
    assert [o.model_dump() for o in config.dagfoundry.outputs] == [
        o.model_dump() for o in item.outputs
    ]
    assert config.dagfoundry.inputs == {
        alias: dataset.replace(".", "#") for alias, dataset in item.inputs.items()
    }


@given(items)
def test_reads_its_inputs_and_writes_its_outputs(item: TransformerItem) -> None:
    """Each input is consumed once, each output produced in the output store."""
    (draft,) = draft_transformer(item, CONTEXT)
    assert set(draft.consumes) == {d.replace(".", "#") for d in item.inputs.values()}
    assert len(draft.consumes) == len(set(draft.consumes))
    assert draft.produces == tuple(f"{item.store}#{output.name}" for output in item.outputs)


def test_a_row_has_the_references_keys() -> None:
    """The keys are those of the reference, and an absent schedule is an absent key."""
    item = TransformerItem.model_validate(
        {
            "name": "Report",
            "inputs": ["Ops.flights"],
            "outputs": [{"name": "totals", "key": ["origin"], "sql": "SELECT 1 AS origin"}],
        }
    )
    (draft,) = draft_transformer(item, CONTEXT)
    assert list(draft.config) == [
        "workspace_name",
        "output_datastore_name",
        "priority",
        "output_dataset_list",
        "job_limits",
        "output_job_limits",
        "dagfoundry",
    ]
