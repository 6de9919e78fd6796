"""Each distribution installs from its wheel and works without those that it does not need."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
UV = os.environ.get("UV") or shutil.which("uv") or ""
pytestmark = pytest.mark.skipif(not UV, reason="needs uv, which nox brings, or UV set to it")

PLATFORM = "foundry: Alone\nplatforms: [{name: Live, merge_store: {url_variable: MERGE_URL}}]\n"
STORES = "stores:\n  - {name: Sales, source: {url_variable: U}, datasets: [{name: orders}]}\n"
TRANSFORMERS = (
    "transformers:\n"
    "  - name: Numbers\n"
    '    schedule: "0 5 * * *"\n'
    "    outputs: [{name: ten, key: [n], sql: SELECT 10 AS n}]\n"
)


@dataclass(frozen=True)
class Installed:
    """An environment with some of our wheels, far from the source tree."""

    folder: Path

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run ``dagfoundry`` and return all that it prints."""
        environment = {
            "PATH": f"{self.folder / 'venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "DAGFOUNDRY_STORE_URL": "sqlite:///store.db",
            "DAGFOUNDRY_HOME": str(self.folder),
            "DAGFOUNDRY_AUTHOR": "Ada",
        }
        done = subprocess.run(
            ["dagfoundry", *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def write(self, *parts: str) -> None:
        """Write the model."""
        (self.folder / "model.yaml").write_text("".join(parts))

    def metadata(self, distribution: str) -> Path:
        """Return the file of a distribution's metadata."""
        (found,) = self.folder.glob(f"venv/lib/*/site-packages/{distribution}-*/METADATA")
        return found


def uv(*arguments: str | Path) -> None:
    """Run uv, with an error that shows its output."""
    done = subprocess.run([UV, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheels of all packages."""
    folder = tmp_path_factory.mktemp("wheels")
    uv("build", "--quiet", "--all-packages", "--wheel", "--out-dir", folder, "--project", ROOT)
    return folder


@pytest.fixture
def install(wheels: Path, tmp_path: Path) -> Callable[..., Installed]:
    """Return a function that installs wheels with what they need into a fresh environment."""

    def made(*names: str) -> Installed:
        python = tmp_path / "venv" / "bin" / "python"
        uv("venv", "--quiet", "--python", sys.executable, tmp_path / "venv")
        found = [str(next(wheels.glob(f"{name}-*.whl"))) for name in names]
        lock = ROOT / "constraints" / "core.txt"
        options = ["--quiet", "--constraint", lock, "--find-links", wheels, "--python", python]
        uv("pip", "install", *options, *found)
        return Installed(tmp_path)

    return made


def test_core_works_without_airflow_and_without_any_type(
    install: Callable[..., Installed],
) -> None:
    """It checks a model, and says what a section needs."""
    alone = install("dagfoundry")
    assert "factory type" in alone.run("plugins")
    alone.write(PLATFORM)
    alone.run("validate", "model.yaml")
    alone.write(PLATFORM, STORES)
    said = alone.run("validate", "model.yaml", code=1)
    assert "unknown section 'stores'" in said
    assert "Install the distribution that offers it." in said


@pytest.mark.parametrize(
    ("name", "own", "other"),
    [
        ("dagfoundry_platform", STORES, TRANSFORMERS),
        ("dagfoundry_datatransformer", TRANSFORMERS, STORES),
    ],
    ids=["platform", "datatransformer"],
)
def test_one_factory_type_works_without_the_other(
    install: Callable[..., Installed], name: str, own: str, other: str
) -> None:
    """Its rows are written and read; the other's section is unknown."""
    alone = install(name)
    alone.write(PLATFORM, own)
    assert "created" in alone.run("merge", "model.yaml")
    assert "revision" in alone.run("history")
    alone.write(PLATFORM, own, other)
    assert "unknown section" in alone.run("validate", "model.yaml", code=1)


def test_versions_that_do_not_fit_together_are_named(install: Callable[..., Installed]) -> None:
    """A type of another release is not loaded, and its rows are not read as this one's."""
    alone = install("dagfoundry_platform")
    metadata = alone.metadata("dagfoundry_platform")
    text = metadata.read_text().replace("Version: 0.1.0", "Version: 0.2.0")
    metadata.write_text(text.replace("dagfoundry==0.1.0", "dagfoundry==0.2.0"))
    said = alone.run("plugins", code=1)
    assert "dagfoundry-platform 0.2.0" in said
    assert "it needs dagfoundry==0.2.0, and dagfoundry 0.1.0 is installed" in said
    alone.write(PLATFORM, STORES)
    said = alone.run("validate", "model.yaml", code=1)
    assert "Failed to load: dagfoundry-platform 0.2.0" in said
