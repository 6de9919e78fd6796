"""The two jobs of a transformer: make its outputs, then ingest them as datasets."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import SQLAlchemyError

from dagfoundry import JobResult
from dagfoundry.errors import JobFailedError
from dagfoundry.mergestore import (
    Milestoning,
    SourceDataset,
    batch_stream_key,
    ingest_snapshot,
    open_merge_store,
    reason,
    stream_lock,
    transformer_table_name,
    writing,
)
from dagfoundry_datatransformer.transform import callables
from dagfoundry_datatransformer.transform.inputs import read_inputs, select_over
from dagfoundry_datatransformer.transform.outputs import OutputTables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

    from dagfoundry_datatransformer.spec import TransformerSpec
    from dagfoundry_datatransformer.transform.inputs import Inputs

_log = structlog.get_logger(__name__)


def run_transformer(spec: TransformerSpec) -> JobResult:
    """Make all outputs in one transaction: all of them are new, or none is.

    Raises:
        JobFailedError: An output could not be made; all are as they were.
    """
    engine = open_merge_store(spec.merge_store)
    label = f"transformer {spec.transformer} of platform {spec.platform}"
    with stream_lock(engine, label, list(_tables(spec).values())), writing(engine) as connection:
        outputs = OutputTables(connection, spec)
        _transform(connection, spec, outputs)
        counts = {output.name: outputs.count(output.name) for output in spec.outputs}
    for name, rows in counts.items():
        _log.info("output made", transformer=spec.transformer, output=name, rows=rows)
    return JobResult(rows_total=sum(counts.values()))


def ingest_output(spec: TransformerSpec) -> JobResult:
    """Make the merge tables of the output store equal to the outputs.

    Raises:
        DatasetInvalidError: An output does not fit its merge table.
        JobFailedError: The merge store cannot be used.
    """
    engine = open_merge_store(spec.merge_store)
    tables = _tables(spec)
    return ingest_snapshot(
        engine,
        engine,
        platform=spec.platform,
        store=spec.output_store,
        stream_key=batch_stream_key(spec.output_store),
        datasets=[
            SourceDataset(name=o.name, table=tables[o.name], key=o.key) for o in spec.outputs
        ],
        milestoning=Milestoning(spec.milestoning),
    )


def _tables(spec: TransformerSpec) -> dict[str, str]:
    """Return output to its table."""
    return {
        output.name: transformer_table_name(spec.platform, spec.output_store, output.name)
        for output in spec.outputs
    }


def _transform(connection: Connection, spec: TransformerSpec, outputs: OutputTables) -> None:
    inputs = read_inputs(connection, spec)
    if spec.python is None:
        _run_sql(connection, spec, outputs, inputs)
    else:
        _run_python(connection, spec, outputs, inputs)


def _run_sql(
    connection: Connection, spec: TransformerSpec, outputs: OutputTables, inputs: Inputs
) -> None:
    for output in spec.outputs:
        if output.sql is None:
            msg = f"{outputs.label(output.name)}: its row holds neither sql nor python"
            raise JobFailedError(msg, remedy="Write one of them in the model and merge it.")
        with _named(outputs.label(output.name)):
            outputs.fill(output.name, select_over(inputs, output.sql, connection.dialect.name))


def _run_python(
    connection: Connection, spec: TransformerSpec, outputs: OutputTables, inputs: Inputs
) -> None:
    context = callables.TransformerContext(
        platform=spec.platform,
        transformer=spec.transformer,
        inputs={alias: rows.subquery(alias) for alias, rows in inputs.items()},
        _outputs=outputs,
    )
    callables.call(str(spec.python), connection, context)
    for output in spec.outputs:
        if output.name not in outputs.tables:
            msg = f"{outputs.label(output.name)}: python {spec.python!r} did not make it"
            raise JobFailedError(msg, remedy="Call fill_output or create_output for each output.")


@contextmanager
def _named(label: str) -> Iterator[None]:
    """Say which output a database refuses, in its own words.

    Raises:
        JobFailedError: The block raised a database error.
    """
    try:
        yield
    except SQLAlchemyError as error:
        remedy = "Mend its sql or its key in the model; nothing was written."
        raise JobFailedError(f"{label}: {reason(error)}", remedy=remedy) from error
