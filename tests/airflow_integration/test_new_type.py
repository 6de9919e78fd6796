"""The package that ``dagfoundry new`` writes passes its own tests at once."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from airflow_environment import inherited
from example_packages import install_examples

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.both_majors


def test_a_new_type_passes_its_own_tests(tmp_path: Path) -> None:
    """Written, built as a wheel, installed, tested; nothing was edited in between."""
    package = tmp_path / "late"
    command = [sys.executable, "-m", "dagfoundry", "new", "late_bird", "--out", str(package)]
    subprocess.run(command, env=inherited(), check=True, capture_output=True)
    site = install_examples(tmp_path / "site", str(package))
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rs", "--verbose", "-p", "no:cacheprovider"],
        env=inherited() | {"PYTHONPATH": path, "AIRFLOW_HOME": str(tmp_path / "airflow")},
        cwd=package,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("deterministic", "test_the_job_says_the_message", "test_two_that_say_the_same"):
        assert name in done.stdout
