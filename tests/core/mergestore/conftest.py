"""Real sources and merge stores, in every pair of databases that a job may meet."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from dagfoundry.mergestore import (
    SourceDataset,
    batch_stream_key,
    ingest_snapshot,
    merge_table_name,
    open_merge_store,
    open_source,
    staging_table_name,
)
from dagfoundry.model.schema import Milestoning

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy.engine import URL, Engine

    from dagfoundry import JobResult
    from tests.conftest import NewDatabase

PLATFORM = "YellowLive"
STORE = "Shop"
SYSTEM = "ds_surf_"


@dataclass(frozen=True, kw_only=True)
class Lab:
    """A source that a test writes, and the merge store that it is copied to."""

    source_url: URL
    merge_url: URL
    owner: Engine
    source: Engine
    merge: Engine

    def create(self, table: str, *columns: sa.Column[Any], schema: str | None = None) -> sa.Table:
        """Create a table in the source."""
        created = sa.Table(table, sa.MetaData(), *columns, schema=schema)
        created.create(self.owner)
        return created

    def fill(self, table: sa.Table, *rows: Sequence[Any]) -> None:
        """Make a source table hold exactly these rows; values that are left out are NULL."""
        names = list(table.c.keys())
        values = [dict(zip_longest(names, row)) for row in rows]
        with self.owner.begin() as connection:
            connection.execute(sa.delete(table))
            if values:
                connection.execute(sa.insert(table), values)

    def execute(self, *statements: str) -> None:
        """Run SQL in the source."""
        _run(self.owner, statements)

    def execute_merge(self, *statements: str) -> None:
        """Run SQL in the merge store."""
        _run(self.merge, statements)

    def ingest(
        self,
        *datasets: str | SourceDataset,
        key: Sequence[str] = ("id",),
        store: str = STORE,
        stream: str | None = None,
        milestoning: Milestoning = Milestoning.LIVE,
        chunk_rows: int = 3,
    ) -> JobResult:
        """Run a job; a dataset's name alone means a table of that name."""
        return ingest_snapshot(
            self.merge,
            self.source,
            platform=PLATFORM,
            store=store,
            stream_key=stream or batch_stream_key(store),
            datasets=[
                d if isinstance(d, SourceDataset) else SourceDataset(name=d, table=d, key=(*key,))
                for d in datasets
            ],
            milestoning=milestoning,
            chunk_rows=chunk_rows,
        )

    def merged(self, dataset: str, *order: str, store: str = STORE) -> list[tuple[Any, ...]]:
        """Return a merge table's rows without the columns that are the merge store's own."""
        table = self.merge_table(dataset, store)
        own = [column for column in table.c if not column.name.startswith(SYSTEM)]
        with self.merge.connect() as connection:
            rows = connection.execute(sa.select(*own).order_by(*(table.c[c] for c in order)))
            return [tuple(row) for row in rows]

    def column(self, dataset: str, column: str) -> list[Any]:
        """Return one column of a merge table, sorted."""
        table = self.merge_table(dataset)
        with self.merge.connect() as connection:
            return sorted(connection.execute(sa.select(table.c[column])).scalars())

    def merge_table(self, dataset: str, store: str = STORE) -> sa.Table:
        """Return a merge table as the database describes it."""
        name = merge_table_name(PLATFORM, store, dataset)
        return sa.Table(name, sa.MetaData(), autoload_with=self.merge)

    def staged(self, dataset: str) -> int:
        """Return the number of rows in a staging table, 0 when there is none."""
        name = staging_table_name(PLATFORM, STORE, dataset)
        with self.merge.connect() as connection:
            if not sa.inspect(connection).has_table(name):
                return 0
            query = sa.select(sa.func.count()).select_from(sa.table(name))
            return int(connection.execute(query).scalar() or 0)

    def batches(self) -> list[dict[str, Any]]:
        """Return the rows of the batch metrics."""
        table = sa.Table("yellowlive_batch_metrics", sa.MetaData(), autoload_with=self.merge)
        query = sa.select(table).order_by(table.c["key"], table.c.batch_id)
        with self.merge.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def statuses(self) -> list[tuple[int, str]]:
        """Return number and status of each batch."""
        return [(row["batch_id"], row["batch_status"]) for row in self.batches()]

    @contextlib.contextmanager
    def running_job(self, dataset: str) -> Iterator[subprocess.Popen[str]]:
        """Start a job of many small chunks, which stops itself once it has staged some.

        It goes on with :meth:`go_on`.
        """
        spec = {
            "merge": self.merge_url.render_as_string(hide_password=False),
            "source": self.source_url.render_as_string(hide_password=False),
            "dataset": dataset,
        }
        command = [sys.executable, "-c", _JOB, json.dumps(spec)]
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        ) as process:
            try:
                while _state(process) != "T":
                    assert process.poll() is None, process.communicate()[0]
                    time.sleep(0.01)
                yield process
            finally:
                process.kill()

    @staticmethod
    def go_on(job: subprocess.Popen[str]) -> str:
        """Let a stopped job end, and return what it printed."""
        job.send_signal(signal.SIGCONT)
        return job.communicate()[0]


def _state(process: subprocess.Popen[str]) -> str:
    """Return the state of a process as Linux names it, T for stopped."""
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]


_JOB = f"""
import json, os, signal, sys
import sqlalchemy as sa
from dagfoundry.mergestore import *
spec = json.loads(sys.argv[1])
merge = open_merge_store(spec["merge"])
eyes = sa.create_engine(spec["merge"], isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
staging = sa.table(staging_table_name("{PLATFORM}", "{STORE}", spec["dataset"]))

def stop_once_staged(beginning, looks=[]):
    if beginning.engine.pool is eyes.pool or (looks and looks[-1]):
        return
    with eyes.connect() as connection:
        looks.append(connection.execute(sa.select(sa.func.count()).select_from(staging)).scalar())
    if looks[-1]:
        os.kill(os.getpid(), signal.SIGSTOP)

sa.event.listen(sa.engine.Engine, "begin", stop_once_staged)  # before the listener of merge
dataset = SourceDataset(name=spec["dataset"], table=spec["dataset"], key=("id",))
ingest_snapshot(
    merge, open_source(spec["source"]), platform="{PLATFORM}",
    store="{STORE}", stream_key="{STORE}", datasets=[dataset], chunk_rows=20,
)
"""


def _run(engine: Engine, statements: Iterable[str]) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def make_lab(new_database: NewDatabase, source: str, merge: str) -> Lab:
    """Make a source and a merge store of the given kinds."""
    source_url, merge_url = new_database(source, "source"), new_database(merge, "merge")
    owner = sa.create_engine(source_url, future=True, poolclass=sa.pool.NullPool)
    owner.connect().close()
    return Lab(
        source_url=source_url,
        merge_url=merge_url,
        owner=owner,
        source=open_source(source_url),
        merge=open_merge_store(merge_url),
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def lab(request: pytest.FixtureRequest, new_database: NewDatabase) -> Lab:
    """Source and merge store on the same kind of database."""
    return make_lab(new_database, request.param, request.param)


@pytest.fixture(
    params=["sqlite-sqlite", "postgresql-postgresql", "sqlite-postgresql", "postgresql-sqlite"]
)
def any_lab(request: pytest.FixtureRequest, new_database: NewDatabase) -> Lab:
    """Source and merge store on every pair of databases."""
    return make_lab(new_database, *request.param.split("-"))


@pytest.fixture
def sqlite_lab(new_database: NewDatabase) -> Lab:
    """Source and merge store on SQLite."""
    return make_lab(new_database, "sqlite", "sqlite")


@pytest.fixture
def postgres_lab(new_database: NewDatabase) -> Lab:
    """Source and merge store on PostgreSQL."""
    return make_lab(new_database, "postgresql", "postgresql")


@pytest.fixture
def customers(lab: Lab) -> sa.Table:
    """A source table of customers that holds Ada and Bob."""
    table = lab.create(
        "customers",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(50)),
        sa.Column("town", sa.String(50)),
    )
    lab.fill(table, (1, "Ada"), (2, "Bob"))
    return table
