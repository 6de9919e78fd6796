"""How a value of a model or row is refused: what is wrong, and what to do."""

from __future__ import annotations

from pydantic_core import PydanticCustomError


def refusal(problem: str, *, remedy: str) -> PydanticCustomError:
    """Return the error to raise inside a validator.

    Args:
        problem: What is wrong, in one clause.
        remedy: What to do, in one sentence; ``dagfoundry validate`` prints it.
    """
    details = {"problem": problem, "remedy": remedy}
    return PydanticCustomError("dagfactory", "{problem}", details)
