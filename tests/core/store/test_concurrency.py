"""Several processes write one foundry at once."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from dagfoundry.factories import Status

if TYPE_CHECKING:
    from conftest import Workshop

_MERGE_ONE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from conftest import GREETING_TYPE, Workshop, installed
from dagfoundry.connections import parse_url
from dagfoundry.store import open_store
store = open_store(parse_url(sys.argv[1], "argument"), timeout_seconds=60)
folder = Path(sys.argv[2])
workshop = Workshop(store=store, folder=folder, plugins=installed(GREETING_TYPE))
workshop.greet("a", **{"b": folder.name})
"""


def test_merges_at_once_wait_for_each_other(workshop: Workshop) -> None:
    """Each of eight merges into an empty store is a revision of its own, or found no change."""
    here = __file__.rpartition("/store/")[0]
    url = workshop.store.url.render_as_string(hide_password=False)
    running = []
    for number in range(8):
        folder = workshop.folder / f"m{number}"
        folder.mkdir()
        command = [sys.executable, "-c", _MERGE_ONE, url, str(folder), here]
        running.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    revisions = workshop.store.revisions("Test")
    assert [r.revision for r in revisions] == list(range(1, 9))
    assert [r.parent for r in revisions] == [None, *range(1, 8)]
    texts = {
        next(row.config()["text"] for row in workshop.store.rows_at("Test", n) if row.key == "b")
        for n in range(1, 9)
    }
    assert texts == {f"m{number}" for number in range(8)}
    assert {r.status for r in workshop.store.rows_at("Test", 8)} == {Status.ACTIVE}
