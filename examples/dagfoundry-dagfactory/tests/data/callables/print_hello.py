"""A function under the name that dag-factory's published examples call."""

from __future__ import annotations


def print_hello() -> None:
    """Print a greeting."""
    print("hello")


def print_hello_from_callback(_context: object) -> None:
    """Print a greeting."""
    print("hello from a callback")
