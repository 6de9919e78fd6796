"""What ``validate`` prints for programs: JSON and SARIF."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft4Validator

from dagfoundry.cli.sarif import sarif_log
from dagfoundry.errors import Finding, Place
from dagfoundry.rules import Rule

if TYPE_CHECKING:
    from typing import Any

SCHEMA = json.loads(Path(__file__).with_name("sarif-2.1.0.json").read_text())
"""The schema of OASIS, errata 01."""


def finding(file: Path | None, rule: Rule = Rule.CRON) -> Finding:
    """Return a finding at line 3, column 5 of a file."""
    place = Place(file=str(file), line=3, column=5) if file else None
    return Finding(what="w", remedy="r", path="stores[0]", place=place, rule=rule)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_log_keeps_the_schema_of_sarif(tmp_path: Path, count: int) -> None:
    """With and without findings, also those of no file."""
    findings = [finding(tmp_path / "a b.yaml"), finding(None), finding(Path("x"), Rule.PASSWORD)]
    log = sarif_log(findings[:count])
    Draft4Validator(SCHEMA).validate(log)
    assert len(log["runs"][0]["results"]) == count


def test_results_point_at_files_below_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paths are relative where a code host can show them, and whole elsewhere."""
    monkeypatch.chdir(tmp_path)
    files = [Path("model/a b.yaml"), tmp_path / "model" / "c.yaml", tmp_path.parent / "d.yaml"]
    results = sarif_log([finding(file) for file in files])["runs"][0]["results"]
    places = [result["locations"][0]["physicalLocation"] for result in results]
    assert [place["artifactLocation"]["uri"] for place in places] == [
        "model/a%20b.yaml",
        "model/c.yaml",
        (tmp_path.parent / "d.yaml").as_uri(),
    ]
    assert places[0]["region"] == {"startLine": 3, "startColumn": 5}


def test_every_result_names_a_rule_that_the_log_explains() -> None:
    """The index leads to the rule of the same id."""
    run: dict[str, Any] = sarif_log([finding(None, rule) for rule in (Rule.CRON, Rule.DAG_ID)])[
        "runs"
    ][0]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
