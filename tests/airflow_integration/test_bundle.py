"""The bundle of Airflow 3, in this process."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import airflow
import pytest

if airflow.__version__.startswith("2."):
    reason = f"Airflow {airflow.__version__} has no DAG bundles; they came with 3.0"
    pytest.skip(reason, allow_module_level=True)

from airflow.exceptions import AirflowException
from lost_history import restore

from dagfoundry_airflow import bundle as bundle_module
from dagfoundry_airflow.bundle import DagFoundryBundle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from probe_foundry import Foundry

pytestmark = pytest.mark.every_airflow

VERSION = tuple(map(int, airflow.__version__.split(".")[:2]))


def served_version(bundle: DagFoundryBundle) -> str:
    """Return the name of the version that a bundle serves, which is a record since 3.3."""
    current = bundle.get_current_version()
    if VERSION < (3, 3):
        assert type(current) is str
        return current
    from airflow.dag_processing.bundles.base import BundleVersion

    assert current == BundleVersion(version=current.version)
    return str(current.version)


@pytest.fixture
def make_bundle(
    foundry: Foundry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., DagFoundryBundle]]:
    """Return a function that makes a bundle as Airflow does; one storage folder per host."""
    monkeypatch.setenv(
        "DAGFOUNDRY_STORE_URL", foundry.store.url.render_as_string(hide_password=False)
    )
    monkeypatch.setattr(bundle_module, "_WORKER_PATIENCE_SECONDS", 3.0)
    made = []

    def make(host: str = "processor", **arguments: object) -> DagFoundryBundle:
        monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH", str(tmp_path / host))
        bundle = DagFoundryBundle(name="probes", foundry=foundry.name, **arguments)
        made.append(bundle)
        return bundle

    yield make
    for bundle in made:
        if "publisher" in vars(bundle):
            bundle.publisher.close()


@pytest.fixture
def settled() -> Callable[[DagFoundryBundle], str]:
    """Return a function that refreshes a bundle until nothing waits for its trial."""

    def refresh(bundle: DagFoundryBundle) -> str:
        until = time.monotonic() + 120
        bundle.refresh()
        while bundle.publisher.state().pending:
            assert time.monotonic() < until
            bundle.refresh()
        return served_version(bundle)

    return refresh


@pytest.fixture
def as_task(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that makes this process the one of a task of a DAG."""

    def become(dag_id: str) -> None:
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", dag_id)
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_TASK_ID", "first")

    return become


def test_making_a_bundle_does_nothing(
    make_bundle: Callable[..., DagFoundryBundle], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow makes one in the scheduler, the API server and every task; it must not fail."""
    monkeypatch.setenv("DAGFOUNDRY_STORE_URL", "no url at all")
    bundle = make_bundle()
    assert bundle.refresh_interval == 5
    assert bundle.supports_versioning
    assert bundle.foundry == "Probing"
    assert bundle.get_current_version() is None
    assert not (tmp_path / "processor").exists()


def test_a_version_is_linked_to_where_it_is_shown(
    make_bundle: Callable[..., DagFoundryBundle],
) -> None:
    """3.0 asks the bundle for each address; later versions fill in its template themselves."""
    template = "http://ui.test/{foundry}/{version}"
    linked, plain = make_bundle(view_url_template=template), make_bundle()
    if VERSION < (3, 1):
        assert linked.view_url("r7-abc") == "http://ui.test/Probing/r7-abc"
        assert plain.view_url("r7-abc") is None
    else:
        assert linked.view_url_template() == template
        assert plain.view_url_template() is None
        assert "view_url" not in vars(DagFoundryBundle)  # Airflow warns where it finds one


def test_the_current_version_comes_from_disk(
    make_bundle: Callable[..., DagFoundryBundle],
    foundry: Foundry,
    settled: Callable[[DagFoundryBundle], str],
) -> None:
    """It is asked outside of any try, and after a restart with the store down."""
    foundry.write(a={})
    bundle = make_bundle()
    bundle.initialize()
    version = settled(bundle)
    foundry.hide()
    assert served_version(make_bundle()) == version
    restarted = make_bundle()
    restarted.initialize()
    restarted.refresh()
    assert (restarted.path / "dagfoundry_probing_error_old.py").parent.is_dir()
    assert served_version(restarted) == version


def test_only_airflows_exception_leaves_initialize(
    make_bundle: Callable[..., DagFoundryBundle], foundry: Foundry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any other one ends the DAG processor of 3.0 to 3.2."""
    foundry.hide()
    with pytest.raises(AirflowException, match="does not exist"):
        make_bundle().initialize()
    monkeypatch.setenv("DAGFOUNDRY_STORE_URL", "no url at all")
    with pytest.raises(AirflowException, match="DAGFOUNDRY_STORE_URL"):
        make_bundle().initialize()


def test_even_a_surprise_is_airflows_exception(
    make_bundle: Callable[..., DagFoundryBundle],
    foundry: Foundry,
    settled: Callable[[DagFoundryBundle], str],
) -> None:
    """Somebody edited a table that nobody should."""
    foundry.write(a={})
    settled(make_bundle())
    with foundry.store.writing() as connection:
        connection.exec_driver_sql("UPDATE probing_versions SET manifest = '{'")
    with pytest.raises(AirflowException, match="JSONDecodeError"):
        make_bundle("another").initialize()


def test_a_disk_that_cannot_be_written_is_airflows_exception_too(
    make_bundle: Callable[..., DagFoundryBundle], tmp_path: Path
) -> None:
    """The folder's place is taken by a file here."""
    (tmp_path / "processor").write_text("in the way")
    with pytest.raises(AirflowException):
        make_bundle().initialize()


def test_a_task_gets_its_runs_version(
    make_bundle: Callable[..., DagFoundryBundle],
    foundry: Foundry,
    settled: Callable[[DagFoundryBundle], str],
    as_task: Callable[[str], None],
) -> None:
    """On an empty worker, with one file, while the DAG has changed since."""
    foundry.write(a={"number": 1}, b={}, c={}, d={}, e={}, f={})
    processor = make_bundle()
    processor.initialize()
    version = settled(processor)
    foundry.write(a={"number": 2})
    settled(processor)
    as_task("live__a_probe")
    task = make_bundle("worker", version=version)
    task.initialize()
    assert task.path.name == version
    assert len(list(task.path.glob("*.py"))) == 1
    assert '\\"number\\": 1' in next(task.path.glob("dagfoundry_*.json")).read_text()
    assert served_version(task) == version
    with pytest.raises(AirflowException, match="never changes"):
        task.refresh()


def test_a_task_starts_without_the_store_where_the_file_is(
    make_bundle: Callable[..., DagFoundryBundle],
    foundry: Foundry,
    settled: Callable[[DagFoundryBundle], str],
    as_task: Callable[[str], None],
) -> None:
    """The DAG processor's host has every version it published."""
    foundry.write(a={})
    processor = make_bundle()
    processor.initialize()
    version = settled(processor)
    foundry.hide()
    as_task("live__a_probe")
    task = make_bundle(version=version)
    task.initialize()
    assert list(task.path.glob("*.py"))


def test_a_task_waits_for_a_store_that_blinks(
    make_bundle: Callable[..., DagFoundryBundle],
    foundry: Foundry,
    settled: Callable[[DagFoundryBundle], str],
    as_task: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On Airflow 3.0 a task whose start raises is lost, whatever its retries."""
    monkeypatch.setattr(bundle_module, "_WORKER_PATIENCE_SECONDS", 60.0)
    foundry.write(a={})
    processor = make_bundle()
    processor.initialize()
    version = settled(processor)
    foundry.hide()
    back = threading.Timer(1.0, foundry.show)
    back.start()
    as_task("live__a_probe")
    task = make_bundle("worker", version=version)
    task.initialize()
    assert list(task.path.glob("*.py"))
    back.join()


def test_a_task_without_a_version_gets_the_newest(
    make_bundle: Callable[..., DagFoundryBundle],
    foundry: Foundry,
    settled: Callable[[DagFoundryBundle], str],
    as_task: Callable[[str], None],
) -> None:
    """Airflow asks for none where bundle versioning is switched off."""
    foundry.write(a={})
    processor = make_bundle()
    processor.initialize()
    version = settled(processor)
    as_task("live__a_probe")
    task = make_bundle("worker")
    task.initialize()
    assert task.path.name == version
    foundry.hide()
    local = make_bundle()
    local.initialize()
    assert local.path == processor.path
    with pytest.raises(AirflowException):
        make_bundle("another worker").initialize()


def test_lost_history_takes_no_dag_until_it_is_allowed(
    foundry: Foundry,
    make_bundle: Callable[..., DagFoundryBundle],
    settled: Callable[[DagFoundryBundle], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The DAG processor is restarted with what the report says."""
    foundry.write(a={})
    foundry.write(b={}, c={})
    bundle = make_bundle()
    version = settled(bundle)
    restore(foundry, 1)
    bundle.refresh()
    assert served_version(bundle) == f"{version}-held"
    monkeypatch.setenv("DAGFOUNDRY_ALLOW_DROP", "Probing@1")
    assert settled(make_bundle()).startswith("r1-")


def test_a_run_of_a_version_that_is_held_back_starts(
    foundry: Foundry,
    make_bundle: Callable[..., DagFoundryBundle],
    settled: Callable[[DagFoundryBundle], str],
    as_task: Callable[[str], None],
) -> None:
    """Here from the version's own files, elsewhere from history as far as the store has it."""
    foundry.write(a={})
    settled(make_bundle())
    as_task("live__a_probe")
    for host in ("processor", "worker"):
        task = make_bundle(host, version=f"{foundry.store.latest_version('Probing').version}-held")
        task.initialize()
        names = [path.name for path in task.path.glob("*.json") if path.name != "manifest.json"]
        assert task.path.name.endswith("-held")
        assert any("live__a_probe" in (task.path / name).read_text() for name in names)
