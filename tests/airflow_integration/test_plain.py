"""A job's spec is plain JSON in a fixed order, whatever a builder gives."""

from __future__ import annotations

import json
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagfoundry_airflow.plain import plain_json


class Colour(str, Enum):
    """Text that is more than text."""

    RED = "red"


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
KEYS = st.text() | st.just(Colour.RED)
VALUES = st.recursive(
    SCALARS | st.just(Colour.RED),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(KEYS, inner)
        | st.dictionaries(st.integers(), inner)
    ),
    max_leaves=20,
)


@given(value=VALUES)
def test_a_value_is_what_json_gives_back(value: object) -> None:
    """The same values, of the same types, in the same order."""
    expected = json.loads(json.dumps(value, sort_keys=True))
    assert shape(plain_json(value)) == shape(expected)


def test_what_json_cannot_hold_is_refused() -> None:
    """The error is that of the encoder, so that it names the type."""
    with pytest.raises(TypeError, match="set is not JSON serializable"):
        plain_json({"a": [{"b": {1, 2}}]})


def test_a_change_of_the_original_is_not_seen() -> None:
    """A builder may use a spec again."""
    original: dict[str, Any] = {"a": {"b": [1]}}
    copy = plain_json(original)
    original["a"]["b"].append(2)
    assert copy == {"a": {"b": [1]}}


def shape(value: object) -> object:
    """Return a value with its types and the order of its keys."""
    if isinstance(value, dict):
        return [(shape(key), shape(member)) for key, member in value.items()]
    if isinstance(value, list):
        return [shape(member) for member in value]
    return type(value), value
