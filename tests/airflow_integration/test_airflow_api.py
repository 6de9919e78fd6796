"""What a real Airflow answers: over its REST API in 3.x, out of its database in 2.x."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import airflow
import pytest
from airflow_environment import CONNECTION_VARIABLE, free_port

from dagfoundry.serving import announce
from dagfoundry_airflow import airflow_rest
from dagfoundry_airflow.airflow_api import AirflowAccessError
from dagfoundry_airflow.airflow_rest import AirflowRest, connect
from dagfoundry_airflow.login import Login

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from live_airflow import Live

pytestmark = pytest.mark.every_airflow

ASK = """
import dataclasses, json
from dagfoundry_airflow._compat import open_airflow_api
from dagfoundry_airflow.airflow_api import AirflowAccessError

api = open_airflow_api()
one, two = "alive__one_probe", "alive__two_probe"
dags = api.dags([one, two, "alive__nobody_probe"])
api.request_parse(dags[one])
api.request_parse(dags[one])
api.set_paused(two, paused=True)
paused = api.dags([two])[two].paused
api.set_paused(two, paused=False)
first = api.recall("dagfoundry_test_api")
api.remember("dagfoundry_test_api", "a")
api.remember("dagfoundry_test_api", "b")
answers = {
    "dags": {dag_id: dataclasses.asdict(dag) for dag_id, dag in dags.items()},
    "paused": [paused, api.dags([two])[two].paused],
    "runs": api.unfinished_runs([one, two]),
    "import_errors": api.import_errors("dagfoundry_living_"),
    "remembered": [first, api.recall("dagfoundry_test_api")],
}
print("answers=" + json.dumps(answers, default=str))
"""

REMEMBER = """
from dagfoundry_airflow._compat import open_airflow_api

api = open_airflow_api()
for number in range(30):
    api.remember("dagfoundry_test_many", str(number))
print("remembered=" + api.recall("dagfoundry_test_many"))
"""

needs_rest = pytest.mark.skipif(
    airflow.__version__.startswith("2."), reason="Airflow 2 is asked through its database"
)


def ask(live: Live, code: str) -> subprocess.CompletedProcess[str]:
    """Run code with the environment of the real Airflow."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=live.airflow.environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_tells_of_dags_runs_and_errors_and_remembers(live: Live) -> None:
    """The same questions have the same answers on every version."""
    live.merge(two={})
    live.reconcile()
    done = ask(live, ASK)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout.split("answers=")[1])
    assert sorted(answers["dags"]) == ["alive__one_probe", "alive__two_probe"]
    two = answers["dags"]["alive__two_probe"]
    assert (two["paused"], two["stale"], two["import_errors"]) == (False, False, False)
    rows = live.store.rows_at(live.foundry, live.store.head(live.foundry).revision)
    revision = next(row.revision for row in rows if row.dag_id == two["dag_id"])
    assert two["revision"] == revision
    assert answers["paused"] == [True, False]
    assert (answers["runs"], answers["import_errors"]) == ({}, {})
    assert answers["remembered"] == [None, "b"]


def test_two_may_remember_at_once(live: Live) -> None:
    """Airflow 2 deletes a Variable and inserts it again; one of two that do so stays."""
    command = [sys.executable, "-W", "ignore", "-c", REMEMBER]
    both = [
        subprocess.Popen(
            command,
            env=live.airflow.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in both:
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        assert output.split("remembered=")[1].strip().isdigit()


def test_a_broken_entry_shows_as_an_import_error(live: Live) -> None:
    """Its text is the whole report."""
    live.merge(wrong={"act": "raise"})
    code = (
        "import json; from dagfoundry_airflow._compat import open_airflow_api;"
        "print('errors=' + json.dumps(open_airflow_api().import_errors('dagfoundry_living_')))"
    )

    def reports() -> dict[str, str]:
        done = ask(live, code)
        assert done.returncode == 0, done.stderr
        found: dict[str, str] = json.loads(done.stdout.split("errors=")[1])
        return found

    (report,) = live.until(lambda: list(reports().values()))
    assert "alive__wrong_probe" in report
    assert "does not like it" in report
    assert "revision" in report
    live.merge(wrong=None)
    live.reconcile()
    live.until(lambda: reports() == {})


@pytest.mark.skipif(
    not airflow.__version__.startswith("2."), reason="Airflow 3 is asked through its REST API"
)
def test_a_database_that_is_not_airflows_is_one_clear_error(tmp_path: Path) -> None:
    """It is what a machine has that merges and has never run Airflow."""
    code = "from dagfoundry_airflow._compat import open_airflow_api; open_airflow_api().dags(['a'])"
    url = f"sqlite:///{tmp_path / 'nothing.db'}"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=os.environ | {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    last = done.stderr.strip().rpartition("AirflowAccessError: ")[2]
    assert last.startswith("Airflow's metadata database cannot be asked: no such table: dag")
    assert "AIRFLOW_CONN_DAGFOUNDRY_AIRFLOW" in last


@pytest.fixture
def rest(live: Live, monkeypatch: pytest.MonkeyPatch) -> Iterator[AirflowRest]:
    """The REST API of the real Airflow, with pages of two."""
    monkeypatch.setattr(airflow_rest, "_PAGE", 2)
    with closing(log_in(live.airflow.url, live.airflow.password)) as api:
        yield api


def log_in(url: str, password: str) -> AirflowRest:
    """Return the REST API at an address, for the user ``admin``."""
    return AirflowRest(Login(url=url, user="admin", password=password))


@needs_rest
def test_long_answers_are_read_page_by_page(
    rest: AirflowRest, live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DAGs are asked for one by one when they are few, and as a list when they are many."""
    ids = [live.dag_id(name) for name in ("one", "two", "three")]
    few = rest.dags([*ids, "nobody"])
    monkeypatch.setattr(airflow_rest, "_FEW", 1)
    assert sorted(rest.dags(ids)) == sorted(few) == sorted(ids)


@needs_rest
def test_an_expired_token_is_renewed(rest: AirflowRest, live: Live) -> None:
    """A factory DAG may run for longer than a token lives."""
    assert rest.recall("dagfoundry_test_nothing") is None  # logs in
    rest._session._client.headers["Authorization"] = "Bearer expired"  # noqa: SLF001 - no other way to an old token
    assert rest.dags([live.dag_id("one")])


@needs_rest
def test_a_wrong_password_is_one_clear_error(live: Live) -> None:
    """It names the connection and never the password."""
    api = log_in(live.airflow.url, "hunter2")
    with closing(api), pytest.raises(AirflowAccessError) as caught:
        api.recall("x")
    assert "refused the login of 'admin' (401)" in str(caught.value)
    assert "connection 'dagfoundry_airflow'" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@needs_rest
def test_a_missing_right_or_dag_is_one_clear_error(rest: AirflowRest) -> None:
    """It has Airflow's own words."""
    with pytest.raises(AirflowAccessError, match="refused PATCH /dags/nobody: 404"):
        rest.set_paused("nobody", paused=True)


@needs_rest
def test_an_address_that_is_not_airflows_is_no_airflow_without_dags(live: Live) -> None:
    """Neither a page that is not there nor one for people says that there is no such DAG."""
    api = log_in(f"{live.airflow.url}/elsewhere", live.airflow.password)
    with closing(api), pytest.raises(AirflowAccessError) as caught:
        api.dags(["nobody"])
    assert "GET /" in str(caught.value)
    assert "Check" in caught.value.remedy


def test_an_airflow_that_does_not_answer_is_one_clear_error() -> None:
    """It names the address."""
    url = f"http://127.0.0.1:{free_port()}"
    reason = f"Airflow at {url} does not answer POST"
    api = log_in(url, "x")
    with closing(api), pytest.raises(AirflowAccessError, match=reason):
        api.recall("x")


@pytest.mark.parametrize(
    ("connection", "reason"),
    [
        (None, "no usable connection 'dagfoundry_airflow'"),
        ({"conn_type": "http", "host": "127.0.0.1"}, "lacks host, login or password"),
    ],
)
def test_a_connection_that_is_missing_or_incomplete_says_how_to_create_it(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    connection: dict[str, str] | None,
    reason: str,
) -> None:
    """The command can be copied."""
    monkeypatch.setenv("AIRFLOW_CONN_DAGFOUNDRY_AIRFLOW", json.dumps(connection or {}))
    if connection is None:
        monkeypatch.delenv("AIRFLOW_CONN_DAGFOUNDRY_AIRFLOW")
    code = (
        "from dagfoundry_airflow.airflow_rest import connect\n"
        "from dagfoundry_airflow.airflow_api import AirflowAccessError\n"
        "try:\n    connect()\nexcept AirflowAccessError as error:\n    print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=os.environ | {"AIRFLOW_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert reason in done.stdout
    assert "airflow connections add dagfoundry_airflow --conn-type http" in done.stdout


@pytest.mark.parametrize(
    ("host", "kind", "url"),
    [
        ("airflow.example", "http", "http://airflow.example:8080"),
        ("airflow.example", "https", "https://airflow.example:8080"),
        ("https://airflow.example", "http", "https://airflow.example:8080"),
    ],
)
def test_a_connection_becomes_an_address(
    monkeypatch: pytest.MonkeyPatch, host: str, kind: str, url: str
) -> None:
    """The host may carry its scheme."""
    values = {"conn_type": kind, "host": host, "port": 8080, "login": "a", "password": "b"}
    monkeypatch.setenv("AIRFLOW_CONN_DAGFOUNDRY_AIRFLOW", json.dumps(values))
    with closing(connect()) as api:
        assert api.url == url


def test_a_merge_is_announced_without_a_warning(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow takes the request for each changed file, also one that it has already."""
    dag_id = live.dag_id("one")
    live.merge(one={})
    live.until(lambda: dag_id in live.dags())
    monkeypatch.setenv(CONNECTION_VARIABLE, live.airflow.environment[CONNECTION_VARIABLE])
    for number in (1, 2):
        since = live.store.head(live.foundry).revision
        live.merge(one={"number": number})
        head = live.store.head(live.foundry)
        assert list(announce(live.store, head, since=since)) == []
        assert list(announce(live.store, head, since=since)) == []
    live.merge(one={})
