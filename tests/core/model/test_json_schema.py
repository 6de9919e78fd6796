"""The JSON Schema of a model takes what is right and refuses what people get wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import WithJsonSchema

from dagfoundry.cli import build_app
from dagfoundry.model.json_schema import DIALECT, model_schema
from dagfoundry.model.schema import SectionItem
from dagfoundry.model.starter import write_starter_model
from dagfoundry.plugins import load_plugins

if TYPE_CHECKING:
    from dagfoundry.plugins import Plugins

QUICKSTART = Path(__file__).parents[3] / "examples" / "quickstart"

RICH = """\
foundry: Shop_${region}
buckets: ${count}
variables:
  region: eu
  count: {default: 4, description: Files}
  team:
defaults:
  owner: data
  retries: ${count}
  shops: {schedule: "@daily", tags: [x]}
platforms:
  - name: Live
    milestoning: ${kind}
    merge_store: {url_variable: MERGE_URL}
    defaults: {pool: slow, shops: {mode: single}}
shops:
  - name: Corner
    enabled: ${live}
    source: {url_variable: S}
    schedule: ~
    datasets: [{name: a, key: [id]}]
recipes:
environments:
  dev:
    platforms: [{name: Live, merge_store: {hostname: h}, defaults: {retries: 1}}]
    shops: [{name: Corner, datasets: [{name: a, table: A}]}, {name: New}]
    variables: {region: us}
    defaults: {shops: {mode: multi}}
    without: {shops: [Old]}
  prod:
"""


@pytest.fixture(scope="module")
def installed() -> Draft202012Validator:
    """The schema of the installed factory types."""
    return checker(model_schema(load_plugins()))


@pytest.fixture(scope="module")
def schema(types: Plugins) -> Draft202012Validator:
    """The schema of the two small factory types."""
    return checker(model_schema(types))


def checker(schema: dict[str, Any]) -> Draft202012Validator:
    """Return what checks by a schema, which must be one itself."""
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == DIALECT
    return Draft202012Validator(schema)


def problems(schema: Draft202012Validator, text: str) -> list[str]:
    """Return the paths of everything that an editor would underline."""
    return [error.json_path for error in schema.iter_errors(yaml.safe_load(text))]


@pytest.mark.parametrize(
    ("kinds", "value", "fits"),
    [
        (["integer", "null"], "${count}", True),
        (["integer", "null"], None, True),
        (["integer", "null"], "five", False),
        (["string", "array"], "any text", True),
        (["string", "array"], 5, False),
    ],
)
def test_a_types_own_schema_may_list_kinds(
    types: Plugins, kinds: list[str], value: object, *, fits: bool
) -> None:
    """What a plugin says of a field counts; a variable may stand for a number."""

    class Item(SectionItem):
        size: Annotated[Any, WithJsonSchema({"type": kinds})] = None

    known = next(iter(types.types.values()))
    changed = replace(known, type=replace(known.type, item=Item))
    plugins = replace(types, types={known.type.name: changed})
    section = known.type.section
    model = {"foundry": "A", "platforms": [{"name": "L", "merge_store": {"url_variable": "M"}}]}
    model[section] = [{"name": "One", "size": value}]
    assert checker(model_schema(plugins)).is_valid(model) is fits


@pytest.mark.parametrize("file", sorted(QUICKSTART.glob("*.yaml")), ids=lambda file: file.name)
def test_the_quickstart_is_right(installed: Draft202012Validator, file: Path) -> None:
    """Each file of the quickstart's model is right on its own."""
    assert problems(installed, file.read_text()) == []


def test_the_starter_model_is_right(installed: Draft202012Validator, tmp_path: Path) -> None:
    """What ``dagfoundry init`` writes is right."""
    for file in write_starter_model(tmp_path / "model"):
        assert problems(installed, file.read_text()) == []


def test_environments_defaults_and_variables_are_right(schema: Draft202012Validator) -> None:
    """An overlay needs no key, and a variable may stand for a number or a choice."""
    assert problems(schema, RICH) == []


def test_an_item_shows_the_examples_of_its_type() -> None:
    """Editors offer them; the form of an environment, of which nothing is required, has none."""
    plugins = load_plugins()
    definitions = model_schema(plugins)["$defs"]
    for name, installed in plugins.types.items():
        assert len(installed.type.examples) >= 2
        assert definitions[f"{name}.Item"]["examples"] == list(installed.type.examples)
        assert "examples" not in definitions[f"partial.{name}.Item"]


def test_the_command_prints_the_examples(capsys: pytest.CaptureFixture[str]) -> None:
    """They are JSON as the rest of the schema."""
    build_app()(["schema"], standalone_mode=False)
    stores = json.loads(capsys.readouterr().out)["$defs"]["platform.Item"]
    assert [example["name"] for example in stores["examples"]] == ["Sales", "Warehouse"]


@pytest.mark.parametrize(
    ("right", "wrong", "where"),
    [
        ("buckets: ${count}", "buckets: many", "$.buckets"),
        ("owner: data", "ownr: data", "$.defaults"),
        ("mode: single", "mode: both", "$.platforms[0].defaults.shops"),
        ("enabled: ${live}", "enabled: maybe", "$.shops[0].enabled"),
        ("    source: {url_variable: S}\n", "", "$.shops[0]"),
        ("key: [id]", "key: id", "$.shops[0].datasets[0].key"),
        ("shops: [{name: Corner, d", "shops: [{nam: Corner, d", "$.environments.dev.shops[0]"),
        ("hostname: h", "host: h", "$.environments.dev.platforms[0].merge_store"),
        ("recipes:\n", "recipe:\n", "$"),
        ("shops: {schedule:", "shops: {name: x, schedule:", "$.defaults.shops"),
        ("shops: [Old]", "shops: Old", "$.environments.dev.without.shops"),
    ],
)
def test_typical_mistakes_are_refused(
    schema: Draft202012Validator, right: str, wrong: str, where: str
) -> None:
    """Each mistake is underlined where it is."""
    assert right in RICH
    found = problems(schema, RICH.replace(right, wrong, 1))
    assert found
    assert all(path.startswith(where) for path in found)
