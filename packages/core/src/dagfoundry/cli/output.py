"""What the commands print: tables for people, JSON for programs, errors for both."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dagfoundry.errors import ModelInvalidError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dagfoundry.errors import FoundryError


def print_json(value: Any) -> None:  # noqa: ANN401 - any JSON value
    """Print a JSON value on stdout."""
    sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")


def print_line(text: str) -> None:
    """Print one line on stdout."""
    sys.stdout.write(f"{text}\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; without colour, lines or folded cells when stdout is no terminal."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=10_000, no_color=True, highlight=False)
    table = Table(box=SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    console.print(table)


def print_error(error: FoundryError, *, as_json: bool) -> None:
    """Print one error on stderr, or as JSON on stdout."""
    if as_json:
        print_json({"error": type(error).__name__, **_error_fields(error)})
    else:
        sys.stderr.write(f"error: {error}\n")


def _error_fields(error: FoundryError) -> dict[str, Any]:
    if isinstance(error, ModelInvalidError):
        return {"findings": [asdict(finding) for finding in error.findings]}
    return {"what": error.what, "remedy": error.remedy}
