"""Checks of what Airflow itself can be asked: its database, its REST API."""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.connections import shown_url
from dagfoundry.doctor import Check, Setting, advice, good, problem
from dagfoundry_airflow.airflow_api import AirflowAccessError
from dagfoundry_airflow.doctor.options import AIRFLOW_3_VERSIONS, EVERY_AIRFLOW, Option

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Engine

    from dagfoundry.doctor import Diagnosis, Subject

_DATABASE: Final = Option(section="database", name="sql_alchemy_conn")
_EXECUTION_URL: Final = Option(section="core", name="execution_api_server_url")
_BASE_URL: Final = Option(section="api", name="base_url")
_PORT: Final = Option(section="api", name="port")
_DEFAULT_PORT: Final = "8080"
_CONNECTION_VARIABLE: Final = "AIRFLOW_CONN_DAGFOUNDRY_AIRFLOW"
_TIMEOUT_SECONDS: Final = 5
_USER_INFO: Final = re.compile(r"://[^/@\s]*@")


def _database(_subject: Subject) -> Diagnosis:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    from dagfoundry_airflow._compat import AIRFLOW_2

    try:
        url = make_url(_DATABASE.text())
    except ArgumentError:
        return problem(f"{_DATABASE} holds no database URL", "Correct it.", _DATABASE.to("..."))
    trouble = _trouble(url)
    if not trouble:
        return good(f"{shown_url(url)} answers")
    found = f"{shown_url(url)} does not answer: {trouble}"
    if AIRFLOW_2:
        return problem(found, "Factory DAGs need it on Airflow 2; see that it runs.")
    remedy = "Normal on a worker; else run this where the scheduler runs, or see that it runs."
    return advice(f"{found}; connections kept there are not seen", remedy)


def _trouble(url: URL) -> str:
    """Return why a database does not answer; empty when it does."""
    from sqlalchemy import text
    from sqlalchemy.exc import SQLAlchemyError

    from dagfoundry.store.engine import has_file

    if not has_file(url):
        return "the file does not exist"
    try:
        engine = _engine(url)
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, ImportError) as error:
        reason = getattr(error, "orig", None) or error
        return _USER_INFO.sub("://***@", " ".join(str(reason).split()))
    return ""


def _engine(url: URL) -> Engine:
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    is_server = url.get_backend_name() in {"postgresql", "mysql", "mariadb"}
    arguments = {"connect_timeout": _TIMEOUT_SECONDS} if is_server else {}
    return create_engine(url, future=True, poolclass=NullPool, connect_args=arguments)


def _connection(subject: Subject) -> Diagnosis:
    from dagfoundry_airflow._compat import AirflowException, stored_connection
    from dagfoundry_airflow.airflow_rest import client_of
    from dagfoundry_airflow.login import CONNECTION_ID

    try:
        connection = stored_connection(CONNECTION_ID)
    except AirflowException:
        found = f"Airflow finds no connection {CONNECTION_ID!r} from here"
        return problem(found, _create(CONNECTION_ID), Setting(variable=_CONNECTION_VARIABLE))
    try:
        with closing(client_of(connection)) as api:
            known = api.dags([_some_dag(subject)])
            where = _USER_INFO.sub("://***@", api.url)
    except AirflowAccessError as error:
        return problem(_USER_INFO.sub("://***@", error.what), error.remedy)
    seen = "knows" if known else "does not yet know"
    return good(f"{connection.login} may read DAGs at {where}, which {seen} the foundry")


def _create(connection_id: str) -> str:
    return (
        f"Add it (`airflow connections add {connection_id} --conn-type http ...`), or give it as"
        " JSON in the environment of the workers."
    )


def _some_dag(subject: Subject) -> str:
    rows: Any = subject.fleet.rows if subject.fleet else ()
    return next((row.dag_id for row in rows if row.status.in_bucket), "dagfoundry")


def _execution_api(_subject: Subject) -> Diagnosis:
    url, base, port = _EXECUTION_URL.text(), _BASE_URL.text(), _PORT.text()
    if url or not (not base or base.startswith("/")):
        return good(url or f"{base.rstrip('/')}/execution/, of {_BASE_URL}")
    default = f"http://localhost:{_DEFAULT_PORT}{base.rstrip('/')}/execution/"
    if port == _DEFAULT_PORT:
        return good(f"{default}, Airflow's default")
    wanted = f"http://localhost:{port}{base.rstrip('/')}/execution/"
    found = f"{default}, but the API server here listens on {port}"
    return problem(found, "Set where the API server is.", _EXECUTION_URL.to(wanted))


ACCESS_CHECKS: Final = (
    Check(
        id="access.database",
        looks_at=f"`{_DATABASE}`, and whether it answers",
        why="Connections are kept there, and on Airflow 2 factory DAGs read and write it.",
        remedy="Run the command where the scheduler runs, with its environment.",
        airflow=EVERY_AIRFLOW,
        examine=_database,
    ),
    Check(
        id="access.connection",
        looks_at="connection `dagfoundry_airflow`: it logs in and may read DAGs",
        why="Factory DAGs retire, pause and report through it.",
        remedy="Add the connection, with a user that may edit DAGs and Variables.",
        airflow=AIRFLOW_3_VERSIONS,
        examine=_connection,
    ),
    Check(
        id="access.execution-api",
        looks_at=f"`{_EXECUTION_URL}`, `{_BASE_URL}` and `{_PORT}`",
        why="Tasks that do not reach the API server never start.",
        remedy=f"Set `{_EXECUTION_URL}` where the API server is not at localhost:8080.",
        airflow=AIRFLOW_3_VERSIONS,
        examine=_execution_api,
    ),
)
