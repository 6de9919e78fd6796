"""Functions under the names that dag-factory's published examples call."""

from __future__ import annotations


def read_params(params: dict[str, object]) -> None:
    """Print the params of a run."""
    print(params)


def generate_data() -> str:
    """Return some text."""
    return "data"
