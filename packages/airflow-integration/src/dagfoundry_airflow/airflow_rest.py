"""Airflow 3 through its REST API, as the user of connection ``dagfoundry_airflow``."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import httpx
import structlog

from dagfoundry_airflow.airflow_api import AirflowAccessError, AirflowDag, describe_dag

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

CONNECTION_ID: Final = "dagfoundry_airflow"

_PAGE: Final = 100
"""Airflow's own default of ``[api] maximum_page_limit``."""

_FEW: Final = 20
"""Up to so many DAGs are asked for one by one; beyond, the whole list is cheaper."""

_TOKEN_REFUSED: Final = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
"""An expired token, and one of an API server that has since got another secret."""

_TIMEOUT: Final = httpx.Timeout(30.0, connect=5.0)
_PAUSES: Final = (1.0, 2.0, 4.0)
"""Seconds before a request is sent again. Airflow 3's API server answers 500 when its
database is busy: on SQLite it can wait for a lock that another of its requests holds."""

_CREATE: Final = (
    f"Create it with: airflow connections add {CONNECTION_ID} --conn-type http"
    " --conn-host HOST --conn-port 8080 --conn-login USER --conn-password PASSWORD"
    " (host and port of the API server; a user that may edit DAGs and Variables)."
)
_log = structlog.stdlib.get_logger(__name__)


def connect() -> AirflowRest:
    """Return the API that connection ``dagfoundry_airflow`` names.

    Raises:
        AirflowAccessError: There is no such connection, or it has no host or login.
    """
    from dagfoundry_airflow._compat import AirflowException, BaseHook

    try:
        connection = BaseHook.get_connection(CONNECTION_ID)
    except AirflowException as error:
        msg = f"Airflow has no usable connection {CONNECTION_ID!r}: {error}"
        raise AirflowAccessError(msg, remedy=_CREATE) from None
    return client_of(connection)


def client_of(connection: Any) -> AirflowRest:  # noqa: ANN401 - its class differs by version
    """Return the API that an Airflow connection names.

    Raises:
        AirflowAccessError: The connection has no host, login or password.
    """
    if not (connection.host and connection.login and connection.password):
        msg = f"Airflow connection {CONNECTION_ID!r} lacks host, login or password"
        raise AirflowAccessError(msg, remedy=_CREATE)
    return AirflowRest(_url(connection), connection.login, connection.password)


def _url(connection: Any) -> str:  # noqa: ANN401 - its class differs by version
    if "://" in connection.host:
        base = connection.host.rstrip("/")
    else:
        https = "https" in (connection.conn_type, connection.schema)
        base = f"{'https' if https else 'http'}://{connection.host}"
    return f"{base}:{connection.port}" if connection.port else base


class AirflowRest:
    """:class:`~dagfoundry_airflow.airflow_api.AirflowApi` over HTTP (``/api/v2``).

    Args:
        url: Where the API server is.
        user: Who logs in.
        password: The user's password.
    """

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url
        self._login = {"username": user, "password": password}
        self._client = httpx.Client(base_url=url, timeout=_TIMEOUT)

    def dags(self, dag_ids: Collection[str]) -> dict[str, AirflowDag]:
        """Return those of the DAGs that Airflow knows, stale ones too, by DAG id."""
        wanted = set(dag_ids)
        patterns = sorted(wanted) if len(wanted) <= _FEW else [_common_prefix(wanted)]
        found: dict[str, AirflowDag] = {}
        for pattern in patterns:
            query = {"dag_id_pattern": pattern, "exclude_stale": "false", "order_by": "dag_id"}
            for values in self._pages("/dags", "dags", query):
                if values["dag_id"] in wanted:
                    dag = describe_dag(values, file=values["file_token"])
                    found[dag.dag_id] = dag
        return found

    def set_paused(self, dag_id: str, *, paused: bool) -> None:
        """Pause or unpause a DAG."""
        self._request("PATCH", f"/dags/{dag_id}", json={"is_paused": paused})

    def unfinished_runs(self, dag_ids: Collection[str]) -> dict[str, int]:
        """Return the number of running and queued runs of each DAG that has any."""
        ids = sorted(dag_ids)
        runs: Counter[str] = Counter()
        for start in range(0, len(ids), _PAGE):
            runs.update(self._unfinished(ids[start : start + _PAGE]))
        return dict(runs)

    def import_errors(self, file_prefix: str) -> dict[str, str]:
        """Return file name to report, for files whose names begin so."""
        return {
            PurePosixPath(error["filename"]).name: error["stack_trace"]
            for error in self._pages("/importErrors", "import_errors", {})
            if PurePosixPath(error["filename"]).name.startswith(file_prefix)
        }

    def request_parse(self, dag: AirflowDag) -> None:
        """Ask for the DAG's file to be parsed next; its bundle is refreshed first."""
        self._request("PUT", f"/parseDagFile/{dag.file}", accept=(httpx.codes.CONFLICT,))

    def recall(self, key: str) -> str | None:
        """Return what was remembered under a key, or None."""
        answer = self._request("GET", f"/variables/{key}", accept=(httpx.codes.NOT_FOUND,))
        return None if answer.is_error else str(answer.json()["value"])

    def remember(self, key: str, text: str) -> None:
        """Keep a text in Airflow, as a Variable."""
        body = {"key": key, "value": text, "description": "Kept by DAG Foundry; leave it."}
        changed = self._request(
            "PATCH", f"/variables/{key}", json=body, accept=(httpx.codes.NOT_FOUND,)
        )
        if changed.is_error:
            self._request("POST", "/variables", json=body, accept=(httpx.codes.CONFLICT,))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _unfinished(self, dag_ids: list[str]) -> Iterator[str]:
        seen, total = 0, 1
        while seen < total:
            body = {
                "dag_ids": dag_ids,
                "states": ["running", "queued"],
                "page_limit": _PAGE,
                "page_offset": seen,
            }
            answer = self._request("POST", "/dags/~/dagRuns/list", json=body).json()
            runs = answer["dag_runs"]
            seen, total = seen + len(runs), answer["total_entries"] if runs else 0
            yield from (run["dag_id"] for run in runs)

    def _pages(self, path: str, key: str, query: Mapping[str, str]) -> Iterator[Any]:
        seen, total = 0, 1
        while seen < total:
            page = {**query, "limit": str(_PAGE), "offset": str(seen)}
            answer = self._request("GET", path, params=page).json()
            items = answer[key]
            seen, total = seen + len(items), answer["total_entries"] if items else 0
            yield from items

    def _request(
        self,
        method: str,
        path: str,
        *,
        accept: Collection[int] = (),
        **content: Any,  # noqa: ANN401 - what httpx takes
    ) -> httpx.Response:
        if "Authorization" not in self._client.headers:
            self._log_in()
        answer = self._send(method, f"/api/v2{path}", **content)
        if answer.status_code in _TOKEN_REFUSED:
            self._log_in()
            answer = self._send(method, f"/api/v2{path}", **content)
        if answer.is_error and answer.status_code not in accept:
            raise self._refused(method, path, answer)
        return answer

    def _log_in(self) -> None:
        answer = self._send("POST", "/auth/token", json=self._login)
        if answer.is_error:
            user = self._login["username"]
            msg = f"Airflow at {self.url} refused the login of {user!r}"
            remedy = f"Correct login and password of Airflow connection {CONNECTION_ID!r}."
            raise AirflowAccessError(f"{msg} ({answer.status_code})", remedy=remedy)
        self._client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def _send(self, method: str, path: str, **content: Any) -> httpx.Response:  # noqa: ANN401 - what httpx takes
        """Send a request, again when the server fails: each of ours may be repeated."""
        for pause in _PAUSES:
            try:
                answer = self._client.request(method, path, **content)
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
        try:
            return self._client.request(method, path, **content)
        except httpx.HTTPError as error:
            msg = f"Airflow at {self.url} does not answer {method} {path}: {error!r}"
            remedy = (
                f"Check host and port of Airflow connection {CONNECTION_ID!r} and the API server."
            )
            raise AirflowAccessError(msg, remedy=remedy) from None

    def _refused(self, method: str, path: str, answer: httpx.Response) -> AirflowAccessError:
        msg = f"Airflow refused {method} {path}: {answer.status_code} {answer.text[:300]}"
        remedy = f"Check that the user of Airflow connection {CONNECTION_ID!r} has the right."
        return AirflowAccessError(msg, remedy=remedy)


def _common_prefix(texts: Collection[str]) -> str:
    first, last = min(texts), max(texts)
    length = next(
        (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first)
    )
    return first[:length]
