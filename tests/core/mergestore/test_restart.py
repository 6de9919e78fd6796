"""Jobs that are killed, jobs that meet: what the next one finds and does."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from dagfoundry.errors import JobFailedError
from dagfoundry.mergestore import SourceDataset, stream_lock

if TYPE_CHECKING:
    from conftest import Lab

ROWS = 4000


@pytest.fixture
def many(lab: Lab) -> sa.Table:
    """A source table that takes a job hundreds of transactions to stage."""
    table = lab.create(
        "many", sa.Column("id", sa.Integer, primary_key=True), sa.Column("v", sa.String(9))
    )
    lab.fill(table, *((number, "before") for number in range(10)))
    lab.ingest("many")
    lab.fill(table, *((number, "after") for number in range(1, ROWS + 1)))
    return table


def test_killed_job_is_taken_up_again(lab: Lab, many: sa.Table) -> None:
    """After kill -9 in mid-staging the merge table is untouched, and the next job does it all.

    The reference fails on every retry, since the staged rows are still there (D32).
    """
    with lab.running_job(many.name) as job:
        os.kill(job.pid, signal.SIGKILL)
        job.wait()
    assert 0 < lab.staged("many") < ROWS
    assert len(lab.merged("many")) == 10
    assert lab.statuses() == [(1, "committed"), (2, "started")]
    result = lab.ingest("many", chunk_rows=1000)
    assert (result.rows_inserted, result.rows_updated, result.rows_deleted) == (ROWS - 9, 9, 1)
    assert lab.statuses() == [(1, "committed"), (2, "committed")]
    assert lab.staged("many") == 0


def test_datasets_staged_before_the_kill_lose_nothing(lab: Lab, many: sa.Table) -> None:
    """The next job stages every dataset of the batch anew (the reference loses rows, D33)."""
    with lab.running_job(many.name) as job:
        os.kill(job.pid, signal.SIGKILL)
        job.wait()
    other = lab.create("other", sa.Column("id", sa.Integer, primary_key=True))
    lab.fill(other, (1,), (2,))
    result = lab.ingest("other", "many", chunk_rows=1000)
    assert result.rows_total == ROWS + 2
    assert len(lab.merged("many")) == ROWS
    assert len(lab.merged("other")) == 2


def test_second_job_on_a_stream_is_refused(lab: Lab, many: sa.Table) -> None:
    """Of two jobs on one stream the first wins, and the other says why it does not work (D39)."""
    with lab.running_job(many.name) as job:
        with pytest.raises(JobFailedError) as caught:
            lab.ingest("many")
        assert caught.value.what == "another job works on stream Shop of platform YellowLive"
        output = lab.go_on(job)
    assert job.returncode == 0, output
    assert len(lab.merged("many")) == ROWS
    assert lab.statuses() == [(1, "committed"), (2, "committed")]


def test_second_job_on_a_dataset_is_refused(lab: Lab, many: sa.Table) -> None:
    """A dataset that changes its stream while a job runs is not written by both."""
    refused = pytest.raises(JobFailedError, match="another job works on")
    with lab.running_job(many.name), refused:
        lab.ingest("many", stream="Shop#many")


def test_other_streams_are_not_held_up(lab: Lab, many: sa.Table) -> None:
    """A lock is for one stream and its datasets."""
    other = lab.create("other", sa.Column("id", sa.Integer, primary_key=True))
    lab.fill(other, (1,))
    with lab.running_job(many.name) as job:
        job.send_signal(signal.SIGCONT)
        assert lab.ingest("other", stream="Shop#other").rows_inserted == 1


def test_lock_ends_with_its_block(lab: Lab) -> None:
    """A job that failed keeps nobody out."""
    with suppress(JobFailedError), stream_lock(lab.merge, "stream S", ["a", "b"]):
        raise JobFailedError("the disk is full", remedy="")
    with stream_lock(lab.merge, "stream S", ["a", "b"]) as lock:
        lock.check()
        with pytest.raises(JobFailedError), stream_lock(lab.merge, "S", ["b"]):
            pass


def test_lost_lock_is_noticed(postgres_lab: Lab) -> None:
    """A job whose locking connection was cut does not merge, since another may be at work."""
    lab = postgres_lab
    kill = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
    with (
        suppress(JobFailedError),  # the locking connection cannot be closed well any more
        stream_lock(lab.merge, "stream S", ["a"]) as lock,
    ):
        lab.execute_merge(kill)
        with pytest.raises(JobFailedError, match="cannot keep the stream's lock in"):
            lock.check()


def test_failing_source_leaves_a_failed_batch(lab: Lab) -> None:
    """A source that breaks while it is read is one error; the merge table stays as it was."""
    lab.execute("CREATE TABLE t (id BIGINT)")
    if lab.owner.dialect.name == "sqlite":
        lab.execute(
            "INSERT INTO t VALUES (2), (-9223372036854775807 - 1)",
            "CREATE VIEW half AS SELECT id, abs(id) AS x FROM t",
        )
    else:
        lab.execute(
            "INSERT INTO t VALUES (2), (0)", "CREATE VIEW half AS SELECT id, 1 / id AS x FROM t"
        )
    dataset = SourceDataset(name="half", table="half", key=("id",))
    with pytest.raises(JobFailedError, match="cannot read database"):
        lab.ingest(dataset, chunk_rows=1)
    assert lab.merged("half") == []
    assert lab.statuses() == [(1, "failed")]
