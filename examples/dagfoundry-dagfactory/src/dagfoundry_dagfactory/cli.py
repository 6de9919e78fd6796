"""``dagfoundry dagfactory``: what helps to move from dag-factory."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated, Any, Final

import typer
import yaml

SECTION: Final = "dagfactory_dags"
_NOTE: Final = "note: "

app = typer.Typer(help="DAGs written in the YAML of dag-factory.")


@app.callback()
def dagfactory() -> None:
    """DAGs written in the YAML of dag-factory."""


@app.command("convert")
def convert_command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="dag-factory's YAML.")],
    *,
    output: Annotated[
        Path | None, typer.Option("--output", help="File to write; printed when absent.")
    ] = None,
    defaults: Annotated[
        list[Path] | None,
        typer.Option("--defaults", help="A defaults.yml; repeat it, the least specific first."),
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option("--without", help="Name of a DAG to leave out; repeatable.")
    ] = None,
    expand: Annotated[
        list[str] | None,
        typer.Option("--expand", help="Environment variable to replace; repeatable."),
    ] = None,
) -> None:
    """Write DAGs of dag-factory as a section of a model; all of them, or none and the reasons."""
    from dagfoundry_dagfactory.convert import convert

    items, report = convert(
        files, defaults=defaults or (), without=without or (), variables=expand or ()
    )
    for line in report.notes:
        typer.echo(f"{_NOTE}{line}", err=True)
    for line in report.refused:
        typer.echo(f"error: {line}", err=True)
    if report.refused:
        typer.echo(f"{len(report.refused)} errors; nothing was written", err=True)
        raise typer.Exit(1)
    _write(items, output)


def _write(items: list[dict[str, Any]], output: Path | None) -> None:
    text = yaml.safe_dump({SECTION: items}, sort_keys=False, allow_unicode=True, width=100)
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")
        typer.echo(f"wrote {len(items)} DAGs to {output}", err=True)
