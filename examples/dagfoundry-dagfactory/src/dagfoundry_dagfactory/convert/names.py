"""The names of items: those of the DAGs, as far as a model takes them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from dagfoundry.names import NAME_PATTERN

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from dagfoundry_dagfactory.convert.reading import ReadDag
    from dagfoundry_dagfactory.convert.report import Report

_OTHER: Final = "Leave one of them out with --without NAME, or rename it."


def named(dags: Iterable[ReadDag], without: Collection[str], report: Report) -> list[ReadDag]:
    """Return the DAGs that are wanted, each with a name that a model takes."""
    taken: dict[str, ReadDag] = {}
    left_out: set[str] = set()
    for dag in dags:
        if dag.name in without:
            left_out.add(dag.name)
            continue
        item = _item_name(dag.name)
        if item in taken:
            report.refuse(dag.where, f"{taken[item].where} becomes item {item!r} too", _OTHER)
            continue
        if item != dag.name:
            report.note(dag.where, f"its item is named {item!r}; the UI shows the old name")
        taken[item] = replace(dag, item=item)
    for name in sorted(set(without) - left_out):
        report.refuse(name, "no file has a DAG of this name", "Correct --without.")
    return list(taken.values())


def _item_name(name: str) -> str:
    if re.fullmatch(NAME_PATTERN, name):
        return name
    word = re.sub(r"[^A-Za-z0-9_]", "_", name)[:128]
    return word if word[:1].isalpha() else f"dag_{word}"[:128]
