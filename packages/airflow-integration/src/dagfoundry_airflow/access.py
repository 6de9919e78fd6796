"""How a process that is no task of Airflow's gets at Airflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagfoundry_airflow.airflow_rest import AirflowRest
from dagfoundry_airflow.login import configured_login

if TYPE_CHECKING:
    from dagfoundry_airflow.airflow_api import AirflowApi
    from dagfoundry_airflow.rest_session import Patience


def open_api(patience: Patience | None = None) -> AirflowApi:
    """Return the API that the environment's connection names, or else the installed Airflow's.

    With a connection in the environment, Airflow is not imported and its metadata database
    not used; it may be of any version. Without one it is what a task would use: the
    database in 2.x, Airflow's own connections in 3.x.

    Args:
        patience: How long to wait for an API server.

    Raises:
        AirflowAccessError: There is no access to Airflow.
    """
    login = configured_login()
    if login is not None:
        return AirflowRest(login, patience)
    from dagfoundry_airflow._compat import open_airflow_api

    return open_airflow_api()
