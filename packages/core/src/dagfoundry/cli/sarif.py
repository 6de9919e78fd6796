"""Findings as SARIF 2.1.0, the format in which code hosts and editors take them."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dagfoundry.errors import Finding, Place

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif_log(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return a SARIF log with one run of this program."""
    rules = sorted({finding.rule for finding in findings}, key=list(Rule).index)
    run = {
        "tool": {
            "driver": {
                "name": "dagfoundry",
                "version": version("dagfoundry"),
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, rules.index(finding.rule)) for finding in findings],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: Rule) -> dict[str, Any]:
    return {"id": rule.value, "shortDescription": {"text": rule.summary}}


def _result(finding: Finding, index: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule.value,
        "ruleIndex": index,
        "level": "error",
        "message": {"text": f"{finding.what}. {finding.remedy}".replace("\n", " ")},
    }
    location: dict[str, Any] = {}
    if finding.place:
        location["physicalLocation"] = _physical(finding.place)
    if finding.path:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.path}]
    return result | ({"locations": [location]} if location else {})


def _physical(place: Place) -> dict[str, Any]:
    region = {"startLine": place.line, "startColumn": place.column}
    return {"artifactLocation": {"uri": _uri(Path(place.file))}, "region": region}


def _uri(file: Path) -> str:
    """Return a path below the working folder, as code hosts want it, or else a whole URI."""
    whole, here = file.resolve(), Path.cwd()
    if not whole.is_relative_to(here):
        return whole.as_uri()
    start = here.as_uri().rstrip("/") + "/"
    return whole.as_uri().removeprefix(start)
