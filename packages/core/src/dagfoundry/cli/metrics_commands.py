"""Commands that hand out metrics."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dagfoundry.cli.options import open_configured_store
from dagfoundry.cli.output import print_line
from dagfoundry.errors import SettingInvalidError
from dagfoundry.metrics import render
from dagfoundry.metrics import serve as serve_metrics
from dagfoundry.metrics.entries import EntriesCollector
from dagfoundry.plugins import load_plugins
from dagfoundry.settings import METRICS_VARIABLE, read_settings

app = typer.Typer(help="Prometheus metrics.", no_args_is_help=True)


@app.command()
def serve(
    *,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="TCP port.")] = 9109,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Serve the metrics of all processes at /metrics until stopped."""
    folder = _metrics_dir()
    print_line(f"serving the metrics of {folder} at http://{host}:{port}/metrics")
    sys.stdout.flush()
    serve_metrics(port, host, folder, [_entries()])


@app.command()
def show() -> None:
    """Print the metrics of all processes once."""
    sys.stdout.write(render(_metrics_dir(), [_entries()]).decode())


def _entries() -> EntriesCollector:
    return EntriesCollector(open_configured_store(), load_plugins())


def _metrics_dir() -> Path:
    folder = read_settings().metrics_dir
    if folder is None:
        msg = f"environment variable {METRICS_VARIABLE} is not set"
        remedy = "Set it to the folder that Airflow's processes write their metrics to."
        raise SettingInvalidError(msg, remedy=remedy)
    return Path(folder)
