"""The login for Airflow's REST API is read from the environment, without Airflow."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from dagfoundry_airflow.airflow_api import AirflowAccessError
from dagfoundry_airflow.login import CONNECTION_VARIABLE, configured_login

VALUES = {"conn_type": "http", "host": "af", "port": "8080", "login": "a", "password": "b@/c"}


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (json.dumps(VALUES), "http://af:8080"),
        (json.dumps(VALUES | {"conn_type": "https", "port": None}), "https://af"),
        (json.dumps(VALUES | {"host": "https://af/team"}), "https://af/team:8080"),
        ("http://a:b%40%2Fc@af:8080", "http://af:8080"),
        ("http://a:b%40%2Fc@af/https", "https://af"),
        ("http://https://a:b%40%2Fc@af:8443", "https://af:8443"),
        ("https://a:b%40%2Fc@af", "https://af"),
    ],
)
def test_connection_is_read_as_airflow_reads_it(text: str, url: str) -> None:
    """JSON and URI, with the scheme as type, as schema or in the host."""
    login = configured_login({CONNECTION_VARIABLE: text})
    assert login is not None
    assert (login.url, login.user, login.password) == (url, "a", "b@/c")
    assert "b@/c" not in repr(login)


def test_address_is_shown_without_what_a_host_may_hold() -> None:
    """A user and password belong elsewhere, and some write them there."""
    host = json.dumps(VALUES | {"host": "https://u:hunter2@af"})
    login = configured_login({CONNECTION_VARIABLE: host})
    assert login is not None
    assert login.where == "https://***@af:8080"
    assert "hunter2" not in repr(login)


@pytest.mark.parametrize("environment", [{}, {CONNECTION_VARIABLE: " "}])
def test_without_the_variable_there_is_no_login(environment: dict[str, str]) -> None:
    """Nothing else is looked at."""
    assert configured_login(environment) is None


@pytest.mark.parametrize(
    "text",
    ['{"password": "hunter2"', "http://a:hunter2/x@af:80", '{"host": "af", "password": "hunter2"}'],
)
def test_variable_that_is_no_connection_is_one_error_without_its_text(text: str) -> None:
    """Half of a password may stand where the port is looked for."""
    with pytest.raises(AirflowAccessError) as caught:
        configured_login({CONNECTION_VARIABLE: text})
    assert "dagfoundry_airflow" in str(caught.value).lower()
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_what_core_loads_imports_no_airflow() -> None:
    """A merge stays as quick as it is where no Airflow is asked."""
    code = "import sys, dagfoundry_airflow.dag_server; sys.exit('airflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
