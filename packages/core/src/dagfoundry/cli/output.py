"""What the commands print: tables for people, JSON for programs, errors for both."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dagfoundry.errors import ModelInvalidError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dagfoundry.errors import FoundryError

_UNLIMITED: Final = 100_000
"""Columns of a table that a program reads."""


def print_json(value: Any) -> None:  # noqa: ANN401 - any JSON value
    """Print a JSON value on stdout."""
    sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")


def print_line(text: str) -> None:
    """Print one line on stdout."""
    sys.stdout.write(f"{text}\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; without colour, lines or folded cells when stdout is no terminal."""
    console = Console()
    box = SIMPLE_HEAD if console.is_terminal else None
    table = Table(*columns, box=box, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(_cell(value), overflow="fold") for value in row))
    if console.is_terminal:
        console.print(table)
        return
    plain = Console(width=_UNLIMITED, file=io.StringIO(), no_color=True)
    with plain.capture() as captured:
        plain.print(table)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)


def print_error(error: FoundryError, *, as_json: bool) -> None:
    """Print one error on stderr, or as JSON on stdout."""
    if as_json:
        print_json(error_fields(error))
    else:
        sys.stderr.write(f"error: {error}\n")


def error_fields(error: FoundryError) -> dict[str, Any]:
    """Return an error as JSON values."""
    name = type(error).__name__
    if isinstance(error, ModelInvalidError):
        return {"error": name, "findings": [asdict(finding) for finding in error.findings]}
    return {"error": name, "what": error.what, "remedy": error.remedy}
