"""What pydantic finds becomes one finding with path, place, value and remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel, ConfigDict

from dagfoundry.model.allowed import allowed_keys
from dagfoundry.model.words import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from dagfoundry.errors import Finding

    FindOne = Callable[..., Finding]

CARET = "^"
"""Marks the place that a finding is to name."""

SHOP = "  - {name: a, source: {url_variable: S}, %s}"
RECIPE = "  - {name: a, %s}"


@pytest.mark.parametrize(
    ("section", "item", "path", "what", "remedy"),
    [
        ("shops", "owner: ^5", "owner", "5 should be a valid string", "put it in quotes"),
        ("shops", "mode: ^multy", "mode", "'multy' should be", "Did you mean 'multi'?"),
        ("shops", "enabled: ^yess", "enabled", "'yess' should be a valid", "true or false"),
        ("shops", "retries: ^1000", "retries", "1000 should be less", "within the limit"),
        ("shops", "retries: ^many", "retries", "'many' should be a valid", "a whole number"),
        ("shops", "^ownr: me", "ownr", "unknown key 'ownr'", "Did you mean 'owner'?"),
        ("shops", "^zzz: 1", "zzz", "unknown key 'zzz'", "Allowed: datasets, enabled"),
        ("shops", "tags: ^a", "tags", "'a' should be a list", "Write a list"),
        ("shops", "tags: [a, ^'']", "tags[1]", "'' should have at least 1", "of that length"),
        ("shops", "options: ^[]", "options", "a list of 0 should be a mapping", "a mapping"),
        ("shops", "datasets: [^7]", "datasets[0]", "7 should be a mapping", "a mapping"),
        ("shops", "datasets: [^{key: [a]}]", "datasets[0].name", "is missing", "Add `name"),
        (
            "shops",
            "datasets: [{name: a, key: ^[]}]",
            "datasets[0].key",
            "a list of 0 should have at least 1 item",
            "Add what is missing",
        ),
        (
            "shops",
            "datasets: [{name: a, ^keys: [b], key: [c]}]",
            "datasets[0].keys",
            "unknown key 'keys'",
            "Did you mean 'key'? Allowed: key, name, table.",
        ),
        (
            "shops",
            "datasets: [{name: ^2nd, key: [a]}]",
            "datasets[0].name",
            "'2nd' should match pattern",
            "Begin with a letter",
        ),
        (
            "shops",
            "schedule: ^61 * * * *",
            "schedule",
            "'61 * * * *' is no cron expression",
            "Write five fields",
        ),
        ("recipes", "inputs: ^5", "inputs", "a list or should be a mapping", "Write a list"),
        ("recipes", "inputs: [a, ^5]", "inputs[1]", "5 should be a valid string", "quotes"),
        ("recipes", "inputs: {a: b, c: ^[]}", "inputs.c", "a list of 0 should be", "Write text"),
        ("recipes", "inputs: [], factor: ^x", "factor", "'x' should be", "Write a number"),
        (
            "recipes",
            "inputs: [], output: {name: a, ^kex: [b], key: [c]}",
            "output.kex",
            "unknown key 'kex'",
            "Did you mean 'key'?",
        ),
    ],
)
def test_each_fault_has_place_value_and_remedy(
    finding: FindOne, section: str, item: str, path: str, what: str, remedy: str
) -> None:
    """One fault in an item is one finding at its own column, also inside a union."""
    line = (SHOP if section == "shops" else RECIPE) % item
    found = finding(f"{section}:\n{line.replace(CARET, '')}\n")
    assert found.path == f"{section}[0].{path}"
    assert (found.place.line, found.place.column) == (6, line.index(CARET) + 1)
    assert what in found.what
    assert remedy in found.remedy


def test_a_rule_over_several_keys_is_placed_at_their_mapping(finding: FindOne) -> None:
    """A database without parts is one finding, where its mapping begins."""
    found = finding("shops:\n  - name: a\n    source:\n      hostname: h\n")
    assert found.what == "name url_variable, or at least driver and database"
    assert (found.path, found.place.line, found.place.column) == ("shops[0].source", 8, 7)


def test_wrong_items_do_not_make_a_list_too_short(finding: FindOne) -> None:
    """That pydantic counts only good items is no second fault."""
    found = finding("", "foundry: A\nplatforms: [5]\n")
    assert found.path == "platforms[0]"


def test_a_password_is_never_shown(finding: FindOne) -> None:
    """A URL in the wrong place is shown without its password."""
    url = "postgresql://me:s3cret@host/db"
    found = finding(f"shops:\n  - {{name: a, source: {{url_variable: '{url}'}}}}\n")
    assert "s3cret" not in str(found)
    assert "postgresql://me:***@host/db" in found.what


def test_the_value_of_an_unknown_key_is_never_shown(finding: FindOne) -> None:
    """Somebody who writes a password into the model does not see it in a log."""
    found = finding("shops:\n  - {name: a, source: {url_variable: S, password: hunter2}}\n")
    assert "hunter2" not in str(found)
    assert "unknown key 'password'" in found.what


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        ("a\nb", r"'a\nb'"),
        ({"a": 1}, "a mapping of 1 keys"),
        ([1, 2], "a list of 2"),
        ("x" * 200, "'" + "x" * 76 + "..."),
    ],
)
def test_values_are_shown_short(value: object, text: str) -> None:
    """A value takes one line of a message."""
    assert shown(value) == text


def test_a_type_without_a_schema_is_known_by_its_own_keys() -> None:
    """A plugin's own Python type does not hide the keys beside it."""

    class Odd:
        """A type that JSON Schema does not know."""

    class Part(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)

        odd: Odd
        name: str

    assert allowed_keys(Part, ()) == {"odd", "name"}
