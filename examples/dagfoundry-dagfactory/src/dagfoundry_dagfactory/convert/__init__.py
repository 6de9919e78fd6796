"""From dag-factory's YAML to items of a model, or all reasons why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dagfoundry_dagfactory.convert.dags import convert_dag
from dagfoundry_dagfactory.convert.judging import judge
from dagfoundry_dagfactory.convert.names import named
from dagfoundry_dagfactory.convert.reading import read_dags, read_defaults
from dagfoundry_dagfactory.convert.report import Report

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

__all__ = ["Report", "convert"]


def convert(
    files: Sequence[Path],
    *,
    defaults: Sequence[Path] = (),
    without: Collection[str] = (),
    variables: Collection[str] = (),
) -> tuple[list[dict[str, Any]], Report]:
    """Return the items that dag-factory's YAML files become, and what there is to say.

    Args:
        files: YAML files of dag-factory.
        defaults: Files such as ``defaults.yml``, the least specific first.
        without: Names of DAGs to leave out.
        variables: Environment variables to replace by their values.
    """
    report = Report()
    common = read_defaults(defaults, report, variables)
    items: list[dict[str, Any]] = []
    for dag in named(read_dags(files, common, report, variables), without, report):
        item = convert_dag(dag, report)
        judge(dag, item, report)
        items.append(item)
    return items, report
