"""Airflow 2: fixed loader files in the DAG folder, written once.

Airflow 2 has no bundles. A loader file is one line that never changes; it serves the
buckets of its shard out of a snapshot on the local disk. A parse renews the snapshot when
the store's revision number has moved. Runs are not pinned to a version.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.errors import FoundryError, SettingInvalidError
from dagfoundry.names import bucket_file, bucket_of, python_name
from dagfoundry.plugins import load_plugins
from dagfoundry.settings import read_settings
from dagfoundry.store import RowState, open_store
from dagfoundry_airflow.drops import DropLimit
from dagfoundry_airflow.patience import patiently
from dagfoundry_airflow.publish import Pace, Publisher
from dagfoundry_airflow.snapshot import (
    all_placeholders,
    all_rows,
    checksum,
    find_row,
    sidecar_name,
)
from dagfoundry_airflow.trial import Trials
from dagfoundry_airflow.trial_start import TrialLimits, fork
from dagfoundry_airflow.versions import rows_by_dag_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dagfoundry.store import Placeholder, Store
    from dagfoundry_airflow.state import State

    _Served = tuple[list[RowState], Mapping[str, Placeholder]]

_STORE_TIMEOUT_SECONDS: Final = 2.0
_PACE: Final = Pace(trials=12.0, elsewhere=8.0, limits=TrialLimits(build=5.0))
"""A trial process does not outlive the parse, so a build that hangs must end within it, and
the whole parse within Airflow's ``dagbag_import_timeout`` of 30 s. A parse waits for one of
another shard that renews the snapshot: else its changes would wait for the next interval."""

_TASK_PATIENCE_SECONDS: Final = 20.0
"""For how long a task without a snapshot waits for the store; Airflow's own limit is 30 s."""

_SHARD: Final = '''\
"""Airflow DAGs of foundry {foundry}, shard {shard} of {shards}; made by `dagfoundry airflow2`."""

from dagfoundry_airflow.airflow2 import load_shard, require_airflow_2

require_airflow_2(__file__)

# Airflow imports these once for all parse processes, and only because they stand here.
import airflow.hooks.base
import airflow.operators.branch
import airflow.operators.empty
import airflow.operators.trigger_dagrun
import airflow.providers.common.compat.sdk
import airflow.sensors.external_task
from airflow.utils.dag_parsing_context import get_parsing_context

globals().update(load_shard({foundry!r}, {shard}, {shards}))
'''

_ERRORS: Final = '''\
"""What is wrong with Airflow DAGs of foundry {foundry}; made by `dagfoundry airflow2`."""

from dagfoundry_airflow.airflow2 import raise_errors, require_airflow_2

require_airflow_2(__file__)
raise_errors({foundry!r})
'''


class LoaderFileError(FoundryError):
    """A loader file of Airflow 2 is in the DAG folder of Airflow 3."""


class DagsBrokenError(FoundryError):
    """Some of a foundry's DAGs are not what the store holds."""


def install(folder: Path, foundry: str, shards: int) -> list[Path]:
    """Write the loader files of a foundry; those that are there already stay untouched.

    Args:
        folder: Airflow's DAG folder, or one below it.
        foundry: Name of the foundry.
        shards: Number of loader files, from 1 to 256; 16 do for some 500 entries.

    Returns:
        The files that were written or removed.

    Raises:
        SettingInvalidError: There is no such folder, or it cannot be written.
    """
    if not folder.is_dir():
        msg = f"DAG folder {folder} does not exist"
        raise SettingInvalidError(msg, remedy="Name Airflow's DAG folder, or one below it.")
    try:
        return list(_install(folder, loader_files(foundry, shards)))
    except OSError as error:
        msg = f"DAG folder {folder} cannot be written: {error.strerror}"
        raise SettingInvalidError(msg, remedy="Run this as a user that may write it.") from None


def loader_files(foundry: str, shards: int) -> dict[str, str]:
    """Return all loader files of a foundry, name to text."""
    prefix = f"dagfoundry_{python_name(foundry)}"
    files = {
        f"{prefix}_shard_{shard:02x}.py": _SHARD.format(foundry=foundry, shard=shard, shards=shards)
        for shard in range(shards)
    }
    return files | {f"{prefix}_errors.py": _ERRORS.format(foundry=foundry)}


def _install(folder: Path, files: dict[str, str]) -> Iterator[Path]:
    for name, text in files.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            yield path
    prefix = next(iter(files)).removesuffix("00.py")
    for path in folder.glob(f"{prefix}*.py"):
        if path.name not in files and re.fullmatch(r"[0-9a-f]{2}\.py", path.name[len(prefix) :]):
            path.unlink()
            yield path


def load_shard(foundry: str, shard: int, shards: int) -> dict[str, Any]:
    """Return the DAGs of a shard, by DAG id; for a task only the one it needs.

    Raises:
        FoundryError: There is no snapshot on this disk, and the store cannot be read.
        OSError: The same, and the disk is to blame.
    """
    from dagfoundry_airflow._compat import parsing_dag_id
    from dagfoundry_airflow.loader import build_rows

    wanted, plugins = parsing_dag_id(), load_plugins()  # before a trial's fork, which uses them
    local = _Local(foundry)
    if wanted is None:
        rows, placeholders = _served_by_shard(local, foundry, shard, shards)
    else:
        rows, placeholders = local.dag(wanted)
    return build_rows(rows, plugins, placeholders)


def _served_by_shard(local: _Local, foundry: str, shard: int, shards: int) -> _Served:
    """Return what a shard serves; where that fails, Airflow keeps its DAGs and shows why."""
    try:
        return local.shard(shard, shards)
    except (FoundryError, OSError, ValueError):
        from dagfoundry_airflow._compat import AIRFLOW_2
        from dagfoundry_airflow.airflow_orm import keep_listed

        if AIRFLOW_2:
            keep_listed(f"dagfoundry_{python_name(foundry)}_shard_{shard:02x}.py")
        raise


def require_airflow_2(loader_file: str) -> None:
    """Refuse to serve a foundry from a loader file to Airflow 3.

    Raises:
        LoaderFileError: This is Airflow 3.
    """
    from dagfoundry_airflow._compat import AIRFLOW_2, AIRFLOW_MINOR

    if not AIRFLOW_2:
        msg = f"{loader_file} is for Airflow 2, and this is Airflow {AIRFLOW_MINOR}"
        remedy = "Remove it from the DAG folder and configure DagFoundryBundle in its place."
        raise LoaderFileError(msg, remedy=remedy)


def raise_errors(foundry: str) -> None:
    """Raise one error on every DAG that is not what the store holds, if there is any.

    Raises:
        DagsBrokenError: Lists them; Airflow shows it as an import error.
    """
    local = _Local(foundry)
    state = local.refreshed()
    if refusal := local.refusal():
        raise DagsBrokenError(refusal, remedy="DAGs that are not named run on as they were.")
    if state.buckets == 0:
        msg = f"the store holds no foundry {foundry!r}"
        raise DagsBrokenError(msg, remedy="Create it with `dagfoundry merge MODEL`.")
    if state.errors:
        reports = "\n\n".join(state.errors[dag_id] for dag_id in sorted(state.errors))
        msg = f"{len(state.errors)} DAGs of foundry {foundry!r} are not up to date\n\n{reports}"
        raise DagsBrokenError(msg, remedy="The DAGs that were good before run on as they were.")


class _Local:
    """A foundry's snapshot on this host, which all loader files share."""

    def __init__(self, foundry: str) -> None:
        self._foundry = foundry
        settings = read_settings()
        self._store: Store = open_store(settings.store_url, timeout_seconds=_STORE_TIMEOUT_SECONDS)
        home = snapshot_home(foundry)
        trials = Trials(home, _PACE.limits, fork)
        self._publisher = Publisher(
            foundry,
            home,
            self._store,
            pace=replace(_PACE, silence=settings.max_snapshot_age),
            trials=trials,
            limit=DropLimit.of(settings),
            thorough=False,
        )

    def refreshed(self) -> State:
        """Renew the snapshot if the store has moved, and return its state."""
        try:
            self._publisher.refresh()
        finally:
            self._publisher.close()
        state = self._publisher.state()
        if state is None:
            msg = f"there is no snapshot of foundry {self._foundry!r} in {self._publisher.folder}"
            raise SettingInvalidError(msg, remedy="See that Airflow may write there.")
        return state

    def refusal(self) -> str:
        """Return why the snapshot does not follow the store; empty when it does."""
        return self._publisher.refusal()

    def shard(self, shard: int, shards: int) -> _Served:
        """Return what every bucket that belongs to a shard serves."""
        state = self.refreshed()
        buckets = range(shard, state.buckets, shards)
        contents = [self._whole(state, bucket) for bucket in buckets]
        if None in contents:
            self._publisher.check_files()
            state = self.refreshed()
            contents = [self._sidecar(state, bucket) for bucket in buckets]
        rows: list[RowState] = []
        placeholders: dict[str, Placeholder] = {}
        for content in contents:
            if content:
                rows += map(RowState.from_json, all_rows(content))
                placeholders |= all_placeholders(content)
        return rows, placeholders

    def dag(self, dag_id: str) -> _Served:
        """Return what is served of one DAG: from the snapshot, or else from the store."""
        state = self._publisher.state()
        if state is not None and state.buckets:
            content = self._whole(state, bucket_of(dag_id, state.buckets)) or b""
            found = find_row(content, dag_id)
            if found:
                return [RowState.from_json(found)], all_placeholders(content)
        return patiently(lambda: self._ask(dag_id), seconds=_TASK_PATIENCE_SECONDS)

    def _whole(self, state: State, bucket: int) -> bytes | None:
        """Return a bucket's sidecar, empty where it has none; None when it is damaged."""
        expected = state.files.get(sidecar_name(bucket_file(self._foundry, bucket)))
        try:
            content = self._sidecar(state, bucket)
        except OSError:
            return None
        return content if expected in {None, checksum(content)} else None

    def _sidecar(self, state: State, bucket: int) -> bytes:
        name = sidecar_name(bucket_file(self._foundry, bucket))
        return (self._publisher.folder / name).read_bytes() if name in state.files else b""

    def _ask(self, dag_id: str) -> _Served:
        head = self._store.head(self._foundry)
        record = self._store.latest_version(self._foundry)
        revision = record.held.get(dag_id, record.revision) if record else head.revision
        found = rows_by_dag_id(self._store, self._foundry, revision, {dag_id})
        rows = [row for row in found.values() if row.status.in_bucket]
        return rows, record.placeholders if record else {}


def snapshot_home(foundry: str) -> Path:
    """Return the folder of a foundry's snapshot on this host."""
    from airflow.configuration import AIRFLOW_HOME

    return Path(AIRFLOW_HOME) / "dagfoundry" / python_name(foundry)
