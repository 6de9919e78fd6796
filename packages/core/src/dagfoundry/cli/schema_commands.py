"""The command that prints the JSON Schema of a model, for editors."""

from __future__ import annotations

from dagfoundry.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from dagfoundry.cli.output import print_json
from dagfoundry.model.json_schema import model_schema
from dagfoundry.plugins import load_plugins


def schema(*, _as_json: AsJson = False) -> None:
    """Print the JSON Schema of a model with the sections of all installed types."""
    print_json(model_schema(load_plugins()))


COMMANDS = {"schema": schema}
