"""Importing a plugin in fresh processes that watch what its own code does."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.testing.processes import ask_process

if TYPE_CHECKING:
    from dagfoundry.plugins import InstalledType

_MODULE: Final = "dagfoundry.testing.import_child"
_TIMES: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Deed:
    """Something that a plugin's own code did while it was imported.

    Attributes:
        what: What it did, as a clause.
        file: File of the plugin; empty where it cannot be told.
        line: Line in that file.
    """

    what: str
    file: str
    line: int

    def __str__(self) -> str:
        """Return the deed and its place."""
        return f"{self.what} ({self.file}:{self.line})" if self.file else self.what


@dataclass(frozen=True, kw_only=True, slots=True)
class Import:
    """What the import of a plugin did.

    Attributes:
        airflow: Imports of Airflow.
        deeds: Files, sockets, processes and variables that its own code touched.
    """

    airflow: tuple[Deed, ...]
    deeds: tuple[Deed, ...]


def watch_import(installed: InstalledType) -> Import:
    """Import a plugin and ask it for its types, and return what it did besides."""
    answer = _ask(installed, watched=True)
    airflow, deeds = ([Deed(**deed) for deed in answer[key]] for key in ("airflow", "deeds"))
    return Import(airflow=tuple(airflow), deeds=tuple(deeds))


def import_cpu_ms(installed: InstalledType) -> float:
    """Return the CPU time of a plugin's import beyond that of DAG Foundry, in milliseconds.

    The first import compiles its modules, so it is made once more than it is measured.
    """
    _ask(installed, watched=False)
    return median(float(_ask(installed, watched=False)["cpu_ms"]) for _ in range(_TIMES))


def _ask(installed: InstalledType, *, watched: bool) -> dict[str, Any]:
    question = {
        "distribution": installed.distribution,
        "entry_point": installed.entry_point,
        "watched": watched,
    }
    answer: dict[str, Any] = ask_process(_MODULE, question, task="imports the plugin")
    return answer
