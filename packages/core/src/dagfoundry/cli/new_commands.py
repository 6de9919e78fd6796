"""The command that starts a package with a new factory type."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dagfoundry.cli.options import AsJson  # noqa: TC001 - typer reads the annotation
from dagfoundry.cli.output import print_json, print_line
from dagfoundry.new_type import NewType, write_new_type
from dagfoundry.plugins import load_plugins


def new(
    name: Annotated[str, typer.Argument(metavar="TYPE", help="Name of the factory type.")],
    *,
    section: Annotated[
        str | None, typer.Option(help="Key of the model for its items; TYPE with an s by default.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to create; dagfoundry-TYPE by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a package with a new factory type, whose tests pass at once."""
    made = NewType(name=name, section=section or f"{name}s")
    folder = out or Path(made.distribution)
    written = write_new_type(made, folder, load_plugins())
    if as_json:
        print_json({"distribution": made.distribution, "files": [str(path) for path in written]})
        return
    for path in written:
        print_line(f"wrote {path}")
    print_line(f"next: pip install -e {folder} --group {folder}/pyproject.toml:test")
    print_line(f"      pytest {folder}")


COMMANDS = {"new": new}
