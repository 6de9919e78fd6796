"""What a stream's job is told: everything but secrets."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from dagfoundry import Database

Milestoning = Literal["live", "forensic"]
"""How a platform's merge tables keep history."""


class DatasetSpec(BaseModel):
    """A dataset to copy.

    Attributes:
        name: Name of the dataset, from which its tables in the merge store are named.
        table: Table or view in the source; named like the dataset when absent.
        source_schema: Schema of that table; the stream's when none.
        key: Columns that identify a row; the whole row when empty.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str
    table: str | None = None
    source_schema: str | None = None
    key: tuple[str, ...] = ()


class StreamSpec(BaseModel):
    """A stream on a platform.

    Attributes:
        platform: Name of the platform, as the model writes it.
        store: Name of the store.
        dataset: The dataset of a stream that holds one only; none for all of a store's.
        merge_store: The platform's merge store.
        milestoning: How its merge tables keep history.
        source: Where the datasets come from; a reference deployment's row does not say.
        source_schema: Schema of the source's tables; the connection's own when none.
        datasets: What to copy.
    """

    model_config = ConfigDict(frozen=True)

    platform: str
    store: str
    dataset: str | None = None
    merge_store: Database
    milestoning: Milestoning = "live"
    source: Database | None = None
    source_schema: str | None = None
    datasets: tuple[DatasetSpec, ...]
