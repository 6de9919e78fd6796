"""Old versions stay what they were, and go when nobody uses them."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import pytest
from published_files import bucket, content

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from probe_foundry import Foundry
    from sqlalchemy.engine import Engine

    from dagfoundry_airflow.publish import Publisher


def test_a_version_keeps_its_files_when_the_folder_moves_on(
    foundry: Foundry, publisher: Publisher
) -> None:
    """Unchanged files are shared, changed ones are not."""
    foundry.write(a={}, b={}, c={}, d={})
    publisher.refresh()
    first = publisher.state().version
    old = content(publisher.folder)
    foundry.write(a={"number": 1})
    publisher.refresh()
    folder = publisher.materialise(first, None)
    assert {name: (folder / name).read_bytes() for name in old} == old
    shared = [name for name in old if (folder / name).samefile(publisher.folder / name)]
    assert len(shared) == len(old) - 2


def test_an_empty_worker_renders_the_one_bucket_it_needs(
    foundry: Foundry, publisher: Publisher, another: Callable[..., Publisher]
) -> None:
    """Byte for byte what the dag processor served, without any other file."""
    foundry.write(**{f"k{number}": {} for number in range(12)})
    publisher.refresh()
    foundry.write(k1={"act": "raise"})
    publisher.refresh()
    version, whole = publisher.state().version, content(publisher.folder)
    foundry.write(k1={"number": 7}, k2={"number": 7})
    publisher.refresh()
    worker = another("worker")
    folder = worker.materialise(version, "live__k1_probe")
    name = f"dagfoundry_probing_{bucket(foundry, 'k1'):02x}"
    expected = {f"{name}.py": whole[f"{name}.py"], f"{name}.json": whole[f"{name}.json"]}
    found = content(folder)
    assert found.pop("manifest.json")
    assert found == expected


def test_a_damaged_version_is_rendered_again(
    foundry: Foundry, publisher: Publisher, another: Callable[..., Publisher]
) -> None:
    """A task runs on what its run began with, or not at all."""
    foundry.write(a={})
    publisher.refresh()
    worker, version = another("worker"), publisher.state().version
    sidecar = worker.materialise(version, "live__a_probe") / (
        f"dagfoundry_probing_{bucket(foundry, 'a'):02x}.json"
    )
    whole = sidecar.read_bytes()
    for damaged in (whole[:-20], bytes(len(whole))):
        sidecar.write_bytes(damaged)
        worker.materialise(version, "live__a_probe")
        assert sidecar.read_bytes() == whole
    worker.materialise(version, None)
    sidecar.write_bytes(whole[:-20])
    worker.materialise(version, None)
    assert sidecar.read_bytes() == whole


def test_a_worker_that_has_the_file_asks_no_store(
    foundry: Foundry,
    publisher: Publisher,
    count_statements: Callable[[Engine], AbstractContextManager[list[str]]],
) -> None:
    """A task starts although the store is down."""
    foundry.write(a={})
    publisher.refresh()
    version = publisher.state().version
    with count_statements(foundry.store.engine) as statements:
        publisher.materialise(version, "live__a_probe")
        publisher.materialise(version, None)
    assert statements == []


def test_a_removed_version_is_rendered_again(foundry: Foundry, publisher: Publisher) -> None:
    """Airflow's own clean-up may take a folder at any time."""
    import shutil

    foundry.write(a={}, b={"act": "raise"})
    publisher.refresh()
    version = publisher.state().version
    whole = content(publisher.folder)
    shutil.rmtree(publisher.folder.parent / "versions")
    found = content(publisher.materialise(version, None))
    assert {name: found[name] for name in whole} == whole


def test_an_unknown_version_is_an_error(foundry: Foundry, publisher: Publisher) -> None:
    """Another store, most likely."""
    from dagfoundry.errors import VersionMissingError

    foundry.write(a={})
    with pytest.raises(VersionMissingError, match="r9-nope"):
        publisher.materialise("r9-nope", "live__a_probe")


def test_processes_may_render_a_version_at_once(
    foundry: Foundry, publisher: Publisher, another: Callable[..., Publisher]
) -> None:
    """Many tasks of one run start on an empty worker."""
    foundry.write(**{f"k{number}": {} for number in range(12)})
    publisher.refresh()
    version = publisher.state().version
    errors = []

    def work(key: str | None) -> None:
        try:
            another("worker").materialise(version, key)
        except Exception as error:  # noqa: BLE001 - shown by the test
            errors.append(error)

    keys = [None, *(f"live__k{number}_probe" for number in range(12))]
    threads = [threading.Thread(target=work, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    found = content(another("worker").materialise(version, None))
    whole = content(publisher.folder)
    assert {name: found[name] for name in whole} == whole
    assert not [name for name in found if name.startswith(".")]


def test_old_folders_go_when_nobody_uses_them(
    foundry: Foundry,
    publisher: Publisher,
) -> None:
    """The newest ten stay, and so does whatever a task used in the last six hours."""
    versions = publisher.folder.parent / "versions"
    foundry.write(a={"number": 0})
    publisher.refresh()
    used = publisher.state().version
    lately = time.time() - 3600
    for number in range(12):
        (versions / f"old{number:02}").mkdir()
        os.utime(versions / f"old{number:02}", (number, number))
        (versions / f"late{number:02}").mkdir()
        os.utime(versions / f"late{number:02}", (lately, lately))
    os.utime(versions / used, (0, 0))
    publisher.materialise(used, "live__a_probe")
    foundry.write(a={"number": 1})
    publisher.refresh()
    left = {path.name for path in versions.iterdir()}
    late = {f"late{number:02}" for number in range(12)}
    assert left == {used, publisher.state().version, *late}
    for name in late:
        os.utime(versions / name, (20, 20))
    foundry.write(a={"number": 2})
    publisher.refresh()
    assert len(list(versions.iterdir())) == 10


def test_a_folder_that_airflow_has_noted_is_emptied_but_stays(
    foundry: Foundry, another: Callable[..., Publisher], tmp_path: Path
) -> None:
    """Airflow's clean-up fails on a folder that is not there; a version in use is left alone."""
    import fcntl

    tracking = tmp_path / "tracking"
    tracking.mkdir()
    publisher = another("home", tracking=tracking)
    versions = tmp_path / "home" / "versions"
    for number in range(14):
        (versions / f"v{number:02}").mkdir(parents=True)
        (versions / f"v{number:02}" / "x.py").touch()
        os.utime(versions / f"v{number:02}", (number, number))
    (tracking / "v00").touch()
    (tracking / "v01").touch()
    foundry.write(a={})
    with (tracking / "v01").open() as run:
        fcntl.flock(run, fcntl.LOCK_SH)
        publisher.refresh()
    assert list((versions / "v00").iterdir()) == []
    assert (versions / "v01" / "x.py").exists()
    assert not (versions / "v02").exists()
