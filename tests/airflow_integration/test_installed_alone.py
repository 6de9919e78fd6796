"""Without any factory type, dagfoundry-airflow installs from its wheel and says what it lacks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from airflow_environment import inherited

ROOT = Path(__file__).parents[2]
UV = os.environ.get("UV") or shutil.which("uv") or ""
CODE = """
from dagfoundry.plugins import load_plugins
from dagfoundry_airflow.bundle import DagFoundryBundle

bundle = DagFoundryBundle(name="alone", foundry="Alone", refresh_interval=5)
print(sorted(load_plugins().types), bundle.get_current_version())
"""


def run(*command: str | Path, **environment: str) -> str:
    """Run a command and return what it prints."""
    done = subprocess.run(
        list(map(str, command)),
        env={name: value for name, value in inherited().items() if name != "PYTHONPATH"}
        | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.skipif(not UV, reason="needs uv, which nox brings, or UV set to it")
@pytest.mark.skipif(
    version("apache-airflow").startswith("2."), reason="Airflow 2 has no DAG bundles"
)
def test_the_integration_needs_no_factory_type(tmp_path: Path) -> None:
    """Its bundle and its checks load, from wheels, far from the source tree."""
    wheels, python = tmp_path / "wheels", tmp_path / "venv" / "bin" / "python"
    packages = [ROOT / "packages" / name for name in ("core", "airflow-integration")]
    for package in packages:
        run(UV, "build", "--quiet", "--wheel", "--out-dir", wheels, package)
    run(UV, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv")
    minor = ".".join(version("apache-airflow").split(".")[:2])
    lock = ROOT / "constraints" / f"airflow-{minor}.txt"
    run(UV, "pip", "install", "--quiet", "-c", lock, "--python", python, *wheels.glob("*.whl"))
    environment = {
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "DAGFOUNDRY_STORE_URL": f"sqlite:///{tmp_path / 'store.db'}",
    }
    assert "[] None" in run(python, "-W", "ignore", "-c", CODE, **environment)
    plugins = run(python, "-m", "dagfoundry", "plugins", "--json", **environment)
    assert '"failures": []' in plugins
