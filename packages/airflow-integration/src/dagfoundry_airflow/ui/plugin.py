"""What Airflow's plugin manager is told: the pages of Airflow 3's API server.

Every process of Airflow loads its plugins, so this module costs next to nothing: the pages
are made at the first request. Airflow 2 has no place for them and passes them over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.plugins_manager import AirflowPlugin

from dagfoundry_airflow.ui import URL_PREFIX

if TYPE_CHECKING:
    from fastapi import FastAPI


class LazyPages:
    """An ASGI application that is made when it is first asked for something."""

    def __init__(self) -> None:
        self._pages: FastAPI | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
        """Answer a request."""
        if self._pages is None:
            from dagfoundry_airflow.ui.pages import make_pages

            self._pages = make_pages()
        await self._pages(scope, receive, send)


class DagFoundryPlugin(AirflowPlugin):
    """DAG Foundry's pages."""

    name = "dagfoundry"
    fastapi_apps = [  # noqa: RUF012 - Airflow declares it so
        {"name": "DAG Foundry", "url_prefix": URL_PREFIX, "app": LazyPages()}
    ]
