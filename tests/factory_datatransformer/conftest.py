"""Merge stores on both databases, with ingested inputs, and jobs run as tasks run them."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from dagfoundry.mergestore import (
    SourceDataset,
    batch_stream_key,
    ingest_snapshot,
    open_merge_store,
    open_source,
    reading,
)
from dagfoundry.model.schema import Milestoning
from dagfoundry_datatransformer.job import main

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sqlalchemy.engine import URL, Engine

    from tests.conftest import NewDatabase


@pytest.fixture(params=["sqlite", "postgresql"])
def merge_url(request: pytest.FixtureRequest, new_database: NewDatabase) -> URL:
    """An empty database of each kind."""
    return new_database(request.param, "merge")


@dataclass(frozen=True, kw_only=True)
class JobRun:
    """How a job's process ended."""

    exit_code: int
    output: str
    result: dict[str, Any] | None


@dataclass(kw_only=True)
class Warehouse:
    """A merge store of platform YellowLive, and the jobs that run on it."""

    url: URL
    folder: Path
    engine: Engine

    def ingest(
        self,
        store: str,
        dataset: str,
        table: sa.Table,
        rows: Sequence[dict[str, Any]],
        milestoning: Milestoning = Milestoning.LIVE,
    ) -> None:
        """Make a dataset's merge table equal to these rows."""
        source = self.folder / f"{uuid.uuid4().hex}.db"
        engine = sa.create_engine(f"sqlite:///{source}", future=True)
        with engine.begin() as connection:
            table.create(connection)
            if rows:
                connection.execute(table.insert(), list(rows))
        engine.dispose()
        key = tuple(column.name for column in table.primary_key)
        ingest_snapshot(
            self.engine,
            open_source(f"sqlite:///{source}"),
            platform="YellowLive",
            store=store,
            stream_key=batch_stream_key(store, dataset),
            datasets=[SourceDataset(name=dataset, table=table.name, key=key)],
            milestoning=milestoning,
        )

    def run(self, action: str, **spec: object) -> JobRun:
        """Run a job in this process."""
        home = self._home(spec)
        output = io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self._environment(home).items():
                patch.setenv(name, value)
            with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
                exit_code = main([action])
        return JobRun(exit_code=exit_code, output=output.getvalue(), result=_result(home))

    def run_process(self, action: str, **spec: object) -> JobRun:
        """Run a job as a process, as a task does."""
        home = self._home(spec)
        done = subprocess.run(
            [sys.executable, "-m", "dagfoundry_datatransformer.job", action],
            env={**os.environ, **self._environment(home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return JobRun(exit_code=done.returncode, output=done.stdout, result=_result(home))

    def transform(self, **spec: object) -> JobRun:
        """Make a transformer's outputs."""
        return self.run("run-datatransformer", **spec)

    def sql(self, statement: str, **spec: object) -> JobRun:
        """Make the one output ``totals``, with key ``origin``, from a SELECT."""
        output = {"name": "totals", "key": ["origin"], "sql": statement}
        return self.transform(**{"outputs": [output], **spec})

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return what a query finds in the merge store."""
        with reading(self.engine) as connection:
            return [tuple(row) for row in connection.execute(sa.text(query))]

    @property
    def totals(self) -> list[tuple[Any, ...]]:
        """The rows of output ``totals`` in order."""
        return sorted(self.rows("SELECT * FROM yellowlive_dt_report_totals"))

    def _home(self, changes: dict[str, object]) -> Path:
        """Return a new folder that holds a job's spec."""
        home = self.folder / uuid.uuid4().hex
        home.mkdir()
        spec = {
            "platform": "YellowLive",
            "transformer": "Report",
            "merge_store": {"url_variable": "MERGE_URL"},
            "output_store": "Report",
            "inputs": {"flights": "Ops#flights"},
            **changes,
        }
        (home / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
        return home

    def _environment(self, home: Path) -> dict[str, str]:
        return {
            "MERGE_URL": self.url.render_as_string(hide_password=False),
            "DAGFOUNDRY_JOB_SPEC": str(home / "spec.json"),
            "DAGFOUNDRY_JOB_RESULT": str(home / "result.json"),
        }


def _result(home: Path) -> dict[str, Any] | None:
    result = home / "result.json"
    return json.loads(result.read_text(encoding="utf-8")) if result.exists() else None


FLIGHTS = sa.Table(
    "flights",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("origin", sa.String(3), nullable=False),
    sa.Column("delay", sa.Integer),
    sa.Column("due", sa.DateTime),
)


@pytest.fixture
def warehouse(merge_url: URL, tmp_path: Path) -> Warehouse:
    """A merge store of each kind that holds three flights."""
    opened = Warehouse(url=merge_url, folder=tmp_path, engine=open_merge_store(merge_url))
    opened.ingest("Ops", "flights", FLIGHTS, flights(("JFK", 5), ("JFK", None), ("LGA", 2)))
    return opened


def flights(*values: tuple[str, int | None]) -> list[dict[str, Any]]:
    """Return rows of the table of flights."""
    return [
        {"id": number, "origin": origin, "delay": delay, "due": None}
        for number, (origin, delay) in enumerate(values, start=1)
    ]


@pytest.fixture
def flight_rows() -> tuple[sa.Table, Callable[..., list[dict[str, Any]]]]:
    """The table of flights, and what makes its rows."""
    return FLIGHTS, flights
