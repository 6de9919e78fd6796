"""The command line: ``dagfoundry``.

Exit codes: 0 done or no change, 1 any error (usage errors too), 2 only for ``plan`` and
``drift`` that found some.
"""

from __future__ import annotations

import logging
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import structlog
import typer

from dagfoundry.cli import (
    adopt_commands,
    db_commands,
    doctor_commands,
    drift_commands,
    explain_commands,
    export_commands,
    history_commands,
    inspect_commands,
    metrics_commands,
    model_commands,
    new_commands,
    plan_file_commands,
    plugin_commands,
    report_commands,
    rollback_commands,
    schema_commands,
    upgrade_commands,
    wait_commands,
)
from dagfoundry.cli.output import print_error
from dagfoundry.errors import FoundryError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

COMMAND_GROUP = "dagfoundry.cli"
"""Entry-point group for sub-commands of other distributions: name to a typer app."""

__all__ = ["build_app", "main"]


def build_app() -> typer.Typer:
    """Return the command line with the sub-commands of every installed distribution."""
    app = typer.Typer(
        name="dagfoundry",
        help="Pipelines kept as rows that turn themselves into Airflow DAGs.",
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    for module in (
        model_commands,
        explain_commands,
        schema_commands,
        plan_file_commands,
        plugin_commands,
        new_commands,
        inspect_commands,
        history_commands,
        rollback_commands,
        upgrade_commands,
        doctor_commands,
        export_commands,
        adopt_commands,
        drift_commands,
        wait_commands,
        report_commands,
    ):
        for name, command in module.COMMANDS.items():
            app.command(name)(command)
    app.add_typer(db_commands.app, name="db")
    app.add_typer(metrics_commands.app, name="metrics")
    for offer in entry_points(group=COMMAND_GROUP):
        _add_offered(app, offer)
    return app


def _add_offered(app: typer.Typer, offer: EntryPoint) -> None:
    """Add another distribution's sub-commands; one that is broken takes no other with it."""
    owner = f"{offer.dist.name} {offer.dist.version}" if offer.dist else offer.value
    try:
        app.add_typer(offer.load(), name=offer.name)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever another distribution raises
        reason = f"{type(error).__name__}: {error}"
        sys.stderr.write(f"warning: `dagfoundry {offer.name}` of {owner} is missing: {reason}\n")


def main() -> None:
    """Run the command line and exit."""
    _log_to_stderr()
    command = typer.main.get_command(build_app())
    try:
        arguments = sys.argv[1:] or ["--help"]
        code = command.main(args=arguments, prog_name="dagfoundry", standalone_mode=False)
    except typer.TyperException as error:
        sys.stderr.write(f"error: {error.format_message()}\n  See dagfoundry --help.\n")
        code = 1
    except (typer.Abort, KeyboardInterrupt):
        sys.stderr.write("stopped\n")
        code = 1
    except FoundryError as error:
        print_error(error, as_json="--json" in sys.argv)
        code = 1
    sys.exit(code if isinstance(code, int) else 0)


def _log_to_stderr() -> None:
    """Keep log lines out of stdout, which a program may read; Airflow configures its own."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
