"""``dagfoundry drift`` as a person or a script meets it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

MODEL = """\
foundry: Shop
platforms:
  - name: Live
    merge_store: {url_variable: MERGE_URL}
stores:
  - {name: Sales, source: {url_variable: SALES_URL}, datasets: [{name: orders}]}
  - {name: Stock, source: {url_variable: SALES_URL}, datasets: [{name: items}]}
"""


class Desk(Shell):
    """A folder with a merged model."""

    def says(self, *arguments: str, code: int = 0, **variables: str) -> str:
        """Run ``dagfoundry`` and return all that it prints."""
        done = self.run(*arguments, code=code, **variables)
        return done.stdout + done.stderr

    def drift(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        """Run ``dagfoundry drift --json``."""
        answer: dict[str, Any] = self.json("drift", *arguments, code=code)
        return answer


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A merged model with two streams."""
    made = Desk(folder=tmp_path)
    (tmp_path / "model.yaml").write_text(MODEL)
    made.run("merge", "model.yaml")
    return made


def test_without_drift_it_exits_with_zero_and_says_who_was_not_asked(desk: Desk) -> None:
    """Nobody takes a place that was not looked at for one that agrees."""
    text = desk.says("drift")
    assert "Shop: no drift (revision 1)" in text
    assert "no model was compared" in text
    assert "airflow was not asked" in text


def test_a_hand_edit_is_shown_field_by_field(desk: Desk) -> None:
    """Where, which row, which field, what was recorded and what was found; exit code 2."""
    desk.sql("UPDATE live_airflow_dsg SET config_json = json_set(config_json, '$.priority', 3)")
    desk.sql("UPDATE live_airflow_dsg SET status = 'inactive' WHERE stream_key = 'Stock'")
    found = desk.drift(code=2)["differences"]
    assert {(d["where"], d["dag_id"], d["field"], d["found"]) for d in found} == {
        ("store", "live__Sales_ingestion", "priority", 3),
        ("store", "live__Stock_ingestion", "priority", 3),
        ("store", "live__Stock_ingestion", "status", "inactive"),
    }
    assert "live__Stock_ingestion" in desk.says("drift", code=2)


def test_recording_makes_the_drift_a_revision(desk: Desk) -> None:
    """After it, nothing differs, and the entry's page names revision and recorder."""
    desk.sql("UPDATE live_airflow_dsg SET status = 'inactive' WHERE stream_key = 'Stock'")
    assert desk.drift("--record", "-m", "Source is away")["recorded"] == 2
    assert desk.drift()["differences"] == []
    shown = desk.says("show", "Stock")
    assert "unknown (edited in the database)" in shown
    assert "Source is away (recorded by Ada)" in shown
    assert "nothing to record" in desk.says("drift", "--record")


def test_what_is_held_back_exits_with_two(desk: Desk) -> None:
    """A script that records every five minutes notices it."""
    desk.sql("UPDATE live_airflow_dsg SET status = 'aktive' WHERE stream_key = 'Stock'")
    answer = desk.drift("--record", code=2)
    assert answer["recorded"] is None
    assert "status 'aktive' is unknown" in answer["notes"][0]


def test_a_broken_row_is_recorded_and_can_be_looked_at(desk: Desk) -> None:
    """Neither list nor show breaks on it."""
    desk.sql("UPDATE live_airflow_dsg SET config_json = '{oops' WHERE stream_key = 'Stock'")
    assert "its last good definition" in desk.says("drift", "--record").lower()
    desk.says("list")
    assert "{oops" in desk.says("show", "Stock")
    assert json.loads(desk.says("show", "Stock", "--json"))["config"]["broken"] == "{oops"


def test_a_model_is_compared_with_what_is_recorded(desk: Desk) -> None:
    """An entry more, one less and one that changed; DAGFOUNDRY_MODEL is as good as a name."""
    changed = MODEL.replace("Stock", "Goods").replace("MERGE_URL", "OTHER_URL")
    (desk.folder / "model.yaml").write_text(changed)
    found = desk.drift("model.yaml", code=2)["differences"]
    rows = {(d["dag_id"], d["field"]): (d["recorded"], d["found"]) for d in found}
    assert all(d["where"] == "model" for d in found)
    assert rows["live__Goods_ingestion", "row"] == (None, "in the model")
    assert rows["live__Stock_ingestion", "row"] == ("active", "not in the model")
    assert rows["live__Sales_ingestion", "dagfoundry.merge_store.url_variable"] == (
        "MERGE_URL",
        "OTHER_URL",
    )
    assert "model" in desk.says("drift", code=2, DAGFOUNDRY_MODEL="model.yaml")


def test_a_model_of_another_foundry_is_refused(desk: Desk) -> None:
    """Comparing the wrong one would find everything changed."""
    text = desk.says("drift", "model.yaml", "--foundry", "Other", code=1)
    assert "the model is that of foundry 'Shop', not of 'Other'" in text


def test_a_store_without_a_foundry_is_one_error(tmp_path: Path) -> None:
    """It says what to do."""
    assert "does not exist" in Desk(folder=tmp_path).says("drift", code=1)
