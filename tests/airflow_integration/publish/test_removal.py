"""A removal, and the touches of a stub that follow it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from published_files import bucket

from dagfoundry_airflow.publish import Pace, Publisher

if TYPE_CHECKING:
    from collections.abc import Callable

    from probe_foundry import Foundry


def test_a_removal_touches_the_stub_once_more(
    foundry: Foundry, publisher: Publisher, another: Callable[..., Publisher]
) -> None:
    """Airflow notices a lost DAG only in a parse that ends long after the last one."""
    keys = "abcdefghijklmnop"
    foundry.write(**{key: {} for key in keys})
    publisher.refresh()
    shared = [key for key in keys if bucket(foundry, key) == bucket(foundry, "a")]
    assert len(shared) > 1
    foundry.write(a="retired")
    brisk = another("home", pace=Pace(trials=120, linger=0.2), thorough=False)
    brisk.refresh()
    stub = brisk.folder / f"dagfoundry_probing_{bucket(foundry, 'a'):02x}.py"
    assert list(brisk.state().touches) == [stub.name]
    before = stub.stat()
    time.sleep(0.3)
    restarted = another("home", pace=Pace(trials=120, linger=0.2), thorough=False)
    restarted.refresh()
    after = stub.stat()
    assert after.st_mtime_ns > before.st_mtime_ns
    assert after.st_ino == before.st_ino
    assert restarted.state().touches == {}


def test_a_stub_rewritten_during_its_parse_is_touched_soon(
    foundry: Foundry, publisher: Publisher
) -> None:
    """Airflow believes that the old parse has seen the new content."""
    import fcntl

    foundry.write(a={})
    publisher.refresh()
    name = f"dagfoundry_probing_{bucket(foundry, 'a'):02x}"
    with (publisher.folder / f"{name}.json").open("rb") as parse:
        fcntl.flock(parse, fcntl.LOCK_SH)
        foundry.write(a={"number": 1})
        publisher.refresh()
    assert len(publisher.state().touches[f"{name}.py"]) == 2
    foundry.write(a={"number": 2})
    publisher.refresh()
    assert len(publisher.state().touches[f"{name}.py"]) == 2
