"""Copies a stream's datasets from their source into the platform's merge tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagfoundry.errors import JobFailedError
from dagfoundry.mergestore import (
    Milestoning,
    SourceDataset,
    batch_stream_key,
    ingest_snapshot,
    open_merge_store,
    open_source,
)

if TYPE_CHECKING:
    from dagfoundry import JobResult
    from dagfoundry_platform.spec import StreamSpec


def ingest_stream(spec: StreamSpec) -> JobResult:
    """Make the merge tables of a stream equal to its source.

    Raises:
        CredentialMissingError: A variable of a database is not set.
        DatasetInvalidError: A dataset does not fit; no merge table changed.
        JobFailedError: A database fails, or another job works on the stream; no merge
            table changed.
    """
    if spec.source is None:
        msg = f"store {spec.store!r} of platform {spec.platform!r} names no source in its row"
        raise JobFailedError(msg, remedy="Write the store's source in the model and merge it.")
    return ingest_snapshot(
        open_merge_store(spec.merge_store),
        open_source(spec.source),
        platform=spec.platform,
        store=spec.store,
        stream_key=batch_stream_key(spec.store, spec.dataset),
        datasets=[
            SourceDataset(
                name=dataset.name,
                table=dataset.table or dataset.name,
                schema=dataset.source_schema or spec.source_schema,
                key=dataset.key,
            )
            for dataset in spec.datasets
        ],
        milestoning=Milestoning(spec.milestoning),
    )
