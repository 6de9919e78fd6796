"""Where two serialised DAGs differ is said in words that lead to the line of code."""

from __future__ import annotations

from typing import Any

import pytest

from dagfoundry.testing.difference import first_difference


def task(task_id: str, **values: object) -> dict[str, Any]:
    """Return a task as Airflow 3 serialises it."""
    return {"__type": "operator", "__var": {"task_id": task_id, **values}}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 2}}, "a.b: 1 and 2"),
        ({"a": 1}, {}, "a: 1 and nothing"),
        ({}, {"a": None}, "a: nothing and null"),
        ({"a": [1, {"b": "x"}]}, {"a": [1, {"b": "y"}]}, 'a[1].b: "x" and "y"'),
        ({"a": [1]}, {"a": [1, 2]}, "a: [1] and [1, 2]"),
        ({"a": [1, 2]}, {"a": [2, 1]}, "a: [1, 2] and [2, 1]"),
        ("x", "y", 'the whole: "x" and "y"'),
        (
            {"tasks": [task("first"), task("second", pool="a")]},
            {"tasks": [task("first"), task("second", pool="b")]},
            'tasks[second].pool: "a" and "b"',
        ),
    ],
)
def test_first_difference_names_the_place_and_both_values(
    before: object, after: object, said: str
) -> None:
    """A place reads like Python; a task is named by its id."""
    assert str(first_difference(before, after)) == said


def test_equal_values_have_no_difference() -> None:
    """The order of keys is none."""
    assert first_difference({"a": [1], "b": 2}, {"b": 2, "a": [1]}) is None


def test_a_long_value_is_shortened() -> None:
    """An error stays readable."""
    assert len(str(first_difference("x" * 5000, "y" * 5000))) < 500


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        ("<a.B object at 0x7f00aa11bb22>", "<a.B object at 0x7f00aa11bb44>", "memory address"),
        (
            "run-0b5f2b0e-53a8-4a3f-9d7f-1c0f0f0f0f01",
            "run-1b5f2b0e-53a8-4a3f-9d7f-1c0f0f0f0f02",
            "UUID",
        ),
        ("2026-11-25 04:41:55.7+00:00", "2027-12-30 09:59:06.1+00:00", "the time of the build"),
        (1700000000.25, 1734560000.5, "the time of the build"),
        ("datetime.date(2026, 1, 2)", "datetime.date(2027, 2, 3)", "the time of the build"),
        (["b", "a"], ["a", "b"], "order is that of a set"),
        ("{'b', 'a'}", "{'a', 'b'}", "order is that of a set"),
        (17, 18, "from the entry alone"),
        ("at 0x7f00aa11bb22", "elsewhere", "from the entry alone"),
    ],
)
def test_remedy_names_what_usually_differs_like_that(
    before: object, after: object, word: str
) -> None:
    """A guess is made only where both values fit it."""
    difference = first_difference({"a": before}, {"a": after})
    assert difference is not None
    assert word in difference.remedy
