"""Functions under the names that dag-factory's published examples call."""

from __future__ import annotations


def make_list() -> list[list[int]]:
    """Return the arguments of three calls."""
    return [[1], [2], [3]]


def consume_value(value: int, fixed_param: str) -> None:
    """Print one of them."""
    print(value, fixed_param)
