"""What was built, with what, and what it looked like: remembered on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dagfoundry.store import DagShape
from dagfoundry_airflow import proofs
from dagfoundry_airflow.environment import Environment
from dagfoundry_airflow.proofs import Proofs

if TYPE_CHECKING:
    from pathlib import Path

ONE = DagShape(tasks=(("a", ("b",)), ("b", ())), tags=("x",), distribution="hello", version="1")
OTHER = ONE._replace(version="2")
KEYS = [f"{number:032x}" for number in range(6)]


def test_a_proof_keeps_the_shape_of_its_dag(tmp_path: Path) -> None:
    """Another process finds it; a shape of many DAGs stands in the file once."""
    path = tmp_path / "proofs.txt"
    made = Proofs(path)
    made.add({KEYS[0]: ONE, KEYS[1]: OTHER})
    made.add({KEYS[1]: OTHER, KEYS[2]: ONE})
    found = Proofs(path)
    assert [found.shape(key) for key in KEYS[:3]] == [ONE, OTHER, ONE]
    assert KEYS[3] not in found
    assert len(path.read_text().splitlines()) == 5


@pytest.mark.parametrize("torn", ["", "no shape", "0123456789abcdef {", "0123456789abcdef []"])
def test_a_line_that_is_no_proof_is_passed_over(tmp_path: Path, torn: str) -> None:
    """A full disk leaves half a line, and an older release left keys alone."""
    path = tmp_path / "proofs.txt"
    Proofs(path).add({KEYS[0]: ONE})
    with path.open("a") as file:
        file.write(f"{torn}\n{KEYS[1]}\n{KEYS[2]} 0123456789abcdef\n")
    found = Proofs(path)
    assert [key in found for key in KEYS[:3]] == [True, False, False]
    found.add({KEYS[1]: OTHER})
    assert Proofs(path).shape(KEYS[1]) == OTHER


def test_old_proofs_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newer half stays, with its shapes."""
    monkeypatch.setattr(proofs, "_MOST", 4)
    path = tmp_path / "proofs.txt"
    Proofs(path).add(dict.fromkeys(KEYS, ONE))
    found = Proofs(path)
    assert [key in found for key in KEYS] == [False] * 4 + [True] * 2
    assert Proofs(path).shape(KEYS[5]) == ONE


def test_an_installation_under_way_is_not_taken_for_another_one() -> None:
    """What is seen once may be gone at the next look."""
    names = iter(["old", "half", "old", "half", "new", "new", "new"])
    environment = Environment(lambda: next(names), every=0.0)
    assert environment.name == "old"
    assert [environment.look() for _ in range(6)] == [False] * 4 + [True, False]
    assert environment.name == "new"


def test_what_is_installed_is_looked_at_now_and_then() -> None:
    """A refresh with nothing new must stay cheap."""
    names = iter(["old", "new"])
    environment = Environment(lambda: next(names), every=3600.0)
    assert [environment.look() for _ in range(3)] == [False] * 3
    assert environment.name == "old"
