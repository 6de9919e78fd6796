"""A publisher of the foundry, here or on another host."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from published_files import PACE

from dagfoundry_airflow.environment import Environment
from dagfoundry_airflow.publish import Publisher
from dagfoundry_airflow.trial import Trials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from probe_foundry import Foundry


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trials]:
    """Trials with one process for all tests of this module."""
    made = Trials(tmp_path_factory.mktemp("trials"), PACE.limits)
    yield made
    made.close()


@pytest.fixture
def publisher(foundry: Foundry, tmp_path: Path, trials: Trials) -> Publisher:
    """A publisher of the foundry into a folder of its own."""
    return Publisher(foundry.name, tmp_path / "home", foundry.store, pace=PACE, trials=trials)


@pytest.fixture
def another(foundry: Foundry, tmp_path: Path, trials: Trials) -> Callable[..., Publisher]:
    """Return a function that makes a publisher on another host, or in another process."""

    def make(home: str = "elsewhere", **arguments: object) -> Publisher:
        values = {"pace": PACE, "trials": trials, **arguments}
        return Publisher(foundry.name, tmp_path / home, foundry.store, **values)

    return make


@pytest.fixture
def restart(
    another: Callable[..., Publisher], tmp_path: Path
) -> Iterator[Callable[..., Publisher]]:
    """Return a function that makes a publisher which finds plugins of other versions."""
    made: list[Trials] = []

    def make(home: str = "home", **arguments: Any) -> Publisher:  # noqa: ANN401 - a publisher's
        folder = tmp_path / f"trials {len(made)}"
        folder.mkdir()
        name = f"other {len(made)}"
        made.append(Trials(folder, PACE.limits, environment=Environment(lambda: name)))
        return another(home, trials=made[-1], **arguments)

    yield make
    for trials in made:
        trials.close()


@pytest.fixture
def uninstall(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function after which new processes find no plugin ``probe``."""

    def without_probe() -> None:
        path = os.environ["PYTHONPATH"].split(os.pathsep)
        kept = [entry for entry in path if not (Path(entry) / "probe_plugin.py").exists()]
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(kept))

    return without_probe


@pytest.fixture
def regress(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function after which new processes cannot build these DAGs any more."""

    def break_plugin(*dag_ids: str, how: str = "raise") -> None:
        monkeypatch.setenv("PROBE_REGRESSED", " ".join(dag_ids))
        monkeypatch.setenv("PROBE_REGRESSED_HOW", how)

    return break_plugin
