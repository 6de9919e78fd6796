"""From a model to running DAGs: the quickstart on a real Airflow.

Loads real data, merges the model, starts Airflow with the DAG bundle and an empty DAG
folder, lets everything run, compares the rows with the source files, changes the model
and watches the changes arrive. Exits with 0 only if all of it held, and leaves no
process and no file.

    python demo.py [--postgres] [--serve]
"""

from __future__ import annotations

import argparse
import platform
import signal
import sys
import time
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from airflow_client import AirflowError
from airflow_environment import USER, free_port
from airflow_processes import AirflowProcesses
from httpx import TransportError
from progress import DemoError, Progress
from report import change_table, dag_table, save_picture
from rich.console import Console
from steps import Demo
from surroundings import (
    Command,
    adopt_orphans,
    airflow_variables,
    copy_model,
    databases,
    end_leftovers,
    own_variables,
    temporary_folder,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

PACKAGES: Final = (
    "apache-airflow",
    "dagfoundry",
    "dagfoundry-platform",
    "dagfoundry-datatransformer",
    "dagfoundry-airflow",
)
_WIDTH: Final = 110
"""Columns of a pipe."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo and return its exit code."""
    options = _options().parse_args(arguments)
    progress = Progress(Console(width=None if sys.stdout.isatty() else _WIDTH))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    adopt_orphans()
    try:
        with ExitStack() as stack:
            _run(options, progress, stack)
    except (DemoError, AirflowError, TransportError) as error:
        progress.fail(str(error), log=getattr(error, "log", ""))
    except KeyboardInterrupt:
        progress.fail("interrupted")
    finally:
        _leave_no_process(progress)
    return _verdict(progress)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="From a model to running DAGs.")
    parser.add_argument("--postgres", action="store_true", help="use a real PostgreSQL")
    parser.add_argument("--serve", action="store_true", help="leave Airflow up until Ctrl-C")
    parser.add_argument("--keep", action="store_true", help="keep the temporary folder")
    parser.add_argument("--picture", type=Path, help="save the tables as this SVG file")
    return parser


def _interrupt(_number: int, _frame: object) -> NoReturn:
    """End the demo; from now on nothing interrupts its clean-up."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _run(options: argparse.Namespace, progress: Progress, stack: ExitStack) -> None:
    with progress.step("The environment"):
        folder = stack.enter_context(temporary_folder(keep=options.keep))
        _describe(progress, folder)
        urls = stack.enter_context(databases(folder, postgres=options.postgres))
        progress.say("PostgreSQL runs" if options.postgres else "SQLite keeps all databases")
    model = copy_model(folder / "model")
    variables = own_variables(folder, urls, model)
    airflow = AirflowProcesses(folder / "airflow", free_port(), variables | airflow_variables(urls))
    stack.callback(airflow.stop)
    demo = Demo(
        progress=progress, command=Command(variables), urls=urls, model=model, airflow=airflow
    )
    stack.callback(demo.close)
    tables = _play(demo, progress)
    if options.picture:
        save_picture(options.picture, tables)
    if options.serve:
        _serve(progress, airflow)
    with progress.step("Stopping Airflow"):
        stack.close()


def _play(demo: Demo, progress: Progress) -> list[Table]:
    with progress.step("The source database: every flight that left New York City in 2013"):
        demo.load()
    with progress.step("The model: dagfoundry merge"):
        demo.merge()
    with progress.step("A real Airflow, its DAG folder empty"):
        demo.start()
    with progress.step("Everything runs, and the rows are compared with the files"):
        demo.run()
    with progress.step("The model changes"):
        changes = demo.change()
    with progress.step("The metrics endpoint"):
        demo.scrape()
    with progress.step("The report"):
        tables = [dag_table(demo.report()), change_table(changes)]
        for table in tables:
            progress.console.print()
            progress.console.print(table)
        progress.console.print()
    return tables


def _describe(progress: Progress, folder: Path) -> None:
    progress.say(f"Python {platform.python_version()}, temporary folder {folder}")
    progress.say(", ".join(f"{name} {version(name)}" for name in PACKAGES))


def _serve(progress: Progress, airflow: AirflowProcesses) -> None:
    progress.console.print(
        f"\n[bold]Airflow is at {airflow.url}[/bold]"
        f"\n  user      {USER}\n  password  {airflow.password}\nCtrl-C ends it."
    )
    try:
        while True:
            time.sleep(1)
            airflow.check_alive()
    except KeyboardInterrupt:
        progress.console.print()


def _leave_no_process(progress: Progress) -> None:
    left = end_leftovers()
    progress.check("no process is left", held=not left)
    for command in left:
        progress.say(f"was still running: {command}")


def _verdict(progress: Progress) -> int:
    seconds = f"{sum(took for _, took in progress.steps):.0f} s"
    if not progress.failures:
        progress.console.print(f"\n[bold green]All held; the steps took {seconds}.[/bold green]")
        return 0
    progress.console.print(f"\n[bold red]{len(progress.failures)} failed after {seconds}:[/]")
    for failure in progress.failures:
        progress.say(failure, "bold red")
    return 1


if __name__ == "__main__":
    sys.exit(main())
