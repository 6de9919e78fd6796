"""The doctor asks Airflow's database and its REST API."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from airflow_client import AIRFLOW_2
from airflow_environment import free_port
from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.airflow_integration.doctor.conftest import Look

DATABASE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
CONNECTION = "AIRFLOW_CONN_DAGFOUNDRY_AIRFLOW"
SECRET = "hunter2"

needs_rest = pytest.mark.skipif(AIRFLOW_2, reason="Airflow 2 is asked through its database")


def test_a_database_that_answers_is_good(
    look: Look, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing is written to it."""
    path = tmp_path / "airflow.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE mine (a)")
    before = path.read_bytes()
    monkeypatch.setenv(DATABASE, f"sqlite:///{path}")
    assert look("access.database").verdict.value == "ok"
    assert path.read_bytes() == before


def test_a_database_on_a_server_that_answers_is_good(
    look: Look, monkeypatch: pytest.MonkeyPatch, postgres: Callable[[str], str]
) -> None:
    """PostgreSQL is asked as well."""
    url = make_url(postgres("asked")).set(drivername="postgresql+psycopg2")
    monkeypatch.setenv(DATABASE, url.render_as_string(hide_password=False))
    assert look("access.database").verdict.value == "ok"


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////no/such/airflow.db",
        f"postgresql+psycopg2://airflow:{SECRET}@127.0.0.1:1/airflow",
        f"postgresql+psycopg2://airflow@127.0.0.1:1/airflow?password={SECRET}",
        f"nosuchdriver://airflow:{SECRET}@127.0.0.1:1/airflow",
    ],
)
def test_a_database_that_does_not_answer_is_said(
    look: Look, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """On Airflow 3 a worker cannot reach it; on Airflow 2 everybody needs it. No secret shows."""
    monkeypatch.setenv(DATABASE, url)
    found = look("access.database")
    assert found.verdict.value == ("problem" if AIRFLOW_2 else "advice")
    assert "does not answer" in found.found
    assert SECRET not in str(found)


def test_a_database_url_that_is_none_is_a_problem(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may hold a password, so it is not shown."""
    monkeypatch.setenv(DATABASE, SECRET)
    found = look("access.database")
    assert (found.verdict.value, SECRET in str(found)) == ("problem", False)


def connection(**values: Any) -> str:  # noqa: ANN401 - any part of a connection
    """Return an Airflow connection as its variable holds it."""
    port = free_port()
    parts = {"conn_type": "http", "host": "127.0.0.1", "port": port, "login": "ada"}
    return json.dumps(parts | {"password": SECRET} | values)


@needs_rest
@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"login": None}, "lacks host, login or password"),
        ({"password": ""}, "lacks host, login or password"),
        ({}, "does not answer"),
        ({"host": f"http://ada:{SECRET}@127.0.0.1"}, "does not answer"),
    ],
)
def test_a_connection_that_cannot_be_used_is_a_problem(
    look: Look, monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], reason: str
) -> None:
    """The reason is told, never the password."""
    monkeypatch.setenv(CONNECTION, connection(**values))
    found = look("access.connection")
    assert (found.verdict.value, reason in found.found) == ("problem", True)
    assert SECRET not in str(found)


@needs_rest
def test_no_connection_is_a_problem(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    """What to set is named."""
    monkeypatch.delenv(CONNECTION, raising=False)
    monkeypatch.setenv(DATABASE, "sqlite:////no/such/airflow.db")
    found = look("access.connection")
    assert found.verdict.value == "problem"
    assert found.settings[0].variable == CONNECTION


@needs_rest
@pytest.mark.parametrize(
    ("settings", "verdict", "found"),
    [
        ({}, "ok", "http://localhost:8080/execution/"),
        ({"API__PORT": "9000"}, "problem", "listens on 9000"),
        ({"API__PORT": "9000", "API__BASE_URL": "/air"}, "problem", "8080/air/execution/"),
        ({"API__PORT": "9000", "API__BASE_URL": "http://a/air"}, "ok", "http://a/air/execution/"),
        (
            {"API__PORT": "9000", "CORE__EXECUTION_API_SERVER_URL": "http://a/execution/"},
            "ok",
            "http://a/execution/",
        ),
    ],
)
def test_an_execution_api_that_is_elsewhere_is_a_problem(
    look: Look,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, str],
    verdict: str,
    found: str,
) -> None:
    """A task asks at port 8080 unless it is told otherwise."""
    for name, value in settings.items():
        monkeypatch.setenv(f"AIRFLOW__{name}", value)
    diagnosis = look("access.execution-api")
    assert diagnosis.verdict.value == verdict
    assert found in diagnosis.found
