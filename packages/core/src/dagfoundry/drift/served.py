"""What is served elsewhere: other distributions say how it differs from what is recorded.

A distribution offers a function under the entry-point group ``dagfoundry.serving``; it
takes the store and the foundry's name and returns differences. Core itself never imports
Airflow.
"""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final

from dagfoundry.errors import FoundryError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from dagfoundry.drift.differences import Difference
    from dagfoundry.store import Store

SERVING_GROUP: Final = "dagfoundry.serving"
"""Entry-point group: who serves, to a function of the store and a foundry's name."""

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
    offers = sorted(entry_points(group=SERVING_GROUP), key=lambda offer: offer.name)
    if not offers:
        reason = "dagfoundry-airflow is not installed in this environment"
        return [ServedView(where=_AIRFLOW, not_asked=reason)]
    return [_view(offer, store, foundry) for offer in offers]


def _view(offer: EntryPoint, store: Store, foundry: str) -> ServedView:
    try:
        with redirect_stdout(sys.stderr):  # Airflow 2.10 to 3.0 logs to it, also under --json
            differences = offer.load()(store, foundry)
    except FoundryError as error:
        return ServedView(where=offer.name, not_asked=f"{error.what} {error.remedy}")
    except Exception as error:  # noqa: BLE001 - what another distribution raises must not hide the store's drift
        return ServedView(where=offer.name, not_asked=f"{type(error).__name__}: {error}")
    return ServedView(where=offer.name, differences=tuple(differences))
