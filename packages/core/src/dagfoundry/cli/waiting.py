"""After a write: those who serve DAGs are told of it, and waited for if that is asked."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dagfoundry import serving
from dagfoundry.cli.output import error_fields, print_error
from dagfoundry.cli.progress import reporting
from dagfoundry.cli.readiness_view import readiness_as_json, show_readiness
from dagfoundry.errors import FoundryError, FoundryMissingError
from dagfoundry.serving import not_ready, wait_until_ready

if TYPE_CHECKING:
    from dagfoundry.serving import DagServer, Readiness
    from dagfoundry.store import Head, Store

DEFAULT_TIMEOUT_SECONDS = 600.0
"""Longer than a factory DAG's interval of 5 minutes, which unpauses what came back."""

Timeout = Annotated[
    float,
    typer.Option(
        "--timeout",
        min=0,
        metavar="SECONDS",
        help=f"How long to wait, {DEFAULT_TIMEOUT_SECONDS:g} by default; 0 looks once.",
    ),
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Waited:
    """How a wait ended.

    Attributes:
        readiness: What the last look found; None when there was none.
        error: Why it is no success; None when it is one.
    """

    readiness: Readiness | None = None
    error: FoundryError | None = None

    @property
    def exit_code(self) -> int:
        """Exit code of the command that waited."""
        return 0 if self.error is None else 1

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        values = readiness_as_json(self.readiness) if self.readiness else {"ready": False}
        return values if self.error is None else {**values, **error_fields(self.error)}

    def show(self) -> None:
        """Print it for a person."""
        if self.readiness is not None:
            show_readiness(self.readiness)
        if self.error is not None:
            print_error(self.error, as_json=False)


def announce(store: Store, head: Head, *, since: int) -> None:
    """Tell those who serve DAGs of a new revision; a failure is one line of warning."""
    with redirect_stdout(sys.stderr):
        for warning in serving.announce(store, head, since=since):
            sys.stderr.write(f"warning: {warning}\n")


def wait_for(store: Store, foundry: str, revision: int | None, *, timeout: float) -> Waited:
    """Wait until a revision is served; shows on stderr how far it is.

    Args:
        store: The store.
        foundry: Name of the foundry.
        revision: The revision; None for the newest.
        timeout: How long to wait, in seconds.
    """
    try:
        with redirect_stdout(sys.stderr):  # Airflow 2.10 to 3.0 logs to it, also under --json
            found = _look_until_ready(store, foundry, revision, timeout)
    except FoundryError as error:
        return Waited(error=error)
    if found.is_ready:
        return Waited(readiness=found)
    return Waited(readiness=found, error=not_ready(found, timeout_seconds=timeout))


def _look_until_ready(
    store: Store, foundry: str, revision: int | None, timeout: float
) -> Readiness:
    with _server().watch(store, foundry, revision) as watch, reporting() as report:
        return wait_until_ready(watch, timeout_seconds=timeout, on_look=report)


def _server() -> DagServer:
    """Return who serves DAGs; the first by name, should there be several.

    Raises:
        FoundryMissingError: Nobody is installed.
    """
    for _name, load in serving.dag_servers():
        return load()
    msg = "nobody who serves DAGs is installed in this environment"
    raise FoundryMissingError(msg, remedy="Install dagfoundry-airflow, which asks Airflow.")
