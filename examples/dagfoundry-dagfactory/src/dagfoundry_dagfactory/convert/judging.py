"""Whether an item that was converted is one: the model's own checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from dagfoundry_dagfactory.allowed import load_allowed
from dagfoundry_dagfactory.model import DagItem
from dagfoundry_dagfactory.rules import problems

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from dagfoundry_dagfactory.convert.reading import ReadDag
    from dagfoundry_dagfactory.convert.report import Report

_REMEDY: Final = "Leave it out, or write what the model takes."
_REMEDIES: Final = {
    "missing": "Write it.",
    "extra_forbidden": "Leave it out; `dagfoundry schema` shows which keys an item has.",
}


def judge(dag: ReadDag, item: dict[str, Any], report: Report) -> None:
    """Say what of an item a merge would refuse."""
    try:
        checked = DagItem.model_validate(item)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            _refuse(dag, details, report)
        return
    for problem in problems(checked, load_allowed()):
        where = f"{dag.where}: {'.'.join(map(str, problem.path))}"
        report.refuse(where, problem.what, problem.remedy)


def _refuse(dag: ReadDag, details: ErrorDetails, report: Report) -> None:
    where = f"{dag.where}: {'.'.join(map(str, details['loc']))}"
    remedy = details.get("ctx", {}).get("remedy") or _REMEDIES.get(details["type"], _REMEDY)
    report.refuse(where, details["msg"], remedy)
