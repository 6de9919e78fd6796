"""Airflow through its REST API, as the user of connection ``dagfoundry_airflow``."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import httpx

from dagfoundry_airflow.airflow_api import AirflowAccessError, AirflowDag, describe_dag
from dagfoundry_airflow.login import CONNECTION_ID, CREATE, login_of
from dagfoundry_airflow.rest_session import Patience, RestSession

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from dagfoundry_airflow.login import Login

_PAGE: Final = 100
"""Airflow's own default of ``[api] maximum_page_limit``."""

_FEW: Final = 20
"""Up to so many DAGs are asked for one by one; beyond, the whole list is cheaper."""

_CONNECTION: Final = ("conn_type", "host", "port", "login", "password", "schema")


def connect() -> AirflowRest:
    """Return the API that Airflow's connection ``dagfoundry_airflow`` names.

    Raises:
        AirflowAccessError: There is no such connection, or it has no host or login.
    """
    from dagfoundry_airflow._compat import AirflowException, BaseHook

    try:
        connection = BaseHook.get_connection(CONNECTION_ID)
    except AirflowException as error:
        msg = f"Airflow has no usable connection {CONNECTION_ID!r}: {error}"
        raise AirflowAccessError(msg, remedy=CREATE) from None
    return client_of(connection)


def client_of(connection: Any) -> AirflowRest:  # noqa: ANN401 - its class differs by version
    """Return the API that an Airflow connection names.

    Raises:
        AirflowAccessError: The connection has no host, login or password.
    """
    return AirflowRest(login_of({name: getattr(connection, name) for name in _CONNECTION}))


class AirflowRest:
    """:class:`~dagfoundry_airflow.airflow_api.AirflowApi` over HTTP.

    Args:
        login: Where the API server is, and who logs in.
        patience: How long to wait for it.
    """

    def __init__(self, login: Login, patience: Patience | None = None) -> None:
        self.url = login.url
        self._session = RestSession(login, patience or Patience())

    def dags(self, dag_ids: Collection[str]) -> dict[str, AirflowDag]:
        """Return those of the DAGs that Airflow knows, stale ones too, by DAG id."""
        wanted = set(dag_ids)
        known = self._each(wanted) if len(wanted) <= _FEW else self._listed(_common_prefix(wanted))
        found: dict[str, AirflowDag] = {}
        for values in map(self._named_as_in_3, known):
            if values["dag_id"] in wanted:
                dag = describe_dag(values, file=values["file_token"])
                found[dag.dag_id] = dag
        return found

    def _each(self, dag_ids: Collection[str]) -> Iterator[dict[str, Any]]:
        """Yield those of some DAGs that Airflow knows.

        A search for each takes tens of times longer: Airflow counts what it matches.
        """
        for dag_id in sorted(dag_ids):
            path, missing = f"/dags/{dag_id}", httpx.codes.NOT_FOUND
            answer = self._session.request("GET", path, accept=(missing,))
            if not answer.is_error:
                yield answer.json()
            elif dag_id not in answer.text:  # Airflow names the DAG that it does not know
                raise self._session.refused("GET", path, answer)

    def _listed(self, pattern: str) -> Iterator[dict[str, Any]]:
        """Yield Airflow's DAGs whose ids hold a pattern."""
        stale = "only_active" if self._session.is_airflow_2 else "exclude_stale"
        query = {"dag_id_pattern": pattern, "order_by": "dag_id", stale: "false"}
        yield from self._pages("/dags", "dags", query)

    def _named_as_in_3(self, values: dict[str, Any]) -> dict[str, Any]:
        if not self._session.is_airflow_2:
            return values
        next_run = values["next_dagrun_create_after"]
        return {**values, "is_stale": not values["is_active"], "next_dagrun_run_after": next_run}

    def set_paused(self, dag_id: str, *, paused: bool) -> None:
        """Pause or unpause a DAG."""
        self._session.request("PATCH", f"/dags/{dag_id}", json={"is_paused": paused})

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
        self._session.request("PUT", f"/parseDagFile/{dag.file}", accept=(httpx.codes.CONFLICT,))

    def delete(self, dag_id: str) -> None:
        """Delete a DAG that no file holds, with its runs; harmless when it is gone."""
        self._session.request("DELETE", f"/dags/{dag_id}", accept=(httpx.codes.NOT_FOUND,))

    def recall(self, key: str) -> str | None:
        """Return what was remembered under a key, or None."""
        answer = self._session.request("GET", f"/variables/{key}", accept=(httpx.codes.NOT_FOUND,))
        return None if answer.is_error else str(answer.json()["value"])

    def remember(self, key: str, text: str) -> None:
        """Keep a text in Airflow, as a Variable."""
        body = {"key": key, "value": text, "description": "Kept by DAG Foundry; leave it."}
        changed = self._session.request(
            "PATCH", f"/variables/{key}", json=body, accept=(httpx.codes.NOT_FOUND,)
        )
        if changed.is_error:
            self._session.request("POST", "/variables", json=body, accept=(httpx.codes.CONFLICT,))

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _unfinished(self, dag_ids: list[str]) -> Iterator[str]:
        seen, total = 0, 1
        while seen < total:
            body = {
                "dag_ids": dag_ids,
                "states": ["running", "queued"],
                "page_limit": _PAGE,
                "page_offset": seen,
            }
            answer = self._session.request("POST", "/dags/~/dagRuns/list", json=body).json()
            runs = answer["dag_runs"]
            seen, total = seen + len(runs), answer["total_entries"] if runs else 0
            yield from (run["dag_id"] for run in runs)

    def _pages(self, path: str, key: str, query: Mapping[str, str]) -> Iterator[Any]:
        seen, total = 0, 1
        while seen < total:
            page = {**query, "limit": str(_PAGE), "offset": str(seen)}
            answer = self._session.request("GET", path, params=page).json()
            items = answer[key]
            seen, total = seen + len(items), answer["total_entries"] if items else 0
            yield from items


def _common_prefix(texts: Collection[str]) -> str:
    first, last = min(texts), max(texts)
    length = next(
        (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first)
    )
    return first[:length]
