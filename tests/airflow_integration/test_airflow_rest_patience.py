"""A busy API server is asked again: Airflow on SQLite answers 500 when its database is locked."""

from __future__ import annotations

import json
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from dagfoundry_airflow.airflow_api import AirflowAccessError
from dagfoundry_airflow.airflow_rest import AirflowRest
from dagfoundry_airflow.login import Login
from dagfoundry_airflow.rest_session import Patience, RestSession

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = json.dumps({"value": "kept"}).encode()


class BusyServer(HTTPServer):
    """Answers as the API server does, but with 500 to the first requests."""

    failures = 0
    asked = 0


class Handler(BaseHTTPRequestHandler):
    """Logs in whoever asks, and knows one Variable."""

    server: BusyServer

    def do_POST(self) -> None:
        """Log in."""
        self._answer(201, b'{"access_token": "x"}')

    def do_GET(self) -> None:
        """Return the Variable, or fail."""
        self.server.asked += 1
        busy = self.server.asked <= self.server.failures
        self._answer(500, b'{"detail": "Database error"}') if busy else self._answer(200, VARIABLE)

    def _answer(self, status: int, body: bytes) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[BusyServer]:
    """A server that can be busy."""
    with BusyServer(("127.0.0.1", 0), Handler) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def client_of(server: BusyServer, patience: Patience) -> AirflowRest:
    """Return a client of a server."""
    url = f"http://127.0.0.1:{server.server_port}"
    return AirflowRest(Login(url=url, user="admin", password="x"), patience)


@pytest.fixture
def rest(server: BusyServer) -> Iterator[AirflowRest]:
    """A client of that server, which never waits for long."""
    client = client_of(server, Patience(pauses=(0.0, 0.0, 0.0)))
    yield client
    client.close()


def test_busy_server_is_asked_again(server: BusyServer, rest: AirflowRest) -> None:
    """Three failures in a row are overcome."""
    server.failures = 3
    assert rest.recall("x") == "kept"
    assert server.asked == 4


def test_server_that_stays_busy_is_one_clear_error(server: BusyServer, rest: AirflowRest) -> None:
    """After the last try its own words are shown."""
    server.failures = 100
    with pytest.raises(AirflowAccessError, match=r"GET /variables/x: 500 .*Database error"):
        rest.recall("x")
    assert server.asked == 4


@pytest.mark.parametrize("url", ["http://[::1", "http://nowhere:x"])
def test_address_that_is_none_is_one_clear_error(url: str) -> None:
    """It is found before anything is sent."""
    with pytest.raises(AirflowAccessError, match=r"cannot be at http://.*Invalid port"):
        AirflowRest(Login(url=url, user="admin", password="x"), Patience())


def test_request_whose_address_is_none_is_not_repeated(
    server: BusyServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """It stays wrong, and the error is the same as for one that is not answered."""
    url = f"http://127.0.0.1:{server.server_port}"
    session = RestSession(Login(url=url, user="admin", password="x"), Patience())
    with (
        closing(session),
        pytest.raises(AirflowAccessError, match=r"does not answer GET .*InvalidURL"),
    ):
        session.request("GET", "/variables/\x00")
    said = capsys.readouterr()
    assert "asked again" not in said.out + said.err


def test_session_without_time_left_asks_no_more(server: BusyServer) -> None:
    """A merge that tells Airflow is held up for seconds at most, whatever each request takes."""
    rest = client_of(server, Patience(pauses=(), total=1e-9))
    with closing(rest), pytest.raises(AirflowAccessError, match="no time left"):
        rest.recall("x")
    assert server.asked == 0
