"""Stores of a model, sources and merge stores on both databases, and jobs as tasks start them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from dagfoundry.mergestore import open_merge_store, reading

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.engine import URL, Engine

    from tests.conftest import NewDatabase


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, new_database: NewDatabase) -> Shop:
    """A source with customers and orders, and an empty merge store, of each kind."""
    urls = {name: new_database(request.param, name) for name in ("SHOP_URL", "MERGE_URL")}
    owner = sa.create_engine(urls["SHOP_URL"], future=True, poolclass=sa.pool.NullPool)
    opened = Shop(folder=tmp_path, urls=urls, owner=owner)
    opened.execute(
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, name VARCHAR(50))",
        "CREATE TABLE orders_2024 (number INTEGER, line INTEGER, price NUMERIC(9, 2))",
        "INSERT INTO customers VALUES (1, 'Ada'), (2, 'Bob')",
        "INSERT INTO orders_2024 VALUES (7, 1, 9.5), (7, 2, NULL), (8, 1, 1.25)",
    )
    return opened


@dataclass(frozen=True, kw_only=True)
class JobRun:
    """How a job's process ended."""

    exit_code: int
    output: str
    result: dict[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class Job:
    """A running job."""

    process: subprocess.Popen[str]
    result: Path

    def finish(self) -> JobRun:
        """Wait for its end and return how it went."""
        with self.process:
            output, _ = self.process.communicate()
        found = self.result.exists()
        return JobRun(
            exit_code=self.process.returncode,
            output=output,
            result=json.loads(self.result.read_text(encoding="utf-8")) if found else None,
        )


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A source that a test writes, and the merge store of platform YellowLive."""

    folder: Path
    urls: dict[str, URL]
    owner: Engine

    @property
    def merge(self) -> Engine:
        """The merge store."""
        return open_merge_store(self.urls["MERGE_URL"])

    def execute(self, *statements: str) -> None:
        """Run SQL in the source."""
        with self.owner.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Return what a query finds in the merge store."""
        with reading(self.merge) as connection:
            return [tuple(row) for row in connection.execute(sa.text(statement))]

    def tables(self) -> list[str]:
        """Return the tables of the merge store."""
        with reading(self.merge) as connection:
            return sorted(sa.inspect(connection).get_table_names())

    def start(self, spec: object) -> Job:
        """Start a job with a spec, as a task does."""
        home = self.folder / uuid.uuid4().hex
        home.mkdir()
        (home / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
        variables = {
            "DAGFOUNDRY_JOB_SPEC": str(home / "spec.json"),
            "DAGFOUNDRY_JOB_RESULT": str(home / "result.json"),
            **{name: url.render_as_string(hide_password=False) for name, url in self.urls.items()},
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "dagfoundry_platform.job", "snapshot-merge"],
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return Job(process=process, result=home / "result.json")

    def run(self, spec: object) -> JobRun:
        """Run a job to its end."""
        return self.start(spec).finish()
