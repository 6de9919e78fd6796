"""Hands the numbers of a metrics folder to Prometheus."""

from __future__ import annotations

from pathlib import Path
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, generate_latest, make_wsgi_app
from prometheus_client.multiprocess import MultiProcessCollector

from dagfoundry.errors import SettingInvalidError
from dagfoundry.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from prometheus_client.registry import Collector

_log = get_logger(__name__)


def render(metrics_dir: str | PathLike[str], collectors: Iterable[Collector] = ()) -> bytes:
    """Return the numbers of all slots of a folder in Prometheus' text format.

    Args:
        metrics_dir: The folder.
        collectors: What else to show.

    Raises:
        SettingInvalidError: The folder cannot be made or read.
    """
    return generate_latest(_registry(Path(metrics_dir), collectors))


def serve(
    port: int,
    host: str,
    metrics_dir: str | PathLike[str],
    collectors: Iterable[Collector] = (),
) -> None:
    """Answer scrapes of ``/metrics`` until the process is ended.

    Args:
        port: TCP port.
        host: Address to listen on.
        metrics_dir: Folder whose numbers to show.
        collectors: What else to show.

    Raises:
        SettingInvalidError: The folder cannot be made, or the address is taken.
    """
    app = make_wsgi_app(_registry(Path(metrics_dir), collectors))
    try:
        server = make_server(host, port, app, _Server, _QuietHandler)
    except OSError as error:
        msg = f"cannot listen on {host}:{port}: {error.strerror}"
        raise SettingInvalidError(msg, remedy="Name another --host or --port.") from None
    with server:
        _log.info("metrics are served", url=f"http://{host}:{server.server_port}/metrics")
        server.serve_forever()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing: a scrape every few seconds is no news."""


def _registry(metrics_dir: Path, collectors: Iterable[Collector]) -> CollectorRegistry:
    try:
        metrics_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"metrics folder {metrics_dir} cannot be made: {error.strerror}"
        remedy = "Set DAGFOUNDRY_METRICS_DIR to a folder that this process may write."
        raise SettingInvalidError(msg, remedy=remedy) from None
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(metrics_dir))
    for collector in collectors:
        registry.register(collector)
    return registry
