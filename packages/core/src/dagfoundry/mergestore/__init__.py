"""Merge stores: where a platform keeps its datasets, and how jobs bring them there.

A job opens a source and a merge store and calls :func:`ingest_snapshot`.
"""

from dagfoundry.mergestore.batches import StreamBatch
from dagfoundry.mergestore.columns import Untyped
from dagfoundry.mergestore.datasets import RESERVED_PREFIX, SourceDataset
from dagfoundry.mergestore.engines import open_merge_store, open_source, reading, reason, writing
from dagfoundry.mergestore.ingest import ingest_snapshot
from dagfoundry.mergestore.locks import StreamLock, stream_lock
from dagfoundry.mergestore.names import (
    batch_counter_name,
    batch_metrics_name,
    batch_stream_key,
    merge_table_name,
    staging_table_name,
    transformer_table_name,
)
from dagfoundry.mergestore.tables import BATCH_OUT, LIVE_RECORD
from dagfoundry.model.schema import Milestoning

__all__ = [
    "BATCH_OUT",
    "LIVE_RECORD",
    "RESERVED_PREFIX",
    "Milestoning",
    "SourceDataset",
    "StreamBatch",
    "StreamLock",
    "Untyped",
    "batch_counter_name",
    "batch_metrics_name",
    "batch_stream_key",
    "ingest_snapshot",
    "merge_table_name",
    "open_merge_store",
    "open_source",
    "reading",
    "reason",
    "staging_table_name",
    "stream_lock",
    "transformer_table_name",
    "writing",
]
