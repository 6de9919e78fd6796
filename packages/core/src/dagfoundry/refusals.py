"""How a validator of a model or row refuses a value: what is wrong, and what to do."""

from __future__ import annotations

from pydantic_core import PydanticCustomError


def refusal(problem: str, *, remedy: str) -> PydanticCustomError:
    """Return the error to raise inside a pydantic validator of an item or config.

    Args:
        problem: What is wrong, in one clause.
        remedy: What to do, in one sentence; ``dagfoundry validate`` prints it.

    Example::

        @field_validator("columns")
        def _some(cls, columns):
            if not columns:
                raise refusal("no column is named", remedy="Name one, or leave the key out.")
            return columns
    """
    return PydanticCustomError("refused", "{problem}", {"problem": problem, "remedy": remedy})
