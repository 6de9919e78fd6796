"""Any history is served truthfully."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from published_files import PACE, content, fingerprints, fresh_render, served
from sqlalchemy.engine import make_url

from dagfoundry.factories import Status
from dagfoundry.store import open_store
from dagfoundry_airflow.publish import Publisher
from dagfoundry_airflow.snapshot import checksum

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pytest
    from probe_foundry import Foundry

    from dagfoundry_airflow.trial import Trials


KEYS = "abcdef"
STEPS = st.lists(
    st.dictionaries(
        st.sampled_from(KEYS),
        st.one_of(
            st.fixed_dictionaries({"number": st.integers(0, 3)}),
            st.just({"act": "raise"}),
            st.sampled_from([status.value for status in Status]),
        ),
        min_size=1,
        max_size=4,
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS, skip=st.sets(st.integers(0, 5)), restart=st.sets(st.integers(0, 5)))
def test_any_history_is_served_truthfully(
    steps: list[dict[str, dict[str, Any] | str]],
    skip: set[int],
    restart: set[int],
    make_foundry: type[Foundry],
    tmp_path_factory: pytest.TempPathFactory,
    trials: Trials,
) -> None:
    """Whatever changes, the folder equals a fresh render, and old versions render the same."""
    folder = tmp_path_factory.mktemp("history")
    foundry = make_foundry(make_url(f"sqlite:///{folder / 'store.db'}"), buckets=3)
    foundry.write(**{key: {} for key in KEYS})

    def host(home: str) -> Publisher:
        return Publisher(foundry.name, folder / home, foundry.store, pace=PACE, trials=trials)

    publisher, seen = host("home"), {}
    for number, step in enumerate(steps):
        foundry.write(**step)
        if number in skip:
            continue
        if number in restart:
            publisher = host("home")
        before = fingerprints(publisher.folder) if publisher.folder.exists() else {}
        publisher.refresh()
        seen[publisher.state().version] = now = content(publisher.folder)
        assert now == fresh_render(foundry, publisher.state().version)
        assert {name: checksum(data) for name, data in now.items()} == publisher.state().files
        assert_untouched(before, publisher, seen)
        assert_served(foundry, publisher)
    worker = host("worker")
    for version, files in seen.items():
        found = content(worker.materialise(version, None))
        assert {name: found[name] for name in files} == files
    foundry.store.close()


def assert_untouched(
    before: Mapping[str, tuple[int, int]],
    publisher: Publisher,
    seen: Mapping[str, dict[str, bytes]],
) -> None:
    """Check that a file whose content is the same kept its inode and mtime."""
    after = fingerprints(publisher.folder)
    contents = list(seen.values())
    previous = contents[-2] if len(contents) > 1 else {}
    same = {name for name in previous if contents[-1].get(name) == previous[name]}
    assert {n: before[n] for n in same & before.keys()} == {
        n: after[n] for n in same & before.keys()
    }


def assert_served(foundry: Foundry, publisher: Publisher) -> None:
    """Check that exactly the visible entries that were ever good are served."""
    rows = served(publisher)
    for key, written in foundry.written.items():
        visible = Status(written["status"]).in_bucket
        bad = '"raise"' in written["config_json"]
        dag_id = foundry.dag_id(key)
        if not visible:
            assert dag_id not in rows
            assert dag_id not in publisher.state().errors
        elif bad:
            assert dag_id in publisher.state().errors
            assert dag_id not in rows or '"raise"' not in rows[dag_id]["config_json"]
        else:
            assert rows[dag_id]["config_json"] == written["config_json"]
        if dag_id in rows:
            assert rows[dag_id]["status"] == written["status"]


def test_a_store_on_postgresql(
    postgres: Callable[[str], str], make_foundry: type[Foundry], tmp_path: Path, trials: Trials
) -> None:
    """The same, with a real PostgreSQL that goes away and comes back."""
    from dagfoundry.connections import parse_url

    foundry = make_foundry(parse_url(postgres("publishing"), "the test's server"))
    publisher = Publisher(foundry.name, tmp_path / "home", foundry.store, pace=PACE, trials=trials)
    foundry.write(a={}, b={})
    publisher.refresh()
    foundry.write(a={"act": "raise"}, b="retiring")
    publisher.refresh()
    assert publisher.state().held == {"live__a_probe": 1}
    assert content(publisher.folder) == fresh_render(foundry, publisher.state().version)
    worker = Publisher(foundry.name, tmp_path / "worker", foundry.store, pace=PACE, trials=trials)
    found = content(worker.materialise(publisher.state().version, None))
    whole = content(publisher.folder)
    assert {name: found[name] for name in whole} == whole
    nowhere = open_store(foundry.store.url.set(database="gone"), timeout_seconds=2)
    down = Publisher(foundry.name, tmp_path / "home", nowhere, pace=PACE, trials=trials)
    down.refresh()
    assert content(publisher.folder) == whole
