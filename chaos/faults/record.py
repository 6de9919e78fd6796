"""What a fault is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from chaos.site import Site

LASTS_SECONDS: Final = 20.0
"""How long a fault lasts: longer than the 10 s after which Airflow takes a DAG for gone."""


def always(_site: Site) -> str:
    """Return no reason against a fault."""
    return ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """Something bad.

    Attributes:
        name: A few words, as the table and ``-k`` have them.
        happens: The fault lasts while this context does. It may give a function that waits
            for something that belongs to the recovery.
        seconds: How long to wait within; 0 where the context does all itself.
        reaches_store: Whether a model can be merged while it lasts.
        impossible: Returns why it cannot be tried here; empty where it can.
        may_block: Whether DAGs that are listed may have an import error while it lasts, with
            which Airflow makes no runs of them, and those under way fail.
        unowed: Runs that are due until so many seconds after the fault are not counted, as
            Airflow itself does not make them; the page says why. None where all are.
        patience: How long to wait for Airflow to recover, in seconds.
    """

    name: str
    happens: Callable[[Site], AbstractContextManager[Callable[[], None] | None]]
    seconds: float = LASTS_SECONDS
    reaches_store: bool = True
    impossible: Callable[[Site], str] = always
    may_block: bool = False
    unowed: float | None = None
    patience: float = 180.0
