"""Names of the tables and streams of a merge store, as the reference system forms them."""

from __future__ import annotations

import hashlib
from typing import Final

from dagfoundry.names import table_name

MAX_STREAM_KEY: Final = 255
"""Width of the key columns of the batch tables, in characters."""


def merge_table_name(platform: str, store: str, dataset: str) -> str:
    """Return the table that readers of a dataset use.

    Example::

        >>> merge_table_name("YellowLive", "Store1", "customers")
        'yellowlive_store1_customers_merge'
    """
    return table_name(platform, f"{store}_{dataset}_merge")


def staging_table_name(platform: str, store: str, dataset: str) -> str:
    """Return the table that holds the rows of a batch that is not committed yet."""
    return table_name(platform, f"{store}_{dataset}_staging")


def transformer_table_name(platform: str, store: str, dataset: str) -> str:
    """Return the table in which a transformer hands over an output dataset."""
    return table_name(platform, f"dt_{store}_{dataset}")


def batch_counter_name(platform: str) -> str:
    """Return the table that numbers the batches of a platform's streams."""
    return table_name(platform, "batch_counter")


def batch_metrics_name(platform: str) -> str:
    """Return the table that holds a row for each batch of a platform's streams."""
    return table_name(platform, "batch_metrics")


def batch_stream_key(store: str, dataset: str | None = None) -> str:
    """Return the key of a stream in the batch tables.

    Args:
        store: The store.
        dataset: The dataset of a stream that holds one only; none for all of a store's.

    Example::

        >>> batch_stream_key("Orders", "lines")
        'Orders#lines'
    """
    key = store if dataset is None else f"{store}#{dataset}"
    if len(key) <= MAX_STREAM_KEY:
        return key
    digest = hashlib.sha1(key.encode(), usedforsecurity=False).hexdigest()
    return f"{key[: MAX_STREAM_KEY - 4]}_{digest[:3]}"


def index_name(table: str, noun: str) -> str:
    """Return the name of one of a table's indexes."""
    return table_name("idx", f"{table}_{noun}")
