"""A function under the name that dag-factory's published examples call."""

from __future__ import annotations


def summarize() -> None:
    """Print a summary."""
    print("all is well")
