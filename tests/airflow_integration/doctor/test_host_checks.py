"""The doctor looks at the Python environment."""

from __future__ import annotations

import py_compile
from typing import TYPE_CHECKING

import pytest

from dagfoundry_airflow.doctor.host import judge_byte_code, judge_packages

if TYPE_CHECKING:
    from pathlib import Path

    from tests.airflow_integration.doctor.conftest import Look

GOOD_3_0 = {"pyjwt": "2.10.1", "fastapi": "0.117.1", "cadwyn": "5.4.6", "starlette": "0.48.0"}


def test_the_installed_packages_are_good(look: Look) -> None:
    """The lock of this Airflow holds none that breaks it."""
    assert look("host.packages").verdict.value == "ok"


@pytest.mark.parametrize(
    ("airflow", "installed", "reason"),
    [
        ("3.0", GOOD_3_0 | {"pyjwt": "2.11.0"}, "pyjwt 2.11.0"),
        ("3.0", GOOD_3_0 | {"fastapi": "0.165.0"}, "fastapi 0.165.0"),
        ("3.0", GOOD_3_0 | {"cadwyn": "8.2"}, "cadwyn 8.2"),
        ("3.0", GOOD_3_0 | {"starlette": "1.0.0"}, "starlette 1.0.0"),
        ("3.2", {"fastapi": "0.165.0"}, "fastapi 0.165.0"),
    ],
)
def test_a_package_that_breaks_airflow_is_a_problem(
    airflow: str, installed: dict[str, str | None], reason: str
) -> None:
    """It is named, and what to install instead."""
    found = judge_packages(airflow, installed)
    assert found.verdict.value == "problem"
    assert found.found.startswith(reason)
    assert found.remedy.startswith("pip install '")


@pytest.mark.parametrize(
    ("airflow", "installed"),
    [
        ("3.0", GOOD_3_0),
        ("3.2", {"fastapi": "0.136.3"}),
        ("3.3", {"fastapi": "0.165.0"}),
        ("2.11", {"pyjwt": "2.15.1"}),
        ("3.0", {"pyjwt": None}),
    ],
)
def test_other_packages_are_good(airflow: str, installed: dict[str, str | None]) -> None:
    """What breaks one Airflow is good for another."""
    assert judge_packages(airflow, installed).verdict.value == "ok"


def test_modules_without_byte_code_are_a_problem(tmp_path: Path) -> None:
    """With it they are good; a variable that forbids it gets advice."""
    module = tmp_path / "module.py"
    module.write_text("")
    found = judge_byte_code([module], is_off=True)
    assert (found.verdict.value, "compileall" in found.remedy) == ("problem", True)
    assert "PYTHONDONTWRITEBYTECODE" in found.remedy
    py_compile.compile(str(module))
    assert judge_byte_code([module], is_off=True).verdict.value == "advice"
    assert judge_byte_code([module], is_off=False).verdict.value == "ok"


def test_the_variable_is_seen(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    """The modules that this process has loaded are counted."""
    assert look("host.byte-code").verdict.value == "ok"
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert look("host.byte-code").verdict.value == "advice"
