"""Which entry writes a dataset, who reads it, and what is wrong between them."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Final

from dagfoundry.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dagfoundry.drafts import Drafted
    from dagfoundry.errors import Finding

LINEAGE_KEYS: Final = frozenset({"input_dag_ids", "input_dataset_list"})
"""Keys of config_json that :func:`lineage_keys` writes."""

Address = tuple[str, str]
"""Platform and dataset (``Store#dataset``)."""


def find_producers(drafts: Sequence[Drafted], findings: list[Finding]) -> dict[Address, str]:
    """Map every dataset of every platform to the DAG id of the one entry that writes it.

    Two datasets whose tables would have one name, such as ``A#b_c`` and ``A_b#c``, are
    refused as well.
    """
    producers: dict[Address, str] = {}
    tables: dict[Address, str] = {}
    for drafted in drafts:
        for dataset in drafted.draft.produces:
            platform = drafted.platform.name
            owner = producers.setdefault((platform, dataset), drafted.dag_id)
            namesake = tables.setdefault((platform, dataset.replace("#", "_").lower()), dataset)
            if owner != drafted.dag_id:
                what = f"dataset {dataset!r} is written by DAG {owner!r} already"
                remedy = "Let one entry write a dataset."
                findings.append(drafted.finding(what, remedy, Rule.LINEAGE_OWNER))
            elif namesake != dataset:
                what = f"dataset {dataset!r} has the same table as {namesake!r}"
                remedy = "Rename the store or the dataset."
                findings.append(drafted.finding(what, remedy, Rule.LINEAGE_OWNER))
    return producers


def lineage_keys(
    drafted: Drafted, producers: Mapping[Address, str], findings: list[Finding]
) -> dict[str, list[str]]:
    """Return the row's lineage keys, with the DAG ids that really exist (defect D3)."""
    if not drafted.draft.consumes:
        return {}
    dag_ids: dict[str, None] = {}
    for dataset in drafted.draft.consumes:
        dag_id = producers.get((drafted.platform.name, dataset))
        if dag_id is not None:
            dag_ids[dag_id] = None
            continue
        what = f"nothing on platform {drafted.platform.name!r} writes dataset {dataset!r}"
        remedy = "Write it as Store.dataset of a store or transformer on that platform."
        findings.append(drafted.finding(what, remedy, Rule.LINEAGE_MISSING))
    return {"input_dag_ids": list(dag_ids), "input_dataset_list": list(drafted.draft.consumes)}


def find_circles(drafts: Sequence[Drafted], producers: Mapping[Address, str]) -> Iterator[Finding]:
    """Yield a finding when DAGs wait for each other's datasets."""
    graph = {
        drafted.dag_id: {
            producers[drafted.platform.name, dataset]
            for dataset in drafted.draft.consumes
            if (drafted.platform.name, dataset) in producers
        }
        for drafted in drafts
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = error.args[1]
        what = f"these DAGs wait for each other: {' -> '.join(circle)}"
        culprit = next(drafted for drafted in drafts if drafted.dag_id in circle)
        yield culprit.finding(what, "Take one of these inputs away.", Rule.LINEAGE_CIRCLE)
