"""The DAG bundle of Airflow 3: serves a foundry's DAGs out of the store.

Airflow makes a bundle in many processes. The DAG processor's manager calls
``initialize()`` once and ``refresh()`` every few seconds; a task calls ``initialize()``
with the version of its run; the API server and the scheduler only construct it. So the
constructor does nothing, and each process opens its own store when it first needs one.

Configuration::

    [dag_processor]
    dag_bundle_config_list = [{"name": "foundry", "kwargs": {"foundry": "Quickstart"},
        "classpath": "dagfoundry_airflow.bundle.DagFoundryBundle"}]
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from airflow.dag_processing.bundles.base import BaseDagBundle, get_bundle_tracking_dir

import dagfoundry_airflow.loader  # noqa: F401 - the parse children, forked from here, find it loaded
from dagfoundry.errors import FoundryError
from dagfoundry.settings import read_settings
from dagfoundry.store import open_store
from dagfoundry_airflow._compat import (
    AirflowException,
    bundle_arguments,
    bundle_version,
    parsing_dag_id,
    stale_dag_threshold,
    web_address,
    with_view_url,
)
from dagfoundry_airflow.drops import DropLimit
from dagfoundry_airflow.notice import is_shown
from dagfoundry_airflow.patience import patiently
from dagfoundry_airflow.preload import preload
from dagfoundry_airflow.publish import CURRENT, Pace, Publisher
from dagfoundry_airflow.snapshot import held_version
from dagfoundry_airflow.state import StateFile
from dagfoundry_airflow.ui import URL_PREFIX
from dagfoundry_airflow.versions import VersionFolders

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_REFRESH_SECONDS: Final = 5
_HEAD_TIMEOUT_SECONDS: Final = 2.0
_HISTORY_TIMEOUT_SECONDS: Final = 20.0
_STALE_SLACK_SECONDS: Final = 5.0
_WORKER_PATIENCE_SECONDS: Final = 120.0
"""For how long a task waits for the store: on Airflow 3.0 one whose start raises is lost."""


@with_view_url
class DagFoundryBundle(BaseDagBundle):
    """Serves the DAGs of one foundry.

    Args:
        foundry: Name of the foundry.
        refresh_interval: How often to ask the store for a new revision, in seconds.
        view_url_template: Where a version is shown, with ``{version}`` and ``{foundry}``;
            by default DAG Foundry's page in Airflow's UI, if ``[api] base_url`` is set.
        arguments: What Airflow passes itself: ``name``, ``version``.
    """

    supports_versioning = True

    def __init__(
        self,
        *,
        foundry: str,
        refresh_interval: int = _REFRESH_SECONDS,
        view_url_template: str | None = None,
        **arguments: Any,  # noqa: ANN401 - Airflow's own, which differ by version
    ) -> None:
        arguments |= {"refresh_interval": refresh_interval}
        view_url_template = view_url_template or _own_page()
        super().__init__(**bundle_arguments(arguments, view_url_template))
        self.foundry = foundry
        self._view_url_template = view_url_template
        self._unpinned: Path | None = None

    def initialize(self) -> None:
        """Make sure that the files are there.

        Raises:
            AirflowException: They are not, and the store or the disk is to blame. Any
                other exception would end the DAG processor (Airflow 3.0 to 3.2).
        """
        with _airflow_errors():
            dag_id = parsing_dag_id()
            if self.version:
                self._make_version(self.version, dag_id)
            elif dag_id:
                self._unpinned = patiently(
                    lambda: self.publisher.newest(dag_id), seconds=_WORKER_PATIENCE_SECONDS
                )
            else:
                self._prepare_parses()
        super().initialize()

    def _prepare_parses(self) -> None:
        preload()
        if self.publisher.state() is None:
            self.publisher.refresh()

    def _make_version(self, version: str, dag_id: str | None) -> None:
        folders = VersionFolders(self.versions_dir, self.foundry)
        if not folders.holds(version, dag_id):  # else a task starts without opening the store
            patiently(
                lambda: self.publisher.materialise(version, dag_id),
                seconds=_WORKER_PATIENCE_SECONDS,
            )

    @property
    def path(self) -> Path:
        """Folder of the DAG files: the version's, or the one that follows the store."""
        if self.version:
            return self.versions_dir / self.version
        return self._unpinned or self.base_dir / CURRENT

    def get_current_version(self) -> Any:  # noqa: ANN401 - differs by version of Airflow
        """Return the version that is served; never asks the store and never raises."""
        if self.version:
            return bundle_version(self.version)
        state = self._state_file.read()
        if state is None:
            return None
        shown = is_shown(self.base_dir)
        return bundle_version(held_version(state.version) if shown else state.version)

    def refresh(self) -> None:
        """Bring the files in step with the store; when it does not answer they all stay.

        Raises:
            AirflowException: The bundle is of one version, or there is nothing to serve.
        """
        if self.version:
            msg = f"bundle {self.name!r} is of version {self.version}, which never changes"
            raise AirflowException(msg)
        with _airflow_errors():
            self.publisher.refresh()

    @cached_property
    def _state_file(self) -> StateFile:
        return StateFile(self.base_dir / "state.json")

    @cached_property
    def publisher(self) -> Publisher:
        """What keeps the files in step with the store; reads the environment.

        Raises:
            SettingInvalidError: The environment names no store that could be used.
        """
        settings = read_settings()
        url = settings.store_url
        return Publisher(
            self.foundry,
            self.base_dir,
            open_store(url, timeout_seconds=_HEAD_TIMEOUT_SECONDS),
            history=open_store(url, timeout_seconds=_HISTORY_TIMEOUT_SECONDS),
            pace=Pace(
                linger=stale_dag_threshold() + _STALE_SLACK_SECONDS,
                silence=settings.max_snapshot_age,
            ),
            tracking=get_bundle_tracking_dir(self.name),
            limit=DropLimit.of(settings),
        )


def _own_page() -> str | None:
    address = web_address()
    return f"{address}{URL_PREFIX}/versions/{{foundry}}/{{version}}" if address else None


@contextmanager
def _airflow_errors() -> Iterator[None]:
    try:
        yield
    except (FoundryError, OSError) as error:
        raise AirflowException(str(error)) from error
    except Exception as error:
        msg = f"unexpected {type(error).__name__}: {error}"
        raise AirflowException(msg) from error
