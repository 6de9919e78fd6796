"""Airflow 2 through its metadata database, which tasks may use there."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from dagfoundry_airflow.airflow_api import AirflowAccessError, AirflowDag, describe_dag

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_CHUNK: Final = 500
"""DAG ids in one statement; SQLite takes 999 parameters."""

_REMEDY: Final = (
    "Run this where Airflow runs, with its [database] sql_alchemy_conn; or set"
    " AIRFLOW_CONN_DAGFOUNDRY_AIRFLOW, by which its REST API is asked instead."
)
_UNFINISHED: Final = ("running", "queued")


class AirflowOrm:
    """:class:`~dagfoundry_airflow.airflow_api.AirflowApi` on Airflow 2's models."""

    def dags(self, dag_ids: Collection[str]) -> dict[str, AirflowDag]:
        """Return those of the DAGs that Airflow knows, stale ones too, by DAG id."""
        from airflow.models import DagModel

        found: dict[str, AirflowDag] = {}
        for chunk in _chunks(dag_ids):
            with _session() as session:
                models = session.scalars(select(DagModel).where(DagModel.dag_id.in_(chunk)))
                found |= {model.dag_id: _dag(model) for model in models}
        return found

    def set_paused(self, dag_id: str, *, paused: bool) -> None:
        """Pause or unpause a DAG."""
        from airflow.models import DagModel

        with _session() as session:
            model = session.get(DagModel, dag_id)
            if model is not None:
                model.is_paused = paused

    def unfinished_runs(self, dag_ids: Collection[str]) -> dict[str, int]:
        """Return the number of running and queued runs of each DAG that has any."""
        from airflow.models import DagRun

        runs: dict[str, int] = {}
        for chunk in _chunks(dag_ids):
            statement = (
                select(DagRun.dag_id, func.count().label("number"))
                .where(DagRun.dag_id.in_(chunk), DagRun.state.in_(_UNFINISHED))
                .group_by(DagRun.dag_id)
            )
            with _session() as session:
                runs |= {row.dag_id: row.number for row in session.execute(statement)}
        return runs

    def import_errors(self, file_prefix: str) -> dict[str, str]:
        """Return file name to report, for files whose names begin so."""
        from airflow.models.errors import ParseImportError

        with _session() as session:
            errors = session.scalars(select(ParseImportError)).all()
            return {
                PurePath(error.filename).name: error.stacktrace
                for error in errors
                if PurePath(error.filename).name.startswith(file_prefix)
            }

    def request_parse(self, dag: AirflowDag) -> None:
        """Ask for the DAG's file to be parsed next."""
        from airflow.models.dagbag import DagPriorityParsingRequest

        request: Any = DagPriorityParsingRequest
        with suppress(IntegrityError), _session() as session:  # somebody asked at the same moment
            session.add(request(fileloc=dag.file))

    def delete(self, dag_id: str) -> None:
        """Delete a DAG that no file holds, with its runs; harmless when it is gone."""
        from airflow.api.common.delete_dag import delete_dag
        from airflow.exceptions import DagNotFound

        from dagfoundry_airflow._compat import AirflowException

        try:
            with suppress(DagNotFound), _session() as session:
                delete_dag(dag_id, session=session)
        except AirflowException as error:  # a task of it is running
            msg = f"Airflow does not delete {dag_id}: {error}"
            raise AirflowAccessError(msg, remedy="It is tried again in five minutes.") from None

    def recall(self, key: str) -> str | None:
        """Return what was remembered under a key, or None."""
        from airflow.models import Variable

        value: str | None = Variable.get(key, default_var=None)  # noqa: AIR311 - Airflow 2
        return value

    def remember(self, key: str, text: str) -> None:
        """Keep a text in Airflow, as a Variable."""
        from airflow.models import Variable

        with suppress(IntegrityError):  # another task wrote between its delete and insert
            Variable.set(key, text, description="Kept by DAG Foundry; leave it.")  # noqa: AIR311 - Airflow 2

    def close(self) -> None:
        """Do nothing: the sessions are closed already."""


def keep_listed(file_name: str) -> None:
    """Keep Airflow 2 from taking the DAGs of a file for gone when its parse is going to fail.

    It compares a DAG's last parse with the file's, and a failed parse counts for the file
    only (``dag_processing/manager.py``, ``deactivate_stale_dags``, 2.10 and 2.11).
    """
    from airflow.models import DagModel

    of_file = DagModel.fileloc.endswith(f"/{file_name}", autoescape=True)
    statement = update(DagModel).where(DagModel.is_active, of_file)
    with suppress(AirflowAccessError), _session() as session:
        session.execute(
            statement.values(last_parsed_time=datetime.now(timezone.utc)),
            execution_options={"synchronize_session": False},
        )


@contextmanager
def _session() -> Iterator[Any]:
    """Open a session of Airflow's; a broken constraint is the caller's business.

    Raises:
        AirflowAccessError: The database does not answer, or is not Airflow's.
    """
    from airflow.utils.session import create_session

    try:
        with create_session() as session:
            yield session
    except IntegrityError:
        raise
    except SQLAlchemyError as error:
        reason = getattr(error, "orig", None) or error
        msg = f"Airflow's metadata database cannot be asked: {reason}"
        raise AirflowAccessError(msg, remedy=_REMEDY) from None


def _dag(model: Any) -> AirflowDag:  # noqa: ANN401 - Airflow 2's DagModel
    next_run = model.next_dagrun_create_after
    values = {
        "dag_id": model.dag_id,
        "is_paused": model.is_paused,
        "is_stale": not model.is_active,
        "description": model.description,
        "has_import_errors": model.has_import_errors,
        "next_dagrun_run_after": next_run.isoformat() if next_run else None,
    }
    return describe_dag(values, file=model.fileloc)


def _chunks(dag_ids: Collection[str]) -> Iterator[list[str]]:
    ids = sorted(dag_ids)
    return (ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK))
