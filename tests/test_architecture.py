"""The borders between the packages, held by reading every import of their sources."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES = ("dagfoundry", "dagfoundry_platform", "dagfoundry_datatransformer")
PUBLIC = {
    "dagfoundry",
    "dagfoundry.connections",
    "dagfoundry.errors",
    "dagfoundry.mergestore",
    "dagfoundry.names",
}
"""What a plugin may import of core."""

INTEGRATION = (
    Path(__file__).parent.parent / "packages" / "airflow-integration" / "src" / "dagfoundry_airflow"
)


def installed_folder(package: str) -> Path:
    """Return the folder of an installed package, without importing it."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def imports(file: Path) -> Iterator[tuple[str, bool]]:
    """Yield each imported module of a file, and whether the import runs at module level."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
    }
    checking = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and "TYPE_CHECKING" in ast.unparse(branch.test)
        for node in ast.walk(branch)
    }
    for node in ast.walk(tree):
        top = id(node) not in inside and id(node) not in checking
        if isinstance(node, ast.Import):
            yield from ((alias.name, top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            yield str(node.module), top


def sources(package: str) -> Iterator[tuple[Path, str, bool]]:
    """Yield each import of each file of an installed package."""
    for file in sorted(installed_folder(package).rglob("*.py")):
        for module, top in imports(file):
            yield file, module, top


@pytest.mark.parametrize("package", ["dagfoundry"])
def test_core_never_imports_airflow_nor_a_factory_type(package: str) -> None:
    """Core stands alone: neither Airflow nor any plugin, not even inside a function."""
    foreign = [
        f"{file.name}: {module}"
        for file, module, _ in sources(package)
        if module.split(".")[0] in {"airflow", "dagfoundry_airflow", *PACKAGES[1:]}
    ]
    assert foreign == []


@pytest.mark.parametrize("package", PACKAGES[1:])
def test_factory_types_use_only_the_public_plugin_interface(package: str) -> None:
    """A built-in type has nothing that a third party could not have."""
    others = {"dagfoundry_airflow", *PACKAGES[1:]} - {package}
    foreign = [
        f"{file.name}: {module}"
        for file, module, _ in sources(package)
        if module.split(".")[0] in others
        or (module.split(".")[0] == "dagfoundry" and module not in PUBLIC)
    ]
    assert foreign == []


@pytest.mark.parametrize("package", PACKAGES[1:])
def test_factory_types_import_airflow_only_inside_functions(package: str) -> None:
    """Loading a plugin never costs Airflow's import."""
    at_the_top = [
        f"{file.name}: {module}"
        for file, module, top in sources(package)
        if top and module.split(".")[0] == "airflow"
    ]
    assert at_the_top == []


def test_command_line_starts_without_airflow() -> None:
    """Neither the command line nor a loaded plugin pulls Airflow in."""
    program = (
        "import sys; from dagfoundry.cli import build_app; build_app(); "
        "from dagfoundry.plugins import load_plugins; load_plugins(); "
        "print([m for m in sys.modules if m.split('.')[0] == 'airflow'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_only_one_file_looks_at_the_version_of_airflow() -> None:
    """Version branches live in ``_compat.py`` and nowhere else."""
    words = ("airflow.__version__", "AIRFLOW_V_", 'version("apache-airflow")')
    outside = [
        f"{file.name}: {word}"
        for file in sorted(INTEGRATION.rglob("*.py"))
        if file.name != "_compat.py"
        for word in words
        if word in file.read_text(encoding="utf-8")
    ]
    assert outside == []


def test_integration_knows_no_factory_type_by_name() -> None:
    """A third party's type is treated like the built-in ones."""
    names = ("dagfoundry_platform", "dagfoundry_datatransformer", '"datatransformer"')
    named = [
        f"{file.name}: {name}"
        for file in sorted(INTEGRATION.rglob("*.py"))
        for name in names
        if name in file.read_text(encoding="utf-8")
    ]
    assert named == []


def test_one_place_hands_rows_to_plugins() -> None:
    """An entry is made where its config is brought to its type's version, nowhere else."""
    made = re.compile(r"(?<![\w.])Entry\(")
    folders = (installed_folder("dagfoundry"), INTEGRATION)
    files = [file for folder in folders for file in sorted(folder.rglob("*.py"))]
    makers = [file.name for file in files if made.search(file.read_text(encoding="utf-8"))]
    assert makers == ["upcast.py"]
