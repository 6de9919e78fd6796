"""A publisher of the foundry, here or on another host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from published_files import PACE

from dagfoundry_airflow.publish import Publisher
from dagfoundry_airflow.trial import Trials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

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
