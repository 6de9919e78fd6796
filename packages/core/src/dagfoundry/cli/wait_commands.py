"""Commands that wait for Airflow: wait."""

from __future__ import annotations

from typing import Annotated

import typer

from dagfoundry.cli.options import AsJson, FoundryName, one_foundry, open_configured_store
from dagfoundry.cli.output import print_json
from dagfoundry.cli.waiting import DEFAULT_TIMEOUT_SECONDS, Timeout, wait_for
from dagfoundry.errors import SettingInvalidError


def wait(
    revision: Annotated[
        int | None,
        typer.Argument(metavar="REV", help="The revision; the newest when none is named."),
    ] = None,
    *,
    ready: Annotated[
        bool, typer.Option("--ready", help="Until Airflow serves the revision.")
    ] = False,
    foundry: FoundryName = None,
    timeout: Timeout = DEFAULT_TIMEOUT_SECONDS,
    as_json: AsJson = False,
) -> int:
    """Wait until Airflow serves a revision; exits with 1 when it does not in time.

    It looks at the DAGs that changed since the merge before. Each of them is stored, then
    proved by a DAG processor, then parsed by Airflow, then schedulable; one that was to go
    is removed from Airflow's list. A later revision that contains this one counts. A DAG
    that a person has paused is ready. A broken one ends the wait before time is up, with
    its report, as soon as every other is proved or broken.
    """
    if not ready:
        msg = "what to wait for is not named"
        raise SettingInvalidError(msg, remedy="Use `dagfoundry wait --ready`.")
    store = open_configured_store()
    waited = wait_for(store, one_foundry(store, foundry), revision, timeout=timeout)
    if as_json:
        print_json(waited.as_json())
    else:
        waited.show()
    return waited.exit_code


COMMANDS = {"wait": wait}
