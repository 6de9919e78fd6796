"""Who logs in to Airflow's REST API, as the process's environment says; imports no Airflow.

A machine that only merges has no metadata database, and importing Airflow takes seconds.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from dagfoundry_airflow.airflow_api import AirflowAccessError

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECTION_ID: Final = "dagfoundry_airflow"
CONNECTION_VARIABLE: Final = f"AIRFLOW_CONN_{CONNECTION_ID.upper()}"
"""Airflow's own name for the variable that holds this connection, as JSON or as a URI."""

_USER_INFO: Final = re.compile(r"://[^/]*@")

CREATE: Final = (
    f"Create it with: airflow connections add {CONNECTION_ID} --conn-type http"
    " --conn-host HOST --conn-port 8080 --conn-login USER --conn-password PASSWORD"
    " (host and port of the API server; a user that may edit DAGs and Variables), or set"
    f" {CONNECTION_VARIABLE} where there is no Airflow."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """Where the API server is, and who logs in there."""

    url: str = field(repr=False)
    user: str
    password: str = field(repr=False)

    @property
    def where(self) -> str:
        """The address without a user and password, should a host hold them."""
        return _USER_INFO.sub("://***@", self.url)


def configured_login(environment: Mapping[str, str] | None = None) -> Login | None:
    """Return the login that the environment holds, or None when it holds none.

    Args:
        environment: Variables to read; those of this process by default.

    Raises:
        AirflowAccessError: The variable is set, and is no connection or an incomplete one.
    """
    variables = os.environ if environment is None else environment
    text = variables.get(CONNECTION_VARIABLE, "").strip()
    if not text:
        return None
    try:
        values = json.loads(text) if text.startswith("{") else _parse_uri(text)
        return login_of(values)
    except (ValueError, TypeError):  # its text may hold the password, so it is not shown
        msg = f"environment variable {CONNECTION_VARIABLE} is no Airflow connection"
        remedy = "Set it as JSON or as a URI, with special characters of the password encoded."
        raise AirflowAccessError(msg, remedy=remedy) from None


def login_of(connection: Mapping[str, Any]) -> Login:
    """Return the login of a connection.

    Args:
        connection: ``conn_type``, ``host``, ``port``, ``login``, ``password`` and ``schema``.

    Raises:
        AirflowAccessError: It has no host, login or password.
    """
    host, user, password = (connection.get(name) for name in ("host", "login", "password"))
    if not (host and user and password):
        msg = f"Airflow connection {CONNECTION_ID!r} lacks host, login or password"
        raise AirflowAccessError(msg, remedy=CREATE)
    return Login(url=_url(host, connection), user=str(user), password=str(password))


def _url(host: str, connection: Mapping[str, Any]) -> str:
    if "://" in host:
        base = host.rstrip("/")
    else:
        https = "https" in (connection.get("conn_type"), connection.get("schema"))
        base = f"{'https' if https else 'http'}://{host}"
    port = connection.get("port")
    return f"{base}:{int(port)}" if port else base


def _parse_uri(text: str) -> dict[str, Any]:
    """Parse a connection's URI as Airflow does (``Connection.from_uri``).

    ``http://https://user:password@host`` is a connection of type http to an https address.
    """
    conn_type, _, rest = text.partition("://")
    has_protocol = "://" in rest
    parts = urlsplit(rest if has_protocol else f"//{rest}")
    host = unquote(parts.hostname or "")
    return {
        "conn_type": conn_type,
        "host": f"{parts.scheme}://{host}" if has_protocol and host else host,
        "port": parts.port,
        "login": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "schema": unquote(parts.path[1:]),
    }
