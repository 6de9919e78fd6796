"""The doctor looks at the bundles that Airflow 3 is told of, and at their disk."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow_client import AIRFLOW_2
from doctor_subject import bundle_item

from dagfoundry.errors import SettingInvalidError

if AIRFLOW_2:
    pytest.skip("Airflow 2 has no DAG bundles", allow_module_level=True)

from dagfoundry_airflow.doctor.bundle_folder import judge_space, try_link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.airflow_integration.doctor.conftest import Look

pytestmark = pytest.mark.every_airflow

LIST = "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"
STORAGE = "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH"
STRANGER = {
    "name": "dags-folder",
    "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
    "kwargs": {},
}


def item(**changes: object) -> dict[str, Any]:
    """Return the foundry's bundle, changed."""
    return bundle_item("probes") | changes


@pytest.mark.parametrize(
    ("bundles", "reason"),
    [
        ([STRANGER], "is of foundry 'Probing'"),
        ([bundle_item("other", "Other")], "is of foundry 'Probing'"),
        ([item(classpath="no_such_module.Bundle")], "'probes': ModuleNotFoundError"),
        ([item(classpath="dagfoundry_airflow.bundle.NoSuchBundle")], "AttributeError"),
        ([item(), item(name="broken", kwargs={})], "'broken': TypeError"),
        ([item(kwargs={"foundry": "Probing", "oops": 1})], "'probes': TypeError"),
        ([item(), {**STRANGER, "name": "probes"}], "'probes' is listed twice"),
        ([item(), bundle_item("again", "PROBING")], "'probes' and 'again' are of the same"),
    ],
)
def test_a_wrong_bundle_is_a_problem(
    look: Look, monkeypatch: pytest.MonkeyPatch, bundles: list[dict[str, Any]], reason: str
) -> None:
    """Whatever would keep DAGs from appearing is named."""
    monkeypatch.setenv(LIST, json.dumps(bundles))
    found = look("bundle.listed")
    assert found.verdict.value == "problem"
    assert reason in found.found


@pytest.mark.parametrize("bundles", ["{", '{"name": "a"}', '[{"name": "a"}]', "[3]"])
def test_a_list_that_is_none_is_named(
    look: Look, monkeypatch: pytest.MonkeyPatch, bundles: str
) -> None:
    """Airflow would not start with it."""
    monkeypatch.setenv(LIST, bundles)
    with pytest.raises(SettingInvalidError, match="dag_bundle_config_list"):
        look("bundle.listed")


def test_one_bundle_among_others_is_good(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    """The case of the foundry's name does not matter, nor what else there is."""
    bundles = [STRANGER, bundle_item("mine", "PROBING"), bundle_item("other", "Other")]
    monkeypatch.setenv(LIST, json.dumps(bundles))
    assert look("bundle.listed").verdict.value == "ok"


def test_the_bundle_that_is_proposed_is_good(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the doctor says to set is what then passes."""
    monkeypatch.setenv(LIST, json.dumps([STRANGER]))
    setting = look("bundle.listed").settings[0]
    assert setting.variable == LIST
    monkeypatch.setenv(LIST, setting.value or "")
    assert look("bundle.listed").verdict.value == "ok"
    assert look("bundle.refresh-interval").found == "5 s"


@pytest.mark.parametrize("seconds", [0, 300])
def test_a_bundle_that_is_asked_too_seldom_or_always_gets_advice(
    look: Look, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    """The default of five seconds passes."""
    assert look("bundle.refresh-interval").verdict.value == "ok"
    bundles = [bundle_item("probes", refresh_interval=seconds)]
    monkeypatch.setenv(LIST, json.dumps(bundles))
    found = look("bundle.refresh-interval")
    assert found.verdict.value == "advice"
    assert "'probes'" in found.remedy


def test_a_version_that_links_nowhere_gets_advice(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow's address is enough, or a template of one's own."""
    found = look("bundle.version-link")
    assert (found.verdict.value, found.settings[0].variable) == ("advice", "AIRFLOW__API__BASE_URL")
    with monkeypatch.context() as context:
        context.setenv("AIRFLOW__API__BASE_URL", found.settings[0].value or "")
        assert look("bundle.version-link").verdict.value == "ok"
    template = "https://git.example/{foundry}/{version}"
    bundles = [bundle_item("probes", view_url_template=template)]
    monkeypatch.setenv(LIST, json.dumps(bundles))
    assert look("bundle.version-link").found == f"to {template}"


def test_without_a_bundle_nothing_is_said_of_its_disk(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each check says that it could not look."""
    monkeypatch.setenv(LIST, json.dumps([STRANGER]))
    for check_id in ("bundle.refresh-interval", "bundle.hard-links", "snapshot.space"):
        found = look(check_id)
        assert found.verdict.value == "advice"
        assert found.found.startswith("not looked at")


@pytest.fixture
def lasting() -> Iterator[Path]:
    """A folder that a reboot leaves alone."""
    with tempfile.TemporaryDirectory(prefix="dagfoundry-test-", dir="/var/tmp") as folder:
        yield Path(folder)


def test_a_temporary_folder_gets_advice_and_a_lasting_one_passes(
    look: Look, monkeypatch: pytest.MonkeyPatch, lasting: Path
) -> None:
    """A folder that Airflow has yet to make is good as well."""
    monkeypatch.delenv(STORAGE)
    found = look("bundle.storage-path")
    assert (found.verdict.value, "reboot" in found.found) == ("advice", True)
    for folder in (lasting, lasting / "not" / "yet"):
        monkeypatch.setenv(STORAGE, str(folder))
        assert look("bundle.storage-path").verdict.value == "ok"


def test_a_folder_that_cannot_be_written_is_a_problem(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even root can write below /proc."""
    monkeypatch.setenv(STORAGE, "/proc/self/bundles")
    assert look("bundle.storage-path").verdict.value == "problem"
    assert look("snapshot.folder").verdict.value == "problem"


def test_hard_links_are_tried(look: Look) -> None:
    """Where a file cannot have a second name, that is said; nothing is left behind."""
    assert look("bundle.hard-links").verdict.value == "ok"
    found = try_link(Path("/proc/self"))
    assert (found.verdict.value, "none at /proc/self" in found.found) == ("advice", True)


def test_trying_hard_links_leaves_nothing(look: Look, home: Path) -> None:
    """The folder is as it was."""
    look("bundle.hard-links")
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(("megabytes", "verdict"), [(50, "problem"), (500, "advice"), (5000, "ok")])
def test_little_space_is_found(megabytes: int, verdict: str) -> None:
    """Below a gigabyte it is advice, below 100 MB a problem."""
    assert judge_space(Path("/x"), megabytes << 20).verdict.value == verdict


def test_the_space_of_the_snapshots_disk_is_looked_at(look: Look, home: Path) -> None:
    """The folder is named."""
    assert str(home) in look("snapshot.space").found
