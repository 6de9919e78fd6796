"""Requests to Airflow's REST API: login, time-outs, and asking a busy server again.

Airflow 3 gives out a token (``/auth/token``) for ``/api/v2``. Airflow 2 has no such address:
there it is ``/api/v1`` with the password in each request, which its
``[api] auth_backends`` have to allow.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx
import structlog

from dagfoundry_airflow.airflow_api import AirflowAccessError
from dagfoundry_airflow.login import CONNECTION_ID

if TYPE_CHECKING:
    from collections.abc import Collection

    from dagfoundry_airflow.login import Login

_LOGIN_REFUSED: Final = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
"""An expired token, and one of an API server that has since got another secret. Airflow 2
answers with 403 to a wrong password, too."""

_NO_TOKENS: Final = (httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED)
_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How long to wait for an API server, in seconds.

    Attributes:
        answer: For an answer.
        connect: For a connection.
        pauses: Before a request is sent again. Airflow 3's API server answers 500 when its
            database is busy: on SQLite it can wait for a lock that another of its requests
            holds.
        total: For all requests of a session; None for no limit.
    """

    answer: float = 30.0
    connect: float = 5.0
    pauses: tuple[float, ...] = (1.0, 2.0, 4.0)
    total: float | None = None


class RestSession:
    """A user's requests to one API server.

    Args:
        login: Where it is, and who logs in.
        patience: How long to wait.
    """

    def __init__(self, login: Login, patience: Patience) -> None:
        self._login = login
        self._patience = patience
        self._until = time.monotonic() + patience.total if patience.total else None
        timeout = httpx.Timeout(patience.answer, connect=patience.connect)
        self._client = httpx.Client(base_url=login.url, timeout=timeout)
        self._airflow_2: bool | None = None

    @property
    def is_airflow_2(self) -> bool:
        """Whether the server is that of Airflow 2; logs in to find out."""
        if self._airflow_2 and answer.status_code in _LOGIN_REFUSED:
            msg = f"{msg}; it may have refused the login of {self._login.user!r}"
            remedy += " Its login must be right, and [api] auth_backends hold basic_auth."
        return AirflowAccessError(msg, remedy=remedy)
