"""The type's section of a model: its schema, its examples, and what is said of broken ones."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from dagfoundry.errors import CheckImpossibleError, ModelInvalidError
from dagfoundry.model.json_schema import model_schema
from dagfoundry.plugins import Plugins
from dagfoundry.testing.conformance.broken_items import broken_items
from dagfoundry.testing.rows import rows_of_model

if TYPE_CHECKING:
    from types import ModuleType

    from dagfoundry.errors import Finding
    from dagfoundry.factories import PlatformContext
    from dagfoundry.testing.conformance.broken_items import BrokenItem
    from dagfoundry.testing.conformance.subject import Example, Subject


def check_schema(subject: Subject) -> None:
    """Refuse a section whose JSON Schema is none, or refuses an example."""
    jsonschema = _jsonschema()
    schema = model_schema(Plugins(types={subject.name: subject.installed}))
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        problem = f"the JSON Schema of its items is wrong at {error.json_path}: {error.message}"
        remedy = "Correct json_schema_extra or WithJsonSchema of its item."
        raise subject.failure(problem, remedy) from error
    validator = jsonschema.Draft202012Validator(schema)
    for example in subject.examples:
        refusals = validator.iter_errors({example.section: [example.item]})
        worst = jsonschema.exceptions.best_match(refusals)
        if worst is not None:
            problem = f"the JSON Schema refuses {example} at {worst.json_path}: {worst.message}"
            remedy = "Correct the example, or say the form of the value with WithJsonSchema."
            raise subject.failure(problem, remedy)


def _jsonschema() -> ModuleType:
    try:
        return import_module("jsonschema")
    except ImportError:
        msg = "a JSON Schema cannot be checked: jsonschema is not installed in this environment"
        raise CheckImpossibleError(msg, remedy="Run `pip install 'dagfoundry[testing]'`.") from None


def check_examples(subject: Subject) -> None:
    """Refuse an example that a model could not hold, or that makes no entry."""
    for example in subject.examples:
        if not example.entries:
            problem = f"{example} makes no entry"
            raise subject.failure(problem, "Give an example of which draft makes an entry.")


def check_errors_are_located(subject: Subject) -> None:
    """Refuse a type that ends with a bare exception, or without a place, on a broken item."""
    for example in subject.examples:
        for broken in broken_items(example.item):
            problem = _unlocated(example, broken)
            if problem:
                remedy = "Declare the value's type in the item's model, or raise a ValueError."
                raise subject.failure(f"{example}, {broken.what}: {problem}", remedy)


def _unlocated(example: Example, broken: BrokenItem) -> str:
    """Return what is wrong with how a broken item is refused; nothing if it may be accepted."""
    crashes: list[str] = []
    plugins = _noting(example.subject, crashes)
    try:
        rows_of_model(example.model(broken.item), plugins)
    except ModelInvalidError as error:
        if crashes := [*crashes, *_crash_of_item(example.subject, broken.item)]:
            return crashes[0]
        lost = [finding for finding in error.findings if not _is_located(finding, example.section)]
        return f"a finding names no place inside the item: {lost[0]}" if lost else ""
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises is the finding
        return f"its config raised {_text(error)}"
    return ""


def _noting(subject: Subject, crashes: list[str]) -> Plugins:
    """Return the plugins with a draft that notes what it should not raise."""

    def draft(item: Any, context: PlatformContext) -> Any:  # noqa: ANN401 - the type's own
        try:
            return list(subject.type.draft(item, context))
        except ValueError:
            raise
        except Exception as error:
            crashes.append(f"its draft raised {_text(error)}")
            raise

    installed = replace(subject.installed, type=replace(subject.type, draft=draft))
    return Plugins(types={**subject.plugins.types, subject.name: installed})


def _crash_of_item(subject: Subject, item: Any) -> list[str]:  # noqa: ANN401 - JSON values
    """Return what the item's own validators raise that a validator may not raise."""
    try:
        subject.type.item.model_validate(item)
    except ValidationError:
        return []
    except Exception as error:  # noqa: BLE001 - as above
        return [f"its item raised {_text(error)}"]
    return []


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _is_located(finding: Finding, section: str) -> bool:
    return finding.place is not None and finding.path.startswith(f"{section}[0]")
