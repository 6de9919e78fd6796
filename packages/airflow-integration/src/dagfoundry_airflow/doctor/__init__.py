"""What ``dagfoundry doctor`` looks at in an Airflow installation.

The records of the checks can be read without Airflow; Airflow is imported when one looks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dagfoundry_airflow.doctor.access import ACCESS_CHECKS
from dagfoundry_airflow.doctor.bundle import BUNDLE_CHECKS
from dagfoundry_airflow.doctor.bundle_folder import BUNDLE_FOLDER_CHECKS
from dagfoundry_airflow.doctor.host import HOST_CHECKS
from dagfoundry_airflow.doctor.loaders import LOADER_CHECKS
from dagfoundry_airflow.doctor.parsing import PARSING_CHECKS
from dagfoundry_airflow.doctor.removal import REMOVAL_CHECKS
from dagfoundry_airflow.doctor.snapshot import SNAPSHOT_CHECKS
from dagfoundry_airflow.doctor.timeouts import TIMEOUT_CHECKS

if TYPE_CHECKING:
    from dagfoundry.doctor import Check

__all__ = ["CHECKS", "checks"]

CHECKS: Final = (
    *BUNDLE_CHECKS,
    *BUNDLE_FOLDER_CHECKS,
    *LOADER_CHECKS,
    *PARSING_CHECKS,
    *TIMEOUT_CHECKS,
    *REMOVAL_CHECKS,
    *SNAPSHOT_CHECKS,
    *ACCESS_CHECKS,
    *HOST_CHECKS,
)
"""The checks for every version of Airflow."""


def checks() -> tuple[Check, ...]:
    """Return the checks that hold for the installed Airflow."""
    from dagfoundry_airflow._compat import AIRFLOW_MINOR

    return tuple(check for check in CHECKS if AIRFLOW_MINOR in check.airflow)
