"""What a person is told about a row that cannot be built: which, why, and what to do.

The text is part of a version, so it is the same on every host: no time, no memory
address, no folder of one machine.
"""

from __future__ import annotations

import re
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dagfoundry.errors import FoundryError

if TYPE_CHECKING:
    from dagfoundry.store import Placeholder, RowState

PLUGIN_REMEDY: Final = (
    "Correct the entry in the model and merge again, or report it to the author of the"
    " factory type (`dagfoundry plugins` names the distribution)."
)
_CANNOT: Final = " cannot be built: "
_LONGEST: Final = 4000
_ADDRESS: Final = re.compile(r"0x[0-9a-f]{6,}")


def subject(row: RowState) -> str:
    """Return which row it is: DAG id, platform, type, key, revision and author."""
    named = {
        "platform": row.platform_name,
        "factory type": row.factory_type,
        "entry": row.key,
    }
    parts = [f"{noun} {name!r}" for noun, name in named.items() if name]
    revision = f"revision {row.revision}" + (f" by {row.author}" if row.author else "")
    return f"DAG {row.dag_id!r} ({', '.join([*parts, revision])})"


def problem(row: RowState, error: BaseException) -> tuple[str, str]:
    """Return what is wrong with a row and what to do about it, from an error."""
    if isinstance(error, FoundryError):
        what, remedy = error.what, error.remedy
    else:
        what, remedy = f"{type(error).__name__}: {error}{_origin(error)}", PLUGIN_REMEDY
    if not what.startswith(f"DAG {row.dag_id!r}"):
        what = f"{subject(row)}{_CANNOT}{what}"
    return _ADDRESS.sub("0x...", what)[:_LONGEST], remedy


def cause(what: str) -> str:
    """Return why a row cannot be built, without which row that is."""
    return what.partition(_CANNOT)[2] or what


def report(
    what: str,
    remedy: str,
    *,
    newest: RowState,
    kept: RowState | None,
    placeholder: Placeholder | None = None,
) -> str:
    """Return the text that Airflow shows as an import error.

    Args:
        what: The problem.
        remedy: What to do.
        newest: The row that cannot be built.
        kept: The row that stays in the bucket; None when the DAG is not there.
        placeholder: What stands for the row in the bucket, if that cannot be built either.
    """
    meanwhile = _meanwhile(newest, kept, placeholder)
    return f"{what}\n  {remedy}\n  Until then Airflow {meanwhile}."


def _meanwhile(newest: RowState, kept: RowState | None, placeholder: Placeholder | None) -> str:
    if kept is None:
        return "does not show the DAG"
    if placeholder is None:
        return f"keeps the DAG of revision {kept.revision}"
    builder = placeholder.shape.builder
    which = "" if kept == newest else f" of revision {kept.revision}"
    last = f", which was last good with {builder}" if builder else ""
    why = "" if kept == newest else f"; that cannot be built either: {placeholder.reason}"
    return (
        f"shows a placeholder for the DAG{which}{last}. It has its tasks without a schedule, "
        f"and they fail{why}"
    )


def short_place(file: str, line: int | str, function: str) -> str:
    """Return a position in code without the folders of one machine."""
    return f"{'/'.join(Path(file).parts[-2:])}:{line} in {function}"


def _origin(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return ""
    return f" (at {short_place(frames[-1].filename, frames[-1].lineno or 0, frames[-1].name)})"
