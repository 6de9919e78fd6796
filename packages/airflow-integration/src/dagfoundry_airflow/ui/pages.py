"""The page of a version: who made its revision, when, why, and what it changed.

Airflow does not guard what a plugin adds, so the data needs a user who may read DAGs. The
page itself holds none: it asks for the data as Airflow's own UI does.
"""

from __future__ import annotations

from contextlib import closing
from importlib.resources import files
from typing import Any, Final

from fastapi import Depends, FastAPI, HTTPException, status
from fastapi.responses import HTMLResponse

from dagfoundry.change_json import changes_json, log_json
from dagfoundry.errors import FoundryError, FoundryMissingError, RevisionMissingError
from dagfoundry.history import revision_log
from dagfoundry.settings import read_settings
from dagfoundry.store import open_store
from dagfoundry_airflow._compat import may_read_dags
from dagfoundry_airflow.snapshot import plain_version, revision_of

_SHOWN: Final = 500
_TIMEOUT_SECONDS: Final = 10.0


def make_pages() -> FastAPI:
    """Make the application that Airflow mounts."""
    pages = FastAPI(title="DAG Foundry", docs_url=None, redoc_url=None, openapi_url=None)
    page = files("dagfoundry_airflow.ui").joinpath("version.html").read_text(encoding="utf-8")

    @pages.get("/versions/{foundry}/{version}", response_class=HTMLResponse)
    def show_version(foundry: str, version: str) -> str:
        del foundry, version  # the page reads them from its address
        return page

    pages.get("/api/versions/{foundry}/{version}", dependencies=[Depends(may_read_dags())])(
        tell_version
    )
    return pages


def tell_version(foundry: str, version: str) -> dict[str, Any]:
    """Return what a version serves and what its revision changed, as JSON values.

    Args:
        foundry: Name of the foundry.
        version: Bundle version.

    Raises:
        HTTPException: 404 when there is no such version, 503 when the store cannot be read.
    """
    store = open_store(read_settings().store_url, timeout_seconds=_TIMEOUT_SECONDS)
    with closing(store):
        try:
            log = revision_log(store, foundry, revision_of(version))
            record = store.version(foundry, plain_version(version))
        except (FoundryMissingError, RevisionMissingError, ValueError) as error:
            raise HTTPException(status.HTTP_404_NOT_FOUND, str(error)) from None
        except FoundryError as error:
            raise HTTPException(status.HTTP_503_SERVICE_UNAVAILABLE, error.what) from None
    changes = changes_json(log)
    return {
        "foundry": foundry,
        "version": version,
        "recorded": record is not None,
        "held": dict(record.held) if record else {},
        "errors": dict(record.errors) if record else {},
        "revision": log_json(log),
        "changes": changes[:_SHOWN],
        "more_changes": max(0, len(changes) - _SHOWN),
    }
