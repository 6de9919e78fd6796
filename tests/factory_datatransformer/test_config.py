"""Transformers as a model writes them, and as rows store them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from dagfoundry_datatransformer.config import TransformerConfig, TransformerItem

OUTPUT = {"name": "totals", "key": ["origin"], "sql": "SELECT 1 AS origin"}


def item(**changes: Any) -> TransformerItem:  # noqa: ANN401 - values of a model
    """Return a transformer, with changes."""
    values = {"name": "Report", "inputs": ["Ops.flights"], "outputs": [OUTPUT], **changes}
    return TransformerItem.model_validate(values)


def test_a_list_of_inputs_takes_the_datasets_names() -> None:
    """In a list the alias is the dataset's name; a mapping gives another."""
    listed = item(inputs=["Ops.flights", "Ref.airlines"])
    assert listed.inputs == {"flights": "Ops.flights", "airlines": "Ref.airlines"}
    assert item(inputs={"f": "Ops.flights"}).inputs == {"f": "Ops.flights"}


def test_the_output_store_is_the_transformers_name() -> None:
    """Without output_store the outputs belong to a store of the transformer's name."""
    assert item().store == "Report"
    assert item(output_store="Reports").store == "Reports"


@pytest.mark.parametrize(
    ("changes", "path", "said"),
    [
        ({"inputs": ["A.flights", "B.flights"]}, "inputs", "A.flights and B.flights have one name"),
        ({"inputs": {"f": "A.a", "F": "A.b"}}, "inputs", "'f' and 'F' are the same"),
        ({"inputs": ["flights"]}, "inputs", "'flights' does not name a dataset"),
        ({"inputs": {"f": "flights"}}, "inputs.f", "does not name a dataset"),
        ({"schedule": "61 * * * *"}, "schedule", "is no cron expression"),
        ({"outputs": []}, "outputs", "there are no outputs"),
        ({"outputs": [OUTPUT, {**OUTPUT, "name": "Totals"}]}, "outputs", "'totals' and 'Totals'"),
        ({"outputs": [{**OUTPUT, "key": []}]}, "outputs.0.key", "there are no key columns"),
        ({"outputs": [{**OUTPUT, "key": ["a", "A"]}]}, "outputs.0.key", "'a' and 'A'"),
        (
            {"outputs": [{**OUTPUT, "sql": "DROP TABLE t"}]},
            "outputs.0.sql",
            "is no SELECT statement",
        ),
        ({"outputs": [{"name": "totals", "key": ["a"]}]}, "", "'totals' has no sql"),
        ({"python": "report"}, "", "'totals' has sql, but python 'report' makes it"),
        ({"python": "package.module:report"}, "python", "is no name of a Python transformer"),
        ({"color": "red"}, "color", "Extra inputs are not permitted"),
    ],
)
def test_refuses_what_could_not_run(changes: dict[str, Any], path: str, said: str) -> None:
    """Each mistake is one error at its place."""
    with pytest.raises(ValidationError) as refused:
        item(**changes)
    (error,) = refused.value.errors()
    assert ".".join(map(str, error["loc"])) == path
    assert said in error["msg"]


REFERENCE_ROW = {
    "namespace_name": "ns-yellow",
    "platform_name": "yellowlive",
    "original_platform_name": "YellowLive",
    "workspace_name": "MaskedStoreGenerator",
    "output_datastore_name": "MaskedCustomers",
    "input_dag_ids": ["yellowlive__Store1#customers_ingestion", "yellowlive__Raw_dt_ingestion"],
    "priority": 3,
    "input_dataset_list": ["Store1#customers", "Raw#rows"],
    "output_dataset_list": ["customers"],
    "job_limits": {"requested_memory": "512M"},
}


@pytest.mark.parametrize("schedule", [{}, *({"schedule_string": s} for s in (None, "", "None"))])
def test_reads_a_row_of_the_reference(schedule: dict[str, Any]) -> None:
    """Rows of a reference deployment are read, with each way to write no schedule (D7)."""
    config = TransformerConfig.model_validate({**REFERENCE_ROW, **schedule})
    assert config.schedule_string is None
    assert config.input_dataset_list == ("Store1#customers", "Raw#rows")
    assert config.produces == ("MaskedCustomers#customers",)
    assert config.dagfoundry.outputs == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"schedule_string": "often"},
        {"workspace_name": None},
        {"dagfoundry": {"outputs": [{"name": "a", "sql": "DROP TABLE t"}]}},
        {"dagfoundry": {"python": "os.system"}},
    ],
)
def test_refuses_a_row_that_could_not_run(changes: dict[str, Any]) -> None:
    """A row edited by hand is checked as strictly as a model."""
    with pytest.raises(ValidationError):
        TransformerConfig.model_validate({**REFERENCE_ROW, **changes})
