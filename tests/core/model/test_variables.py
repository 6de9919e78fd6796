"""Variables: plain text in the place of ``${name}``, only from the declared list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dagfoundry.errors import ModelInvalidError
from dagfoundry.model import load_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dagfoundry.errors import Finding
    from dagfoundry.model import LoadedModel
    from dagfoundry.plugins import Plugins

MODEL = """\
foundry: Quickstart
variables:
  region: eu
  count: 3
  live: true
  team:
  note: {default: text, description: Some words}
environments:
  dev: {variables: {region: us, team: devs}}
platforms: [{name: Live, merge_store: {url_variable: M}}]
shops:
  - name: Corner
    source: {url_variable: S}
    %s
"""


@pytest.fixture
def load_with(write: Callable[..., Path], types: Plugins) -> Callable[..., LoadedModel]:
    """Load a model whose shop has one more line."""

    def loaded(line: str, environment: str | None = None, **variables: str) -> LoadedModel:
        file = write(MODEL % line)
        return load_model([file], types, environment=environment, variables=variables)

    return loaded


@pytest.fixture
def find_with(load_with: Callable[..., LoadedModel]) -> Callable[..., list[Finding]]:
    """Return what is wrong with it."""

    def found(*arguments: str, **variables: str) -> list[Finding]:
        with pytest.raises(ModelInvalidError) as caught:
            load_with(*arguments, **variables)
        return list(caught.value.findings)

    return found


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("${region}", "eu"),
        ("a-${region}-${note}", "a-eu-text"),
        ("$${region}", "${region}"),
        ("$$ $region {region}", "$$ $region {region}"),
        ("$$${region}", "$${region}"),
    ],
)
def test_text_takes_the_place_of_a_variable(
    load_with: Callable[..., LoadedModel], written: str, read: str
) -> None:
    """``$${`` is the text itself; nothing else is looked at."""
    assert load_with(f"owner: '{written}'").items[0].item.owner == read


def test_numbers_and_truth_values_are_read_from_the_text(
    load_with: Callable[..., LoadedModel],
) -> None:
    """A key that wants a number takes it from the text."""
    item = load_with("retries: ${count}\n    enabled: ${live}").items[0].item
    assert (item.retries, item.enabled) == (3, True)


def test_the_environment_wins_and_a_variable_of_the_process_wins_over_it(
    load_with: Callable[..., LoadedModel],
) -> None:
    """Default, environment, DAGFOUNDRY_VAR_<NAME>; an empty one counts as none."""
    line = "owner: ${region}-${team}"
    assert load_with(line, "dev").items[0].item.owner == "us-devs"
    variables = {"DAGFOUNDRY_VAR_REGION": "as", "DAGFOUNDRY_VAR_TEAM": ""}
    assert load_with(line, "dev", **variables).items[0].item.owner == "as-devs"


@pytest.mark.parametrize(
    ("line", "rule", "place"),
    [
        ("owner: ${regoin}", "variable.undeclared", "14:12"),
        ("owner: ${team}", "variable.missing", "14:12"),
        ("owner: '${'", "variable.syntax", "14:12"),
        ("owner: ${a-b}", "variable.syntax", "14:12"),
        ("options: {'${region}': 1}", "variable.syntax", "14:15"),
    ],
)
def test_a_wrong_use_is_found_where_it_stands(
    find_with: Callable[..., list[Finding]], line: str, rule: str, place: str
) -> None:
    """A variable is declared, has a value and is no key."""
    found = next(f for f in find_with(line) if f.rule.value != "environment.none")
    assert (found.rule.value, str(found.place).rpartition("model.yaml:")[2]) == (rule, place)
    assert found.remedy


def test_what_is_set_in_vain_is_found(find_with: Callable[..., list[Finding]]) -> None:
    """A value that nothing uses, or that nobody declared, is a slip of the pen."""
    found = find_with("owner: ${region}", "dev", DAGFOUNDRY_VAR_REGOIN="x")
    assert [(f.rule.value, f.path) for f in found] == [
        ("variable.undeclared", "variables"),
        ("variable.unused", "environments.dev.variables.team"),
    ]
    assert "DAGFOUNDRY_VAR_REGION" in found[0].remedy


def test_two_variables_that_one_setting_would_set_are_refused(
    write: Callable[..., Path], types: Plugins
) -> None:
    """``Team`` and ``team`` both read DAGFOUNDRY_VAR_TEAM."""
    file = write((MODEL % "").replace("team:\n", "team:\n  Team: x\n"))
    with pytest.raises(ModelInvalidError, match="would set 'team' and another"):
        load_model([file], types, variables={})


def test_a_password_is_refused_wherever_it_comes_from(
    find_with: Callable[..., list[Finding]],
) -> None:
    """Neither the model nor a variable holds a secret, and it is never shown."""
    (written,) = find_with("owner: https://me:hunter2@host/x")
    (given,) = find_with("owner: ${note}", DAGFOUNDRY_VAR_NOTE="https://me:hunter2@host/x")
    for found in (written, given):
        assert found.rule.value == "model.password"
        assert "hunter2" not in f"{found} {found.value}"
