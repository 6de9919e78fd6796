"""Writes the pages of ``docs/reference`` that follow from the code: ``python docs/generate.py``.

A test compares them with the code, so they cannot go stale.
"""

from __future__ import annotations

import inspect
import re
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

import dagfoundry
from dagfoundry import errors, hookspecs, testing
from dagfoundry.cli import build_app
from dagfoundry.connections import Database
from dagfoundry.doctor import CHECKS
from dagfoundry.factories import ENTRY_LABELS
from dagfoundry.metrics import declared
from dagfoundry.metrics.instruments import Counter, Gauge, Histogram
from dagfoundry.model import schema
from dagfoundry.plugins import load_plugins
from dagfoundry.rules import Rule
from dagfoundry.settings import VARIABLES
from dagfoundry.testing.conformance.suite import ConformanceSuite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dagfoundry.doctor import Check

REFERENCE = Path(__file__).parent / "reference"
AIRFLOW_SOURCES = Path(__file__).parent.parent / "packages" / "airflow-integration" / "src"
_NOTE = "<!-- Written by docs/generate.py; change the code instead. -->"


def page(title: str, *parts: str) -> str:
    """Return a page of Markdown."""
    return "\n\n".join([_NOTE, f"# {title}", *parts]) + "\n"


def table(columns: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    """Return a table of Markdown."""
    lines = [columns, ("---",) * len(columns), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in r) + " |" for r in lines
    )


def attributes(thing: type) -> dict[str, str]:
    """Return the texts of the ``Attributes`` section of a docstring, by name."""
    section = (inspect.getdoc(thing) or "").partition("Attributes:\n")[2]
    found = re.findall(r"^    (\w+): (.+(?:\n {8}.+)*)", section, flags=re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}


def first_paragraph(thing: object) -> str:
    """Return the first paragraph of a docstring on one line."""
    return " ".join((inspect.getdoc(thing) or "").partition("\n\n")[0].split())


def command_line() -> str:
    """Return the page of the command line."""
    root: Any = typer.main.get_command(build_app())
    found = "2 only for `plan` and `drift` that found changes"
    parts = [f"Exit codes: 0 done or no change, 1 any error, {found}."]
    for name, command in sorted(_commands(root, "dagfoundry")):
        parts += [f"## {name}", command.help or ""]
        rows = [_parameter(p) for p in command.params if p.name not in {"help", "commands"}]
        if rows:
            parts.append(table(("parameter", "meaning"), iter(rows)))
    return page("Command line", *parts)


def _commands(group: Any, prefix: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - click's types
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", command


def _parameter(parameter: Any) -> tuple[str, str]:  # noqa: ANN401 - click's types
    names = ", ".join(f"`{name}`" for name in parameter.opts if name.startswith("-"))
    return names or f"`{parameter.metavar or parameter.name}`", getattr(parameter, "help", "") or ""


def settings() -> str:
    """Return the page of environment variables."""
    rows = ((f"`{name}`", meaning) for name, meaning in VARIABLES.items())
    return page(
        "Settings", "Every setting is an environment variable.", table(("name", "meaning"), rows)
    )


def metrics() -> str:
    """Return the page of metrics."""
    kinds = {Counter: "_total", Gauge: "", Histogram: ""}
    instruments = [value for value in vars(declared).values() if type(value) in kinds]
    rows = (
        (
            f"`{each.name}{kinds[type(each)]}`",
            type(each).__name__.lower(),
            ", ".join(each.labels),
            each.help,
        )
        for each in instruments
    )
    entries = (
        "Beside them `dagfoundry metrics serve` shows a gauge `dagfoundry_<factory type>_entries` "
        f"for each installed factory type, with the labels {', '.join(ENTRY_LABELS)} and those "
        "that the type asks for: how many entries the store holds at its newest revision."
    )
    return page(
        "Metrics",
        inspect.getdoc(declared) or "",
        table(("name", "kind", "labels", "meaning"), rows),
        entries,
        table(("factory type", "its labels"), _entry_labels()),
    )


def _entry_labels() -> Iterator[tuple[str, str]]:
    for name, installed in load_plugins().types.items():
        yield f"`{name}`", ", ".join(installed.type.metric_labels)


def model() -> str:
    """Return the page of a model's keys."""
    rule = (
        "A model is one or more YAML files. Lists of a section and `environments` are joined "
        "over the files; any other key stands in one file only. Unknown keys are refused. "
        "[Environments, defaults and variables](../how-to/environments.md) says how to use those."
    )
    parts = [rule]
    parts += _keys("The foundry", schema.FoundryModel)
    parts += _keys("platforms", schema.PlatformModel)
    parts += _keys("variables", schema.VariableModel)
    parts += _keys("A database", Database)
    parts += _keys("git", schema.Git)
    parts += _keys("kubernetes", schema.Kubernetes)
    parts += _keys("Every item of a section", schema.SectionItem)
    for name, installed in sorted(load_plugins().types.items()):
        own = installed.type
        shared = set(schema.SectionItem.model_fields)
        parts += _keys(f"{own.section} (factory type {name})", own.item, without=shared)
        for part in _parts(own.item, shared):
            parts += _keys(f"{own.section}: {part.__name__}", part)
    return page("Model", *parts)


def _parts(item: type[schema.ModelPart], without: set[str]) -> Iterator[type[schema.ModelPart]]:
    for name, field in item.model_fields.items():
        if name not in without:
            for found in _models_in(field.annotation):
                if found is not Database:
                    yield found


def _models_in(annotation: Any) -> Iterator[type[schema.ModelPart]]:  # noqa: ANN401 - an annotation
    if inspect.isclass(annotation) and issubclass(annotation, schema.ModelPart):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models_in(argument)


def _keys(title: str, part: type, without: set[str] = frozenset()) -> list[str]:  # type: ignore[assignment]
    texts = {
        name: text for base in reversed(part.__mro__) for name, text in attributes(base).items()
    }
    fields = sorted(part.model_fields.items(), key=lambda pair: not pair[1].is_required())  # type: ignore[attr-defined]
    rows = (
        (f"`{name}`", "yes" if field.is_required() else "", texts.get(name, ""))
        for name, field in fields
        if name not in without
    )
    return [f"## {title}", first_paragraph(part), table(("key", "required", "meaning"), rows)]


def plugins() -> str:
    """Return the page of the plugin interface."""
    parts = [inspect.getdoc(hookspecs) or "", "## Hooks"]
    for name, hook in vars(hookspecs).items():
        if name.startswith("dagfoundry_"):
            parts += [f"### {name}", f"```text\n{inspect.getdoc(hook)}\n```"]
    parts.append("## Records")
    for record in (
        "FactoryType",
        "EntryTable",
        "PlatformContext",
        "EntryDraft",
        "PlannedEntry",
        "Objection",
        "Entry",
        "ExportedItem",
        "OnDatasets",
        "DagDetails",
        "DagKit",
        "JobResult",
        "AppliedRevision",
        "ObservedDag",
        "BuiltDag",
        "FailedDag",
    ):
        thing = getattr(dagfoundry, record)
        parts += [f"### {record}", first_paragraph(thing)]
        rows = [(f"`{name}`", text) for name, text in attributes(thing).items()]
        if rows:
            parts.append(table(("name", "meaning"), iter(rows)))
        for name, method in _methods(thing):
            parts += [f"#### {record}.{name}", _call(name, method)]
    parts.append("## Functions")
    for function in (dagfoundry.refusal, dagfoundry.run_job, dagfoundry.upcast_config):
        parts += [f"### {function.__name__}", f"```text\n{inspect.getdoc(function)}\n```"]
    parts += ["## Checks for a plugin's own tests", inspect.getdoc(testing) or ""]
    for function in filter(inspect.isfunction, (getattr(testing, n) for n in testing.__all__)):
        parts += [f"### {function.__name__}", f"```text\n{inspect.getdoc(function)}\n```"]
    tests = [(n, m) for n, m in _methods(ConformanceSuite) if n.startswith("test_")]
    rows = ((f"`{name}`", first_paragraph(method)) for name, method in tests)
    parts += ["### The tests of the suite", table(("test", "passes when"), rows)]
    return page("Plugin interface", *parts)


def _call(name: str, method: Callable[..., object]) -> str:
    """Return how a method is called, and its text."""
    signature = inspect.signature(method)
    own = [each for each in signature.parameters.values() if each.name != "self"]
    called = str(signature.replace(parameters=own)).replace("'", "")
    return f"```text\n{name}{called}\n\n{inspect.getdoc(method)}\n```"


def _methods(thing: type) -> list[tuple[str, Callable[..., object]]]:
    fields = getattr(thing, "__dataclass_fields__", {})  # a function may be a field's default
    own = {name: method for name, method in vars(thing).items() if name not in fields}
    return [(n, m) for n, m in own.items() if inspect.isfunction(m) and n[0] != "_"]


def error_page() -> str:
    """Return the page of errors."""
    names = [
        n for n in errors.__all__ if inspect.isclass(getattr(errors, n)) and n.endswith("Error")
    ]
    rows = ((f"`{name}`", first_paragraph(getattr(errors, name))) for name in names)
    return page(
        "Errors", "Each error says what, where, why and what to do.", table(("name", "when"), rows)
    )


def rules() -> str:
    """Return the page of the rules that findings name."""
    text = (
        "Each finding of `dagfoundry validate` ends with the id of the rule that the model "
        "breaks, such as `[model.cron]`. An id keeps its meaning; `--format json` and "
        "`--format sarif` carry it as well."
    )
    rows = ((f"`{rule.value}`", rule.summary) for rule in Rule)
    return page("Rules", text, table(("rule", "asks that"), rows))


def doctor() -> str:
    """Return the page of the doctor's checks, those of Airflow among them."""
    text = (
        "`dagfoundry doctor` makes these checks; [how to use it](../how-to/check-with-doctor.md). "
        "An id keeps its meaning. A verdict is `ok`, `advice` (it works, and could be better) or "
        "`problem`; only a problem makes the command exit with 1. `--json` carries all of it. "
        "Other distributions add checks under the entry-point group `dagfoundry.doctor`: a "
        "function that returns `dagfoundry.doctor.Check` records."
    )
    with _airflow_sources():
        from dagfoundry_airflow.doctor import CHECKS as AIRFLOW_CHECKS
        from dagfoundry_airflow.doctor.recommended import BUDGET, recommended_rows

        recommended = table(*recommended_rows())
    parts = [text]
    by_area: dict[str, list[Check]] = {}
    for check in (*CHECKS, *AIRFLOW_CHECKS):
        by_area.setdefault(check.area, []).append(check)
    for area, checks in by_area.items():
        columns = ("check", "Airflow", "looks at", "why", "what to do")
        parts += [f"## {area}", table(columns, (_check(check) for check in checks))]
    budget = (
        f"They keep an unchanged fleet below {BUDGET:g} CPU-seconds a minute. The figures follow "
        "from measurements with 4 tasks a DAG: 1 CPU-second for an idle minute, 0.13 for each "
        "file of a pass and 12 ms for each DAG. A pass of 10,000 DAGs took 124 on Airflow 3.3 and "
        "138 on 2.11, so take them for what they are. On Airflow 2 a long interval delays "
        "changes: see "
        "[which settings suit which fleet](../how-to/check-with-doctor.md)."
    )
    return page("Doctor", *parts, "## Recommended settings", budget, recommended)


def _check(check: Check) -> tuple[str, ...]:
    versions = f"{check.airflow[0]} to {check.airflow[-1]}" if check.airflow else "any or none"
    return f"`{check.id}`", versions, check.looks_at, check.why, check.remedy


@contextmanager
def _airflow_sources() -> Iterator[None]:
    """Read the records of dagfoundry-airflow where it is not installed; they import no Airflow."""
    before = set(sys.modules)
    sys.path.append(str(AIRFLOW_SOURCES))
    yield
    sys.path.remove(str(AIRFLOW_SOURCES))
    for name in [name for name in sys.modules if name.startswith("dagfoundry_airflow")]:
        if name not in before:
            del sys.modules[name]


PAGES: dict[str, Callable[[], str]] = {
    "command-line.md": command_line,
    "settings.md": settings,
    "metrics.md": metrics,
    "model.md": model,
    "plugins.md": plugins,
    "errors.md": error_page,
    "rules.md": rules,
    "doctor.md": doctor,
}


def main() -> None:
    """Write every page."""
    REFERENCE.mkdir(exist_ok=True)
    for name, write in PAGES.items():
        (REFERENCE / name).write_text(write(), encoding="utf-8")
        sys.stdout.write(f"wrote reference/{name}\n")


if __name__ == "__main__":
    main()
