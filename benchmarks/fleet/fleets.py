"""A contender that runs: its DAG processor, and the figures that are taken of it."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fleet import contenders, settings
from fleet.airflows import AIRFLOW_2
from fleet.processor import DagProcessor

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fleet.database import Server
    from fleet.foundry import BenchFoundry
    from typing_extensions import Self

_OWN_DAGS: Final = 2
"""The infrastructure's and the factory's."""

_PATIENCE_SECONDS: Final = 1800.0
_ASK_AGAIN_SECONDS: Final = 20.0
"""How often `dagfoundry wait` asks Airflow to parse what is behind."""


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What a step took: CPU seconds of the processor's tree, and seconds of a clock."""

    cpu: float
    wall: float


class Fleet:
    """A foundry's DAGs, shown by a DAG processor in one way.

    Args:
        server: Where databases are made.
        home: Folder of this fleet.
        foundry: What is shown.
        configuration: Airflow's configuration.
    """

    def __init__(
        self, server: Server, home: Path, foundry: BenchFoundry, configuration: dict[str, str]
    ) -> None:
        self.home = home
        self.foundry = foundry
        self.processor = DagProcessor(server, home, configuration)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Start the DAG processor and wait until it has nothing to do."""
        with ExitStack() as stack:
            stack.enter_context(self.processor)
            self.processor.wait_up()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop it."""
        self._stack.close()

    def arrive(self) -> None:
        """Bring the DAGs to where the processor finds them."""
        raise NotImplementedError

    def files(self) -> list[Path]:
        """Return the files that Airflow parses."""
        raise NotImplementedError

    def nudge(self) -> None:
        """Ask for a parse of what is behind, where nothing else does."""

    def first_pass(self, patience: float = _PATIENCE_SECONDS) -> Spent:
        """Bring all DAGs and return what it takes until Airflow shows them."""
        expected = self.foundry.entries + _OWN_DAGS
        return self.spent(self.arrive, lambda: self.processor.listed() >= expected, patience)

    def full_pass(self) -> Spent:
        """Have every file parsed again, unchanged, as Airflow does once in its interval."""
        moment, expected = time.time(), self.processor.listed()

        def is_done() -> bool:
            return self.processor.parsed_since(moment) >= expected

        return self.spent(lambda: contenders.touch(self.files()), is_done)

    def window(self, seconds: float) -> Spent:
        """Watch for some time without doing anything."""
        used, began = self.processor.cpu(), time.monotonic()
        time.sleep(seconds)
        return Spent(cpu=self.processor.cpu() - used, wall=time.monotonic() - began)

    def spent(
        self,
        begin: Callable[[], object],
        is_done: Callable[[], bool],
        patience: float = _PATIENCE_SECONDS,
    ) -> Spent:
        """Begin something and return what it takes until it is done and the processor quiet.

        Raises:
            NotInTimeError: It is not done in time.
        """
        used = self.processor.cpu()
        begin()
        asked = began = time.monotonic()

        def nudged() -> bool:
            nonlocal asked
            if is_done():
                return True
            if time.monotonic() - asked >= _ASK_AGAIN_SECONDS:
                self.nudge()
                asked = time.monotonic()
            return False

        self.processor.wait(nudged, patience)
        wall = time.monotonic() - began
        self.processor.wait_quiet()
        return Spent(cpu=self.processor.cpu() - used, wall=wall)


class OurFleet(Fleet):
    """DAG Foundry, at the recommended settings."""

    def __init__(self, server: Server, home: Path, foundry: BenchFoundry) -> None:
        super().__init__(server, home, foundry, contenders.our_settings(foundry))
        contenders.install_loaders(home, foundry)

    def arrive(self) -> None:
        """Merge all entries, which are new."""
        self.foundry.merge()
        self.nudge()

    def files(self) -> list[Path]:
        """Return the bucket files (Airflow 2: the loader files)."""
        return contenders.our_files(self.home, self.foundry)

    def nudge(self) -> None:
        """Touch the loader files of Airflow 2, which nothing else does at a long interval."""
        if AIRFLOW_2:
            contenders.touch(self.files())


class HandwrittenFleet(Fleet):
    """The same DAGs written by hand, in as many files."""

    def __init__(self, server: Server, home: Path, foundry: BenchFoundry) -> None:
        self.folder = home / "handwritten"
        self._ready = contenders.write_handwritten(foundry, home / "ready")
        contenders.write_broken(self.folder, [file.name for file in self._ready])
        configuration = settings.files(self.folder, settings.MEASURED_INTERVAL)
        super().__init__(server, home, foundry, configuration)

    def arrive(self) -> None:
        """Move the files to where the processor looks."""
        for file in self._ready:
            contenders.touch([file])
            file.rename(self.folder / file.name)

    def files(self) -> list[Path]:
        """Return the files."""
        return [self.folder / file.name for file in self._ready]


class TableFleet(Fleet):
    """One file that builds all DAGs from the table, at Airflow's own interval."""

    def __init__(self, server: Server, home: Path, foundry: BenchFoundry) -> None:
        self.folder = home / "table"
        contenders.write_broken(self.folder, [contenders.ALL_FROM_THE_TABLE])
        configuration = settings.files(self.folder, settings.DEFAULT_INTERVAL)
        super().__init__(server, home, foundry, configuration)

    def arrive(self) -> None:
        """Write the file."""
        contenders.write_reference_pattern(self.foundry, self.folder)

    def files(self) -> list[Path]:
        """Return the one file."""
        return [self.folder / contenders.ALL_FROM_THE_TABLE]
