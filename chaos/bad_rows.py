"""Rows that cannot become DAGs: each kind, all at once, among good ones."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from chaos.experiment import finished, healthy
from chaos.fleet import CANARY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chaos.outcome import Outcome
    from chaos.site import Site

_LASTS_SECONDS: Final = 20.0
_SHOWN_SECONDS: Final = 180.0
_GONE_SECONDS: Final = 180.0
_POLL_SECONDS: Final = 0.5
_LONGEST: Final = 120


@dataclass(frozen=True, kw_only=True, slots=True)
class BadRow:
    """One kind of bad row.

    Attributes:
        kind: What is wrong.
        act: What the builder does; such a row passes every check of a merge.
        config_json: A text that no merge would write, put into the row past all checks.
    """

    kind: str
    act: str = ""
    config_json: str = ""


KINDS: Final = (
    BadRow(kind="config is no JSON", config_json='{"number": 1'),
    BadRow(kind="config breaks its schema", config_json=json.dumps({"number": "many"})),
    BadRow(kind="plugin raises", act="raise"),
    BadRow(kind="plugin hangs", act="hang"),
    BadRow(kind="plugin crashes (SIGSEGV)", act="crash"),
    BadRow(kind="plugin ends the process", act="exit"),
    BadRow(kind="DAG does not serialise", act="not serialisable"),
    BadRow(kind="DAG has a circle", act="circle"),
    BadRow(kind="builder gives the DAG another id", act="another id"),
    BadRow(kind="two tasks of one id", act="same task id"),
    BadRow(kind="illegal task id", act="illegal task id"),
)
"""A plugin that is missing is a fault of its own, for it takes all rows of its type."""


def name_of(row: BadRow) -> str:
    """Return what the table calls a bad row."""
    return f"bad row: {row.kind}"


def poison(site: Site) -> list[Outcome]:
    """Make an entry bad in each way, mend them all, and say what became of each.

    Raises:
        AssertionError: The site was not healthy before.
    """
    began = healthy(site, "bad rows")
    keys = {row: f"n{20 + number:03d}" for number, row in enumerate(KINDS)}
    _write(site, keys)
    shown = _wait(site, keys, present=True, seconds=_SHOWN_SECONDS)
    reports = {row: _report(site, key) for row, key in keys.items()}
    time.sleep(_LASTS_SECONDS)
    ended = time.time()
    site.fleet.merge(site.fleet.model("model"))
    revision = site.fleet.change()
    gone = _wait(site, keys, present=False, seconds=_GONE_SECONDS)
    recovered = site.wait_shown(revision, _GONE_SECONDS)
    common = finished(site, "bad row", began=began, ended=ended, recovered=recovered)
    return [
        replace(
            common,
            fault=name_of(row),
            showed=f"all DAGs, this one as it was; import error `{_short(reports[row])}`",
            seconds=gone.get(row, ended) - ended if row in gone else None,
            problems=(
                *common.problems,
                *(() if row in shown else ("no error was shown",)),
                *(() if row in gone else ("its error did not go",)),
            ),
        )
        for row in KINDS
    ]


def _write(site: Site, keys: Mapping[BadRow, str]) -> None:
    acts = {key: {"act": row.act} for row, key in keys.items() if row.act}
    site.fleet.merge(
        site.fleet.model("bad", **acts, **{CANARY: {"number": site.fleet.next_number()}})
    )
    for row, key in keys.items():
        if row.config_json:
            site.fleet.write_row(key, row.config_json)


def _wait(
    site: Site, keys: Mapping[BadRow, str], *, present: bool, seconds: float
) -> dict[BadRow, float]:
    """Wait until each entry's report is there, or is not, and return when that was."""
    until, found = time.time() + seconds, dict[BadRow, float]()
    while len(found) < len(keys) and time.time() < until:
        for row, key in keys.items():
            if row not in found and bool(_report(site, key)) == present:
                found[row] = time.time()
        time.sleep(_POLL_SECONDS)
    return found


def _report(site: Site, key: str) -> str:
    """Return the line of an import error that tells of an entry; empty where none does."""
    sample = site.watcher.newest()
    name = f"DAG {site.fleet.dag_id(key)!r}"
    for report in (sample.errors if sample else None) or {}:
        lines = (sample.errors or {})[report].splitlines() if sample else []
        for line in lines:
            if name in line:
                return line[line.index(name) :]
    return ""


def _short(report: str) -> str:
    """Return what a report says beyond the entry's names, so that a table can hold it."""
    reason = report.partition("cannot be built: ")[2].replace("`", "'")
    return reason if len(reason) <= _LONGEST else f"{reason[:_LONGEST]}..."
