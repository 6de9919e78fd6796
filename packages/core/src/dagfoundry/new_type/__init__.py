"""Writes a whole package with a new factory type, to begin with."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Final

from dagfoundry.errors import SettingInvalidError
from dagfoundry.model.folder import write_new_folder
from dagfoundry.plugins_records import naming_problems

if TYPE_CHECKING:
    from pathlib import Path

    from dagfoundry.plugins import Plugins

_FILES: Final = {
    "pyproject.toml": "pyproject.toml.txt",
    "README.md": "README.md.txt",
    "src/{module}.py": "module.py.txt",
    "tests/test_{type}.py": "test_module.py.txt",
    ".gitignore": "gitignore.txt",
}
"""File of the package to its template."""

_OWN: Final = frozenset({"dagfoundry-airflow", "dagfoundry-datatransformer", "dagfoundry-platform"})
"""Installing a package of such a name would replace ours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewType:
    """What a new package is called.

    Attributes:
        name: Name of the factory type.
        section: Key of the model whose items belong to it.
    """

    name: str
    section: str

    @property
    def distribution(self) -> str:
        """Name of the distribution."""
        return f"dagfoundry-{self.name.replace('_', '-')}"

    @property
    def module(self) -> str:
        """Name of the module that is its plugin."""
        return f"dagfoundry_{self.name}"


def write_new_type(new: NewType, folder: Path, plugins: Plugins) -> list[Path]:
    """Write the package into a new or empty folder.

    Args:
        new: What it is called.
        folder: Where; nothing half-written stays there.
        plugins: The installed factory types, with whose names it must not clash.

    Returns:
        The files that were written.

    Raises:
        SettingInvalidError: A name cannot be used, or the folder holds something or cannot
            be written.
    """
    problems = [*naming_problems(new.name, new.section), *_clashes(new, plugins)]
    if problems:
        msg = f"factory type {new.name!r} cannot be made: {'; '.join(problems)}"
        raise SettingInvalidError(msg, remedy="Choose another name, or another --section.")
    return write_new_folder(folder, _written(new))


def _clashes(new: NewType, plugins: Plugins) -> list[str]:
    found = []
    if new.distribution in _OWN:
        found.append(f"{new.distribution} is a distribution of DAG Foundry itself")
    if new.name.endswith("_"):
        found.append(f"no distribution may be called {new.distribution!r}")
    if new.name in plugins.types:
        found.append(f"{plugins.types[new.name]} is installed")
    elif new.section in plugins.sections:
        owner = plugins.types[plugins.sections[new.section]]
        found.append(f"section {new.section!r} is that of {owner}")
    return found


def _written(new: NewType) -> dict[str, str]:
    own, _, _ = version("dagfoundry").partition("+")
    major, minor, *_ = own.split(".")
    words = {
        "type": new.name,
        "section": new.section,
        "module": new.module,
        "distribution": new.distribution,
        "class_name": "".join(word.capitalize() for word in new.name.split("_")),
        "version": f"{major}.{minor}",
        "next_version": f"{major}.{int(minor) + 1}",
    }
    return {name.format(**words): _filled(template, words) for name, template in _FILES.items()}


def _filled(template: str, words: dict[str, str]) -> str:
    file = files("dagfoundry.new_type") / "template" / template
    return Template(file.read_text(encoding="utf-8")).substitute(words)
