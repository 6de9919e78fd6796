"""The page of a version in Airflow's UI, to which Airflow links each DAG version."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import airflow
import httpx
import pytest
from playwright.sync_api import sync_playwright

from dagfoundry_airflow.snapshot import revision_of

if TYPE_CHECKING:
    from live_airflow import Live

if airflow.__version__.startswith("2."):
    reason = f"Airflow {airflow.__version__} has no DAG versions; they came with 3.0"
    pytest.skip(reason, allow_module_level=True)

pytestmark = pytest.mark.every_airflow


def linked(live: Live, dag_id: str) -> str:
    """Return where Airflow links the newest version of a DAG."""
    versions = live.airflow.api.get(f"/dags/{dag_id}/dagVersions")["dag_versions"]
    newest: dict[str, Any] = max(versions, key=lambda version: version["version_number"])
    return str(newest["bundle_url"])


def test_airflows_link_leads_to_the_revision(live: Live) -> None:
    """The page is for everybody, what it shows only for those who may read DAGs."""
    dag_id = live.dag_id("shown")
    live.merge(shown={"number": 1})
    live.until(lambda: dag_id in live.dags())
    revision = live.merge(shown={"number": 2})
    live.until(lambda: f"revision: {revision}" in live.dags()[dag_id]["description"])
    url = linked(live, dag_id)
    path = urlsplit(url).path
    assert url == f"{live.airflow.url}{path}"
    assert path.startswith("/dagfoundry/versions/Living/r")
    page = httpx.get(url)
    assert page.status_code == httpx.codes.OK
    assert dag_id not in page.text

    data = url.replace("/versions/", "/api/versions/")
    refused = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
    assert httpx.get(data).status_code in refused
    headers = {"Authorization": f"Bearer {live.airflow.api.token()}"}
    told = httpx.get(data, headers=headers).raise_for_status().json()
    assert told["recorded"]
    assert told["revision"]["revision"] == revision == revision_of(told["version"])
    assert (told["revision"]["author"], told["revision"]["message"]) == ("Ada", "a test")
    (change,) = told["changes"]
    assert (change["action"], change["dag_id"]) == ("updated", dag_id)
    (field,) = change["fields"]
    assert (field["field"], field["before"], field["after"]) == ("number", 1, 2)

    unknown = data.rpartition("/")[0]
    for name in ("r99999-0123456789ab", "latest", "..%2f.."):
        answer = httpx.get(f"{unknown}/{name}", headers=headers)
        assert answer.status_code == httpx.codes.NOT_FOUND
    live.merge(shown=None)
    live.reconcile()


@pytest.mark.parametrize(
    "name", ["r7", "7-0123456789ab", "r7-0123456789AB", "r7-0123456789ab/x", ""]
)
def test_what_is_no_version_is_refused(name: str) -> None:
    """A version is its revision and twelve hexadecimal digits."""
    with pytest.raises(ValueError, match="is no version"):
        revision_of(name)


def test_a_person_who_is_logged_in_sees_the_page(live: Live) -> None:
    """In a real browser; one who is not is told so."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium (apt-get install chromium)")
    dag_id = live.dag_id("looked_at")
    live.merge(looked_at={"number": 1})
    live.until(lambda: dag_id in live.dags())
    url = linked(live, dag_id)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(url)
        page.get_by_text("You have to be logged in to Airflow").wait_for()
        page.goto(f"{live.airflow.url}/")
        page.locator("input[name=username]").fill("admin")
        page.locator("input[name=password]").fill(live.airflow.password)
        page.keyboard.press("Enter")
        page.get_by_text("DAGs", exact=False).first.wait_for()
        page.wait_for_load_state("networkidle")
        page.goto(url)
        page.get_by_role("heading", name="Revision").first.wait_for()
        shown = page.locator("main").inner_text()
        browser.close()
    assert "Ada" in shown
    assert dag_id in shown
    live.merge(looked_at=None)
    live.reconcile()
