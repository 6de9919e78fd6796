"""An author's own pytest runs the suite: from one line of a file, or from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from altered_plugin import AlteredPlugin

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AlteredPlugin:
    """The plugin ``alarm`` and its tests; this process's pytest sees neither."""
    return AlteredPlugin(tmp_path, monkeypatch)


def test_the_command_line_gives_the_same_suite_without_a_file(project: AlteredPlugin) -> None:
    """Only the suites of the named types are collected."""
    options = ["--dagfoundry-type", "alarm", "--dagfoundry-type=platform", "--collect-only", "-q"]
    printed = project.run_pytest(*options)
    assert "dagfoundry::TestAlarm::test_dags_build" in printed
    assert "dagfoundry::TestPlatform::test_dags_build" in printed
    assert "26 tests collected" in printed
    assert "test_other" not in printed


def test_files_that_are_named_are_run_as_well(project: AlteredPlugin) -> None:
    """The option adds suites to what the author asks for."""
    options = ["--dagfoundry-type", "alarm", "-k", "plugin_loads or other", "tests/test_other.py"]
    assert "2 passed" in project.run_pytest(*options)


def test_a_suite_runs_in_parallel(project: AlteredPlugin) -> None:
    """Each worker of pytest-xdist collects the same suite."""
    pytest.importorskip("xdist")
    options = ["--dagfoundry-type", "alarm", "-n", "2", "-k", "plugin_loads or examples"]
    assert "3 passed" in project.run_pytest(*options)


def test_a_failure_is_its_text_alone(project: AlteredPlugin) -> None:
    """An author sees what is wrong and what to do, and no frame of the suite."""
    text = project.file.read_text()
    project.file.write_text(text.replace("            examples=EXAMPLES,\n", ""))
    printed = project.run_pytest("-k", "examples_make", "tests/test_conformance.py")
    assert "factory type 'alarm' of dagfoundry-alarm 1.0: it has no examples" in printed
    assert "Give FactoryType.examples at least one item" in printed
    assert "Traceback" not in printed
    assert "model_checks.py" not in printed
    assert printed.endswith("exit 1")


def test_a_type_that_is_not_installed_fails(project: AlteredPlugin) -> None:
    """A misspelt name is no empty run."""
    printed = project.run_pytest("--dagfoundry-type", "alarms", "-k", "plugin_loads")
    assert "factory type 'alarms' is not installed" in printed
    assert printed.endswith("exit 1")


def test_the_suite_runs_without_the_pytest_plugin(project: AlteredPlugin) -> None:
    """The class is a plain one: the plugin only makes it look better."""
    printed = project.run_pytest("-p", "no:dagfoundry", "-k", "loads", "tests/test_conformance.py")
    assert "1 passed" in printed


def test_a_run_without_a_suite_imports_nothing(project: AlteredPlugin) -> None:
    """Pytest loads the plugin in every project of the environment."""
    check = "import sys\ndef test_it(): assert 'dagfoundry' not in sys.modules\n"
    (project.tests / "test_other.py").write_text(check)
    assert "1 passed" in project.run_pytest("tests/test_other.py")
