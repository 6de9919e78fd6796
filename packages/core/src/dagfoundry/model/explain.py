"""pydantic's errors as findings: file, line and column, the offending value, a remedy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from pydantic import BaseModel, ValidationError

from dagfoundry.errors import Finding
from dagfoundry.model.allowed import allowed_keys
from dagfoundry.model.paths import path_text
from dagfoundry.model.words import choices, shown
from dagfoundry.names import NAME_PATTERN, PLATFORM_NAME_PATTERN
from dagfoundry.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic_core import ErrorDetails

    from dagfoundry.model.paths import Path
    from dagfoundry.model.places import Locator, Spot

T = TypeVar("T", bound=BaseModel)

_SUBJECT: Final = re.compile(r"^(Input|String|Value|List|Tuple|Set|Dictionary) (?=should)")
_KEY_MARK: Final = "[key]"
_CONTAINERS: Final = {
    "model_type": "mapping",
    "dict_type": "mapping",
    "list_type": "list",
    "tuple_type": "list",
    "set_type": "list",
}
_PATTERNS: Final = {
    NAME_PATTERN: "Begin with a letter, then use letters, digits and underscores.",
    PLATFORM_NAME_PATTERN: "Begin with a letter, then use letters, digits, _ and - (up to 63).",
    r"^[A-Za-z_][A-Za-z0-9_]*$": "Use letters, digits and underscores; no digit comes first.",
}
_RULES: Final = {
    "missing": Rule.MISSING_KEY,
    "extra_forbidden": Rule.UNKNOWN_KEY,
    "cron": Rule.CRON,
}
_TYPE_ERRORS: Final = ("_type", "_parsing", "int_from_float")
_REMEDIES: Final = {
    "bool": "Write true or false.",
    "int": "Write a whole number.",
    "float": "Write a number.",
    "string_type": "Write text; put it in quotes if it looks like a number, true or null.",
    "model": "Write a mapping: lines of `key: value`.",
    "dict": "Write a mapping: lines of `key: value`.",
    "list": "Write a list: lines of `- value`, or [a, b].",
    "tuple": "Write a list: lines of `- value`, or [a, b].",
    "set": "Write a list: lines of `- value`, or [a, b].",
    "too_short": "Add what is missing.",
    "too_long": "Remove what is too much.",
    "greater_than": "Write a number within the limit.",
    "less_than": "Write a number within the limit.",
    "string_too": "Write text of that length.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Problem:
    """One of pydantic's errors and the spot that it is about."""

    error: ErrorDetails
    spot: Spot

    @property
    def type(self) -> str:
        return self.error["type"]

    @property
    def last(self) -> str | int:
        return self.error["loc"][-1] if self.error["loc"] else ""


def validate(
    model: type[T], values: object, locator: Locator, at: Path = ()
) -> tuple[T | None, list[Finding]]:
    """Return the values as ``model``, or everything that is wrong with them.

    Args:
        model: The pydantic model.
        values: What YAML gave.
        locator: Where the values stand.
        at: Path of the values.
    """
    try:
        return model.model_validate(values), []
    except ValidationError as error:
        return None, explain(error, model=model, locator=locator, at=at)


def explain(
    error: ValidationError, *, model: type[BaseModel], locator: Locator, at: Path = ()
) -> list[Finding]:
    """Return one finding for each thing that is wrong.

    Args:
        error: What pydantic found.
        model: The model that was validated.
        locator: Where the values stand.
        at: Path of the validated value.
    """
    problems = [
        _locate(details, locator, at)
        for details in error.errors(include_url=False)
        if not _miscounted(details)
    ]
    return [_finding(group, model) for group in _grouped(problems)]


def _miscounted(details: ErrorDetails) -> bool:
    """Whether pydantic calls a list too short only because its items are wrong."""
    length = details.get("ctx", {}).get("actual_length")
    return details["type"] == "too_short" and length != len(details["input"])


def _locate(details: ErrorDetails, locator: Locator, at: Path) -> _Problem:
    loc = details["loc"]
    beyond = details["type"] == "missing" or loc[-1:] == (_KEY_MARK,)
    return _Problem(error=details, spot=locator.follow((*at, *(loc[:-1] if beyond else loc))))


def _grouped(problems: Iterable[_Problem]) -> list[list[_Problem]]:
    """Put together what several members of a union say about one value.

    Each member of a union reports why it refuses the value. Where one member got past
    the kind of value, what the others say of its kind is noise.
    """
    groups: dict[tuple[object, ...], list[_Problem]] = {}
    members: dict[Path, list[_Problem]] = {}
    for problem in problems:
        if problem.spot.union is None:
            groups[problem.spot.path, problem.type, problem.last] = [problem]
        else:
            members.setdefault(problem.spot.union, []).append(problem)
    for union, refusals in members.items():
        past = [p for p in refusals if p.spot.path != union or not p.type.endswith("_type")]
        for problem in past or refusals:
            missing = problem.last if problem.type == "missing" else ""
            groups.setdefault((problem.spot.path, missing), []).append(problem)
    return list(groups.values())


def _finding(group: list[_Problem], model: type[BaseModel]) -> Finding:
    first = group[0]
    spot, path = first.spot, first.spot.path
    if first.type == "missing":
        what, path = f"key {first.last!r} is missing", (*path, first.last)
    elif first.type == "extra_forbidden":
        what = f"unknown key {first.last!r}"
    else:
        what = _said(group)
    at_key = first.type == "extra_forbidden" or first.last == _KEY_MARK
    return Finding(
        what=what,
        remedy=_remedy(first, model),
        path=path_text(path),
        place=spot.key_place if at_key else spot.place,
        rule=_rule(first.type),
        value="" if first.type == "missing" else shown(first.error["input"]),
    )


def _rule(error_type: str) -> Rule:
    known = _RULES.get(error_type)
    return known or (Rule.WRONG_TYPE if error_type.endswith(_TYPE_ERRORS) else Rule.WRONG_VALUE)


def _said(group: list[_Problem]) -> str:
    value = shown(group[0].error["input"])
    texts = dict.fromkeys(_text(problem) for problem in group)
    text = " or ".join(texts)
    if text.startswith("should"):
        return f"{value} {text}"
    return text if value in text or value.startswith("a ") else f"{value}: {text}"


def _text(problem: _Problem) -> str:
    if problem.type in _CONTAINERS:
        return f"should be a {_CONTAINERS[problem.type]}"
    return _SUBJECT.sub("", problem.error["msg"].removeprefix("Value error, "))


def _remedy(problem: _Problem, model: type[BaseModel]) -> str:
    context = problem.error.get("ctx", {})
    if "remedy" in context:
        return str(context["remedy"])
    if problem.type == "missing":
        return f"Add `{problem.last}: ...` here."
    if problem.type == "extra_forbidden":
        return choices(str(problem.last), allowed_keys(model, problem.error["loc"][:-1]))
    if problem.type in {"enum", "literal_error"}:
        return choices(str(problem.error["input"]), re.findall(r"'([^']*)'", context["expected"]))
    return _PATTERNS.get(context.get("pattern", "")) or _remedy_of_type(problem.type)


def _remedy_of_type(error_type: str) -> str:
    fitting = (text for start, text in _REMEDIES.items() if error_type.startswith(start))
    return next(fitting, "Correct the value.")
