"""The package, its Bash operator and some callables, as if they were installed."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dagfoundry.model import load_model
from dagfoundry.plugins import load_plugins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dagfoundry.model import LoadedModel

PACKAGE = Path(__file__).parents[1]
DATA = PACKAGE / "tests" / "data"
MODULES = ("dagfoundry_dagfactory", "sample", "print_hello", "expand_tasks", "hacker_news")


def _install(project: Path, folder: Path) -> None:
    """Write what tells Python of the entry points in a pyproject.toml."""
    tomllib = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")
    metadata = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    info = folder / f"{metadata['name'].replace('-', '_')}-{metadata['version']}.dist-info"
    info.mkdir()
    head = f"Metadata-Version: 2.1\nName: {metadata['name']}\nVersion: {metadata['version']}\n"
    (info / "METADATA").write_text(head)
    lines = [
        line
        for group, entries in metadata["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))
    shutil.copytree(project / "src", folder, dirs_exist_ok=True)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the installed packages."""
    folder = tmp_path_factory.mktemp("site")
    _install(PACKAGE, folder)
    _install(PACKAGE / "bash", folder)
    shutil.copytree(DATA / "callables", folder, dirs_exist_ok=True)
    return folder


@pytest.fixture
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The packages are in the path of this process and of those that it starts."""
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("PYTHONPATH", str(site), prepend=":")
    load_plugins.cache_clear()
    yield
    load_plugins.cache_clear()
    for name in [name for name in sys.modules if name.startswith(MODULES)]:
        del sys.modules[name]


HEAD = "foundry: Acme\nplatforms: [{name: Live, merge_store: {url_variable: MERGE_URL}}]\n"


@pytest.fixture
def load(installed: None, tmp_path: Path) -> Callable[[str], LoadedModel]:  # noqa: ARG001 - it has to be there
    """Load a model that has this section text."""

    def loaded(section: str) -> LoadedModel:
        (tmp_path / "model.yaml").write_text(HEAD + section)
        return load_model([tmp_path / "model.yaml"], load_plugins())

    return loaded
