"""``dagfoundry airflow2``: what Airflow 2 needs in its DAG folder."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated, Final

import typer

_MAX_SHARDS: Final = 256
"""As many as a foundry may have buckets."""

app = typer.Typer(help="Loader files for Airflow 2, which has no DAG bundles.")


@app.callback()
def airflow2() -> None:
    """Loader files for Airflow 2, which has no DAG bundles."""


@app.command("install")
def install_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Airflow's DAG folder.")],
    *,
    foundry: Annotated[str, typer.Option("--foundry", help="Name of the foundry.")],
    shards: Annotated[
        int, typer.Option("--shards", min=1, max=_MAX_SHARDS, help="Number of loader files.")
    ] = 16,
) -> None:
    """Write the loader files once; they never change with the model."""
    from dagfoundry_airflow.airflow2 import install

    changed = install(folder, foundry, shards)
    for path in changed:
        typer.echo(f"{'wrote' if path.exists() else 'removed'} {path}")
    typer.echo(f"{len(changed)} files changed")
