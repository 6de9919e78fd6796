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
_CHECK_ADDRESS: Final = (
    f"Check host and port of Airflow connection {CONNECTION_ID!r} and the API server."
)
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

    Raises:
        AirflowAccessError: Its address is none.
    """

    def __init__(self, login: Login, patience: Patience) -> None:
        self._login = login
        self._patience = patience
        self._until = time.monotonic() + patience.total if patience.total else None
        timeout = httpx.Timeout(patience.answer, connect=patience.connect)
        try:
            self._client = httpx.Client(base_url=login.url, timeout=timeout)
        except httpx.InvalidURL as error:
            msg = f"Airflow cannot be at {login.where}: {error}"
            raise AirflowAccessError(msg, remedy=_CHECK_ADDRESS) from None
        self._airflow_2: bool | None = None

    @property
    def is_airflow_2(self) -> bool:
        """Whether the server is that of Airflow 2; logs in to find out."""
        if self._airflow_2 is None:
            self._airflow_2 = self._log_in()
        return self._airflow_2

    def request(
        self,
        method: str,
        path: str,
        *,
        accept: Collection[int] = (),
        **content: Any,  # noqa: ANN401 - what httpx takes
    ) -> httpx.Response:
        """Send a request below ``/api/v2``, or ``/api/v1`` of Airflow 2.

        Args:
            method: HTTP method.
            path: Path below the API's.
            accept: Error codes that are answers, too.
            **content: What httpx takes.

        Raises:
            AirflowAccessError: Airflow does not answer, or refuses.
        """
        address = f"/api/{'v1' if self.is_airflow_2 else 'v2'}{path}"
        answer = self._ask(method, address, **content)
        if answer.status_code in _LOGIN_REFUSED and not self.is_airflow_2:
            self._log_in()
            answer = self._ask(method, address, **content)
        if answer.is_error and answer.status_code not in accept:
            raise self.refused(method, path, answer)
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _log_in(self) -> bool:
        """Log in and return whether the server is that of Airflow 2."""
        body = {"username": self._login.user, "password": self._login.password}
        answer = self._ask("POST", "/auth/token", json=body)
        if answer.status_code in _NO_TOKENS:
            self._client.auth = (self._login.user, self._login.password)
            return True
        if answer.is_error:
            raise self._login_refused(answer)
        self._client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return False

    def _ask(self, method: str, path: str, **content: Any) -> httpx.Response:  # noqa: ANN401 - what httpx takes
        """Send a request; a page for people is no answer (Airflow 3 has one for any address).

        Airflow 2 says that an answer without content is HTML.
        """
        answer = self._send(method, path, **content)
        if answer.is_success and answer.text.lstrip().startswith("<"):
            msg = f"Airflow at {self._login.where} answers {method} {path} with a page for people"
            raise AirflowAccessError(msg, remedy=_CHECK_ADDRESS)
        return answer

    def _send(self, method: str, path: str, **content: Any) -> httpx.Response:  # noqa: ANN401 - what httpx takes
        """Send a request, again when the server fails: each of ours may be repeated."""
        for pause in self._patience.pauses:
            try:
                answer = self._client.request(method, path, **content)
            except httpx.InvalidURL:
                break  # it stays wrong; the last attempt says so
            except httpx.HTTPError as error:
                problem = repr(error)
            else:
                if not answer.is_server_error:
                    return answer
                problem = f"{answer.status_code} {answer.text[:300]}"
            _log.warning("Airflow is asked again", method=method, path=path, problem=problem)
            time.sleep(pause)
        return self._send_once(method, path, **content)

    def _send_once(self, method: str, path: str, **content: Any) -> httpx.Response:  # noqa: ANN401 - what httpx takes
        problem = f"no time left of {self._patience.total} s"
        if self._until is None or time.monotonic() < self._until:
            try:
                return self._client.request(method, path, **content)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                problem = repr(error)
        msg = f"Airflow at {self._login.where} does not answer {method} {path}: {problem}"
        raise AirflowAccessError(msg, remedy=_CHECK_ADDRESS)

    def _login_refused(self, answer: httpx.Response) -> AirflowAccessError:
        msg = f"Airflow at {self._login.where} refused the login of {self._login.user!r}"
        remedy = f"Correct login and password of Airflow connection {CONNECTION_ID!r}."
        return AirflowAccessError(f"{msg} ({answer.status_code})", remedy=remedy)

    def refused(self, method: str, path: str, answer: httpx.Response) -> AirflowAccessError:
        """Return the error that says what Airflow answered to a request below its API."""
        msg = f"Airflow refused {method} {path}: {answer.status_code} {answer.text[:300]}"
        remedy = f"Check that the user of Airflow connection {CONNECTION_ID!r} has the right."
        if self._airflow_2 and answer.status_code in _LOGIN_REFUSED:
            msg = f"{msg}; it may have refused the login of {self._login.user!r}"
            remedy += " Its login must be right, and [api] auth_backends hold basic_auth."
        return AirflowAccessError(msg, remedy=remedy)
