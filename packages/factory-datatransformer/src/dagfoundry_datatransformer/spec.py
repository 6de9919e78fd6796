"""What a transformer's jobs are told: everything but secrets."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

from dagfoundry import Database, refusal
from dagfoundry_datatransformer.statement import SelectStatement


def _callable_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,127}", name):
        remedy = "Name an installed entry point of group 'dagfoundry.transformers', never a path."
        raise refusal("is no name of a Python transformer", remedy=remedy)
    return name


CallableName = Annotated[str, AfterValidator(_callable_name)]
"""Name of an entry point; it can never be an import path, for want of a dot."""


Milestoning = Literal["live", "forensic"]
"""How a platform's merge tables keep history."""


class OutputSpec(BaseModel):
    """A dataset to make.

    Attributes:
        name: Name of the dataset.
        key: Columns that identify a row.
        sql: SELECT over the inputs, each by its alias; none for a Python transformer.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    key: tuple[str, ...] = ()
    sql: SelectStatement | None = None


class TransformerSpec(BaseModel):
    """A transformer on a platform.

    Attributes:
        platform: Name of the platform, as the model writes it.
        transformer: Name of the transformer.
        merge_store: The platform's merge store.
        milestoning: How its merge tables keep history.
        output_store: Store that the outputs belong to.
        inputs: Alias to ``Store#dataset``.
        outputs: What to make.
        python: Entry point that makes the outputs; none when SQL does.
    """

    model_config = ConfigDict(frozen=True)

    platform: str
    transformer: str
    merge_store: Database
    milestoning: Milestoning = "live"
    output_store: str
    inputs: dict[str, str]
    outputs: tuple[OutputSpec, ...]
    python: CallableName | None = None
