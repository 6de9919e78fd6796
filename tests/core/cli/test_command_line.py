"""The command line as a person or a script meets it: a real process, exit codes, one error."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

PLATFORM = """\
foundry: Shop
platforms:
  - name: Live
    merge_store: {url_variable: MERGE_URL}
"""
STORES = """\
stores:
  - name: Sales
    source: {url_variable: SALES_URL}
    ingestion: multi
    schedule: "0 * * * *"
    datasets:
      - {name: orders, key: [id]}
"""


class ModelShell(Shell):
    """A shell with a model of two files."""

    def write(self, *, platform: str = PLATFORM, stores: str = STORES) -> None:
        """Write the model's two files."""
        (self.folder / "model").mkdir(exist_ok=True)
        (self.folder / "model" / "platform.yaml").write_text(platform)
        (self.folder / "model" / "stores.yaml").write_text(stores)

    def entries(self) -> list[dict[str, object]]:
        """Return what ``list --json`` shows."""
        return list(self.json("list"))


@pytest.fixture
def shell(tmp_path: Path) -> ModelShell:
    """A folder with a good model."""
    made = ModelShell(folder=tmp_path)
    made.write()
    return made


def test_plan_merge_list_show_render_follow_each_other(shell: ModelShell) -> None:
    """A plan says 2, the merge writes it, and the entry can be looked at."""
    assert "to create" in shell.run("plan", "model", code=2).stdout
    assert "revision 1" in shell.run("merge", "model", "-m", "first").stdout
    assert "0 unchanged" not in shell.run("plan", "model").stdout
    assert [e["dag_id"] for e in shell.entries()] == [
        "live__Sales_ingestion",
        "live_factory_dag",
        "shop_infrastructure",
    ]
    shown = json.loads(shell.run("show", "Sales", "--json").stdout)
    assert shown["config"]["store_name"] == "Sales"
    rendered = json.loads(shell.run("render", "live__Sales_ingestion").stdout)
    assert (rendered["author"], rendered["message"]) == ("Ada", "first")


def test_plan_as_json_holds_every_field_that_changes(shell: ModelShell) -> None:
    """A program reads before and after of each field."""
    shell.run("merge", "model")
    shell.write(stores=STORES.replace("0 * * * *", "5 * * * *"))
    plan = json.loads(shell.run("plan", "model", "--json", code=2).stdout)
    assert plan["changes"][0]["fields"] == [
        {"field": "schedule_string", "before": "0 * * * *", "after": "5 * * * *"}
    ]


def test_a_renamed_store_is_said_before_it_begins_anew(shell: ModelShell) -> None:
    """Its tables and runs stay with the old name; the plan says so, and so does its JSON."""
    shell.run("merge", "model")
    shell.write(stores=STORES.replace("Sales", "Revenue"))
    said = "live__Sales_ingestion becomes live__Revenue_ingestion: the one retires"
    assert said in shell.run("plan", "model", code=2).stdout
    plan = json.loads(shell.run("plan", "model", "--json", code=2).stdout)
    names = {"before": "live__Sales_ingestion", "after": "live__Revenue_ingestion"}
    assert plan["renames"] == [names]


def test_plugins_names_both_types_with_distribution_and_version(shell: ModelShell) -> None:
    """Both built-in types are found through their entry points."""
    types = json.loads(shell.run("plugins", "--json").stdout)["types"]
    assert {(t["factory_type"], t["distribution"]) for t in types} == {
        ("platform", "dagfoundry-platform"),
        ("datatransformer", "dagfoundry-datatransformer"),
    }
    assert all(t["version"] for t in types)


def test_init_writes_a_model_that_is_valid(shell: ModelShell) -> None:
    """The starter model passes validation as it is, and is never written over."""
    shell.run("init", "starter")
    assert "no findings" in shell.run("validate", "starter").stdout
    assert "not empty" in shell.run("init", "starter", code=1).stderr


def test_bootstrap_creates_the_tables_once(shell: ModelShell) -> None:
    """Ring 1 may be repeated."""
    first = json.loads(shell.run("bootstrap", "model", "--ring", "1", "--json").stdout)
    assert "live_airflow_dsg" in first["created"]
    second = json.loads(shell.run("bootstrap", "model", "--ring", "1", "--json").stdout)
    assert second["created"] == []


def test_merge_as_a_job_reads_the_environment_and_writes_a_result(shell: ModelShell) -> None:
    """The infrastructure DAG's merge is the same command."""
    result = shell.folder / "result.json"
    variables = {"DAGFOUNDRY_MODEL": "model", "DAGFOUNDRY_JOB_RESULT": str(result)}
    shell.run("merge", "--as-job", **variables)
    assert json.loads(result.read_text())["status"] == "DONE"


@pytest.mark.parametrize(
    ("platform", "stores", "place", "message"),
    [
        (PLATFORM, "stores: [\n", "stores.yaml:2:1", "YAML"),
        (PLATFORM, STORES + "    platforms: [Nowhere]\n", "stores.yaml:8:17", "Nowhere"),
        (PLATFORM, STORES + "lakes:\n  - name: x\n", "stores.yaml:8:1", "lakes"),
        (PLATFORM, STORES.replace("0 * * * *", "61 * * * *"), "stores.yaml:5:15", "61"),
        (PLATFORM, STORES + "    colour: red\n", "stores.yaml:8:5", "colour"),
        (PLATFORM + "bucket: 3\n", STORES, "platform.yaml:5:1", "bucket"),
    ],
    ids=["malformed", "platform", "type", "cron", "key", "top-level key"],
)
def test_bad_model_gives_one_located_error_and_leaves_the_rows(
    shell: ModelShell, platform: str, stores: str, place: str, message: str
) -> None:
    """Exit code 1, the place, what is wrong; the store as it was."""
    shell.run("merge", "model")
    before = shell.entries()
    shell.write(platform=platform, stores=stores)
    error = shell.run("merge", "model", code=1).stderr
    assert error.count("error:") == 1
    assert place in error
    assert message in error
    assert shell.entries() == before


def test_dag_id_of_another_foundry_is_refused(shell: ModelShell) -> None:
    """A DAG id is unique over the whole store."""
    shell.run("merge", "model")
    shell.write(platform=PLATFORM.replace("Shop", "Other").replace("Live", "LIVE"))
    error = shell.run("merge", "model", code=1).stderr
    assert "'Live' of foundry 'Shop'" in error
    assert "platform.yaml:3:11" in error
    assert "live__Sales_ingestion" in error


def test_missing_credential_variable_is_named_with_its_place(shell: ModelShell) -> None:
    """``validate --credentials`` finds each variable that is not set."""
    error = shell.run("validate", "model", "--credentials", code=1, SALES_URL="sqlite:///x").stderr
    assert "MERGE_URL" in error
    assert "platform.yaml:4:18" in error
    assert "SALES_URL" not in error


def test_unreachable_store_is_one_error_without_its_password(shell: ModelShell) -> None:
    """The error names the host and hides the secret."""
    url = "postgresql://ada:s3cret@127.0.0.1:1/none"
    error = shell.run("merge", "model", code=1, DAGFOUNDRY_STORE_URL=url).stderr
    assert error.count("error:") == 1
    assert "127.0.0.1:1" in error
    assert "s3cret" not in error


def test_store_that_was_never_made_is_not_created_by_reading(shell: ModelShell) -> None:
    """``list`` on a fresh folder says so and leaves no file."""
    assert "does not exist" in shell.run("list", code=1).stderr
    assert not (shell.folder / "store.db").exists()


def test_usage_error_exits_with_one(shell: ModelShell) -> None:
    """2 is kept for a plan that found changes."""
    assert "No such option" in shell.run("merge", "--no-such-option", code=1).stderr
    assert "No such command" in shell.run("nonsense", code=1).stderr


def test_errors_as_json_keep_stdout_readable(shell: ModelShell) -> None:
    """With --json a program reads the findings."""
    shell.write(stores=STORES + "    colour: red\n")
    findings = json.loads(shell.run("plan", "model", "--json", code=1).stdout)["findings"]
    assert findings[0]["place"]["line"] == 8


ENVIRONMENTS = """\
variables: {minute: 0}
defaults: {stores: {schedule: "${minute} * * * *"}}
environments:
  dev: {platforms: [{name: Live, merge_store: {url_variable: DEV_URL}}]}
  prod: {variables: {minute: 7}, stores: [{name: Sales, owner: ops}]}
"""
NO_SCHEDULE = STORES.replace('    schedule: "0 * * * *"\n', "")


def test_a_foundry_stays_in_its_environment(shell: ModelShell) -> None:
    """--env and DAGFOUNDRY_ENV choose it, and another one is not merged by mistake."""
    shell.write(platform=PLATFORM + ENVIRONMENTS, stores=NO_SCHEDULE)
    assert "in environment dev: 1 entries" in shell.run("validate", "model", "--env", "dev").stdout
    shell.run("plan", "model", "--env", "prod", code=2)
    shell.run("bootstrap", "model", "--env", "prod")
    shell.run("merge", "model", "--env", "prod")
    assert "0 unchanged" not in shell.run("plan", "model", DAGFOUNDRY_ENV="prod").stdout
    refused = shell.run("merge", "model", code=1, DAGFOUNDRY_ENV="dev").stderr
    assert "'Shop' was merged from environment 'prod' last" in refused
    assert "--allow-environment" in refused
    shown = json.loads(shell.run("show", "Sales", "--json").stdout)["config"]
    assert shown["schedule_string"] == "7 * * * *"
    shell.run("merge", "model", "--env", "dev", "--allow-environment")


def test_explain_shows_every_layer_of_a_value(shell: ModelShell) -> None:
    """The layer that wins is marked, and its variable follows it."""
    shell.write(platform=PLATFORM + ENVIRONMENTS, stores=NO_SCHEDULE)
    text = shell.run("explain", "Sales", "schedule", "model", "--env", "prod").stdout
    first, _, *layers = text.splitlines()
    assert first == "live__Sales_ingestion: schedule = '7 * * * *'"
    assert [" ".join(line.split()) for line in layers] == [
        "* default of stores '${minute} * * * *' model/platform.yaml:6:31",
        "variable minute '7' model/platform.yaml:9:30",
    ]


def test_explain_as_json_holds_place_and_winner(shell: ModelShell) -> None:
    """A program reads the layers; a row's field is explained by what made it."""
    shell.write(
        platform=PLATFORM + ENVIRONMENTS,
        stores=NO_SCHEDULE.replace("    in", "    owner: me\n    in"),
    )

    def layers(field: str) -> list[tuple[str, int | None, bool]]:
        command = ("explain", "Sales", field, "model", "--env", "prod", "--json")
        found = json.loads(shell.run(*command).stdout)["layers"]
        places = [each["place"] and each["place"]["line"] for each in found]
        return [(e["layer"], line, e["wins"]) for e, line in zip(found, places, strict=True)]

    assert layers("owner") == [("entry", 4, False), ("environment prod: entry", 9, True)]
    ((layer, line, wins),) = layers("retries")
    assert layer.startswith("built-in default of platform of dagfoundry-platform")
    assert (line, wins) == (None, True)
    ((layer, _, _),) = layers("config.schedule_string")
    assert layer.startswith("computed by factory type platform")
    assert layers("source.url_variable") == [("entry", 3, True)]
    assert layers("platform_name")[-1][0] == "computed by DAG Foundry from platforms.Live.name"


def test_schema_of_the_installed_types_is_printed(shell: ModelShell) -> None:
    """Sections of both built-in types are in it, so that an editor knows their keys."""
    schema = json.loads(shell.run("schema").stdout)
    assert {"stores", "transformers", "environments"} <= set(schema["properties"])


def test_validate_prints_sarif(shell: ModelShell) -> None:
    """Findings go to stdout as SARIF, with exit code 1; a good model has no results."""
    assert json.loads(shell.run("validate", "model", "--format", "sarif").stdout)["runs"]
    shell.write(stores=STORES.replace("schedule", "shedule"))
    (run,) = json.loads(shell.run("validate", "model", "--format", "sarif", code=1).stdout)["runs"]
    (result,) = run["results"]
    place = result["locations"][0]["physicalLocation"]
    assert result["ruleId"] == "model.unknown-key"
    assert place["artifactLocation"]["uri"] == "model/stores.yaml"
    assert place["region"] == {"startLine": 5, "startColumn": 5}
