"""Loggers that load structlog with the first line that is written.

Its import costs as much as building some DAGs, and a parse of Airflow 2, which begins
with nothing of it loaded, writes no line when all is well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from structlog.stdlib import BoundLogger


class _Logger:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:  # noqa: ANN401 - whatever a logger has
        import structlog

        return getattr(structlog.stdlib.get_logger(self._name), attribute)


def get_logger(name: str) -> BoundLogger:
    """Return the structlog logger of a module."""
    return cast("BoundLogger", _Logger(name))
