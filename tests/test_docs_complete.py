"""Whatever a user meets has a text in the reference: hooks, records, settings, metrics, options."""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer

import dagfoundry
from dagfoundry import errors, hookspecs, testing
from dagfoundry.cli import build_app
from dagfoundry.metrics import declared
from dagfoundry.metrics.instruments import Counter, Gauge, Histogram
from dagfoundry.settings import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"
SOURCES = sorted(ROOT.glob("packages/*/src/**/*.py"))
HOOKS = [name for name in vars(hookspecs) if name.startswith("dagfoundry_")]
RECORDS = [
    name
    for name in dagfoundry.__all__
    if dataclasses.is_dataclass(getattr(dagfoundry, name)) and name != "Finding"
]
METRICS = [each for each in vars(declared).values() if type(each) in {Counter, Gauge, Histogram}]
INTERNAL = {"DAGFOUNDRY_AIRFLOW", "DAGFOUNDRY_VAR_"}


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_says_when_where_what_it_gets_and_what_happens_if_it_fails(name: str) -> None:
    """Each part is in its docstring, which the reference shows as it is."""
    text = inspect.getdoc(getattr(hookspecs, name)) or ""
    assert re.match(r"[A-Z][a-z]+ .*\.\n", text)
    for part in ("\nWhen: ", "\nWhere: ", "\nIf it fails: ", "\nExample::\n"):
        assert part in text
    for argument in inspect.signature(getattr(hookspecs, name)).parameters:
        assert f"\n    {argument}: " in text
    assert f"### {name}\n" in (REFERENCE / "plugins.md").read_text()


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_says_what_each_field_means(name: str) -> None:
    """A field without a text in the docstring would be missing in the reference."""
    record = getattr(dagfoundry, name)
    text = inspect.getdoc(record) or ""
    fields = [each.name for each in dataclasses.fields(record) if not each.name.startswith("_")]
    told = [field for field in fields if f"\n    {field}: " in text]
    assert told == fields or len(text.splitlines()) == 1  # one sentence says it all
    assert f"### {name}\n" in (REFERENCE / "plugins.md").read_text()


def test_every_check_of_a_plugins_tests_is_in_the_reference() -> None:
    """What ``dagfoundry.testing`` offers has a heading and a text."""
    page = (REFERENCE / "plugins.md").read_text()
    functions = [name for name in testing.__all__ if inspect.isfunction(getattr(testing, name))]
    assert [name for name in functions if f"### {name}\n" not in page] == []


def test_every_variable_that_the_code_reads_is_a_setting() -> None:
    """A name in the sources that is not in the table would be a secret of the code."""
    known = {name.partition("<")[0] for name in VARIABLES} | INTERNAL
    found = {
        name
        for file in SOURCES
        for name in re.findall(r"[\"'](DAGFOUNDRY_[A-Z_]+)[\"']", file.read_text())
    }
    assert found - known == set()
    page = (REFERENCE / "settings.md").read_text()
    assert [name for name in VARIABLES if f"`{name}`" not in page] == []


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_says_what_it_counts(metric: Counter | Gauge | Histogram) -> None:
    """Its help is a sentence, and the reference names it with its labels."""
    assert re.fullmatch(r"[A-Z0-9].+\.", metric.help)
    (line,) = [
        line
        for line in (REFERENCE / "metrics.md").read_text().splitlines()
        if f"`{metric.name}`" in line or f"`{metric.name}_total`" in line
    ]
    assert metric.help in line
    assert ", ".join(metric.labels) in line


def test_metrics_are_declared_in_one_module() -> None:
    """One that is made elsewhere would be missing in the reference."""
    made = [
        file.name
        for file in SOURCES
        if file.name not in {"declared.py", "instruments.py"}
        and re.search(r"^\w+(: \w+)? = (Counter|Gauge|Histogram)\(", file.read_text(), re.MULTILINE)
    ]
    assert made == []


def test_every_error_says_when_it_is_raised() -> None:
    """All of them are public, and the reference has the first sentence of each."""
    page = (REFERENCE / "errors.md").read_text()
    classes = [
        name
        for name, thing in vars(errors).items()
        if inspect.isclass(thing) and issubclass(thing, errors.FoundryError)
    ]
    assert [name for name in classes if name not in errors.__all__] == []
    assert [name for name in classes if f"| `{name}` | " not in page] == []
    assert [name for name in classes if f"| `{name}` |  |" in page] == []


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command of the command line with its name."""

    def inside(group: Any, prefix: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - click's types
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from inside(command, f"{prefix}{name} ")
            else:
                yield f"{prefix}{name}", command

    return inside(typer.main.get_command(build_app()), "")


@pytest.mark.parametrize(("name", "command"), list(commands()), ids=lambda part: str(part)[:20])
def test_a_command_and_its_options_say_what_they_do(name: str, command: Any) -> None:  # noqa: ANN401 - as above
    """Help of the command and of each option; arguments say so by their names."""
    assert command.help
    options = [p for p in command.params if p.param_type_name == "option"]
    assert [option.name for option in options if not option.help] == []
    if name != "airflow2 install":
        assert f"## dagfoundry {name}\n" in (REFERENCE / "command-line.md").read_text()
