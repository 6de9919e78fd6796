"""The model: YAML that a team writes, checked and located.

What loads a model is imported when it is asked for: a parse of Airflow needs nothing of
it, but every plugin needs :mod:`dagfoundry.model.schema`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from dagfoundry.model.commit import is_ancestor, is_older, model_commit
    from dagfoundry.model.load import LoadedModel, load_model
    from dagfoundry.model.sections import LoadedItem

__all__ = ["LoadedItem", "LoadedModel", "is_ancestor", "is_older", "load_model", "model_commit"]

_MODULES: Final = {
    "LoadedItem": "sections",
    "LoadedModel": "load",
    "is_ancestor": "commit",
    "is_older": "commit",
    "load_model": "load",
    "model_commit": "commit",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - of the type that is declared above
    if name not in _MODULES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
