"""The process that imports one plugin, with Python's audit hook to watch it."""

from __future__ import annotations

import inspect
import os
import sys
import time
from importlib import metadata, util
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.hookspecs import ENTRY_POINT_GROUP, dagfoundry_register_factory_types
from dagfoundry.testing.processes import answer_parent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_MACHINERY: Final = ("<frozen importlib", "<frozen zipimport")
"""What loads modules; what happens inside is not done by the module that imports."""
_SOURCES: Final = f"{os.sep}linecache.py"
"""What reads a line of source for a warning or traceback."""

_DEEDS: Final = {
    "open": "opens the file {0!r}",
    "os.listdir": "lists the folder {0!r}",
    "os.scandir": "lists the folder {0!r}",
    "os.mkdir": "makes the folder {0!r}",
    "os.remove": "removes {0!r}",
    "os.rename": "renames {0!r}",
    "os.rmdir": "removes {0!r}",
    "os.putenv": "sets the environment variable {0!r}",
    "os.unsetenv": "removes the environment variable {0!r}",
    "sqlite3.connect": "opens the database {0!r}",
    "subprocess.Popen": "starts the process {0!r}",
    "os.exec": "becomes the process {0!r}",
    "os.posix_spawn": "starts the process {0!r}",
    "os.system": "starts the process {0!r}",
    "os.fork": "forks the process",
    "os.forkpty": "forks the process",
    "socket.__new__": "opens a socket",
    "socket.getaddrinfo": "asks for the address of {0!r}",
    "socket.gethostbyname": "asks for the address of {0!r}",
}
"""Event of Python's audit hook to what it is in words."""


class _Watch:
    """Notes what the files of one plugin do; an audit hook stays for the process's life."""

    def __init__(self, own: tuple[str, ...]) -> None:
        self._own = own
        self.deeds: dict[tuple[str, str, int], None] = {}
        self.airflow: dict[tuple[str, str, int], None] = {}

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take one event."""
        if event == "import" and _is_airflow(arguments[0]):
            file, line = self._place(through_imports=True) or ("", 0)
            self.airflow[f"imports {arguments[0]}", file, line] = None
        elif event in _DEEDS and (place := self._place(through_imports=False)):
            what = _DEEDS[event].format(*map(_text, arguments))
            self.deeds[what, place[0], place[1]] = None

    def _place(self, *, through_imports: bool) -> tuple[str, int] | None:
        """Return the nearest line of the plugin that an event comes from."""
        for file, line in _callers(inspect.currentframe()):
            if file.startswith(self._own):
                return file, line
            if not through_imports and (file.startswith(_MACHINERY) or file.endswith(_SOURCES)):
                return None
        return None


def _callers(frame: FrameType | None) -> Iterator[tuple[str, int]]:
    while frame is not None:
        yield frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back


def _text(argument: object) -> object:
    return os.fsdecode(argument) if isinstance(argument, (bytes, os.PathLike)) else argument


def _is_airflow(module: str) -> bool:
    return module.partition(".")[0] == "airflow"


def _own_files(module: str) -> tuple[str, ...]:
    """Return what the paths of a plugin's own files begin with."""
    parts = module.split(".")
    for length in range(1, len(parts) + 1):
        spec = util.find_spec(".".join(parts[:length]))
        if spec is None:
            break
        if spec.origin is not None:  # not a namespace that distributions share
            folders = spec.submodule_search_locations
            return tuple(f"{folder}{os.sep}" for folder in folders) if folders else (spec.origin,)
    return ()


def _answer(question: dict[str, Any]) -> dict[str, Any]:
    found = metadata.distribution(question["distribution"]).entry_points
    (entry_point,) = found.select(group=ENTRY_POINT_GROUP, name=question["entry_point"])
    watch = _Watch(_own_files(entry_point.module))
    if question["watched"]:
        sys.addaudithook(watch)
    before = time.process_time()
    getattr(entry_point.load(), dagfoundry_register_factory_types.__name__)()
    cpu_ms = (time.process_time() - before) * 1000
    airflow = list(watch.airflow)
    if not airflow and any(_is_airflow(name) for name in list(sys.modules)):
        airflow = [("imports Airflow", "", 0)]
    return {"cpu_ms": cpu_ms, "airflow": _deeds(airflow), "deeds": _deeds(list(watch.deeds))}


def _deeds(noted: list[tuple[str, str, int]]) -> list[dict[str, Any]]:
    return [{"what": what, "file": file, "line": line} for what, file, line in noted]


if __name__ == "__main__":
    answer_parent(_answer)
