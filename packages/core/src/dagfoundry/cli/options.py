"""Options and arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dagfoundry.doctor.subject import only_foundry
from dagfoundry.model import load_model
from dagfoundry.plugins import load_plugins
from dagfoundry.settings import read_settings, required_model
from dagfoundry.store import open_store

if TYPE_CHECKING:
    from dagfoundry.model import LoadedModel
    from dagfoundry.store import Store

ModelPaths = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="MODEL...",
        help="Files or folders of the model; DAGFOUNDRY_MODEL when none is named.",
        show_default=False,
    ),
]

EnvironmentName = Annotated[
    str | None,
    typer.Option("--env", metavar="NAME", help="Environment of the model; else DAGFOUNDRY_ENV."),
]

FoundryName = Annotated[
    str | None,
    typer.Option("--foundry", help="The foundry; needed when the store holds several."),
]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

Message = Annotated[str, typer.Option("-m", "--message", help="Why; kept for ever.")]

AllowPrune = Annotated[
    bool, typer.Option("--allow-prune", help="Retire however many entries are gone.")
]

AllowEnvironment = Annotated[
    bool,
    typer.Option("--allow-environment", help="Merge another environment than the last one."),
]

AllowOlder = Annotated[
    bool, typer.Option("--allow-older", help="Merge a commit older than the last one.")
]

Entry = Annotated[str, typer.Argument(metavar="ENTRY", help="A DAG id, or an entry's key.")]

OfPlatform = Annotated[str | None, typer.Option("--platform", help="Only rows of this platform.")]

OfType = Annotated[str | None, typer.Option("--type", help="Only rows of this factory type.")]

OfEntry = Annotated[
    str | None, typer.Option("--entry", help="Only this entry: a DAG id, or an entry's key.")
]

AtRevision = Annotated[
    int | None, typer.Option("--at", metavar="REV", help="As of this revision; the newest else.")
]

WRITE_TIMEOUT_SECONDS = 120.0
"""How long a command waits for another one that holds the foundry's lock."""


def model_paths(paths: list[Path] | None) -> list[Path]:
    """Return the model a command is given, or that of the process's environment.

    Raises:
        SettingInvalidError: No model is named.
    """
    return paths or [Path(required_model(read_settings()))]


def read_model(paths: list[Path] | None, environment: str | None) -> LoadedModel:
    """Load and check the model a command is given, or that of the process's environment.

    Raises:
        ModelInvalidError: The model breaks rules.
        SettingInvalidError: No model is named.
    """
    name = environment or read_settings().environment
    return load_model(model_paths(paths), load_plugins(), environment=name)


def open_configured_store(*, to_write: bool = False) -> Store:
    """Open the store that the environment names."""
    url = read_settings().store_url
    return open_store(url, timeout_seconds=WRITE_TIMEOUT_SECONDS) if to_write else open_store(url)


def one_foundry(store: Store, name: str | None) -> str:
    """Return the foundry a command is to look at.

    Raises:
        FoundryMissingError: The store holds none, or several and none was named.
    """
    if name is not None:
        return store.head(name).foundry
    return only_foundry(store)
