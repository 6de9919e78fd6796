"""An entry whose plugin is missing or broken stays visible, and nothing of it is lost."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest
from published_files import PACE, bucket, content, fingerprints, fresh_render, served, settle
from sqlalchemy import func, select

from dagfoundry.names import bucket_file
from dagfoundry.store import VersionRecord
from dagfoundry.store.tables import DAG_SHAPES, SHAPES
from dagfoundry_airflow.environment import Environment
from dagfoundry_airflow.publish import Pace, Publisher
from dagfoundry_airflow.shape import UNKNOWN
from dagfoundry_airflow.snapshot import all_placeholders, error_file, sidecar_name
from dagfoundry_airflow.trial import Trials

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from probe_foundry import Foundry
    from sqlalchemy.engine import Engine

    from dagfoundry.store import Placeholder

DAG_A, DAG_B = "live__a_probe", "live__b_probe"


def stands(publisher: Publisher, foundry: Foundry, key: str = "a") -> Placeholder | None:
    """Return what stands for an entry in its bucket."""
    name = sidecar_name(bucket_file(foundry.name, bucket(foundry, key)))
    return all_placeholders((publisher.folder / name).read_bytes()).get(foundry.dag_id(key))


def test_a_missing_plugin_leaves_placeholders(
    foundry: Foundry,
    publisher: Publisher,
    restart: Callable[..., Publisher],
    uninstall: Callable[[], None],
) -> None:
    """They have the tasks and edges of the last good build, and the report says what to install."""
    foundry.write(a={"number": 1}, b={})
    publisher.refresh()
    uninstall()
    bare = restart()
    settle(bare)
    assert set(served(bare)) == {"probing_infrastructure", DAG_A, DAG_B}
    found = stands(bare, foundry)
    assert found.shape.tasks == (("first", ("second_1",)), ("second_1", ()))
    assert found.shape.tags == ("probe",)
    assert found.shape.builder == "dagfoundry-probe 1.0"
    assert "'probe' is not installed" in found.reason
    assert DAG_A not in found.reason
    report = (bare.folder / error_file("Probing", DAG_A)).read_text()
    for word in (
        "Live",
        "probe",
        "entry",
        "revision 1",
        "Ada",
        "dagfoundry-probe 1.0",
        "placehold",
    ):
        assert word in report
    assert bare.state().held == {}
    assert content(bare.folder) == fresh_render(foundry, bare.state().version)


@pytest.mark.parametrize("how", ["raise", "hang", "crash"])
def test_a_regressed_plugin_leaves_a_placeholder_and_its_neighbours_alone(
    foundry: Foundry,
    publisher: Publisher,
    restart: Callable[..., Publisher],
    regress: Callable[..., None],
    how: str,
) -> None:
    """Only the bucket of the DAG that it cannot build any more is written."""
    foundry.write(**{key: {} for key in "abcdefgh"})
    publisher.refresh()
    before = fingerprints(publisher.folder)
    regress(DAG_A, how=how)
    broken = restart()
    settle(broken)
    assert broken.state().placeholders.keys() == {DAG_A} == broken.state().errors.keys()
    assert stands(broken, foundry).shape.builder == "dagfoundry-probe 1.0"
    after = fingerprints(publisher.folder)
    name = bucket_file(foundry.name, bucket(foundry, "a"))
    changed = {name for name, found in after.items() if before.get(name) != found}
    assert changed == {name, sidecar_name(name), error_file("Probing", DAG_A)}


def test_a_fresh_disk_without_the_plugin_knows_the_tasks(
    foundry: Foundry,
    publisher: Publisher,
    restart: Callable[..., Publisher],
    uninstall: Callable[[], None],
) -> None:
    """A new image that lacks a plugin has no disk of the old one."""
    foundry.write(a={"number": 7}, b={})
    publisher.refresh()
    uninstall()
    bare = restart("elsewhere")
    settle(bare)
    assert stands(bare, foundry).shape.tasks == (("first", ("second_7",)), ("second_7", ()))
    assert set(served(bare)) == set(served(publisher))


@pytest.mark.parametrize("dag_id", [None, DAG_A])
def test_a_worker_with_an_empty_disk_makes_the_same_bytes(
    foundry: Foundry,
    publisher: Publisher,
    another: Callable[..., Publisher],
    restart: Callable[..., Publisher],
    regress: Callable[..., None],
    dag_id: str | None,
) -> None:
    """Also of a version that is no longer the newest one."""
    foundry.write(a={}, b={})
    publisher.refresh()
    regress(DAG_A)
    broken = restart()
    settle(broken)
    version, whole = broken.state().version, content(broken.folder)
    publisher.refresh()
    foundry.write(a={"number": 2})
    publisher.refresh()
    found = content(another("worker").materialise(version, dag_id))
    found.pop("complete", None)
    assert found.pop("manifest.json")
    name = bucket_file(foundry.name, bucket(foundry, "a"))
    assert found == (whole if dag_id is None else {n: whole[n] for n in (name, sidecar_name(name))})
    folder = another("worker").materialise(version, None)  # its manifest is read from the disk
    assert {n: (folder / n).read_bytes() for n in whole} == whole


def test_the_dag_comes_back_with_its_plugin(
    foundry: Foundry,
    publisher: Publisher,
    restart: Callable[..., Publisher],
    uninstall: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As it was, and nothing is said of it any more."""
    foundry.write(a={"number": 1}, b={})
    publisher.refresh()
    before, path = content(publisher.folder), os.environ["PYTHONPATH"]
    uninstall()
    settle(restart())
    assert publisher.state().placeholders.keys() == {DAG_A, DAG_B}
    monkeypatch.setenv("PYTHONPATH", path)
    back = restart()
    settle(back)
    assert (back.state().placeholders, back.state().errors) == ({}, {})
    assert content(publisher.folder) == before


def test_a_plugin_that_works_again_is_noticed_in_time(
    foundry: Foundry,
    publisher: Publisher,
    restart: Callable[..., Publisher],
    regress: Callable[..., None],
    another: Callable[..., Publisher],
) -> None:
    """What it needs may have come back, although its version is the same."""
    foundry.write(a={})
    publisher.refresh()
    before = content(publisher.folder)
    regress(DAG_A)
    broken = restart()
    settle(broken)
    broken.close()
    regress()
    trials = broken._trials  # noqa: SLF001 - the same environment as before
    settle(another("home", trials=trials, pace=Pace(trials=60, retry=0.0, limits=PACE.limits)))
    assert publisher.state().placeholders == {}
    assert content(publisher.folder) == before


def test_a_row_that_was_never_good_stays_out(
    foundry: Foundry,
    publisher: Publisher,
    restart: Callable[..., Publisher],
    uninstall: Callable[[], None],
) -> None:
    """Nobody knows its tasks."""
    foundry.write(a={"act": "raise"}, b={})
    publisher.refresh()
    uninstall()
    bare = restart()
    settle(bare)
    assert set(served(bare)) == {"probing_infrastructure", DAG_B}
    assert bare.state().held == {DAG_A: 0}
    assert "does not show the DAG" in bare.state().errors[DAG_A]


def test_a_kept_definition_whose_plugin_breaks_becomes_a_placeholder(
    foundry: Foundry,
    publisher: Publisher,
    restart: Callable[..., Publisher],
    regress: Callable[..., None],
) -> None:
    """The bad row is to blame until the older one cannot be built either."""
    foundry.write(a={"number": 1})
    publisher.refresh()
    foundry.write(a={"act": "raise"})
    publisher.refresh()
    settle(restart())  # a plugin that changed and works keeps the older definition
    assert publisher.state().placeholders == {}
    assert publisher.state().held == {DAG_A: 1}
    regress(DAG_A)
    broken = restart()
    settle(broken)
    assert publisher.state().held == {DAG_A: 1}
    assert stands(broken, foundry).shape.tasks[0] == ("first", ("second_1",))
    report = publisher.state().errors[DAG_A]
    assert "revision 2 by Ada" in report
    assert "a placeholder for the DAG of revision 1" in report
    assert content(publisher.folder) == fresh_render(foundry, publisher.state().version)
    regress()
    settle(restart())
    assert publisher.state().placeholders == {}
    assert "keeps the DAG of revision 1" in publisher.state().errors[DAG_A]


def test_rows_that_hang_one_after_the_other_come_to_an_end(
    foundry: Foundry,
    publisher: Publisher,
    restart: Callable[..., Publisher],
    regress: Callable[..., None],
) -> None:
    """The newest and the kept row of a DAG both take longer than a refresh may wait."""
    foundry.write(a={"number": 1})
    publisher.refresh()
    regress(DAG_A, how="hang")
    foundry.write(a={"number": 2})
    settle(restart(pace=Pace(trials=1.0, retry=1000.0, limits=PACE.limits)))
    assert publisher.state().placeholders.keys() == {DAG_A}
    assert publisher.state().held == {DAG_A: 1}


def test_a_placeholder_still_drains(
    foundry: Foundry,
    publisher: Publisher,
    restart: Callable[..., Publisher],
    regress: Callable[..., None],
) -> None:
    """An entry that is removed from the model goes, whether its plugin works or not."""
    foundry.write(a={}, b={})
    publisher.refresh()
    regress(DAG_A)
    broken = restart()
    settle(broken)
    foundry.write(a="retiring")
    settle(broken)
    assert served(broken)[DAG_A]["status"] == "retiring"
    assert stands(broken, foundry) is not None
    assert content(broken.folder) == fresh_render(foundry, broken.state().version)
    foundry.write(a="retired")
    settle(broken)
    assert DAG_A not in served(broken)
    assert (broken.state().placeholders, broken.state().errors) == ({}, {})


def test_shapes_are_written_once(
    foundry: Foundry,
    publisher: Publisher,
    restart: Callable[..., Publisher],
    count_statements: Callable[[Engine], AbstractContextManager[list[str]]],
) -> None:
    """Hundreds of DAGs share one, and only a DAG whose tasks changed is written again."""
    foundry.write(**{f"k{number}": {} for number in range(300)})
    settle(publisher)
    assert counts(foundry) == (301, 2)
    foundry.write(k1={"act": "print"}, k2={"number": 1})
    with count_statements(foundry.store.engine) as statements:
        settle(publisher)
    written = [s for s in statements if s.startswith(("INSERT", "UPDATE")) and "shapes" in s]
    assert len(written) == 2
    assert counts(foundry) == (301, 3)
    with count_statements(foundry.store.engine) as statements:
        settle(restart())
    assert not [s for s in statements if s.startswith(("INSERT", "UPDATE"))]


def counts(foundry: Foundry) -> tuple[int, int]:
    """Return how many DAGs have a shape, and how many shapes there are."""
    with foundry.store.reading() as connection:
        tables = (DAG_SHAPES, SHAPES)
        return tuple(
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in tables
        )


def test_a_store_of_an_older_release_is_served_all_the_same(
    foundry: Foundry,
    publisher: Publisher,
    restart: Callable[..., Publisher],
    regress: Callable[..., None],
) -> None:
    """Its tables are upgraded later; until then a placeholder has one task that fails."""
    with foundry.store.writing() as connection:
        for table in (DAG_SHAPES, SHAPES):
            table.drop(connection)
    foundry.write(a={}, b={})
    publisher.refresh()
    regress(DAG_A)
    broken = restart()
    settle(broken)
    assert stands(broken, foundry).shape == UNKNOWN
    assert set(served(broken)) == {"probing_infrastructure", DAG_A, DAG_B}


def test_what_an_older_release_left_is_read(foundry: Foundry, publisher: Publisher) -> None:
    """Neither its records nor its files know of placeholders."""
    foundry.write(a={})
    publisher.refresh()
    record = publisher.state().record
    assert "placeholders" not in record.manifest()
    old = VersionRecord.from_manifest(record.version, record.revision, {"held": {}, "errors": {}})
    assert old == record
    folder = publisher.materialise(record.version, None)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["record"].keys() == {"version", "revision", "held", "errors"}


def test_placeholders_are_counted(
    foundry: Foundry,
    publisher: Publisher,
    restart: Callable[..., Publisher],
    regress: Callable[..., None],
    counted: Callable[..., float],
) -> None:
    """The number goes back to nought when the plugin works again."""
    foundry.write(a={}, b={})
    publisher.refresh()
    regress(DAG_A, DAG_B)
    settle(restart())
    assert counted("dagfoundry_placeholders", foundry="Probing") == 2
    regress()
    settle(restart())
    assert counted("dagfoundry_placeholders", foundry="Probing") == 0


def test_the_folder_of_versions_is_not_needed(
    foundry: Foundry,
    publisher: Publisher,
    restart: Callable[..., Publisher],
    regress: Callable[..., None],
) -> None:
    """Airflow's own clean-up may take a folder at any time."""
    foundry.write(a={}, b={})
    publisher.refresh()
    regress(DAG_A)
    broken = restart()
    settle(broken)
    version, whole = broken.state().version, content(broken.folder)
    shutil.rmtree(broken.folder.parent / "versions")
    folder = broken.materialise(version, None)
    assert {name: (folder / name).read_bytes() for name in whole} == whole


def test_a_process_that_lives_on_notices_other_plugins(
    foundry: Foundry,
    another: Callable[..., Publisher],
    tmp_path: Path,
    regress: Callable[..., None],
) -> None:
    """Without a restart; a change that is seen once may be an installation under way."""
    installed = ["1.0"]
    environment = Environment(lambda: installed[0], every=0.0)
    trials = Trials(tmp_path, PACE.limits, environment=environment)
    publisher = another("home", trials=trials)
    foundry.write(a={}, b={})
    settle(publisher)
    regress(DAG_A)
    installed[0] = "1.1"
    publisher.refresh()
    assert publisher.state().environment == "1.0"
    settle(publisher)
    assert publisher.state().placeholders.keys() == {DAG_A}
    regress()
    installed[0] = "1.2"
    publisher.refresh()
    settle(publisher)
    trials.close()
    assert publisher.state().environment == "1.2"
    assert publisher.state().placeholders == {}
