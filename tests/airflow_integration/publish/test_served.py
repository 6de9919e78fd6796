"""What is served: only what changed is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from published_files import content, fingerprints, fresh_render, served

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from probe_foundry import Foundry
    from sqlalchemy.engine import Engine

    from dagfoundry_airflow.publish import Publisher


def test_rows_become_files(foundry: Foundry, publisher: Publisher) -> None:
    """Entries and the infrastructure DAG; the version is recorded in the store."""
    revision = foundry.write(a={}, b={})
    publisher.refresh()
    state = publisher.state()
    assert state.version.startswith(f"r{revision}-")
    assert foundry.store.version(foundry.name, state.version) == state.record
    assert served(publisher).keys() == {
        "live__a_probe",
        "live__b_probe",
        "probing_infrastructure",
    }
    assert content(publisher.folder) == fresh_render(foundry, state.version)


def test_nothing_new_is_one_query_and_no_write(
    foundry: Foundry,
    publisher: Publisher,
    count_statements: Callable[[Engine], AbstractContextManager[list[str]]],
) -> None:
    """It happens every five seconds, for ever."""
    foundry.write(a={})
    publisher.refresh()
    before = fingerprints(publisher.folder)
    with count_statements(foundry.store.engine) as statements:
        publisher.refresh()
    assert len(statements) == 1
    assert fingerprints(publisher.folder) == before


def test_a_change_writes_only_its_bucket(foundry: Foundry, publisher: Publisher) -> None:
    """Every other file keeps its inode and its mtime."""
    foundry.write(**{f"k{number}": {} for number in range(20)})
    publisher.refresh()
    before = fingerprints(publisher.folder)
    assert len(before) == 8
    foundry.write(k3={"number": 1})
    publisher.refresh()
    after = fingerprints(publisher.folder)
    changed = {name for name in after if after[name] != before.get(name)}
    bucket = served(publisher)["live__k3_probe"]["bucket"]
    assert changed == {f"dagfoundry_probing_{bucket:02x}.{kind}" for kind in ("py", "json")}
    assert after.keys() == before.keys()


def test_status_decides_what_is_in_a_bucket(foundry: Foundry, publisher: Publisher) -> None:
    """Inactive and retiring stay, retired and purged go, and a retired one may come back."""
    foundry.write(a={}, b={}, c={}, d={})
    publisher.refresh()
    foundry.write(a="inactive", b="retiring", c="retired", d="purged")
    publisher.refresh()
    rows = served(publisher)
    assert {key: rows[f"live__{key}_probe"]["status"] for key in "ab"} == {
        "a": "inactive",
        "b": "retiring",
    }
    assert not rows.keys() & {"live__c_probe", "live__d_probe"}
    foundry.write(c="active")
    publisher.refresh()
    assert "live__c_probe" in served(publisher)


def test_two_hosts_make_the_same_version(
    foundry: Foundry, publisher: Publisher, another: Callable[..., Publisher]
) -> None:
    """Airflow scans all files again whenever two processors disagree."""
    foundry.write(a={}, b={"act": "raise"})
    publisher.refresh()
    foundry.write(b={})
    publisher.refresh()
    other = another()
    other.refresh()
    assert other.state().version == publisher.state().version
    assert content(other.folder) == content(publisher.folder)
