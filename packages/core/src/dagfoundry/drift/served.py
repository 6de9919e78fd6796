"""What is served otherwise than it is recorded: everybody who serves DAGs is asked."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dagfoundry.errors import FoundryError
from dagfoundry.serving import dag_servers

if TYPE_CHECKING:
    from collections.abc import Callable

    from dagfoundry.drift.differences import Difference
    from dagfoundry.serving import DagServer
    from dagfoundry.store import Store

_AIRFLOW: Final = "airflow"


@dataclass(frozen=True, kw_only=True, slots=True)
class ServedView:
    """What somebody who serves DAGs was found to serve otherwise.

    Attributes:
        where: Who was asked, such as ``airflow``.
        differences: What differs.
        not_asked: Why it could not be asked; empty when it was.
    """

    where: str
    differences: tuple[Difference, ...] = ()
    not_asked: str = ""


def served_views(store: Store, foundry: str) -> list[ServedView]:
    """Ask everybody who serves the foundry's DAGs; nobody installed is said, not passed over."""
    views = [_view(name, load, store, foundry) for name, load in dag_servers()]
    if not views:
        reason = "dagfoundry-airflow is not installed in this environment"
        return [ServedView(where=_AIRFLOW, not_asked=reason)]
    return views


def _view(name: str, load: Callable[[], DagServer], store: Store, foundry: str) -> ServedView:
    try:
        with redirect_stdout(sys.stderr):  # Airflow 2.10 to 3.0 logs to it, also under --json
            differences = tuple(load().differences(store, foundry))
    except FoundryError as error:
        return ServedView(where=name, not_asked=f"{error.what} {error.remedy}")
    except Exception as error:  # noqa: BLE001 - what another distribution raises must not hide the store's drift
        return ServedView(where=name, not_asked=f"{type(error).__name__}: {error}")
    return ServedView(where=name, differences=differences)
